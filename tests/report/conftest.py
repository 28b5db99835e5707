from __future__ import annotations

import pytest

from compress_guard.records import CellResult


@pytest.fixture(scope="session")
def cell():
    """Return a function that makes a result: with a drop unless `drop` is None, else as on 200 photographs."""

    def make(codec, bpp, verdict="pass", outcome="passed", drop=None, *, guard="photos", clean=76.2, **fields):
        values = {
            "id": f"thresholds.yaml::{guard}[{codec}-{float(bpp)}bpp]",
            "guard": guard,
            "task": "classification",
            "metric": "top1",
            "codec": codec,
            "target_bpp": float(bpp),
            "verdict": verdict,
            "outcome": outcome,
            "settled_by": "interval" if verdict in ("pass", "fail") else "policy",
            "reason": "because",
            "rate": "dataset",
            "device": "cpu",
            "seed": 0,
            "confidence": 0.95,
        }
        if drop is not None:
            values |= {"drop": drop, "clean_score": clean, "score": clean - drop, "images": 200, "images_used": 200}
        return CellResult.from_fields(values | fields)

    return make


@pytest.fixture(scope="session")
def every_verdict(cell):
    """Return one guard with a cell for every verdict, and for every way that verdicts are settled."""
    return [
        cell("jpeg", 0.1, "unreachable", "skipped", floor_bpp=0.2251, max_drop=30.0, bpp_mean=0.2251),
        cell("jpeg", 0.25, "pass", "passed", 6.1, max_drop=8.0),
        cell("jpeg", 0.5, "inconclusive", "passed", 4.3, max_drop=4.0),
        cell("jpeg", 1, "pass", "passed", -0.4, max_drop=2.5),
        cell("webp", 0.1, "fail", "failed", 35.2, max_drop=30.0, reason="top1 fell by 35.2 points, allowed 30.0"),
        cell("webp", 0.25, "pass", "passed", -0.04, max_drop=8.0, errors=2, error_ids=("a.jpg", "b.jpg")),
        cell("webp", 0.5, "inconclusive", "failed", 4.3, max_drop=4.0, settled_by="point", reason="4.3 is above 4.0"),
        cell("webp", 1, "unjudged", "skipped", 0.2),
        cell("avif", 0.1, "unavailable", "failed", max_drop=30.0, reason="no libavif here: pip install pillow"),
        cell("avif", 0.25, "codec_error", "failed", max_drop=8.0, reason="decoded twice, two images"),
        cell("avif", 0.5, "error", "failed", max_drop=4.0, reason="model: 3 scores for 4 images"),
    ]
