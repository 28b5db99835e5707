"""Metadata in streams: none unless a codec is asked to keep it, and then the source's own bytes."""

from __future__ import annotations

import io
import struct

import pytest
import torch
from PIL import Image, ImageCms

import compress_guard
from compress_guard.codecs import calls
from compress_guard.codecs.contract import MetadataKeeper, kept_parts
from compress_guard.codecs.cuda_jpeg import Device
from compress_guard.codecs.jpeg import Jpeg
from compress_guard.codecs.pictures.metadata import Metadata
from compress_guard.codecs.pixels import to_pil
from compress_guard.codecs.webp import WebP
from compress_guard.engine.coding.available import build_codec
from compress_guard.errors import CodecError, OptionError
from compress_guard.records import CodecSpec
from compress_guard.registry import CODECS
from tests.codecs.pictures.test_metadata import ORIENTATION, block, tags

PLANTED = b"PLANTED-7f3a"
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes() + 100 * PLANTED
EXIF = block(orientation=1) + 50 * PLANTED
KEEPING = ("jpeg", "webp", "avif", "heic", "jxl")
READERS = {"jpeg": "JPEG", "webp": "WEBP", "avif": "AVIF", "heic": "HEIF", "jxl": "JXL"}


def source(image: torch.Tensor, metadata: bool = True, exif: bytes = EXIF) -> Image.Image:
    """A PNG file with or without a planted profile and EXIF block, opened."""
    file = io.BytesIO()
    planted = {"icc_profile": PROFILE, "exif": b"Exif\0\0" + exif} if metadata else {}
    to_pil(image).save(file, "PNG", **planted)
    return Image.open(io.BytesIO(file.getvalue()))


def built(name: str, **options):
    codec = build_codec(CodecSpec(name, name, tuple(options.items())))
    if (reason := codec.unavailable()) is not None:
        pytest.skip(reason)
    return codec


