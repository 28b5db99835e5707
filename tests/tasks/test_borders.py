"""Borders of label maps: sharp ones, and those that interpolation blended into labels nobody drew."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from compress_guard.tasks.borders import Borders, blended_share


def drawn(seed, labels=(0, 3, 7, 12, 255), side=96):
    """A map of rectangles."""
    dice = np.random.default_rng(seed)
    canvas = np.full((side, side), labels[0], np.uint8)
    for _ in range(6):
        top, left = dice.integers(0, side - 24, 2)
        height, width = dice.integers(12, 40, 2)
        canvas[top : top + height, left : left + width] = dice.choice(labels)
    return canvas


def resized(canvas, side, how):
    if how == "torch":
        tensor = torch.from_numpy(canvas).float()[None, None]
        return torch.nn.functional.interpolate(tensor, size=(side, side), mode="bilinear")[0, 0].long().numpy()
    return np.asarray(Image.fromarray(canvas).resize((side, side), Image.Resampling[how]))


def share(maps):
    return blended_share([Borders.of(one) for one in maps])


MAPS = [drawn(seed) for seed in range(8)]


def test_maps_as_they_are_drawn_are_sharp():
    assert all(Borders.of(one).blended == 0 < Borders.of(one).sharp for one in MAPS)
    assert share(MAPS) is None
    assert share([]) is None


@pytest.mark.parametrize("side", [24, 48, 61, 150, 192])
def test_maps_resized_by_nearest_neighbour_stay_sharp(side):
    assert share([resized(one, side, "NEAREST") for one in MAPS]) is None


@pytest.mark.parametrize(
    ("how", "side"),
    # A box is the nearest neighbour where maps grow.
    [(how, side) for how in ("BILINEAR", "BICUBIC", "LANCZOS", "torch") for side in (48, 61, 150)] + [("BOX", 61)],
)
def test_maps_resized_by_interpolation_are_blended(how, side):
    assert share([resized(one, side, how) for one in MAPS]) > 0.4


def test_a_few_maps_of_many_that_are_blended_say_nothing_of_the_set():
    assert share([*MAPS, resized(drawn(9), 48, "BILINEAR")]) is None


@pytest.mark.parametrize("labels", [(0, 1), (0, 255), (0, 1, 2)])
def test_a_class_that_is_drawn_a_pixel_wide_between_two_others_is_a_class(labels):
    """An edge class of 1 between background 0 and inside 2, as maps of cells have it."""
    maps = []
    for one in (drawn(seed, labels) for seed in range(8)):
        edged = one.astype(np.int64) * 2
        step = np.diff(edged, axis=1) != 0
        edged[:, 1:][step] = 1
        maps.append(edged)
    assert share(maps) is None


def test_maps_of_ordered_labels_in_bands_are_sharp():
    """Depths, in bands of three pixels."""
    band = np.arange(96)[None, :] // 3 + np.zeros((96, 1), np.int64)
    assert share([band] * 8) is None


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (5, 0), (1, 1), (3, 2), (1, 9)])
def test_small_maps(shape):
    assert Borders.of(np.zeros(shape, np.uint16)) == Borders(0, 0)


def test_counts_by_hand():
    found = Borders.of(np.array([[0, 0, 4, 9, 9, 2, 1, 0], [7, 7, 7, 5, 5, 5, 6, 5]], np.uint16))
    # 0 4 9 and 9 2 1 0 are blended at 4, 2 and 1; 7 beside 5 is sharp, and neighbours that differ by 1 are nothing.
    assert found == Borders(sharp=1, blended=3, commonest=1, most=1)


def test_no_more_than_a_few_rows_of_a_large_map_are_looked_at():
    tall = np.zeros((6400, 8), np.uint8)
    tall[:, 4:] = 9
    assert Borders.of(tall).sharp == 64
    assert Borders.of(tall[:127]).sharp == 64
