"""Studies at qualities: models are trained and tested on images at exactly the setting."""

from __future__ import annotations

import pytest

from compress_guard.records import MIXED, Quality
from compress_guard.report.recovery import recovery_lines
from compress_guard.report.recovery_figure import recovery_figure
from tests.engine.recovery.conftest import JPEG

POINTS = ((JPEG, Quality(75.0)), (JPEG, Quality(20.0)), (JPEG, 3.0), (JPEG, MIXED))


def test_a_study_at_qualities(tiny):
    results = [each.result for each in tiny.measure(tiny.recovery(POINTS, seeds=(0,)))]
    assert [result.id.partition("recovery-")[2] for result in results] == [
        "jpeg-q75]",
        "jpeg-q20]",
        "jpeg-3.0bpp]",
        "jpeg-mixed]",
    ]
    assert [(result.trained_bpp, result.trained_quality) for result in results] == [
        (None, 75.0),
        (None, 20.0),
        (3.0, None),
        ("mixed", None),
    ]
    tested = [(3.0, None), (None, 20.0), (None, 75.0)]
    for result in results:
        assert [(point.bpp, point.quality) for point in result.points] == tested
    assert [[point.label for point in result.own()] for result in results] == [
        ["jpeg q75"],
        ["jpeg q20"],
        ["jpeg 3.0bpp"],
        ["jpeg 3.0bpp", "jpeg q20", "jpeg q75"],
    ]
    low, high = (
        next(point.bpp_mean for point in results[0].points if point.quality == quality) for quality in (20, 75)
    )
    assert 0 < low < high
    text = "\n".join("".join(part for part, _ in line) for line in recovery_lines(results))
    for label in ("jpeg q75", "jpeg q20", "jpeg mixed, at q20", "jpeg mixed, at 3.0bpp"):
        assert label in text
    assert "None" not in text
    assert "<svg" in recovery_figure(results)


def test_the_figure_of_qualities_alone_has_measured_rates_below(tiny):
    result = tiny.only(tiny.recovery(((JPEG, Quality(75.0)),), seeds=(0,))).result
    (point,) = result.points
    assert (point.bpp, point.quality, point.point) == (None, 75.0, Quality(75.0))
    assert f">{float(f'{point.bpp_mean:.2g}'):g}</text>" in recovery_figure([result])


def test_what_was_trained_at_a_quality_is_not_trained_again(tiny):
    recovery = tiny.recovery(((JPEG, Quality(50.0)),))
    first, again = tiny.measure(recovery), tiny.measure(recovery)
    assert [each.result.trained for each in (*first, *again)] == [pytest.approx(4), 0]
