"""Pictures on another scale than their mode says are refused by the set, and one dark picture is not."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import compress_guard
from compress_guard.codecs.pixels import Picture
from compress_guard.engine.images.reader import SampleReader
from compress_guard.engine.images.samples import Samples
from compress_guard.engine.images.survey.passes import survey
from compress_guard.engine.images.value_range import check_levels
from compress_guard.errors import DataError


def grey(number, low=60, high=200):
    return np.random.default_rng(number).integers(low, high, (12, 16)).astype(np.uint8)


def png(values):
    file = io.BytesIO()
    Image.fromarray(values).save(file, "PNG")
    return Image.open(io.BytesIO(file.getvalue()))


def rgba(number, alpha):
    pixels = np.dstack([grey(number), grey(number + 1), grey(number + 2), np.full((12, 16), alpha, np.uint8)])
    return Image.fromarray(pixels)


def transparent_grey(number):
    return Image.merge("LA", [Image.fromarray(grey(number)), Image.new("L", (16, 12), 0)])


def levels(*images):
    return [Picture.read(image).levels() for image in images]


def refusal(*images, loose=False):
    with pytest.raises(DataError) as caught:
        check_levels(levels(*images), loose=loose)
    return str(caught.value)


ALMOST = "; expected 0 for black to {} for white, or they come out almost black; "
FLOATS = "Image.fromarray((array * 255).round().astype(np.uint8))"
HIGH = (
    "if they are the high bytes of {}-bit colour in 16 bits, all that Pillow keeps, read the files by array = "
    "cv2.imread(path, cv2.IMREAD_UNCHANGED)[..., ::-1] and hand them over as "
    "Image.fromarray((array >> {}).astype(np.uint8))"
)
LOW, TOP = 60 / 255, 199 / 255

CORNERS = {
    "floats 0 to 1": (
        lambda at: Image.fromarray((grey(at, 0, 256) / 255).astype(np.float32)),
        "the levels of all 9 pictures (mode F) are 0 to 1" + ALMOST.format(255) + f"hand them over as {FLOATS}",
    ),
    "floats 0 to 1, resized": (
        lambda at: Image.fromarray((grey(at, 0, 256) / 255 * 1.25).astype(np.float32)),
        "the levels of all 9 pictures (mode F) are 0 to 1.25" + ALMOST.format(255) + f"hand them over as {FLOATS}",
    ),
    "12 bits in 16": (
        lambda at: png(grey(at, 0, 256).astype(np.uint16) * 16),
        "the levels of all 9 pictures (mode I;16) are 0 to 4080"
        + ALMOST.format(65535)
        + "hand them over as Image.fromarray((array >> 4).astype(np.uint8))",
    ),
    "10 bits in 16": (
        lambda at: png(grey(at, 0, 256).astype(np.uint16) * 4),
        "the levels of all 9 pictures (mode I;16) are 0 to 1020"
        + ALMOST.format(65535)
        + "hand them over as Image.fromarray((array >> 2).astype(np.uint8))",
    ),
    "14 bits in 32": (
        lambda at: Image.fromarray(grey(at, 0, 256).astype(np.int32) * 64),
        "the levels of all 9 pictures (mode I) are 0 to 16320"
        + ALMOST.format(65535)
        + "hand them over as Image.fromarray((array >> 6).astype(np.uint8))",
    ),
    "8 bits in 32": (
        lambda at: Image.fromarray(grey(at, 0, 256).astype(np.int32)),
        "the levels of all 9 pictures (mode I) are 0 to 255"
        + ALMOST.format(65535)
        + "hand them over as Image.fromarray(array.astype(np.uint8))",
    ),
    "0 and 1 in 32": (
        lambda at: Image.fromarray(grey(at, 0, 2).astype(np.int32)),
        "the levels of all 9 pictures (mode I) are 0 to 1"
        + ALMOST.format(65535)
        + "hand them over as Image.fromarray((array * 255).astype(np.uint8))",
    ),
    "cast floats": (
        lambda at: torch.from_numpy(np.stack([grey(at, 0, 2)] * 3)),
        "the levels of all 9 pictures (uint8 tensor) are 0 to 1"
        + ALMOST.format(255)
        + "if they were floats from 0 to 1, hand the floats over as (image * 255).round().to(torch.uint8)",
    ),
    "cast floats of PIL": (
        lambda at: Image.fromarray(grey(at, 0, 2)).convert("RGB"),
        "the levels of all 9 pictures (mode RGB) are 0 to 1"
        + ALMOST.format(255)
        + f"if they were floats from 0 to 1, hand the floats over as {FLOATS}",
    ),
    "high bytes of 12 bits": (
        lambda at: Image.fromarray(grey(at, 0, 16)).convert("RGB"),
        "the levels of all 9 pictures (mode RGB) are 0 to 15" + ALMOST.format(255) + HIGH.format(12, 4),
    ),
    "high bytes of 10 bits, with alpha": (
        lambda at: Image.merge("LA", [Image.fromarray(grey(at, 0, 4)), Image.new("L", (16, 12), 9)]),
        "the levels of all 9 pictures (mode LA) are 0 to 3" + ALMOST.format(255) + HIGH.format(10, 2),
    ),
    "black": (
        lambda at: Image.new("RGB", (16, 12)),
        "every level of all 9 pictures (mode RGB) is 0; expected pictures that are not all black; if they were floats "
        f"from 0 to 1, hand them over as {FLOATS}",
    ),
    "transparent": (
        transparent_grey,
        "the alpha of all 9 pictures (mode LA) is at most 0; expected up to 255, or they come out white; scale alpha "
        'by 255, or drop it by image.convert("RGB")',
    ),
    "alpha 0 to 1": (
        lambda at: rgba(at, 1),
        "the alpha of all 9 pictures (mode RGBA) is at most 1; expected up to 255, or they come out white; scale alpha "
        'by 255, or drop it by image.convert("RGB")',
    ),
}


@pytest.mark.parametrize("name", CORNERS)
def test_a_set_in_a_corner_of_its_mode_is_refused(name) -> None:
    make, message = CORNERS[name]
    assert refusal(*map(make, range(9))) == message


FINE = {
    "8 bits": lambda at: Image.fromarray(grey(at)),
    "dark": lambda at: Image.fromarray(grey(at, 0, 40)),
    "floats": lambda at: Image.fromarray(grey(at).astype(np.float32)),
    "16 bits": lambda at: png(grey(at).astype(np.uint16) * 257),
    "15 bits": lambda at: png(grey(at).astype(np.uint16) * 128),
    "32 bits": lambda at: Image.fromarray(grey(at).astype(np.int32) * 257),
    "1 bit": lambda at: Image.fromarray(grey(at) > 100),
    "1 bit, black": lambda at: Image.new("1", (16, 12)),
    "palette": lambda at: Image.fromarray(grey(at, 0, 3)).convert("P"),
    "translucent": lambda at: rgba(at, 7),
}


@pytest.mark.parametrize("name", FINE)
def test_a_set_that_uses_its_mode_is_none(name) -> None:
    check_levels(levels(*map(FINE[name], range(9))))


@pytest.mark.parametrize("name", [name for name in CORNERS if "alpha" not in name and name != "transparent"])
def test_a_whole_set_has_to_be_in_the_corner(name) -> None:
    dark = CORNERS[name][0]
    mode = Picture.read(dark(0)).mode
    bright = {"F": FINE["floats"], "I": FINE["32 bits"], "I;16": FINE["16 bits"]}.get(mode, FINE["8 bits"])
    check_levels(levels(*map(dark, range(8)), bright(8)))
    check_levels(levels(dark(0), *map(FINE["8 bits"], range(1, 9))))


def test_modes_are_judged_by_themselves() -> None:
    mixed = [CORNERS["floats 0 to 1"][0](at) if at % 2 else FINE["8 bits"](at) for at in range(9)]
    assert refusal(*mixed).startswith("the levels of all 4 pictures (mode F) are 0 to 1; ")
    # Pictures without a colour, of a mode of their own, are a class of black ones.
    black = [Image.new("I;16", (16, 12)) if at % 2 else FINE["8 bits"](at) for at in range(9)]
    check_levels(levels(*black))


@given(st.integers(1, 65535), st.integers(1, 40))
def test_sixteen_bits_that_fill_fourteen_are_refused(high, count) -> None:
    values = np.full((2, 3), high, np.uint16)
    found = levels(*[Image.fromarray(values)] * count)
    if high >= 2**14:
        check_levels(found)
    else:
        with pytest.raises(DataError):
            check_levels(found)


def test_the_remedy_brings_the_picture() -> None:
    for name in ("floats 0 to 1", "12 bits in 16", "10 bits in 16", "14 bits in 32", "8 bits in 32"):
        make, message = CORNERS[name]
        code = message.rpartition("hand them over as ")[2]
        array = np.asarray(make(3))
        assert np.array_equal(np.asarray(eval(code, {"Image": Image, "np": np, "array": array})), grey(3, 0, 256)), name


def test_one_picture_alone_is_told_as_one() -> None:
    assert refusal(CORNERS["8 bits in 32"][0](0)).startswith("the levels of the only picture (mode I) are 0 to 25")


def test_a_survey_refuses_them() -> None:
    rows = [(CORNERS["12 bits in 16"][0](at), 0) for at in range(9)]
    with pytest.raises(DataError, match=re.escape("the levels of all 9 pictures (mode I;16) are 0 to 4080; ")):
        survey(Samples(SampleReader(rows, lambda raw, size: raw)))


def test_measure_and_compress_refuse_them() -> None:
    images = [CORNERS["floats 0 to 1"][0](at) for at in range(9)]
    message = re.escape("the levels of all 9 pictures (mode F) are 0 to 1; ")
    with pytest.raises(DataError, match=message):
        compress_guard.compress(images)
    with pytest.raises(DataError, match=message):
        compress_guard.measure(lambda images: None, [(one, 0) for one in images], task="classification", device="cpu")


def test_a_loose_batch_may_be_black() -> None:
    black = torch.zeros(3, 32, 32, dtype=torch.uint8)
    assert compress_guard.compress([black], bpp=1.0).images[0].max() < 9
