"""The quality of a JPEG file by its tables is the quality that libjpeg was given."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from compress_guard.traffic.headers import JpegQuality
from compress_guard.traffic.quantisation import quality_of

QUALITIES = range(1, 101)


def coded(image: Image.Image, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "JPEG", **options)
    return stream.getvalue()


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
@pytest.mark.parametrize("progressive", [False, True])
def test_every_quality_and_chroma_of_pillow_is_read_exactly(header_of, subsampling, progressive):
    image = Image.new("RGB", (17, 9), (90, 30, 200))
    for quality in QUALITIES:
        header = header_of(coded(image, quality=quality, subsampling=subsampling, progressive=progressive))
        assert header.quality == JpegQuality(quality, exact=True)
        assert (header.chroma, header.progressive) == (subsampling, progressive)
        assert (header.width, header.height) == (17, 9)


@pytest.mark.parametrize(("mode", "chroma"), [("L", "grey"), ("CMYK", "CMYK")])
def test_files_of_other_colours_too(header_of, mode, chroma):
    for quality in (1, 24, 25, 50, 75, 99, 100):
        header = header_of(coded(Image.new(mode, (16, 16)), quality=quality))
        assert (header.quality, header.chroma) == (JpegQuality(quality, exact=True), chroma)


def test_files_that_keep_red_green_and_blue(header_of):
    header = header_of(coded(Image.new("RGB", (16, 16)), quality=83, keep_rgb=True))
    assert (header.quality, header.chroma) == (JpegQuality(83, exact=True), "4:4:4")


def tables(quality: int) -> dict[int, list[int]]:
    """The tables of a quality as Pillow reads them back."""
    return Image.open(io.BytesIO(coded(Image.new("RGB", (16, 16)), quality=quality))).quantization


def test_chroma_at_another_quality_is_not_exact(header_of):
    mixed = [tables(90)[0], tables(70)[1]]
    assert header_of(coded(Image.new("RGB", (16, 16)), qtables=mixed)).quality == JpegQuality(90, exact=False)


def test_one_changed_value_is_the_nearest_quality(header_of):
    for quality in (20, 50, 75, 90):
        luma, chroma = tables(quality)[0], tables(quality)[1]
        luma[63] += 1
        header = header_of(coded(Image.new("RGB", (16, 16)), qtables=[luma, chroma]))
        assert header.quality == JpegQuality(quality, exact=False)


def test_tables_of_eight_and_of_sixteen_bits_are_known():
    # libjpeg without `force_baseline` writes values above 255 at qualities below 25.
    standard = np.array(tables(50)[0])
    for quality in range(1, 25):
        wide = np.clip((standard * (5000 // quality) + 50) // 100, 1, 32767)
        assert quality_of(wide.tolist()) == JpegQuality(quality, exact=True)


def test_coarser_tables_never_have_a_higher_quality():
    flat = [quality_of([step] * 64).value for step in range(1, 256)]
    assert flat == sorted(flat, reverse=True)
    assert (flat[0], quality_of([1] * 64).exact) == (100, True)
