"""Turning by EXIF: all eight orientations, both ways, in each format by its own rules."""

from __future__ import annotations

import io
import struct
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image, ImageOps

from compress_guard.codecs.pictures.orientation import exif_turn, loaded, stored, stored_pil, turned, turned_pil
from compress_guard.codecs.pixels import Picture, from_pil, to_rgb

ORIENTATIONS = st.integers(1, 8)
PIXELS = arrays.arrays(np.uint8, st.tuples(st.integers(1, 7), st.integers(1, 7), st.just(3)))


def exif(orientation: int) -> Image.Exif:
    block = Image.Exif()
    block[0x0112] = orientation
    return block


def file_of(image: Image.Image, kind: str, orientation: int, **options) -> Image.Image:
    """The image in a file of this kind whose EXIF has this orientation, opened and not loaded."""
    file = io.BytesIO()
    image.save(
        file, kind, exif=exif(orientation).tobytes() if kind in ("HEIF", "JXL") else exif(orientation), **options
    )
    return Image.open(io.BytesIO(file.getvalue()))


def quarters(width=64, height=32) -> Image.Image:
    """Red, green, blue and white, in rows."""
    pixels = np.full((height, width, 3), 255, np.uint8)
    pixels[: height // 2, : width // 2] = (255, 0, 0)
    pixels[: height // 2, width // 2 :] = (0, 255, 0)
    pixels[height // 2 :, : width // 2] = (0, 0, 255)
    return Image.fromarray(pixels)


def corners(rgb: torch.Tensor) -> str:
    """Size and colours of the quarters, e.g. ``64x32 RGBW``."""
    _, height, width = rgb.shape
    names = {(1, 0, 0): "R", (0, 1, 0): "G", (0, 0, 1): "B", (1, 1, 1): "W"}
    places = [(y * height // 4, x * width // 4) for y in (1, 3) for x in (1, 3)]
    return f"{width}x{height} " + "".join(names[tuple((rgb[:, y, x] > 128).int().tolist())] for y, x in places)


@given(PIXELS, ORIENTATIONS)
def test_turning_is_what_pillow_does_and_has_its_way_back(pixels, orientation) -> None:
    image = file_of(Image.fromarray(pixels), "PNG", orientation)
    expected = from_pil(ImageOps.exif_transpose(image))
    tensor = torch.from_numpy(pixels).permute(2, 0, 1)
    upright = turned(tensor, orientation)
    assert torch.equal(upright, expected)
    assert upright.is_contiguous() or orientation == 1
    assert torch.equal(stored(upright, orientation), tensor)
    assert torch.equal(from_pil(turned_pil(Image.fromarray(pixels), orientation)), expected)
    assert torch.equal(from_pil(stored_pil(turned_pil(Image.fromarray(pixels), orientation), orientation)), tensor)


@given(PIXELS, ORIENTATIONS, st.sampled_from(["PNG", "TIFF"]))
def test_a_picture_has_both_orientations_and_their_sizes(pixels, orientation, kind) -> None:
    picture = Picture.read(file_of(Image.fromarray(pixels), kind, orientation))
    as_stored = torch.from_numpy(pixels).permute(2, 0, 1)
    assert picture.turn == orientation
    assert torch.equal(picture.at("stored"), as_stored)
    assert torch.equal(picture.at("upright"), turned(as_stored, orientation))
    for way in ("upright", "stored"):
        assert picture.size(way) == tuple(picture.at(way).shape[1:])


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(
    ("kind", "options"), [("JPEG", {"quality": 95}), ("WEBP", {"lossless": True}), ("AVIF", {}), ("MPO", {})]
)
def test_formats_whose_decoders_leave_images_as_stored(kind, options, orientation) -> None:
    image = file_of(quarters(), kind, orientation, **options)
    expected = corners(turned(from_pil(quarters()), orientation))
    assert corners(to_rgb(image)) == expected
    assert corners(Picture.read(image).at("stored")) == "64x32 RGBW"


def test_a_converted_image_keeps_its_turn() -> None:
    assert exif_turn(file_of(quarters(), "JPEG", 6).convert("L")) == 6
    assert exif_turn(ImageOps.exif_transpose(file_of(quarters(), "JPEG", 6))) == 1


def test_a_tiff_is_turned_by_pillow_which_is_known_until_it_was_loaded() -> None:
    image = file_of(quarters(), "TIFF", 6)
    assert loaded(image) == (6, True)
    assert loaded(image) == (1, False)
    assert loaded(file_of(quarters(), "PNG", 6)) == (6, False)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_heif_is_turned_by_its_decoder_alone(orientation) -> None:
    pytest.importorskip("pillow_heif").register_heif_opener()
    image = file_of(quarters(), "HEIF", orientation, quality=95)
    assert corners(to_rgb(image)) == corners(turned(from_pil(quarters()), orientation))
    # A reader that left the orientation in EXIF would have turned the pixels all the same.
    image.info["exif"] = exif(6).tobytes()
    image._exif = None
    assert exif_turn(image) == 1


def jxl_of_a_jpeg(folder, orientation: int) -> bytes:
    """JPEG XL made without loss from a JPEG with this orientation."""
    pytest.importorskip("pillow_jxl")
    stored_pil(quarters(), orientation).save(folder / "a.jpg", quality=95, exif=exif(orientation))
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        Image.open(folder / "a.jpg").save(file, "JXL", lossless_jpeg=True)
    return file.getvalue()


def without_the_jpeg(data: bytes, orientation: int) -> bytes:
    """Return the file with plain EXIF and without the data that restore the JPEG, so that libjxl decodes it."""
    at, boxes = 0, []
    while at < len(data):
        size = struct.unpack(">I", data[at : at + 4])[0] or len(data) - at
        boxes.append((data[at + 4 : at + 8], data[at : at + size]))
        at += size
    block = exif(orientation).tobytes().removeprefix(b"Exif\0\0")
    plain = struct.pack(">I", 12 + len(block)) + b"Exif\0\0\0\0" + block
    return b"".join(plain if kind == b"brob" else box for kind, box in boxes if kind != b"jbrd")


@pytest.mark.parametrize("orientation", range(2, 9))
def test_jpeg_xl_is_turned_once(tmp_path, orientation) -> None:
    data = jxl_of_a_jpeg(tmp_path, orientation)
    restored, decoded = Image.open(io.BytesIO(data)), Image.open(io.BytesIO(without_the_jpeg(data, orientation)))
    # The plugin decodes the one as the JPEG that it was, as stored, and libjxl turns the other; both say so in EXIF.
    assert restored.getexif()[0x0112] == decoded.getexif()[0x0112] == orientation
    assert corners(to_rgb(restored)) == "64x32 RGBW"
    assert corners(to_rgb(decoded)) == "64x32 RGBW"
