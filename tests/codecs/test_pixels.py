"""The rule that brings any source to upright 8-bit RGB."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image, ImageOps

from compress_guard.codecs.jpeg import Jpeg
from compress_guard.codecs.pixels import check_sizes, from_pil, to_pil, to_rgb
from compress_guard.errors import CodecError, DataError

EXPECTED = "expected a PIL image or a uint8 RGB tensor of shape (3, H, W) with H and W at least 1"


def pixel(image: object) -> tuple[int, ...]:
    """The only colour of a one-colour image."""
    rgb = to_rgb(image)
    assert rgb.dtype == torch.uint8
    assert rgb.shape == (3, 2, 3)
    assert bool((rgb == rgb[:, :1, :1]).all())
    return tuple(rgb[:, 0, 0].tolist())


def flat(mode: str, colour) -> Image.Image:
    return Image.new(mode, (3, 2), colour)


def with_info(image: Image.Image, **info) -> Image.Image:
    image.info.update(info)
    return image


def palette(colour: tuple[int, int, int]) -> Image.Image:
    image = flat("P", 1)
    image.putpalette([0, 0, 0, *colour])
    return image


def premultiplied(mode: str, colour) -> Image.Image:
    return flat(mode, colour).convert({"LA": "La", "RGBA": "RGBa"}[mode])


COLOURS = [
    (flat("RGB", (10, 20, 30)), (10, 20, 30)),
    (flat("RGBX", (10, 20, 30, 0)), (10, 20, 30)),
    (flat("1", 1), (255, 255, 255)),
    (flat("1", 0), (0, 0, 0)),
    (flat("L", 77), (77, 77, 77)),
    (palette((9, 8, 7)), (9, 8, 7)),
    (flat("RGBA", (10, 20, 30, 255)), (10, 20, 30)),
    (flat("RGBA", (10, 20, 30, 0)), (255, 255, 255)),
    (flat("RGBA", (0, 100, 200, 51)), (204, 224, 244)),
    (flat("LA", (0, 51)), (204, 204, 204)),
    (premultiplied("RGBA", (0, 100, 200, 255)), (0, 100, 200)),
    (premultiplied("RGBA", (0, 100, 200, 0)), (255, 255, 255)),
    (premultiplied("LA", (60, 255)), (60, 60, 60)),
    (with_info(palette((9, 8, 7)), transparency=1), (255, 255, 255)),
    (with_info(palette((9, 8, 7)), transparency=0), (9, 8, 7)),
    (with_info(palette((0, 0, 0)), transparency=b"\xff\x33"), (204, 204, 204)),
    (with_info(flat("RGB", (1, 2, 3)), transparency=(1, 2, 3)), (255, 255, 255)),
    (with_info(flat("L", 5), transparency=5), (255, 255, 255)),
    (flat("CMYK", (0, 0, 0, 0)), (255, 255, 255)),
    (flat("CMYK", (255, 0, 0, 0)), (0, 255, 255)),
    (flat("CMYK", (0, 0, 0, 255)), (0, 0, 0)),
    (flat("YCbCr", (255, 128, 128)), (255, 255, 255)),
    (flat("HSV", (0, 0, 200)), (200, 200, 200)),
    (flat("I;16", 65535), (255, 255, 255)),
    (flat("I;16", 257 * 128), (128, 128, 128)),
    (flat("I;16", 300), (1, 1, 1)),
    (flat("I;16B", 65535), (255, 255, 255)),
    (with_info(flat("I;16", 700), transparency=700), (255, 255, 255)),
    (with_info(flat("I;16", 700), transparency=701), (3, 3, 3)),
    (flat("I", 65535), (255, 255, 255)),
    (flat("I", 257 * 3), (3, 3, 3)),
    (flat("F", 200.4), (200, 200, 200)),
]


@pytest.mark.parametrize(
    ("image", "colour"), COLOURS, ids=[f"{i}-{image.mode}" for i, (image, _) in enumerate(COLOURS)]
)
def test_each_mode_by_its_rule(image, colour) -> None:
    assert pixel(image) == colour


def test_lab() -> None:
    assert pixel(flat("LAB", (128, 128, 128))) == pytest.approx((119, 119, 119), abs=2)


def test_palette_with_alpha_of_its_own() -> None:
    image = flat("P", 1)
    image.putpalette([0, 0, 0, 255, 0, 100, 200, 51], "RGBA")
    assert pixel(image) == (204, 224, 244)


@given(arrays.arrays(np.uint16, (4, 5)))
def test_sixteen_bits_are_scaled_and_rounded(values) -> None:
    grey = to_rgb(Image.fromarray(values))
    assert torch.equal(grey[0], grey[2])
    assert np.array_equal(grey[0].numpy(), np.rint(values / 257).astype(np.uint8))


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bit_files(kind) -> None:
    values = np.array([[0, 257 * 90, 65535]], dtype=np.uint16)
    file = io.BytesIO()
    Image.fromarray(values).save(file, kind)
    assert to_rgb(Image.open(file))[0].tolist() == [[0, 90, 255]]


def test_cmyk_jpeg_as_photoshop_writes_it() -> None:
    file = io.BytesIO()
    Image.new("CMYK", (16, 16), (255, 0, 0, 0)).save(file, "JPEG", quality=100)
    assert b"Adobe" in file.getvalue()
    red, green, blue = to_rgb(Image.open(file))[:, 8, 8].tolist()
    assert red < 5
    assert green > 250
    assert blue > 250


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
def test_all_orientations_are_turned_upright(orientation, kind) -> None:
    upright = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    # The way back of what a reader has to do, by the EXIF standard's meaning of row 0 and column 0.
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: upright.transpose(1, 0, 2)[::-1],
        7: upright.transpose(1, 0, 2)[::-1, ::-1],
        8: upright.transpose(1, 0, 2)[:, ::-1],
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = io.BytesIO()
    options = {"lossless": True} if kind == "WEBP" else {}
    Image.fromarray(np.ascontiguousarray(stored)).save(file, kind, exif=exif, **options)
    found = to_rgb(Image.open(file))
    assert torch.equal(found, torch.from_numpy(upright).permute(2, 0, 1))
    assert torch.equal(found, from_pil(ImageOps.exif_transpose(Image.open(file))))


@pytest.mark.parametrize("value", [0, 9, 700, "up"])
def test_orientations_without_meaning_are_ignored(value) -> None:
    image = flat("RGB", (1, 2, 3))
    image.getexif()[0x0112] = value
    assert pixel(image) == (1, 2, 3)


def test_damaged_exif_does_not_stop_an_image() -> None:
    assert pixel(with_info(flat("RGB", (1, 2, 3)), exif=b"Exif\0\0II*\0\xff\xff")) == (1, 2, 3)


def test_orientation_of_a_stream_is_not_applied_by_a_codec() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    file = io.BytesIO()
    Image.new("RGB", (30, 20)).save(file, "JPEG", exif=exif)
    assert Jpeg().decode([file.getvalue()])[0].shape == (3, 20, 30)


def test_the_source_is_left_alone() -> None:
    image = flat("RGBA", (0, 100, 200, 51))
    before = image.tobytes()
    to_rgb(image)[:] = 0
    assert (image.mode, image.tobytes()) == ("RGBA", before)


def test_rgb_tensors_pass_as_they_are() -> None:
    tensor = torch.zeros(3, 4, 5, dtype=torch.uint8)
    assert to_rgb(tensor) is tensor


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_cuda_tensors_stay_where_they_are() -> None:
    tensor = torch.zeros(3, 4, 5, dtype=torch.uint8, device="cuda")
    assert to_rgb(tensor) is tensor
    assert to_pil(tensor).size == (5, 4)


def test_grey_tensors_are_repeated() -> None:
    grey = torch.arange(20, dtype=torch.uint8).reshape(1, 4, 5)
    rgb = to_rgb(grey)
    assert rgb.shape == (3, 4, 5)
    assert all(torch.equal(channel, grey[0]) for channel in rgb)


@given(arrays.arrays(np.uint8, st.tuples(st.just(3), st.integers(1, 9), st.integers(1, 9))))
def test_tensor_to_pil_and_back(values) -> None:
    tensor = torch.from_numpy(values)
    assert torch.equal(from_pil(to_pil(tensor)), tensor)
    assert torch.equal(to_rgb(to_pil(tensor)), tensor)


TENSOR = "image is a tensor of shape {} and dtype {}; " + EXPECTED + "; {}"
ONE = "give one image at a time, channels first"
SCALE = "leave scaling and normalisation to the model (PILToTensor keeps uint8)"

REFUSED = [
    (torch.zeros(3, 4, 5), TENSOR.format("(3, 4, 5)", "float32", SCALE)),
    (torch.zeros(3, 4, 5, dtype=torch.int64), TENSOR.format("(3, 4, 5)", "int64", SCALE)),
    (torch.zeros(2, 3, 4, 5, dtype=torch.uint8), TENSOR.format("(2, 3, 4, 5)", "uint8", ONE)),
    (torch.zeros(4, 5, 3, dtype=torch.uint8), TENSOR.format("(4, 5, 3)", "uint8", ONE)),
    (torch.zeros(4, 5, dtype=torch.uint8), TENSOR.format("(4, 5)", "uint8", ONE)),
    (torch.zeros(3, 0, 5, dtype=torch.uint8), TENSOR.format("(3, 0, 5)", "uint8", ONE)),
    (
        np.zeros((4, 5, 3), np.uint8),
        f"image is numpy.ndarray; {EXPECTED}; let the data set return PIL images or uint8 tensors",
    ),
    ("cat.jpg", f"image is builtins.str; {EXPECTED}; let the data set return PIL images or uint8 tensors"),
    (None, f"image is builtins.NoneType; {EXPECTED}; let the data set return PIL images or uint8 tensors"),
    (Image.new("RGB", (0, 4)), f"image is an empty PIL image (0x4); {EXPECTED}; leave empty images out of the data"),
    (flat("I", 70000), "image of mode I has values from 70000 to 70000; expected 0 to 65535; scale it to that range"),
    (flat("I", -1), "image of mode I has values from -1 to -1; expected 0 to 65535; scale it to that range"),
    (flat("F", 255.5), "image of mode F has values from 255.5 to 255.5; expected 0 to 255; scale it to that range"),
    (
        flat("F", float("nan")),
        "image of mode F has values that are NaN; expected 0 to 255; give every pixel a level",
    ),
]


@pytest.mark.parametrize(("image", "message"), REFUSED)
def test_what_is_no_image_is_refused(image, message) -> None:
    with pytest.raises(DataError) as caught:
        to_rgb(image)
    assert str(caught.value) == message


def test_a_truncated_file_is_refused() -> None:
    file = io.BytesIO()
    Image.new("RGB", (64, 64)).save(file, "PNG")
    image = Image.open(io.BytesIO(file.getvalue()[:70]))
    with pytest.raises(DataError, match=r"image cannot be read: .+; expected a complete image file; replace it"):
        to_rgb(image)


def test_sizes_are_compared() -> None:
    source, other = torch.zeros(3, 4, 5, dtype=torch.uint8), torch.zeros(3, 5, 4, dtype=torch.uint8)
    check_sizes("jpeg", [source, other], [source, other])
    with pytest.raises(CodecError) as caught:
        check_sizes("jpeg", [source, source], [source, other])
    assert str(caught.value) == "jpeg gave image 2 of 2 back as 4x5 pixels, expected 5x4"
