"""Headers of the other formats, and files that are no image that can be used."""

from __future__ import annotations

import importlib.util
import io
import os
import struct
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from compress_guard.traffic.formats import format_of, read_header
from compress_guard.traffic.headers import LeftOut
from tests.traffic.conftest import coded, picture

PROFILE = b"\0" * 5000
EXIF = Image.Exif()
EXIF[0x0112] = 6
TURNED = EXIF.tobytes()
SIZES = [(1, 1), (17, 9), (40, 24), (300, 200), (512, 512), (640, 480), (1000, 600)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("format_name", "options", "name", "lossy"),
    [
        ("WEBP", {"quality": 70}, "webp", True),
        ("WEBP", {"quality": 70, "exif": TURNED, "icc_profile": PROFILE}, "webp", True),
        ("WEBP", {"lossless": True}, "webp", False),
        ("AVIF", {"quality": 60, "speed": 10}, "avif", True),
        ("PNG", {"compress_level": 1}, "png", False),
        ("GIF", {}, "gif", False),
        ("BMP", {}, "bmp", False),
        ("TIFF", {}, "tiff", False),
    ],
)
def test_format_and_size(header_of, size, format_name, options, name, lossy):
    data = coded(picture(*size), format_name, **options)
    header = header_of(data)
    assert (header.format, header.width, header.height, header.lossy) == (name, *size, lossy)
    assert (header.size, header.quality) == (len(data), None)
    assert header.bpp == pytest.approx(8 * len(data) / (size[0] * size[1]))


@pytest.mark.parametrize(
    ("options", "lossy"),
    [
        ({"irreversible": True}, True),
        ({"irreversible": True, "no_jp2": True}, True),
        ({"irreversible": False}, None),
        ({"irreversible": False, "quality_layers": [20]}, None),  # cut, which no header tells
        ({"irreversible": False, "no_jp2": True}, None),
    ],
)
def test_only_the_wavelet_tells_that_jpeg_2000_has_lost_something(header_of, options, lossy):
    assert header_of(coded(picture(), "JPEG2000", **options)).lossy is lossy


needs_jxl = pytest.mark.skipif(
    importlib.util.find_spec("pillow_jxl") is None, reason="pillow-jxl-plugin is not installed"
)


@needs_jxl
@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "LA"])
@pytest.mark.parametrize(
    ("options", "lossy"),
    [
        ({"lossless": True}, False),
        ({"lossless": True, "exif": TURNED}, False),  # its header is in two pieces
        ({"lossless": True, "effort": 1}, False),
        ({"quality": 95}, True),
        ({"quality": 10, "exif": TURNED}, True),
    ],
)
def test_lossless_jpeg_xl(header_of, mode, options, lossy):
    import pillow_jxl  # noqa: F401 -- registers the format

    header = header_of(coded(picture(40, 24).convert(mode), "JXL", **options))
    assert (header.format, header.width, header.height, header.lossy) == ("jxl", 40, 24, lossy)


@needs_jxl
def test_a_jpeg_packed_as_jpeg_xl_is_lossy(header_of, tmp_path):
    import pillow_jxl  # noqa: F401 -- registers the format

    (tmp_path / "a.jpg").write_bytes(coded(picture(40, 24), "JPEG", quality=90))
    with Image.open(tmp_path / "a.jpg") as image:
        data = coded(image, "JXL", lossless_jpeg=True)
    assert b"jbrd" in data
    assert header_of(data).lossy is True