def middle(codec) -> float:
    return codec.ladder[len(codec.ladder) // 2]


def carried(name: str, stream: bytes) -> tuple[bytes, bytes]:
    """Profile and EXIF block of a stream, read by Pillow."""
    if name == "heic":
        pytest.importorskip("pillow_heif").register_heif_opener()
    with Image.open(io.BytesIO(stream)) as image:
        assert image.format == READERS[name]
        exif = (image.info.get("exif") or b"").removeprefix(b"Exif\0\0")
        icc = image.info.get("icc_profile") or b""
        return b"" if icc[4:8] == b"jxl " else icc, exif  # libjxl makes a profile of the colours that a file states


@pytest.mark.parametrize("name", [name for name in CODECS if name not in ("zoo", "compressai", "pipeline")])
def test_no_codec_writes_a_planted_profile_unless_it_is_asked(name, photo, packer) -> None:
    options = packer if name == "command" else {}
    built(name, **options)
    kept = compress_guard.compress(source(photo), codec=name, bpp=1.0, **options)
    plain = compress_guard.compress(photo, codec=name, bpp=1.0, **options)
    assert kept.streams == plain.streams
    assert PLANTED not in kept.streams[0]


@pytest.mark.parametrize("name", ["jpeg", "webp", "avif", "jp2", "heic", "jxl"])
def test_no_training_image_is_coded_with_metadata(name, photo) -> None:
    codec = built(name)
    planted = source(photo)
    planted.load()
    planted.info["comment"] = PLANTED
    assert PLANTED not in codec._passing(planted, middle(codec))
    assert codec._passing(planted, middle(codec)) == codec._passing(to_pil(photo), middle(codec))


@pytest.mark.parametrize("name", ["jpeg", "webp", "avif", "jxl", "jp2"])
def test_pictures_that_carry_metadata_reach_the_writer_in_vain(name, photo) -> None:
    # Pillow's writers of AVIF and JPEG XL take what an image carries when they are not told otherwise.
    codec = built(name)
    planted = source(photo)
    planted.load()
    assert codec._write(planted, middle(codec)) == codec._write(to_pil(photo), middle(codec))


@pytest.mark.parametrize("name", KEEPING)
def test_kept_metadata_are_the_bytes_of_the_source(name, photo) -> None:
    codec, plain = built(name, metadata="keep"), built(name)
    setting = middle(codec)
    metadata = [Metadata.of(source(photo))]
    (kept,) = calls.encode(codec, [photo], [setting], metadata=metadata)
    (stripped,) = calls.encode(plain, [photo], [setting], metadata=metadata)
    assert PLANTED not in stripped
    icc, exif = carried(name, kept)
    assert icc == (PROFILE if "icc" in codec.keeps else b"")
    assert exif.endswith(EXIF[100:])
    assert len(exif) == len(EXIF)
    assert tags(exif).get(ORIENTATION, 1) == 1
    size = len(exif) + len(icc)
    assert size <= len(kept) - len(stripped) <= size + 400
    assert torch.equal(codec.decode([kept])[0], plain.decode([stripped])[0])


@pytest.mark.parametrize("name", KEEPING)
def test_keeping_nothing_is_stripping(name, photos) -> None:
    codec, plain = built(name, metadata="keep"), built(name)
    settings = [middle(codec)] * len(photos)
    assert calls.encode(codec, photos, settings, metadata=[Metadata()] * len(photos)) == plain.encode(photos, settings)
    assert codec.encode(photos, settings) == plain.encode(photos, settings)


@pytest.mark.parametrize("name", KEEPING)
def test_each_image_keeps_its_own(name, photos) -> None:
    codec = built(name, metadata="keep")
    blocks = [Metadata(exif=block(orientation=None) + bytes([65 + at]) * 9) for at in range(len(photos))]
    blocks[2] = Metadata()
    settings = [middle(codec)] * len(photos)
    streams = calls.encode(codec, photos, settings, workers=3, metadata=blocks)
    assert [carried(name, stream)[1] for stream in streams] == [each.exif for each in blocks]


def test_jxl_says_that_it_keeps_exif_alone() -> None:
    codec = built("jxl", metadata="keep")
    assert codec.keeps == {"exif"}
    assert codec.remark == "keeps EXIF alone: pillow-jxl-plugin writes no ICC profiles"
    assert built("jxl").remark is None


@pytest.mark.parametrize("name", ["jp2", "neural"])
def test_codecs_whose_files_hold_none_refuse_to_keep_it(name) -> None:
    with pytest.raises(OptionError) as caught:
        build_codec(CodecSpec(name, name, (("metadata", "keep"),)))
    assert str(caught.value).startswith(f"unknown option of codec {name} 'metadata'")
    assert kept_parts(CODECS.resolve(name)()) == frozenset()


def test_kept_parts_are_those_of_the_option() -> None:
    assert kept_parts(Jpeg()) == frozenset()
    assert kept_parts(Jpeg(metadata="keep")) == {"icc", "exif"}
    assert isinstance(Jpeg(), MetadataKeeper)


def test_jpeg_makes_room_for_a_large_profile_beside_noise() -> None:
    noise = torch.randint(0, 256, (3, 300, 300), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    metadata = Metadata(icc=PROFILE + bytes(200_000))
    for options in ({}, {"optimize": False}, {"progressive": True}):
        codec = Jpeg(metadata="keep", subsampling="4:4:4", **options)
        (stream,) = calls.encode(codec, [noise], [100.0], metadata=[metadata])
        assert carried("jpeg", stream)[0] == metadata.icc


def test_exif_that_no_jpeg_can_hold_is_an_error_of_its_image(photo) -> None:
    codec = Jpeg(metadata="keep")
    large = Metadata(exif=block() + bytes(70_000))
    expected = r"^jpeg could not encode image 2 of 2 \(160x128 pixels\) at setting 50: EXIF data is too long$"
    with pytest.raises(CodecError, match=expected):
        calls.encode(codec, [photo, photo], [50.0, 50.0], metadata=[Metadata(), large])


def test_webp_of_libvips_has_the_container_that_pillow_writes(photo) -> None:
    codec = built("webp", metadata="keep", preset="photo")
    for metadata in (Metadata(PROFILE + b"odd"[:1], b""), Metadata(b"", EXIF), Metadata(PROFILE, EXIF + b"x")):
        (stream,) = calls.encode(codec, [photo], [50.0], metadata=[metadata])
        pillow = WebP(metadata="keep")
        (other,) = calls.encode(pillow, [photo], [pillow.ladder[40]], metadata=[metadata])
        assert chunks(stream).keys() == chunks(other).keys()
        assert all(chunks(stream)[name] == body for name, body in chunks(other).items() if name != b"VP8 ")
        assert struct.unpack("<L", stream[4:8])[0] == len(stream) - 8


def chunks(stream: bytes) -> dict[bytes, bytes]:
    """Body of each chunk of a WebP file by its name."""
    at, parts = 12, {}
    while at < len(stream):
        (length,) = struct.unpack("<L", stream[at + 4 : at + 8])
        parts[stream[at : at + 4]] = stream[at + 8 : at + 8 + length]
        at += 8 + length + length % 2
    return parts


def test_metadata_are_written_on_the_cpu_where_a_gpu_codes(monkeypatch, photo) -> None:
    class Library:
        name = "nvJPEG (double)"

    monkeypatch.setattr("compress_guard.codecs.cuda_jpeg.library", Library)
    there = Jpeg(subsampling="4:4:4", metadata="keep").on("cpu:0")
    assert there.remark == (
        "encoded by libjpeg on the CPU: nvJPEG (double) writes files without metadata only, asked for metadata: keep"
    )
    metadata = [Metadata.of(source(photo))]
    here = Jpeg(subsampling="4:4:4", metadata="keep")
    assert calls.encode(there, [photo], [50.0], metadata=metadata) == calls.encode(
        here, [photo], [50.0], metadata=metadata
    )
    assert isinstance(there._place, Device)


@pytest.mark.parametrize("name", KEEPING)
def test_compress_counts_the_metadata_of_pictures(name, photo) -> None:
    codec = built(name, metadata="keep")
    pixels = photo.shape[1] * photo.shape[2]
    planted = source(photo)
    carried_bytes = Metadata.of(planted).summary.size(codec.keeps)
    floor = 8 * carried_bytes / pixels
    made = compress_guard.compress(source(photo), codec=name, bpp=floor + 0.8, metadata="keep")
    assert made.bpp == [pytest.approx(8 * len(made.streams[0]) / pixels)]
    assert made.bpp[0] == pytest.approx(floor + 0.8, rel=0.08)
    assert sum(map(len, carried(name, made.streams[0]))) == carried_bytes
    plain = compress_guard.compress(source(photo), codec=name, bpp=floor + 0.8)
    assert made.settings[0] < plain.settings[0]
    three = [source(photo), source(photo, metadata=False), photo]
    stripped = compress_guard.compress(three, codec=name, bpp=1.5)
    assert stripped.streams == compress_guard.compress([photo] * 3, codec=name, bpp=1.5).streams
