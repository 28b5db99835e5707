"""The share of a drop that finetuning brings back, over groups of images."""

from __future__ import annotations

import numpy as np
import pytest

from compress_guard.verdict.grouped.groups import Groups
from compress_guard.verdict.recovery import share


@pytest.fixture
def sides(mean_scorer):
    """Return scorers of 40 values, each repeated so often: finetuned, compressed, clean."""

    def make(times):
        rng = np.random.default_rng(0)
        clean = rng.uniform(60, 100, 40)
        compressed = clean - rng.uniform(5, 25, 40)
        finetuned = compressed + rng.uniform(0, 12, 40)
        values = {"finetuned": finetuned, "compressed": compressed, "whole": clean}
        return {name: [mean_scorer(np.repeat(side, times))] for name, side in values.items()}

    return make


def test_images_alike_in_groups_tell_as_much_as_one_of_each(sides):
    alone = share(**sides(1), images=40, seed=3, confidence=0.95)
    groups = Groups.of(np.repeat(np.arange(40), 5).tolist())
    grouped = share(**sides(5), images=200, seed=3, confidence=0.95, groups=groups)
    naive = share(**sides(5), images=200, seed=3, confidence=0.95)
    assert grouped.value == pytest.approx(alone.value)
    assert (grouped.low, grouped.high) == pytest.approx((alone.low, alone.high))
    assert naive.high - naive.low < 0.6 * (grouped.high - grouped.low)


def test_one_group_has_no_share(sides):
    found = share(**sides(1), images=40, seed=0, confidence=0.95, groups=Groups.of(["a"] * 40))
    assert (found.value, found.reason) == (None, "all 40 images are in one group: a share needs at least 2 groups")
