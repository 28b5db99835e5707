"""Targets of compressed batches: as they are, and not without a word where label maps do not fit their images."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from compress_guard.engine.images.raw_targets import RawTargets
from compress_guard.errors import DataError
from compress_guard.registry import TASKS


def test_maps_of_another_size_are_counted():
    targets = RawTargets(None)
    whole, turned = np.zeros((40, 64), np.int64), Image.new("L", (40, 64))
    assert targets.read(whole, (40, 64)) is whole
    assert targets.remark() is None
    assert targets.read(turned, (40, 64)) is turned
    assert targets.remark() == (
        "1 of 2 label maps have another size than their image, the first 64x40 for an image of 40x64 (height x width); "
        "expected the same size; resize them, or transpose them"
    )


@pytest.mark.parametrize("task", [None, "classification", "segmentation"])
@pytest.mark.parametrize("raw", [3, None, "cat", np.zeros((17, 3), np.int64), np.zeros((5, 4)), {"boxes": []}])
def test_other_targets_may_be_anything(task, raw):
    targets = RawTargets(None if task is None else TASKS.resolve(task)())
    assert targets.read(raw, (40, 64)) is raw
    assert targets.remark() is None


def test_a_guards_own_maps_have_to_be_ones_that_its_cells_take():
    targets = RawTargets(TASKS.resolve("segmentation")())
    with pytest.raises(DataError, match=r"expected an integer label map of shape \(40, 64\)"):
        targets.read(np.zeros((64, 40), np.int64), (40, 64))
