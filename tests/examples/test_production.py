"""The example whose limits are in the words of production."""

from __future__ import annotations

from pathlib import Path

from compress_guard.engine.progress import SILENT
from compress_guard.engine.session import Session, without_fixtures
from compress_guard.engine.settings import RunSettings
from compress_guard.thresholds import load

PRODUCTION = Path(__file__).parents[2] / "examples" / "production.yaml"


def test_it_has_three_qualities_of_three_encoders_and_a_rate_beside_a_quality() -> None:
    classifier, detector = load(PRODUCTION).guards
    assert [cell.label for cell in classifier.cells] == [
        f"{codec}-q{quality}" for codec in ("jpeg", "webp", "avif") for quality in (30, 50, 75)
    ]
    assert {cell.label: cell.max_drop for cell in detector.cells} == {"jpeg-1.0bpp": 25, "jpeg-q50": 30}
    assert all(cell.max_drop is not None for cell in classifier.cells)


def test_its_cells_code_each_image_once_and_hold(tmp_path: Path) -> None:
    thresholds = load(PRODUCTION)
    session = Session(thresholds, RunSettings(run_folder=tmp_path, store_folder=tmp_path, workers=1, limit=16))
    for cell in thresholds.guards[0].cells:
        if cell.codec.alias == "jpeg":
            result = session.measure(cell, cell.name, without_fixtures, SILENT).result
            assert (result.encodes, result.images, result.target_quality) == (1.0, 16, cell.quality)
            assert result.outcome == "passed"
