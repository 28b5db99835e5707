"""The tables of `benchmarks.coverage.together` on fewer images: what a correction promises of cells with two limits."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.coverage import together
from benchmarks.coverage.top1 import Scenario


@pytest.fixture(scope="module", params=[20, 50])
def scenarios(request):
    return together.grid(request.param)


@pytest.mark.parametrize("cells", [1, 5, 20])
def test_with_two_limits_each_all_cells_together_keep_the_promise(scenarios, cells):
    found = together.worst(scenarios, together.confidence_of(cells, "bonferroni")).among(cells)
    assert found.fails <= 0.03
    # Single intervals of few images hold as little as 1.5 points less than they say: see `benchmarks.coverage.top1`.
    assert found.misses <= 0.055


def test_at_the_confidence_of_one_limit_two_intervals_miss_twice_as_often(scenarios):
    found = together.worst(scenarios, together.confidence_of(1, "none"))
    assert found.misses > 0.1
    assert found.fails > 0.05


def test_a_cell_is_wrong_where_either_interval_is():
    """Ten images of which none is lost, or all: the ends are known."""
    (sure, gone) = (Scenario(10, 1.0, drop, 0.0) for drop in (0.0, 1.0))
    assert together.worst((sure, gone), 0.95) == (0.0, 0.0)
    half = together.worst((Scenario(10, 1.0, 0.5, 0.0),), 0.95)
    # 0, 1, 9 or 10 of 10 coins are as rare as that: 22 of 1024, one tail of which is a loss that is too large.
    assert half.misses == pytest.approx(22 / 1024)
    assert half.fails == pytest.approx(11 / 1024)


def test_cells_that_have_nothing_in_common_add_up():
    assert together.Wrong(0.01, 0.02).among(2) == pytest.approx((1 - 0.99**2, 1 - 0.98**2))


def test_all_drops_that_a_model_can_have_are_looked_at():
    drops = {one.drop for one in together.grid(20) if one.accuracy == 1}
    assert {0.0, 0.5, 0.95} <= drops
    assert all(np.all(np.array(one.shares) >= 0) for one in together.grid(20))


def test_the_table_goes_between_its_marks(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(together, "DROPS", (0.1,))
    page = tmp_path / "verdicts.md"
    page.write_text("before\n<!-- together -->\nstale\n<!-- end of together -->\nafter\n", encoding="utf-8")
    together.main(["--images", "10", "--write", str(page)])
    text = page.read_text(encoding="utf-8")
    assert capsys.readouterr().out.strip() in text
    assert "stale" not in text
    assert "| 10 | 1 | bonferroni | 97.5 |" in text
    page.write_text("", encoding="utf-8")
    with pytest.raises(SystemExit, match="does not have"):
        together.main(["--write", str(page)])


def test_no_images_are_refused(capsys):
    with pytest.raises(SystemExit):
        together.main(["--images", "0"])
    assert "--images: 0 is not a whole number of at least 1" in capsys.readouterr().err
