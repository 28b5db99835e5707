from __future__ import annotations

import numpy as np
import pytest

from benchmarks.coverage import recovered


def test_the_populations_lose_and_regain_what_they_should():
    made = recovered.populations(seed=0)
    assert len(made) == 4 * len(recovered.SHARES)
    assert all(one.drop > 2 for one in made)
    for one, share in zip(made, recovered.SHARES * 4, strict=True):
        assert one.truth == pytest.approx(share, abs=0.3)


def test_the_interval_of_the_verdicts_holds_the_truth():
    population = recovered.regions(0.25, 1.0, 0.8, seed=0)
    tally = recovered.measure(population, images=100, samples=60)
    low, high = np.array(tally.ends[recovered.VERDICTS]).T
    assert tally.samples == 60
    assert tally.shares >= 30
    assert np.mean((low <= population.truth) & (population.truth <= high)) >= 0.9


def test_the_three_usual_intervals_agree_where_images_are_many():
    ratio = recovered.regions(1.0, 0.4, 0.8, seed=0).sample(800, seed=1)
    ends = [interval(ratio) for interval in recovered.INTERVALS.values()]
    assert np.ptp(ends, axis=0) == pytest.approx([0, 0], abs=0.02)


def test_the_table_goes_into_a_document(tmp_path, capsys):
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- recovered -->\n<!-- end of recovered -->\nafter\n")
    recovered.main(["--images", "30", "--samples", "2", "--write", str(page)])
    text = page.read_text()
    assert text.startswith("before\n<!-- recovered -->\n\n`python -m benchmarks.coverage.recovered --images 30")
    assert text.count("\n| mIoU") == text.count("\n| top1") == 4
    assert capsys.readouterr().out.strip() in text


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--images", "1"], "--images: [1] are not all from 2 to 20000, the population"),
        (["--samples", "0"], "--samples: 0 is not a whole number of at least 1"),
    ],
)
def test_what_makes_no_sense_is_refused(given, said, capsys):
    with pytest.raises(SystemExit):
        recovered.main(given)
    assert said in capsys.readouterr().err


def test_a_document_without_the_marks_is_refused_before_anything_runs(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("nothing\n")
    with pytest.raises(SystemExit, match="does not have <!-- recovered -->"):
        recovered.main(["--write", str(page)])
