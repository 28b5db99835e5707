"""Sizes and frames of what pipelines deliver."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from compress_guard.codecs.pictures.geometry import Geometry, geometry_of, reshaping_of
from compress_guard.codecs.pipeline.codec import Pipeline
from compress_guard.codecs.pipeline.cropping import Crop
from compress_guard.codecs.pipeline.scaling import Resize
from compress_guard.errors import CodecError

SIDES = st.integers(1, 80)
SHARES = st.floats(0.01, 1.0)
RESIZES = st.one_of(
    *(
        st.fixed_dictionaries({name: values}, optional={"upscale": st.booleans()})
        for name, values in {
            "longest": SIDES,
            "shortest": SIDES,
            "width": SIDES,
            "height": SIDES,
            "area": st.integers(1, 6000),
            "scale": SHARES,
        }.items()
    ),
    st.fixed_dictionaries({"width": SIDES, "height": SIDES}, optional={"upscale": st.booleans()}),
)
CROPS = st.one_of(
    st.builds(lambda side: {"centre": side}, st.integers(2, 80)),
    st.builds(lambda share: {"centre": share}, SHARES),
    st.builds(lambda tall, wide: {"centre": [tall, wide]}, st.integers(2, 80), st.integers(2, 80)),
    st.builds(lambda x, y, wide, tall: {"box": [x / 2, y / 2, x / 2 + wide / 2, y / 2 + tall / 2]}, *[SHARES] * 4),
)
STEPS = st.lists(
    st.one_of(
        RESIZES.map(lambda options: {"resize": options}),
        CROPS.map(lambda options: {"crop": options}),
        st.integers(1, 100).map(lambda quality: {"jpeg": {"quality": quality}}),
    ),
    max_size=4,
)


@settings(max_examples=60, deadline=None)
@given(before=STEPS, after=STEPS, height=SIDES, width=SIDES)
def test_what_is_delivered_has_the_size_that_the_geometry_says(before, after, height, width):
    pipeline = Pipeline([*before, {"jpeg": {"quality": 60}}, *after])
    image = torch.randint(0, 256, (3, height, width), dtype=torch.uint8)
    geometry = geometry_of(pipeline, (height, width))
    (setting,) = pipeline.ladder
    (delivered,) = pipeline.decode_sized(pipeline.encode([image], [setting]), [(height, width)])
    (plain,) = pipeline.reshaped([image])
    assert geometry.source == (height, width)
    assert tuple(delivered.shape) == tuple(plain.shape) == (3, *geometry.delivered)
    x1, y1, x2, y2 = geometry.box
    assert -1e-9 <= x1 < x2 <= width + 1e-9
    assert -1e-9 <= y1 < y2 <= height + 1e-9


@pytest.mark.parametrize(
    ("options", "size", "expected"),
    [
        ({"longest": 1600}, (3000, 4000), (1200, 1600)),
        ({"longest": 1600}, (4000, 3000), (1600, 1200)),
        ({"longest": 10}, (3, 1000), (1, 10)),  # 0.03 pixels are one
        ({"longest": 3}, (5, 6), (3, 3)),  # 2.5 is rounded up
        ({"shortest": 256}, (300, 400), (256, 341)),
        ({"width": 50}, (30, 100), (15, 50)),
        ({"height": 10}, (30, 100), (10, 33)),
        ({"width": 50, "height": 50}, (200, 100), (50, 50)),
        ({"scale": 0.3}, (10, 20), (3, 6)),
        ({"area": 100}, (20, 20), (10, 10)),
        ({"longest": 200}, (30, 100), (30, 100)),
        ({"longest": 200, "upscale": True}, (30, 100), (60, 200)),
        ({"width": 50, "height": 50}, (30, 100), (30, 50)),
        ({"width": 50, "height": 50, "upscale": True}, (30, 100), (50, 50)),
        ({"scale": 2, "upscale": True}, (3, 4), (6, 8)),
    ],
)
def test_sizes_of_a_resize(options, size, expected):
    assert Resize(**options).size(size) == expected


@pytest.mark.parametrize(
    ("options", "size", "expected"),
    [
        ({"centre": 20}, (40, 61), (20, 10, 40, 30)),
        ({"centre": (20, 30)}, (40, 60), (15, 10, 45, 30)),
        ({"centre": 50}, (40, 60), (5, 0, 55, 40)),
        ({"centre": 0.5}, (40, 60), (15, 10, 45, 30)),
        ({"centre": 1.0}, (40, 60), (0, 0, 60, 40)),
        ({"centre": 0.001}, (40, 60), (29, 19, 30, 20)),
        ({"box": (5, 6, 25, 16)}, (40, 60), (5, 6, 25, 16)),
        ({"box": (50, 6, 70, 46)}, (40, 60), (50, 6, 60, 40)),
        ({"box": (0.0, 0.25, 0.5, 1)}, (40, 60), (0, 10, 30, 40)),
        ({"box": (0.99, 0.0, 1.0, 0.001)}, (40, 60), (59, 0, 60, 1)),
    ],
)
def test_windows_of_a_crop(options, size, expected):
    assert Crop(**options).window(size) == expected


def test_a_crop_behind_a_resize_is_a_box_of_the_source():
    pipeline = Pipeline([{"resize": {"scale": 0.5}}, {"crop": {"box": [10, 5, 30, 15]}}, {"jpeg": {"quality": 60}}])
    geometry = pipeline.geometry((80, 120))
    assert geometry == Geometry((80, 120), (20.0, 10.0, 60.0, 30.0), (10, 20))
    assert geometry.cropped


def test_a_crop_of_everything_crops_nothing():
    pipeline = Pipeline([{"resize": {"scale": 0.3}}, {"crop": {"centre": 1.0}}, {"jpeg": {"quality": 60}}])
    assert not pipeline.geometry((77, 123)).cropped


def test_a_box_outside_an_image_is_an_error_of_that_image(natural):
    pipeline = Pipeline([{"crop": {"box": [50, 0, 60, 10]}}, {"jpeg": {"quality": 60}}])
    message = (
        "pipeline could not encode image 2 of 2 (40x40 pixels): the box [50, 0, 60, 10] lies outside a picture of "
        "40x40 pixels"
    )
    with pytest.raises(CodecError) as caught:
        pipeline.encode([natural(40, 64), natural(40, 40)], [60.0, 60.0])
    assert str(caught.value) == message


def test_codecs_that_scale_alike_have_the_same_reference():
    scaled = {"resize": {"scale": 0.5}}
    one = Pipeline([scaled, {"jpeg": {"quality": 60}}])
    other = Pipeline([{"jpeg": {"quality": 20}}, scaled, "webp"])
    assert reshaping_of(one) == reshaping_of(other) != ""
    assert reshaping_of(Pipeline(["jpeg"])) == ""
    assert reshaping_of(Pipeline([{"resize": {"scale": 0.4}}, "jpeg"])) != reshaping_of(one)


@pytest.mark.parametrize(
    "size", [{"scale": 700.0}, {"width": 65000, "filter": "box"}, {"area": 65535**2}, {"scale": 1e300}], ids=str
)
def test_a_picture_cannot_become_longer_than_formats_tell(size):
    pipeline = Pipeline([{"resize": {**size, "upscale": True}}, {"jpeg": {"quality": 60}}])
    with pytest.raises(CodecError) as caught:
        pipeline.geometry((200, 100))
    assert str(caught.value) == ("a picture of 100x200 pixels would become longer than 65535 pixels")
