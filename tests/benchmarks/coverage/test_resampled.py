"""The population that intervals are tried on, and the tables that come of it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from benchmarks.coverage import contenders, population, resampled, rescoring
from compress_guard.verdict import resampling
from examples import models


def segment(images):
    """Bright places are of class 1, very bright ones of class 2."""
    return [sum((image.float().mean(dim=0) > level).long() for level in (120, 170)) for image in images]


def detect(images):
    """A box around the bright places, its score the brightness."""
    predictions = []
    for image in images:
        rows, columns = torch.nonzero(image.float().mean(dim=0) > 150, as_tuple=True)
        box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1] if len(rows) else [0, 0, 1, 1]
        boxes = torch.tensor([[float(side) for side in box]] * 9)
        scores = torch.full((9,), float(image.float().mean()) / 255)
        predictions.append({"boxes": boxes, "labels": torch.arange(1, 10), "scores": scores})
    return predictions


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A population of 40 scenes in shards of 16."""
    monkeypatch.setattr(population, "SHARD", 16)
    monkeypatch.setattr(population, "BATCH", 8)
    monkeypatch.setattr(models, "segmenter", lambda: segment)
    monkeypatch.setattr(models, "detector", lambda: detect)
    population.main(["--out", str(tmp_path), "--images", "40", "--quality", "10"])
    return tmp_path


def test_a_run_that_was_cut_short_goes_on(folder, monkeypatch):
    made = population.read(folder)
    assert population.complete(folder, made) == [0, 1, 2]
    whole = population.evidence(folder, "segmentation", "jpeg-10", [0, 1, 2])
    assert len(set(whole.ids)) == 40
    lost = population.file(folder, "segmentation", "jpeg-10", 1)
    lost.unlink()
    assert population.complete(folder, made) == [0, 2]
    shards = []
    once = population.shard_evidence
    monkeypatch.setattr(population, "shard_evidence", lambda *given: shards.append(given[1]) or once(*given))
    population.main(["--out", str(folder), "--images", "40", "--quality", "10"])
    assert shards == [1]
    assert population.evidence(folder, "segmentation", "jpeg-10", [0, 1, 2]).to_bytes() == whole.to_bytes()


def test_a_folder_with_another_population_is_left_alone(folder):
    with pytest.raises(SystemExit, match=r'holds .*"qualities": \[10\].*, not .*\[20\].*; name another one'):
        population.main(["--out", str(folder), "--images", "40", "--quality", "20"])


def test_the_tables_are_written_between_their_marks(folder, tmp_path, capsys):
    document = tmp_path / "verdicts.md"
    document.write_text("before\n<!-- resampled -->\nstale\n<!-- end of resampled -->\nafter\n", encoding="utf-8")
    given = ["--population", str(folder), "--sizes", "12", "20", "--samples", "3", "--write", str(document)]
    resampled.main(given)
    text = document.read_text(encoding="utf-8")
    assert capsys.readouterr().out.strip() in text
    assert "stale" not in text
    assert text.startswith("before")
    assert text.endswith("after\n")
    assert "### mAP" in text
    assert "### mIoU" in text
    for name in contenders.CONTENDERS:
        assert text.count(f"| 20 | {name} | ") == 2
    files = sorted((folder / "samples").rglob("*.npz"))
    assert len(files) == 2 * 2 * 3
    times = [file.stat().st_mtime_ns for file in files]
    resampled.main(given)
    assert [file.stat().st_mtime_ns for file in files] == times
    assert document.read_text(encoding="utf-8") == text


def test_the_truth_is_that_of_all_scenes_and_a_sample_of_all_has_no_bias(folder):
    world = resampled.World.of(folder, "segmentation", population.read(folder))
    drawn = world.sample(folder, 40, 0)
    for condition, truth in world.truth.items():
        assert drawn[condition].value == pytest.approx(truth)
    drop = drawn["clean"] - drawn["jpeg-10"]
    assert drop.value == pytest.approx(world.truth["clean"] - world.truth["jpeg-10"])
    for contender in contenders.CONTENDERS.values():
        low, high = contender(drop, 0.95)
        assert low <= drop.value <= high


def test_contenders_agree_on_the_mean_of_many_images():
    values = np.random.default_rng(3).normal(50, 8, 900)

    def mean(weights):
        return weights @ values / weights.sum(axis=1)

    sample = contenders.Sample(resampling.Resampled.of(mean, 900, 1), values.mean(), 900, 1)
    error = values.std(ddof=1) / 30
    for name, contender in contenders.CONTENDERS.items():
        reach = (np.array(contender(sample, 0.95)) - values.mean()) / error
        assert reach == pytest.approx([-1.96, 1.96], abs=0.2), name


def test_rescoring_says_how_long_it_took(capsys):
    rescoring.main(["--images", "20", "--classes", "5", "--detections", "8", "--resamples", "30"])
    assert "30 resamples of 20 images, 5 classes, 8 detections per image, both sides: " in capsys.readouterr().out


def test_generated_evidence_is_of_one_world_and_better_models_score_more():
    size = rescoring.Size(60, 8, 20)
    sides = [rescoring.generated(size, quality) for quality in (0.95, 0.6)]
    for better, worse in zip(*sides, strict=True):
        assert better["truth_counts"].tolist() == worse["truth_counts"].tolist()
        assert len(better["labels"]) == len(worse["labels"]) == 20
    scores = [rescoring.Detection().scorer("map", side)(np.ones((1, 60)))[0] for side in sides]
    assert 90 > scores[0] > scores[1] + 5 > 20