def jxl_head(*, xyb: int, animated: int = 0) -> bytes:
    """The bits of a JPEG XL header of 40x24 pixels that are turned as orientation 6 says, by ISO/IEC 18181-1."""
    fields = [
        (1, 1), (2, 5), (0, 3), (4, 5),  # sides divided by 8, less 1: the height, no ratio, the width
        (0, 1), (1, 1), (5, 3), (0, 1), (0, 1), (animated, 1),  # orientation; no intrinsic size and no preview
        (0, 1), (0, 2), (1, 1), (0, 2), (xyb, 1),  # 8 bits, no extra channels
        (1, 1), (1, 1), (0, 2), (1, 1),  # colours, tone mapping, extensions and transforms by default
    ]  # fmt: skip
    value = at = 0
    for number, count in fields:
        value |= number << at
        at += count
    return b"\xff\x0a" + value.to_bytes((at + 7) // 8, "little")


@needs_jxl
@pytest.mark.parametrize(("options", "frames", "lossy"), [({"lossless": True}, 6, False), ({"quality": 50}, 4, True)])
def test_jpeg_xl_that_its_header_turns(header_of, options, frames, lossy):
    import pillow_jxl  # noqa: F401 -- registers the format

    straight = coded(picture(40, 24), "JXL", **options)
    data = jxl_head(xyb=int(lossy)) + straight[frames:]
    with Image.open(io.BytesIO(straight)) as before, Image.open(io.BytesIO(data)) as after:
        turned = np.asarray(before.transpose(Image.Transpose.ROTATE_270), int)
        assert np.abs(np.asarray(after, int) - turned).max() <= 1  # libjxl reads it, and rounds each place in its way
    assert header_of(data).lossy is lossy


def test_animated_jpeg_xl_is_left_out(header_of):
    with pytest.raises(LeftOut, match="^animated$"):
        header_of(jxl_head(xyb=1, animated=1) + bytes(64))


def test_a_jpeg_xl_header_that_ends_early_tells_no_loss(header_of):
    size = b"\xff\x0a\x09\x41"  # 40x60, then metadata that are not the default
    assert header_of(size).lossy is None


def test_jpeg_2000(header_of):
    header = header_of(coded(picture(), "JPEG2000", irreversible=True, quality_layers=[10]))
    assert (header.format, header.width, header.height, header.lossy) == ("jp2", 40, 24, True)


@pytest.mark.parametrize(
    "size", [*SIZES, (8, 8), (256, 256), (320, 240), (1280, 720), (720, 480), (33, 2000), (300, 250), (128, 64)]
)
@pytest.mark.skipif(importlib.util.find_spec("pillow_jxl") is None, reason="pillow-jxl-plugin is not installed")
def test_jpeg_xl(header_of, size):
    import pillow_jxl  # noqa: F401 -- registers the format

    header = header_of(coded(picture(*size), "JXL", effort=1))
    assert (header.format, header.width, header.height) == ("jxl", *size)


@pytest.mark.parametrize("size", [(64, 64), (300, 200), (520, 70), (64, 48), (33, 17), (501, 375)])
@pytest.mark.parametrize(("chroma", "shown"), [("420", "4:2:0"), ("444", "4:4:4")])
@pytest.mark.skipif(importlib.util.find_spec("pillow_heif") is None, reason="pillow-heif is not installed")
def test_heic(header_of, size, chroma, shown):
    import pillow_heif

    stream = io.BytesIO()
    pillow_heif.from_pillow(picture(*size)).save(stream, quality=50, chroma=chroma)
    header = header_of(stream.getvalue())
    assert (header.format, header.width, header.height, header.chroma) == ("heic", *size, shown)


@pytest.mark.skipif(importlib.util.find_spec("pillow_heif") is None, reason="pillow-heif is not installed")
def test_the_size_of_heic_is_that_of_the_primary_picture(header_of):
    import pillow_heif

    file = pillow_heif.from_pillow(picture(200, 120))
    file.add_from_pillow(picture(400, 300))
    stream = io.BytesIO()
    file.save(stream, quality=50, primary_index=0)
    header = header_of(stream.getvalue())
    assert (header.width, header.height) == (200, 120)


@pytest.mark.parametrize("format_name", ["AVIF", "HEIF"])
def test_damaged_properties_of_the_primary_picture(header_of, format_name):
    if format_name == "HEIF":
        pytest.importorskip("pillow_heif").register_heif_opener()
    data = coded(picture(33, 17), format_name)
    at = data.index(b"ipma")
    for damaged in range(at + 4, at + 4 + 16):
        for value in (0, 1, 0x7F, 0xFF):
            header, reason = None, None
            try:
                header = header_of(data[:damaged] + bytes([value]) + data[damaged + 1 :])
            except LeftOut as left_out:
                reason = left_out.reason
            assert reason in ("damaged header", "truncated") if header is None else header.width in (33, 64)


@pytest.mark.parametrize("chroma", ["4:2:0", "4:2:2", "4:4:4"])
def test_the_chroma_of_avif(header_of, chroma):
    assert header_of(coded(picture(), "AVIF", subsampling=chroma, speed=10)).chroma == chroma


@pytest.mark.parametrize("format_name", ["WEBP", "AVIF", "PNG"])
def test_profiles_and_turns(header_of, format_name):
    bare = header_of(coded(picture(), format_name))
    assert (bare.icc, bare.turned) == (0, False)
    rich = header_of(coded(picture(), format_name, icc_profile=PROFILE, exif=TURNED))
    assert (rich.icc, rich.turned) == (5000, True)
    assert rich.size > bare.size


def test_metadata_of_webp_is_not_coded_image(header_of):
    bare = header_of(coded(picture(), "WEBP"))
    rich = header_of(coded(picture(), "WEBP", icc_profile=PROFILE, exif=TURNED))
    assert bare.coded_size == bare.size
    assert rich.coded_size == bare.coded_size


@pytest.mark.parametrize(
    ("compression", "lossy"),
    [(None, False), ("tiff_lzw", False), ("tiff_adobe_deflate", False), ("jpeg", True)],
)
def test_tiff_may_be_lossy(header_of, compression, lossy):
    header = header_of(coded(picture(), "TIFF", compression=compression))
    assert (header.format, header.lossy) == ("tiff", lossy)


@pytest.mark.parametrize("format_name", ["GIF", "WEBP", "PNG", "AVIF"])
def test_animated_files_are_left_out(header_of, format_name):
    frames = [Image.new("RGB", (40, 24), (shade, 0, 0)) for shade in (0, 120, 240)]
    data = coded(frames[0], format_name, save_all=True, append_images=frames[1:])
    with pytest.raises(LeftOut, match="^animated$"):
        header_of(data)


@pytest.mark.parametrize(
    ("format_name", "options"),
    [("WEBP", {"exif": TURNED, "icc_profile": PROFILE}), ("AVIF", {}), ("PNG", {"icc_profile": PROFILE})],
)
def test_files_cut_anywhere_are_left_out(header_of, format_name, options):
    data = coded(picture(), format_name, **options)
    reasons = set()
    for end in [*range(300), *range(300, len(data) - 1, 53), len(data) - 1]:
        with pytest.raises(LeftOut) as left_out:
            header_of(data[:end])
        reasons.add(left_out.value.reason)
    assert reasons <= {"empty file", "not an image", "truncated", "damaged header"}


@pytest.mark.parametrize("format_name", ["WEBP", "AVIF", "PNG", "GIF", "BMP", "TIFF", "JPEG2000"])
def test_a_changed_byte_anywhere_is_a_header_or_a_reason(header_of, format_name):
    data = coded(picture(), format_name)
    for at in range(min(len(data), 250)):
        try:
            header = header_of(data[:at] + b"\xff" + data[at + 1 :])
        except LeftOut:
            continue
        assert header.pixels > 0


def png_of(width: int, height: int) -> bytes:
    """A PNG file whose header claims a size."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(13378, 13378), (60_000, 60_000), (2**31 - 1, 2**31 - 1)])
def test_huge_dimensions_are_left_out_and_never_decoded(header_of, size):
    with pytest.raises(LeftOut, match="^too many pixels$"):
        header_of(png_of(*size))


@pytest.mark.parametrize(
    "data",
    [
        b"no image\n" * 9,
        b"BMW and other words about cars, in a text",
        b"RIFF\x24\0\0\0WAVEfmt ",
        b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom",
        b"<svg></svg>",
        b"\xff\xd8",
    ],
)
def test_other_files_are_no_images(header_of, data):
    with pytest.raises(LeftOut, match="^not an image$"):
        header_of(data)


def test_the_end_of_a_name_says_nothing(tmp_path):
    (tmp_path / "photo.jpg").write_bytes(coded(picture(), "PNG"))
    assert read_header(tmp_path / "photo.jpg").format == "png"


def test_what_is_no_regular_file_is_never_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "pipe")
    for name in ("pipe", "folder", "link"):
        with pytest.raises(LeftOut, match="^not a regular file$"):
            read_header(tmp_path / name)
    with pytest.raises(LeftOut, match="^not a regular file$"):
        read_header("/dev/zero")


def test_files_that_cannot_be_read(tmp_path):
    (tmp_path / "nowhere").symlink_to(tmp_path / "missing")
    for path in (tmp_path / "missing", tmp_path / "nowhere", tmp_path / ("n" * 300), tmp_path / "a\0b"):
        with pytest.raises(LeftOut, match="^cannot be read$"):
            read_header(path)


STARTS = [b"\xff\xd8\xff", b"RIFF\xff\xff\0\0WEBP", b"\0\0\0\x18ftypavif", b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n",
          b"\x89PNG\r\n\x1a\n", b"GIF89a", b"II*\0", b"MM\0*", b"\xff\x4f\xff\x51", b"RIFF\x1e\0\0\0WEBPVP8X",
          b"\0\0\0\x0cjP  \r\n\x87\n", b"BM\xff\0\0\0\0\0\0\0"]  # fmt: skip


@given(start=st.sampled_from(STARTS), rest=st.binary(max_size=400))
@example(start=b"\xff\x0a", rest=b"\xff" * 12)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_garbage_behind_a_signature_is_a_header_or_a_reason(header_of, start, rest):
    try:
        header = header_of(start + rest)
    except LeftOut:
        return
    assert header.format == format_of((start + rest)[:32])
    assert header.pixels > 0
