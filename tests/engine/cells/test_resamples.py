"""Resampled scores in the store: what judging mAP and mIoU takes longest for, made once for the same evidence."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from compress_guard import own_code
from compress_guard.engine.cells.resamples import KeptResamples
from compress_guard.records import Evidence
from compress_guard.store import Store
from compress_guard.verdict import Remembered
from compress_guard.verdict.resampling import Resampled, resampled

IMAGES = 12


class Mean:
    """A score that is the weighted mean of a value per image, counted each time it is asked for."""

    flags = None

    def __init__(self, values):
        self.values, self.asked = np.asarray(values, dtype=float), 0

    def __call__(self, weights):
        self.asked += 1
        return weights @ self.values / weights.sum(axis=1)


def evidence(values):
    return Evidence(tuple(map(str, range(IMAGES))), tuple({"value": np.array(value)} for value in values))


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path)


def fields(found):
    return [found.replicates, found.halves, found.left_out, found.informative]


def remembered(store, values, metric="map"):
    scorer = Mean(values)
    return scorer, Remembered(scorer, KeptResamples(store, metric, evidence(values)))


def test_the_same_evidence_is_resampled_once_and_gives_the_same(store):
    values = np.linspace(0, 90, IMAGES)
    first, second = (resampled(remembered(store, values)[1], IMAGES, 3) for _ in range(2))
    alone = Resampled.of(Mean(values), IMAGES, 3)
    for one, other, expected in zip(fields(first), fields(second), fields(alone), strict=True):
        np.testing.assert_array_equal(one, expected)
        np.testing.assert_array_equal(other, expected)
    scorer, again = remembered(store, values)
    resampled(again, IMAGES, 3)
    assert scorer.asked == 0


@pytest.mark.parametrize("other", ["value", "metric", "seed", "code"])
def test_whatever_else_it_hangs_on_is_in_its_name(store, monkeypatch, other):
    values = np.linspace(0, 90, IMAGES)
    resampled(remembered(store, values)[1], IMAGES, 3)
    if other == "value":
        values[-1] += 1e-9
    if other == "code":
        monkeypatch.setattr(own_code, "digest", lambda *parts: "other lines")
    scorer, again = remembered(store, values, "miou" if other == "metric" else "map")
    resampled(again, IMAGES, 4 if other == "seed" else 3)
    assert scorer.asked > 0


@pytest.mark.parametrize(
    "junk", [b"", b"[", b"\0\0\0\x02[]", b"\0\0\0\x04null", b"\0\0\0\x0f[1, 2, 3, 0, 0]" + bytes(48)]
)
def test_bytes_that_are_none_are_made_again(store, junk):
    values = np.linspace(0, 90, IMAGES)
    kept = KeptResamples(store, "map", evidence(values))
    store.put(kept._name(IMAGES, 3), junk, "evidence")
    scorer, again = remembered(store, values)
    resampled(again, IMAGES, 3)
    assert scorer.asked > 0


def test_undefined_scores_and_images_without_truth_come_back(store):
    values = np.linspace(0, 90, IMAGES)
    found = replace(
        Resampled.of(Mean(values), IMAGES, 0), informative=np.arange(IMAGES) % 2 == 0, halves=np.full(100, np.nan)
    )
    kept = KeptResamples(store, "map", evidence(values))
    kept.put(IMAGES, 0, found)
    for one, other in zip(fields(kept.get(IMAGES, 0)), fields(found), strict=True):
        np.testing.assert_array_equal(one, other)
