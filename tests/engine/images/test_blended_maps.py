"""Label maps that were resized with interpolation hold classes that are not in the images: doubted in every way in."""

from __future__ import annotations

import re
import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from compress_guard import measure
from compress_guard.engine.compressed_batches import compressed_batches
from compress_guard.engine.keyword_guard import one_cell_guard
from compress_guard.engine.settings import RunSettings

MESSAGE = (
    "100 % of the borders in the label maps of 6 images hold labels between those of both sides, as interpolation "
    "leaves them: they belong to classes that are not in the images, and their IoU means nothing; expected one label "
    "directly beside the other; resize label maps by nearest neighbour"
)


class Scenes:
    """Rectangles of class 4 and 9 on 0, the maps drawn at half size and resized in this way."""

    def __init__(self, how):
        self.how = how

    def __len__(self):
        return 6

    def __getitem__(self, at):
        drawn = np.zeros((32, 32), np.uint8)
        drawn[4:28, 3 + at : 14 + at] = 4
        drawn[8:30, 14 + at : 24] = 9
        target = Image.fromarray(drawn).resize((64, 64), Image.Resampling[self.how])
        image = np.repeat(np.asarray(target)[None] * 25, 3, axis=0)
        return torch.from_numpy(image.copy()), target


def answers(images):
    return [(image[0].float() / 25).round().long() for image in images]


def measured(how, **wanted):
    return measure(answers, Scenes(how), task="segmentation", codec="webp", bpp=2.0, device="cpu", workers=1, **wanted)


def test_measure_warns():
    with pytest.warns(UserWarning, match=f"^{re.escape(MESSAGE)}$"):
        result = measured("BILINEAR")
    assert result.doubts == (MESSAGE,)


def test_maps_resized_by_nearest_neighbour_are_not_doubted():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert measured("NEAREST").doubts == ()


@pytest.mark.parametrize("data", ["segmenter:data", None])
def test_compressed_batches_of_a_guard_warn(tmp_path, data):
    """Without a guard it is unknown that a map holds classes."""
    guard = replace(one_cell_guard("scenes", task="segmentation", codec="webp", bpp=2.0), data=data)
    settings, told = RunSettings(tmp_path, tmp_path, device="cpu", workers=1), []
    batches = compressed_batches(Scenes("BILINEAR"), guard, guard.cells[0], settings, "cpu", 3, told.append)
    assert sum(len(batch.ids) for batch in batches) == 6
    assert told == ([f"WARNING: scenes: {MESSAGE}"] if data else [])
