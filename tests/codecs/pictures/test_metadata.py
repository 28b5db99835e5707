"""ICC profiles and EXIF blocks of source files, byte by byte, but for the orientation."""

from __future__ import annotations

import io
import struct

import pytest
import torch
from PIL import Image, ImageCms

from compress_guard.codecs.pictures.metadata import NOTHING, Metadata

PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
ORIENTATION, MAKER, ARTIST = 0x0112, 0x010F, 0x013B


def block(order: str = "<", orientation: int | None = 6, kind: str = "H") -> bytes:
    """An EXIF block of three entries and a second directory, put together here and not by Pillow."""
    code = {"H": 3, "L": 4}[kind]
    maker = b"Planted maker\0"
    entries = [struct.pack(f"{order}HHLL", MAKER, 2, len(maker), 100)]
    if orientation is not None:
        value = struct.pack(f"{order}{kind}", orientation).ljust(4, b"\0")
        entries.append(struct.pack(f"{order}HHL", ORIENTATION, code, 1) + value)
    entries.append(struct.pack(f"{order}HHL4s", ARTIST, 2, 4, b"Ann\0"))
    directory = struct.pack(f"{order}H", len(entries)) + b"".join(entries) + struct.pack(f"{order}L", 120)
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}L", 8)
    thumbnail = struct.pack(f"{order}HL", 0, 0)
    return (head + directory).ljust(100, b"\0") + maker.ljust(20, b"\0") + thumbnail


def tags(exif: bytes) -> dict[int, object]:
    """The entries of a block as Pillow reads them."""
    read = Image.Exif()
    read.load(exif)
    return dict(read)


def opened(kind: str, **options) -> Image.Image:
    file = io.BytesIO()
    Image.new("RGB", (40, 24), (200, 30, 60)).save(file, kind, **options)
    image = Image.open(io.BytesIO(file.getvalue()))
    image.load()
    return image


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_the_metadata_of_a_file_are_read_byte_by_byte(kind) -> None:
    metadata = Metadata.of(opened(kind, icc_profile=PROFILE, exif=b"Exif\0\0" + block(orientation=None)))
    assert metadata == Metadata(PROFILE, block(orientation=None))
    assert metadata.jpeg_exif == b"Exif\0\0" + metadata.exif


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", ["H", "L"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_orientation_becomes_upright_and_nothing_else_changes(order, kind, orientation) -> None:
    image = Image.new("RGB", (4, 4))
    image.info["exif"] = block(order, orientation, kind)
    made = Metadata.of(image).exif
    assert made == block(order, 1, "H")
    assert tags(made) == {MAKER: "Planted maker", ORIENTATION: 1, ARTIST: "Ann"}


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_block_without_its_orientation_is_as_long_and_holds_the_rest(order) -> None:
    unturned = Metadata(exif=block(order, 1)).unturned_exif
    assert len(unturned) == len(block(order, 1))
    assert tags(unturned) == {MAKER: "Planted maker", ARTIST: "Ann"}
    assert unturned[100:] == block(order)[100:]
    # The place of the second directory has moved up with the entries.
    assert struct.unpack_from(f"{order}L", unturned, 8 + 2 + 2 * 12) == (120,)
    assert Metadata(exif=block(order, None)).unturned_exif == block(order, None)
    assert NOTHING.unturned_exif == b""


@pytest.mark.parametrize(
    "damaged", [b"", b"no TIFF", block()[:20], b"II*\0\xff\xff\xff\xff", b"II*\0\x08\0\0\0\xff\xff" + bytes(40)]
)
def test_an_exif_block_that_cannot_be_read_is_none(damaged) -> None:
    image = Image.new("RGB", (4, 4))
    image.info.update(exif=damaged, icc_profile=PROFILE)
    assert Metadata.of(image) == Metadata(PROFILE)


@pytest.mark.parametrize("space", [b"GRAY", b"CMYK", b"Lab "])
def test_a_profile_of_other_colours_does_not_fit_rgb(space) -> None:
    image = Image.new("RGB", (4, 4))
    image.info["icc_profile"] = PROFILE[:16] + space + PROFILE[20:]
    assert Metadata.of(image) == NOTHING


@pytest.mark.parametrize("info", [None, [], {"exif": "text", "icc_profile": 3}, {}])
def test_anything_but_a_picture_with_blocks_has_none(info) -> None:
    image = Image.new("RGB", (4, 4))
    image.info = info
    assert Metadata.of(image) == NOTHING
    assert Metadata.of(torch.zeros(3, 4, 4)) == Metadata.of(None) == NOTHING
    assert not NOTHING


def test_summaries_tell_blocks_apart() -> None:
    both = Metadata(b"icc", b"exif")
    assert both.summary.size({"icc", "exif"}) == 7
    assert (both.summary.size({"exif"}), both.summary.size(set())) == (4, 0)
    assert both.only({"exif"}) == Metadata(exif=b"exif")
    digests = {Metadata(*parts).summary.digest for parts in [(b"ab", b"c"), (b"a", b"bc"), (b"abc",), (b"", b"abc")]}
    assert len(digests) == 4
    assert NOTHING.summary.digest == b""
