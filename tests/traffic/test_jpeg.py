"""Figures from the markers of a JPEG file, and files that are damaged."""

from __future__ import annotations

import io
import struct

import pytest
from PIL import Image

from compress_guard.traffic.headers import LeftOut
from tests.traffic.conftest import coded, picture

PROFILE = b"\0" * 5000


def exif(orientation: int = 1, size: tuple[int, int] | None = None, thumbnail: bool = False) -> bytes:
    """An EXIF block, with the secrets that one may hold."""
    block = Image.Exif()
    block[0x0112] = orientation
    block[0x010F] = "SecretMaker"
    if size is not None:
        block.get_ifd(0x8769)[0xA002], block.get_ifd(0x8769)[0xA003] = size
    data = block.tobytes()
    if not thumbnail:
        return data
    head, tiff = data[:6], data[6:]
    at = struct.unpack_from("<I" if tiff[:2] == b"II" else ">I", tiff, 4)[0]
    order = "<" if tiff[:2] == b"II" else ">"
    count = struct.unpack_from(f"{order}H", tiff, at)[0]
    following = at + 2 + 12 * count
    directory = struct.pack(f"{order}HHHIHHI", 1, 0x0103, 3, 1, 6, 0, 0)
    return head + tiff[:following] + struct.pack(f"{order}I", len(tiff)) + tiff[following + 4 :] + directory


@pytest.mark.parametrize("orientation", range(1, 9))
def test_images_that_exif_turns(header_of, orientation):
    header = header_of(coded(picture(), "JPEG", exif=exif(orientation)))
    assert header.turned == (orientation != 1)
    assert (header.width, header.height) == (40, 24)


def test_metadata_counts_in_the_file_and_not_in_the_coded_image(header_of):
    bare = header_of(coded(picture(), "JPEG"))
    assert (bare.icc, bare.coded_size, bare.traces) == (0, bare.size, frozenset())
    rich = header_of(coded(picture(), "JPEG", icc_profile=PROFILE, exif=exif(), comment=b"by SecretMaker"))
    assert rich.icc == 5000
    assert rich.size > bare.size + 5000
    assert rich.coded_size == bare.coded_size
    assert rich.bpp == 8 * rich.size / (40 * 24)
    assert rich.coded_bpp == bare.bpp


def test_profiles_in_several_segments(header_of):
    assert header_of(coded(picture(), "JPEG", icc_profile=b"\0" * 200_000)).icc == 200_000


def test_what_follows_the_image_is_not_coded_image(header_of):
    bare = header_of(coded(picture(), "JPEG"))
    phone = header_of(coded(picture(), "JPEG") + b"a film" * 1000 + coded(picture(), "JPEG"))
    assert (phone.coded_size, phone.size > 2 * bare.size) == (bare.size, True)


def with_segment(data: bytes, marker: int, body: bytes) -> bytes:
    return data[:2] + bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body + data[2:]


@pytest.mark.parametrize(
    ("marker", "body", "trace"),
    [
        (0xED, b"Photoshop 3.0\08BIM", "Photoshop data"),
        (0xEE, b"Adobe\0d\0\0\0\0\0\1", "Adobe marker"),
        (0xEC, b"Ducky\0\1\0\4", "Save for Web marker"),
        (0xFE, b"hello", "comment"),
        (0xE1, exif(thumbnail=True), "EXIF thumbnail"),
        (0xE1, exif(size=(4000, 2400)), "resized since capture"),
    ],
)
def test_marks_of_programs(header_of, marker, body, trace):
    assert header_of(with_segment(coded(picture(), "JPEG"), marker, body)).traces == {trace}


@pytest.mark.parametrize("size", [(40, 24), (24, 40)])
def test_the_size_at_capture_upright_or_on_its_side_is_no_mark(header_of, size):
    assert header_of(coded(picture(), "JPEG", exif=exif(size=size))).traces == frozenset()


@pytest.mark.parametrize(
    ("sampling", "chroma"),
    [
        ((0x11, 0x11, 0x11), "4:4:4"),
        ((0x12, 0x11, 0x11), "4:4:0"),
        ((0x41, 0x11, 0x11), "4:1:1"),
        ((0x21, 0x11, 0x12), None),
        ((0x22, 0x21, 0x21), "4:4:0"),
        ((0x31, 0x21, 0x21), None),
        ((0x00, 0x00, 0x00), None),
    ],
)
def test_the_names_of_chroma(header_of, sampling, chroma):
    data = bytearray(coded(picture(), "JPEG"))
    frame = data.index(b"\xff\xc0")
    for number, value in enumerate(sampling):
        data[frame + 11 + 3 * number] = value
    assert header_of(bytes(data)).chroma == chroma


def test_pictures_of_several_frames_are_their_first_one(header_of):
    stream = io.BytesIO()
    picture().save(stream, "MPO", save_all=True, append_images=[picture(80, 48)])
    header = header_of(stream.getvalue())
    assert (header.format, header.width, header.height) == ("jpeg", 40, 24)
    assert header.coded_size < header.size / 2


def test_a_file_cut_anywhere_is_left_out_with_a_reason(header_of):
    data = coded(picture(), "JPEG", exif=exif(thumbnail=True), icc_profile=PROFILE, progressive=True)
    reasons = set()
    for end in [*range(700), *range(700, len(data) - 1, 97), len(data) - 1]:
        with pytest.raises(LeftOut) as left_out:
            header_of(data[:end])
        reasons.add(left_out.value.reason)
    assert reasons == {"empty file", "not an image", "truncated"}


def test_a_changed_byte_anywhere_is_a_header_or_a_reason(header_of):
    data = coded(picture(), "JPEG", exif=exif(6, thumbnail=True, size=(9, 9)), icc_profile=b"\0" * 50)
    start = data.index(b"\xff\xda")
    for at in range(start + 4):
        for value in (0x00, 0x7F, 0xFF):
            try:
                header = header_of(data[:at] + bytes([value]) + data[at + 1 :])
            except LeftOut:
                continue
            assert header.pixels > 0
            assert 0 < header.coded_size <= header.size


def test_dimensions_of_a_decompression_bomb(header_of):
    data = bytearray(coded(picture(), "JPEG"))
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = b"\xff\xff\xff\xff"
    with pytest.raises(LeftOut, match="^too many pixels$"):
        header_of(bytes(data))


def test_endless_fill_bytes_end(header_of):
    with pytest.raises(LeftOut, match="^damaged header$"):
        header_of(b"\xff\xd8" + b"\xff" * (2**20 + 50))
