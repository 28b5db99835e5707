"""Decoders of a codec's streams, each against a plain loop over its library."""

from __future__ import annotations

import builtins
import importlib
import io
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from compress_guard.codecs import calls
from compress_guard.codecs.avif import Avif
from compress_guard.codecs.contract import Codec
from compress_guard.codecs.decoding.streams import DecodedBy, decoded_by, decoder_version, writer
from compress_guard.codecs.heic import Heic
from compress_guard.codecs.jp2 import Jp2
from compress_guard.codecs.jpeg import Jpeg
from compress_guard.codecs.webp import WebP
from compress_guard.errors import CodecError, CodecUnavailable
from compress_guard.registry import CODECS, DECODERS

SIZES = [(1, 1), (3, 2), (16, 16), (33, 15), (64, 50)]


def by_cv2(stream):
    import cv2

    bgr = cv2.imdecode(np.frombuffer(stream, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    return torch.from_numpy(bgr[:, :, ::-1].copy()).permute(2, 0, 1)


def by_torchvision(stream):
    import torchvision.io  # noqa: F401 - brings the operator

    return torch.ops.image.decode_image(torch.frombuffer(bytearray(stream), dtype=torch.uint8), 3, False)


PLAIN = {"opencv": by_cv2, "torchvision": by_torchvision}


def built(codec, name):
    try:
        return decoded_by(codec, name, "cpu")
    except CodecUnavailable as problem:
        pytest.skip(str(problem))


def turned(kind, image, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    stream = io.BytesIO()
    Image.fromarray(image.permute(1, 2, 0).contiguous().numpy()).save(stream, kind, exif=exif)
    return stream.getvalue()


@pytest.mark.parametrize("name", DECODERS)
def test_a_name_stands_for_the_decoder_of_that_name(name):
    known = DECODERS[name]
    made = known.load()(CODECS.resolve(known.reads[0])(), "cpu")
    assert made.name == name
    assert set(known.reads) <= set(CODECS.own)
    assert list(known.reads) == sorted(known.reads)


@pytest.mark.parametrize("codec", [Jpeg(), Jpeg("4:4:4", progressive=True), WebP()], ids=repr)
@pytest.mark.parametrize("name", PLAIN)
def test_a_decoder_gives_what_its_library_gives(name, codec, natural):
    images = [natural(*size, seed) for seed, size in enumerate(SIZES)]
    ladder = codec.ladder
    streams = codec.encode(images, [ladder[at * (len(ladder) - 1) // 4] for at in range(5)])
    other = built(codec, name)
    decoded = calls.decode(other, streams, [tuple(image.shape[-2:]) for image in images], 2)
    for image, stream, source in zip(decoded, streams, images, strict=True):
        assert torch.equal(image, PLAIN[name](stream))
        assert image.shape == source.shape
        assert image.is_contiguous()


@pytest.mark.parametrize("codec", [Jpeg(), WebP(), Avif(), Jp2(), Heic()], ids=lambda codec: codec.type)
@pytest.mark.parametrize("name", ["opencv", "torchvision", "torchcodec"])
def test_colours_and_places_are_those_of_pillow(name, codec, natural):
    if codec.type not in DECODERS[name].reads or codec.unavailable():
        pytest.skip(f"{name} does not read {codec.type}")
    image = natural(40, 56, 1)
    streams = codec.encode([image], [codec.ladder[-1]])
    (other,), (own,) = built(codec, name).decode(streams), codec.decode(streams)
    assert other.dtype == torch.uint8
    assert int((other.int() - own.int()).abs().max()) <= 3


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
@pytest.mark.parametrize("name", ["opencv", "torchvision", "torchcodec"])
@pytest.mark.parametrize("orientation", [2, 3, 6, 7, 8])
def test_no_decoder_turns_by_exif(name, kind, orientation, natural):
    codec = {"JPEG": Jpeg(), "WEBP": WebP()}[kind]
    stream = turned(kind, natural(24, 40), orientation)
    (image,) = built(codec, name).decode([stream])
    assert torch.equal(image, codec.decode([stream])[0])


def test_what_pillow_does_itself_needs_no_other_decoder():
    for kind in DECODERS["pillow"].reads:
        codec = CODECS.resolve(kind)()
        assert decoded_by(codec, "pillow", "cpu") is codec
        assert decoded_by(codec, None, "cpu") is codec
        assert writer(codec) is codec


def test_a_codec_with_another_decoder_writes_as_the_codec_does(natural):
    codec = Jpeg("4:2:2")
    other = decoded_by(codec, "torchvision", "cpu")
    assert isinstance(other, DecodedBy)
    assert writer(other) is codec
    assert (other.type, other.ladder, other.version) == ("jpeg decoded by torchvision", codec.ladder, codec.version)
    assert (other.bits, other.device, other.remark, other.device_tolerance) == ("coded", "cpu", None, None)
    assert (other.generative, other.unavailable(), other.on("cpu")) == (False, None, codec)
    image = natural(20, 30)
    (stream,) = other.encode([image], [50.0])
    assert stream == codec.encode([image], [50.0])[0]
    assert other.cost(stream) == len(stream)
    assert other.proofs([image], [50.0]) == []
    assert decoder_version(other).startswith("torchvision 0.")
    assert decoder_version(codec) == codec.version


@pytest.mark.parametrize("name", ["opencv", "torchvision"])
def test_a_stream_that_cannot_be_decoded_is_named(name, natural):
    codec = Jpeg()
    streams = codec.encode([natural(20, 30)], [50.0])
    message = rf"^jpeg: stream 2 of 2 \(9 bytes\) could not be decoded by {name}: "
    with pytest.raises(CodecError, match=message):
        built(codec, name).decode([*streams, b"no image."])


def test_a_codec_that_a_decoder_never_reads():
    message = "opencv does not decode jxl; it reads avif, jp2, jpeg, webp; use another decoder"
    with pytest.raises(CodecUnavailable) as caught:
        decoded_by(CODECS.resolve("jxl")(), "opencv", "cpu")
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("name", "module", "message"),
    [
        ("opencv", "cv2", "OpenCV is not installed; pip install --upgrade opencv-python-headless"),
        ("torchcodec", "torchcodec", 'torchcodec is not installed; pip install "torchcodec>=0.16"'),
    ],
)
def test_a_decoder_that_is_not_installed(name, module, message, monkeypatch):
    real = builtins.__import__

    def without(asked, *arguments, **keywords):
        if asked.partition(".")[0] == module:
            raise ModuleNotFoundError(f"No module named {asked!r}")
        return real(asked, *arguments, **keywords)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(CodecUnavailable) as caught:
        decoded_by(Jpeg(), name, "cpu")
    assert str(caught.value) == f"the decoder {name}: {message}"


def test_a_build_of_opencv_without_the_format(monkeypatch):
    cv2 = pytest.importorskip("cv2")
    monkeypatch.setattr(cv2, "getBuildInformation", lambda: "  Media I/O:\n    JPEG:  build (ver 9)\n    AVIF:   NO\n")
    with pytest.raises(CodecUnavailable) as caught:
        decoded_by(Avif(), "opencv", "cpu")
    install = "pip install --upgrade opencv-python-headless"
    assert str(caught.value) == f"the decoder opencv: OpenCV {cv2.__version__} was built without AVIF; {install}"
    assert decoder_version(decoded_by(Jpeg(), "opencv", "cpu")) == f"OpenCV {cv2.__version__}, build (ver 9)"


def test_nvjpeg_needs_a_cuda_device():
    with pytest.raises(CodecUnavailable) as caught:
        decoded_by(Jpeg(), "nvjpeg", "cpu")
    found = "nvjpeg decodes on CUDA devices, and this run is on cpu; run on a CUDA device"
    assert str(caught.value) == f"the decoder nvjpeg: {found}"


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_nvjpeg_repeats_the_chroma_that_pillow_interpolates(photos):
    codec = Jpeg()
    streams = codec.encode(photos, [75.0] * len(photos))
    other = decoded_by(codec, "nvjpeg", "cuda:0")
    assert other.device == "cuda:0"
    for image, own in zip(other.decode(streams), codec.decode(streams), strict=True):
        assert image.device.type == "cuda"
        assert image.shape == own.shape
        assert 0 < float((image.cpu().int() - own.int()).abs().float().mean()) < 2


def test_nvjpeg_never_falls_back_to_the_cpu(monkeypatch, natural):
    """A failure that `jpeg` on a GPU makes good on the CPU would hide which decoder the score is of."""
    from compress_guard.codecs import cuda_jpeg
    from compress_guard.codecs.decoding.nvjpeg import NvJpeg

    class Failing:
        name = "nvJPEG (a double)"

        def decode(self, streams, device):
            raise RuntimeError("unsupported file")

    monkeypatch.setattr(cuda_jpeg, "library", Failing)
    codec = Jpeg()
    streams = codec.encode([natural(20, 30)], [50.0])
    with pytest.raises(CodecError) as caught:
        NvJpeg(codec, "cpu").decode(streams)
    assert str(caught.value) == "jpeg: stream 1 of 1 could not be decoded by nvjpeg: unsupported file"


def test_modules_of_decoders_import_no_library():
    for known in DECODERS.values():
        module = importlib.import_module(known.target.partition(":")[0])
        assert not {"cv2", "torch", "torchvision", "torchcodec", "PIL"} & set(vars(module))
    assert "compress_guard.codecs.decoding.opencv" in sys.modules


def test_a_codec_with_another_decoder_is_a_codec():
    codec: Codec = decoded_by(Jpeg(), "torchvision", "cpu")
    moved = codec.seen_from(Path("/"))
    assert (moved.type, writer(moved)) == (codec.type, Jpeg())
