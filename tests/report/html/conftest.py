"""Runs with everything that a report can show."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from compress_guard.records import (
    CellResult,
    Ending,
    RecoveryPoint,
    RecoveryResult,
    Share,
    ThroughputResult,
    TrafficResult,
)
from compress_guard.report.html.contents import RunContents

SLICE = {
    "slicing": "weather",
    "value": "rain",
    "images": 20,
    "confidence": 0.95,
    "verdict": "fail",
    "clean_score": 70.0,
    "score": 40.0,
    "drop": 30.0,
    "drop_low": 21.5,
    "drop_high": 38.0,
    "max_drop": 10.0,
}


BASELINE = {
    "baseline_score": 75.5,
    "baseline_images": 180,
    "baseline_paired": True,
    "regression": 1.3,
    "regression_low": 0.4,
    "regression_high": 2.2,
    "drop_change": 0.6,
    "drop_change_low": -0.2,
    "drop_change_high": 1.4,
    "max_regression": 3.0,
}


@pytest.fixture
def failed_cell(cell):
    """Return a failed cell with all that its details show."""
    return cell(
        "jpeg",
        0.25,
        "fail",
        "failed",
        12.0,
        drop_low=9.0,
        drop_high=15.04,
        max_drop=5.0,
        bpp_mean=0.2496,
        bpp_se=0.002,
        settings=((14.0, 150), (15.0, 50)),
        worst=(("street/0017.png", 0.5), ("street/0021.png", 0.5)),
        changed=40,
        harmful_flips=25,
        helpful_flips=1,
        codec_version="libjpeg-turbo 3.2.0",
        reason="top1 fell by 12.0 points (76.2 to 64.2), allowed 5.0",
    )


@pytest.fixture
def study(cell):
    share = Share(0.82, 0.75, 0.9)
    point = RecoveryPoint("jpeg", 0.25, 0.2496, 64.2, 65.0, 74.0, (65.0,), (74.0,), share, share)
    return RecoveryResult.from_dict(
        {
            "id": "thresholds.yaml::photos[recovery-jpeg-0.25bpp]",
            "guard": "photos",
            "task": "classification",
            "metric": "top1",
            "codec": "jpeg",
            "trained_bpp": 0.25,
            "verdict": "unjudged",
            "outcome": "passed",
            "settled_by": "policy",
            "reason": "82 % came back",
            "confidence": 0.95,
            "clean": 76.2,
        }
        | {"points": [asdict(point)]}
    )


@pytest.fixture
def whole_run(cell, failed_cell, study):
    """Return the contents of a run that has something for every part of the report."""
    values = failed_cell.as_dict() | {"slices": [SLICE]}
    cells = [
        CellResult.from_dict(values),
        cell("jpeg", 0.5, drop=2.0, drop_low=1.0, drop_high=3.0, max_drop=4.0, bpp_mean=0.51, groups=40, **BASELINE),
        cell("webp", 0.25, drop=1.5, drop_low=0.5, drop_high=2.5, max_drop=5.0, bpp_mean=0.25),
        cell("webp", 0.5, "inconclusive", drop=4.0, drop_low=1.0, drop_high=6.0, max_drop=4.5, images_needed=812),
        cell(
            "jpeg",
            1,
            drop=1.0,
            max_drop=2.0,
            target_bpp=None,
            target_quality=75.0,
            rate=None,
            id="thresholds.yaml::photos[jpeg-q75]",
            bpp_mean=1.31,
        ),
        cell(
            "jpeg",
            0.5,
            drop=2.0,
            decoder="opencv",
            first_decoder="pillow",
            decoder_version="opencv 5.0",
            decoder_drop=0.4,
            decoder_difference_max=6,
            id="thresholds.yaml::photos[jpeg-0.5bpp-opencv]",
        ),
        cell("avif", 0.25, "unavailable", "skipped", guard="others", reason="no libavif here: pip install pillow"),
    ]
    speed = ThroughputResult(
        "thresholds.yaml::photos[throughput-jpeg-0.25bpp]",
        *("photos", "jpeg", 0.25, "round_trip", "pass", "passed", "interval", "fast enough", 0, 0.95),
        speed=48.7,
        speed_low=47.0,
        speed_high=50.1,
        ratio=1.2,
        codec_device="cpu",
    )
    traffic = TrafficResult("photos", "top1", 0.9, 2, 0.95, images=200, drop=3.3, drop_low=2.2, drop_high=4.4)
    environment = {"python": "3.12.1", "packages": {"torch": "2.9.0", "pillow": "12.2"}, "limit": None}
    return RunContents(cells, [study], [speed], environment, Ending(1, (), (traffic,)))
