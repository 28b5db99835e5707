"""The gate of the bundled world: the shipped models pass it, damaged ones do not, and every verdict can be seen."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from compress_guard.engine.cells.guard_bench import Bench
from compress_guard.engine.images.subsets import ReadingOptions
from compress_guard.engine.prediction.subject import Subject
from compress_guard.engine.session import Session, without_fixtures
from compress_guard.engine.settings import RunSettings
from compress_guard.records import CellResult, Guard
from compress_guard.thresholds import load
from examples import data, models

ROOT = Path(__file__).parents[2]
FACTORIES: dict[str, Callable[[], Any]] = {
    "classifier": models.classifier,
    "detector": models.detector,
    "segmenter": models.segmenter,
}
DATA: dict[str, Callable[[], Any]] = {
    "classifier": data.classification,
    "detector": data.detection,
    "segmenter": data.segmentation,
}


def guard_of_the_world(name: str) -> Guard:
    return next(guard for guard in load(ROOT / "thresholds.yaml").guards if guard.name == name)


def judged(name: str, model: Any, folder: Path) -> CellResult:
    """The guard's cell of JPEG at 2 bpp on 32 images, the one easiest to pass."""
    guard = guard_of_the_world(name)
    cell = next(cell for cell in guard.cells if (cell.codec.alias, cell.bpp) == ("jpeg", 2.0))
    guard = replace(guard, cells=(cell,))
    settings = RunSettings(run_folder=folder, store_folder=folder, limit=32, workers=1)
    subject = Subject(guard.task, lambda: model, DATA[name], ReadingOptions(0), device="cpu")
    return Bench(guard, subject, settings).measure(cell, cell.name).result


def shuffle(module: torch.nn.Module) -> None:
    """Mix the weights among themselves: the same values, none where it belongs."""
    mixed = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weights in module.parameters():
            order = torch.randperm(weights.numel(), generator=mixed)
            weights.copy_(weights.flatten()[order].reshape(weights.shape))


@pytest.mark.parametrize("name", FACTORIES)
def test_a_shipped_model_is_not_failed(name: str, tmp_path: Path) -> None:
    result = judged(name, FACTORIES[name](), tmp_path)
    assert result.outcome == "passed", result.reason
    assert result.bpp_mean == pytest.approx(2.0, rel=0.02)


@pytest.mark.parametrize("name", FACTORIES)
def test_shuffled_weights_in_the_head_fail_the_gate(name: str, tmp_path: Path) -> None:
    model = FACTORIES[name]()
    shuffle(model.module.head)
    result = judged(name, model, tmp_path)
    assert (result.verdict, result.outcome, result.settled_by) == ("fail", "failed", "interval"), result.reason
    assert result.score_high is not None
    assert result.min_score is not None
    assert result.score_high < result.min_score


def test_the_gate_has_every_cell_and_a_limit_for_each() -> None:
    guards = load(ROOT / "thresholds.yaml").guards
    assert {guard.name for guard in guards} == set(FACTORIES)
    for guard in guards:
        assert [codec.alias for codec in guard.codecs] == ["jpeg", "webp", "avif", "neural"]
        assert guard.rates("avif") == (0.1, 0.25, 0.5, 1.0, 2.0)
        assert guard.rates("neural") == (0.1, 0.5)
        assert all(cell.max_drop is not None and cell.max_drop < 99.1 for cell in guard.cells)


def test_the_verdicts_file_shows_a_red_a_grey_and_an_unreachable_cell(tmp_path: Path) -> None:
    thresholds = load(ROOT / "examples/verdicts.yaml")
    session = Session(thresholds, RunSettings(run_folder=tmp_path, store_folder=tmp_path, workers=1))
    verdicts = {
        cell.name: session.measure(cell, cell.name, without_fixtures, lambda what, done, total: None).result.verdict
        for guard in thresholds.guards
        for cell in guard.cells
    }
    assert verdicts == {
        "red[jpeg-0.25bpp]": "fail",
        "grey[avif-0.25bpp]": "inconclusive",
        "unreachable[jpeg-0.03bpp]": "unreachable",
        "unreachable[jpeg-0.5bpp]": "pass",
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", FACTORIES)
@pytest.mark.parametrize("codec", ["jpeg", "avif"])
def test_models_of_the_world_degrade_as_real_ones_do(name: str, codec: str, tmp_path: Path) -> None:
    """Much is lost at 0.1 bpp, nearly nothing at 2, and never more at a higher rate."""
    guard = guard_of_the_world(name)
    rates = (0.1, 0.5, 2.0)
    guard = replace(guard, cells=tuple(c for c in guard.cells if c.codec.alias == codec and c.bpp in rates))
    settings = RunSettings(run_folder=tmp_path, store_folder=tmp_path, limit=40, workers=1)
    subject = Subject(guard.task, FACTORIES[name], DATA[name], ReadingOptions(0), device="cpu")
    bench = Bench(guard, subject, settings)
    results = [bench.measure(cell, cell.name).result for cell in guard.cells]
    lost = [result.drop for result in results if result.drop is not None]
    assert tuple(result.target_bpp for result in results) == rates
    assert len(lost) == len(results), [result.reason for result in results]
    assert results[0].drop_low is not None
    assert results[0].drop_low > 10
    assert lost[-1] < 3
    assert all(higher <= lower + 1 for lower, higher in itertools.pairwise(lost))
