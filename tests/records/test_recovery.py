"""Recovery records: names, the points of a model, and what survives JSON."""

from __future__ import annotations

import json

import pytest

from compress_guard.records import MIXED, CodecSpec, Rate, Recovery, RecoveryCell, RecoveryPoint, RecoveryResult, Share

AVIF, JPEG = CodecSpec("avif", "avif"), CodecSpec("jpeg", "jpeg")


def point(codec, bpp, finetuned=80.0):
    share = Share(0.5, 0.4, None, (0.45, 0.55))
    nothing = Share(None, reason="no drop")
    return RecoveryPoint(codec, bpp, bpp * 1.01, 60.0, 61.0, finetuned, (61.0, 61.0), (79.0, 81.0), share, nothing)


def result(trained_bpp, points=()):
    return RecoveryResult(
        id="thresholds.yaml::photos[recovery-avif-mixed]",
        guard="photos",
        task="classification",
        metric="top1",
        codec="avif",
        trained_bpp=trained_bpp,
        verdict="unjudged",
        outcome="skipped",
        settled_by="policy",
        reason="no limit is set",
        confidence=0.95,
        seeds=(0, 1),
        clean=90.0,
        points=tuple(points),
    )


POINTS = [point("avif", 0.1, 70.0), point("avif", 0.25), point("jpeg", 0.1)]


@pytest.mark.parametrize(
    ("trained", "own", "lost"), [(0.1, [0.1], 20.0), (0.25, [0.25], 10.0), (MIXED, [0.1, 0.25], 20.0), (0.5, [], None)]
)
def test_a_models_own_points_are_those_that_it_was_trained_for(trained, own, lost):
    found = result(trained, POINTS)
    assert [(one.codec, one.bpp) for one in found.own()] == [("avif", bpp) for bpp in own]
    assert found.lost == lost


@pytest.mark.parametrize("trained", [0.1, MIXED])
def test_json_and_back_is_the_same(trained):
    one = result(trained, POINTS)
    assert RecoveryResult.from_dict(json.loads(json.dumps(one.as_dict()))) == one
    newer = {**one.as_dict(), "of_a_newer_version": 1}
    for values in newer["points"]:
        values["newer"] = values["recovered"]["newer"] = 1
    assert RecoveryResult.from_dict(newer) == one


def test_what_did_not_come_back_is_no_more_than_what_was_lost_and_no_less_than_nothing():
    harmed, better = point("avif", 0.1, 20.0), point("avif", 0.1, 95.0)
    assert result(0.1, [harmed]).lost == 30.0
    assert result(0.1, [harmed]).as_dict()["lost"] == 30.0
    assert result(0.1, [better]).lost == 0.0


def test_names_and_points_of_a_study():
    cells = tuple(
        RecoveryCell("photos", codec, bpp if bpp == MIXED else Rate(bpp), None, 3)
        for codec, bpp in [(AVIF, 0.25), (AVIF, 0.1), (AVIF, MIXED), (JPEG, 1.0)]
    )
    assert [cell.name for cell in cells] == [
        *("photos[recovery-avif-0.25bpp]", "photos[recovery-avif-0.1bpp]"),
        *("photos[recovery-avif-mixed]", "photos[recovery-jpeg-1.0bpp]"),
    ]
    assert Recovery("m:train", cells=cells).points == ((AVIF, Rate(0.1)), (AVIF, Rate(0.25)), (JPEG, Rate(1.0)))
    assert not cells[0].judged
