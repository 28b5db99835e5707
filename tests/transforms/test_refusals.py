"""Refusals of the transforms, in whole sentences."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import tv_tensors

from compress_guard.codecs.pixels import to_pil
from compress_guard.codecs.webp import WebP
from compress_guard.errors import CodecUnavailable, OptionError
from compress_guard.registry import CODECS
from compress_guard.transforms import RandomBatchCompression, RandomCompression

RATE = "expected a rate of 0.02 to 8, a pair (low, high) or a list of rates"
PAIR = f"{RATE}: a tuple is a pair, its lower end first"
BOTH = pytest.mark.parametrize("kind", [RandomCompression, RandomBatchCompression])


def exactly(message):
    return f"^{re.escape(message)}$"


@BOTH
@pytest.mark.parametrize(
    ("bpp", "said"),
    [
        (0.01, f"bpp 0.01 is outside 0.02 to 8; {RATE}"),
        ((0.1, 9.0), f"bpp 9 is outside 0.02 to 8; {RATE}"),
        ([0.1, float("nan")], f"bpp nan is outside 0.02 to 8; {RATE}"),
        ((2.0, 0.1), f"bpp is (2.0, 0.1); {PAIR}"),
        ((0.1, 0.2, 0.3), f"bpp is (0.1, 0.2, 0.3); {PAIR}"),
        ((0.1,), f"bpp is (0.1,); {PAIR}"),
        ((), f"bpp is (); {RATE}"),
        ([], f"bpp is []; {RATE}"),
        ("0.5", f"bpp is '0.5'; {RATE}"),
        (["0.5"], f"bpp is ['0.5']; {RATE}"),
        (True, f"bpp is True; {RATE}"),
        (None, f"bpp is None; {RATE}"),
    ],
)
def test_a_rate_without_sense(kind, bpp, said):
    with pytest.raises(OptionError, match=exactly(said)):
        kind(bpp=bpp)


@BOTH
@pytest.mark.parametrize("p", [-0.1, 1.5, float("nan"), "0.5", None, True])
def test_a_probability_that_is_none(kind, p):
    with pytest.raises(OptionError, match=exactly(f"p is {p!r}; expected a probability from 0 to 1")):
        kind(p=p)


@BOTH
def test_a_codec_that_nobody_knows(kind):
    known = ", ".join(sorted(CODECS))
    with pytest.raises(OptionError, match=exactly(f"unknown codec 'jpg', did you mean 'jpeg'? known: {known}")):
        kind("jpg")


def test_no_codec_at_all():
    for codecs in ((), [], {}):
        with pytest.raises(OptionError, match=exactly("codecs is empty; name at least one, e.g. codecs='jpeg'")):
            RandomCompression(codecs)


def test_options_that_a_codec_does_not_take():
    said = (
        "unknown option of codec jpeg 'quantiser'; "
        "known: metadata, optimize, progressive, restart, restart_rows, subsampling"
    )
    with pytest.raises(OptionError, match=exactly(said)):
        RandomCompression({"webp": {}, "jpeg": {"quantiser": 3}})
    with pytest.raises(OptionError, match=exactly(said)):
        RandomBatchCompression("jpeg", quantiser=3)


@BOTH
def test_a_codec_that_cannot_run_here_is_found_before_training(kind, monkeypatch):
    monkeypatch.setattr(WebP, "unavailable", lambda self: "webp is not there; pip install it")
    with pytest.raises(CodecUnavailable, match=exactly("webp is not there; pip install it")):
        kind("webp")


@pytest.mark.parametrize("p", [0, 1])
@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK", "1"])
def test_a_picture_of_another_mode_whatever_is_drawn(mode, p):
    said = f"RandomCompression got a PIL image of mode {mode}; put v2.RGB() before it"
    with pytest.raises(ValueError, match=exactly(said)):
        RandomCompression(p=p)(Image.new(mode, (20, 20)))


@pytest.mark.parametrize("p", [0, 1])
@pytest.mark.parametrize("mode", ["F", "I", "I;16"])
def test_a_picture_whose_levels_a_conversion_would_cut_off(mode, p):
    said = (
        f"RandomCompression got a PIL image of mode {mode}; scale its levels to 0 to 255 and make it 8-bit RGB before: "
        "v2.RGB() would cut them off"
    )
    with pytest.raises(ValueError, match=exactly(said)):
        RandomCompression(p=p)(Image.new(mode, (20, 20)))


def cast(at, top=2):
    """A picture of floats that were cast to uint8 without scaling."""
    return torch.randint(0, top, (3, 20, 20), generator=torch.Generator().manual_seed(at)).to(torch.uint8)


CAST = (
    "the levels of all 32 pictures ({}) are 0 to 1; expected 0 for black to 255 for white, or they come out almost "
    "black; if they were floats from 0 to 1, hand the floats over as {}"
)
AS_TENSOR = CAST.format("uint8 tensor", "(image * 255).round().to(torch.uint8)")
AS_PIL = CAST.format("mode RGB", "Image.fromarray((array * 255).round().astype(np.uint8))")


@pytest.mark.parametrize("p", [0, 1])
def test_pictures_that_are_almost_black_all_of_them_whatever_is_drawn(p):
    one, other = RandomCompression(p=p), RandomCompression(p=p)
    for at in range(31):
        one(cast(at))
        other(to_pil(cast(at)))
    with pytest.raises(ValueError, match=exactly(f"RandomCompression: {AS_TENSOR}")):
        one(cast(31))
    with pytest.raises(ValueError, match=exactly(f"RandomCompression: {AS_PIL}")):
        other(to_pil(cast(31)))
    with pytest.raises(ValueError, match=exactly(f"RandomBatchCompression: {AS_TENSOR}")):
        RandomBatchCompression("jpeg", p=p)([cast(at) for at in range(40)])


def test_a_bright_picture_among_the_first_ends_the_search():
    compression = RandomCompression(p=0)
    for at in range(60):
        compression(cast(at, 256 if at == 20 else 2))


def test_black_pictures_are_coded():
    compression = RandomBatchCompression("jpeg", p=0)
    assert len(compression([torch.zeros(3, 20, 20, dtype=torch.uint8)] * 40)) == 40


@pytest.mark.parametrize("p", [0, 1])
@pytest.mark.parametrize("wrap", [torch.as_tensor, tv_tensors.Image])
@pytest.mark.parametrize("dtype", [torch.float32, torch.int64, torch.uint16])
def test_a_tensor_of_another_type_whatever_is_drawn(wrap, dtype, p):
    image = torch.zeros(3, 20, 20, dtype=dtype)
    said = f"got a tensor of {dtype}; codecs take uint8: put it before v2.ToDtype"
    with pytest.raises(TypeError, match=exactly(f"RandomCompression {said}")):
        RandomCompression(p=p)(wrap(image))
    with pytest.raises(TypeError, match=exactly(f"RandomBatchCompression {said}")):
        RandomBatchCompression("jpeg", p=p)([wrap(image)])


@pytest.mark.parametrize("p", [0, 1])
@pytest.mark.parametrize("shape", [(20, 20), (1, 20, 20), (4, 20, 20), (2, 3, 20, 20), (3, 0, 20), (20, 20, 3)])
def test_a_tensor_of_another_shape_whatever_is_drawn(shape, p):
    image = torch.zeros(shape, dtype=torch.uint8)
    said = f"got a tensor of shape {shape}; expected (3, H, W)"
    with pytest.raises(ValueError, match=exactly(f"RandomCompression {said}")):
        RandomCompression(p=p)(image)
    with pytest.raises(ValueError, match=exactly(f"RandomBatchCompression {said}")):
        RandomBatchCompression("jpeg", p=p)([image])


def test_a_batch_of_what_is_no_tensor():
    for image, name in (
        (np.zeros((3, 8, 8), np.uint8), "numpy.ndarray"),
        (Image.new("RGB", (8, 8)), "PIL.Image.Image"),
    ):
        with pytest.raises(TypeError, match=exactly(f"RandomBatchCompression got {name}; expected tensors")):
            RandomBatchCompression("jpeg")([image])
