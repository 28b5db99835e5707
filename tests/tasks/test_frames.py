"""Frames of scaled and cropped pictures, against loops by hand and against torch."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from compress_guard.records import Geometry
from compress_guard.tasks import frames
from compress_guard.tasks.detection import Detection
from compress_guard.tasks.segmentation import Segmentation

SIDES = st.integers(1, 40)


def whole(source, delivered):
    height, width = source
    return Geometry(source, (0.0, 0.0, float(width), float(height)), delivered)


@st.composite
def crops(draw):
    """A geometry whose box may begin and end anywhere in the source."""
    height, width = draw(SIDES), draw(SIDES)

    def side(length):
        low = draw(st.floats(0, length - 0.5))
        return low, draw(st.floats(min(low + 0.25, length), length))

    (x1, x2), (y1, y2) = side(width), side(height)
    return Geometry((height, width), (x1, y1, x2, y2), (draw(SIDES), draw(SIDES)))


def by_hand(labels, geometry):
    """The labels of a delivered picture in the frame of its part of the source, pixel by pixel."""
    x1, y1, x2, y2 = geometry.box
    height, width = geometry.delivered
    rows = [y for y in range(geometry.source[0]) if y1 <= y + 0.5 < y2]
    columns = [x for x in range(geometry.source[1]) if x1 <= x + 0.5 < x2]
    return [
        [
            labels[math.floor((y + 0.5 - y1) * height / (y2 - y1))][math.floor((x + 0.5 - x1) * width / (x2 - x1))]
            for x in columns
        ]
        for y in rows
    ]


@given(crops(), st.integers(0, 2**32 - 1))
def test_a_map_comes_back_pixel_by_pixel_as_by_hand(geometry, seed):
    labels = np.random.default_rng(seed).integers(0, 5, geometry.delivered).astype(np.uint16)
    restored = frames.restored_map(labels, geometry)
    assert restored.shape == frames.frame_size(geometry)
    assert set(restored.flat) <= set(labels.flat)
    expected = by_hand(labels, geometry)
    if expected and expected[0]:
        assert restored.tolist() == expected
    else:  # a box between the centres of two pixels
        assert 1 in restored.shape


@given(SIDES, SIDES, SIDES, SIDES)
def test_a_map_of_a_whole_picture_comes_back_as_torch_does_it(height, width, small_height, small_width):
    labels = np.arange(small_height * small_width).reshape(small_height, small_width)
    geometry = whole((height, width), (small_height, small_width))
    wanted = torch.nn.functional.interpolate(
        torch.from_numpy(labels)[None, None].double(), size=(height, width), mode="nearest-exact"
    )
    restored = frames.restored_map(labels, geometry)
    # torch computes the places in single precision, so that a centre on an edge may fall to either side.
    down, right = (
        (np.arange(side) + 0.5) * small / side for side, small in ((height, small_height), (width, small_width))
    )
    sure = [abs(places - np.rint(places)) > 1e-4 for places in (down, right)]
    assert np.array_equal(restored[np.ix_(*sure)], wanted[0, 0].numpy()[np.ix_(*sure)])


@given(crops(), st.lists(st.tuples(*[st.floats(-50, 90)] * 4), max_size=5))
def test_boxes_come_back_from_where_they_were_delivered(geometry, corners):
    boxes = np.array(corners, dtype=np.float64).reshape(-1, 4)
    there = frames.delivered_boxes(boxes, geometry)
    assert np.allclose(frames.restored_boxes(there, geometry), boxes, rtol=1e-12, atol=1e-9)


def test_a_box_fills_the_part_that_it_filled_in_the_picture():
    geometry = Geometry((100, 200), (50.0, 0.0, 150.0, 100.0), (50, 25))
    assert frames.restored_boxes(np.array([[0.0, 0.0, 25.0, 50.0]]), geometry).tolist() == [[0, 0, 100, 100]]
    assert frames.delivered_boxes(np.array([[0.0, 0.0, 100.0, 100.0]]), geometry).tolist() == [[0, 0, 25, 50]]


@given(crops(), st.integers(0, 2**32 - 1))
def test_a_map_is_delivered_pixel_by_pixel_as_by_hand(geometry, seed):
    labels = np.random.default_rng(seed).integers(0, 5, geometry.source)
    x1, y1, x2, y2 = geometry.box
    height, width = geometry.delivered
    wanted = [
        [
            labels[
                min(math.floor(y1 + (y + 0.5) * (y2 - y1) / height), geometry.source[0] - 1),
                min(math.floor(x1 + (x + 0.5) * (x2 - x1) / width), geometry.source[1] - 1),
            ]
            for x in range(width)
        ]
        for y in range(height)
    ]
    assert frames.delivered_map(labels, geometry).tolist() == wanted


def test_a_map_is_cropped_to_the_pixels_whose_centres_lie_within():
    labels = np.arange(12).reshape(3, 4)
    geometry = Geometry((3, 4), (0.5, 0.6, 2.6, 3.0), (7, 7))
    assert frames.cropped_map(labels, geometry).tolist() == [[4, 5, 6], [8, 9, 10]]
    assert frames.frame_size(geometry) == (2, 3)
    assert Segmentation().cropped({"labels": labels}, geometry)["labels"].shape == (2, 3)


def target(boxes, **columns):
    boxes = np.array(boxes, dtype=np.float64).reshape(-1, 4)
    count = len(boxes)
    return {
        "boxes": boxes,
        "labels": np.arange(count),
        "area": np.array(columns.get("area", [100.0] * count)),
        "crowd": np.array(columns.get("crowd", [False] * count), dtype=np.bool_),
    }


def test_objects_are_clipped_to_a_crop_and_dropped_where_nothing_is_left():
    geometry = Geometry((20, 20), (5.0, 5.0, 15.0, 15.0), (10, 10))
    boxes = [
        [0, 0, 10, 10],  # a quarter is left
        [6, 6, 8, 8],  # all of it
        [0, 0, 5, 20],  # touches the crop
        [7, 7, 7, 9],  # has no area
        [0, 0, 20, 20],  # surrounds the crop
    ]
    cropped = Detection().cropped(target(boxes, area=[40, 3, 9, 9, 200], crowd=[0, 0, 0, 0, 1]), geometry)
    assert cropped["boxes"].tolist() == [[0, 0, 5, 5], [1, 1, 3, 3], [0, 0, 10, 10]]
    assert cropped["labels"].tolist() == [0, 1, 4]
    assert cropped["area"].tolist() == [10, 3, 50]
    assert cropped["crowd"].tolist() == [False, False, True]


def test_a_target_without_objects_stays_one():
    geometry = Geometry((20, 20), (5.0, 5.0, 15.0, 15.0), (10, 10))
    assert Detection().cropped(target([]), geometry)["boxes"].shape == (0, 4)


def test_predictions_keep_all_but_their_place():
    geometry = whole((10, 20), (5, 5))
    scores, labels = np.array([0.5], dtype=np.float32), np.array([3])
    restored = Detection().restored(
        {"boxes": np.array([[1.0, 1.0, 6.0, 2.0]]), "labels": labels, "scores": scores}, geometry
    )
    assert restored["boxes"].tolist() == [[4, 2, 24, 4]], "what leaves the picture is not clipped"
    assert (restored["labels"], restored["scores"]) == (labels, scores)


@pytest.mark.parametrize("box", [(0.5, 0.0, 0.6, 1.0), (3.9, 0.0, 4.0, 1.0), (1.49, 0.0, 1.499, 1.0)])
def test_a_crop_between_two_centres_has_one_pixel(box):
    assert frames.frame_size(Geometry((1, 4), box, (8, 8))) == (1, 1)
