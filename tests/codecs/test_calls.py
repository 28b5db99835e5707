"""Calls of codecs that do not keep their contract: each fault is a `CodecError` of its own, and sources stay whole."""

from __future__ import annotations

import re

import pytest
import torch

from compress_guard.codecs import calls
from compress_guard.codecs.contract import RealStreams
from compress_guard.codecs.webp import WebP
from compress_guard.errors import CodecError

SIZE = (6, 8)


class Raw(RealStreams):
    """Raw pixels; `streams` and `images` change what it gives."""

    type = "raw"
    ladder = (1.0,)
    version = "1"

    def __init__(self, streams=lambda streams: streams, images=lambda images: images):
        self._streams, self._images = streams, images

    def encode(self, images, settings, workers=1):
        return self._streams([image.numpy().tobytes() for image in images])

    def decode(self, streams, workers=1):
        pixels = [torch.frombuffer(bytearray(stream), dtype=torch.uint8).reshape(3, *SIZE) for stream in streams]
        return self._images(pixels)


@pytest.fixture
def sources():
    return [torch.full((3, *SIZE), 40 * number, dtype=torch.uint8) for number in range(3)]


def test_a_codec_that_keeps_its_contract_is_passed_through(sources):
    streams = calls.encode(Raw(), sources, [1.0] * 3)
    assert [type(stream) for stream in streams] == [bytes] * 3
    assert all(torch.equal(*pair) for pair in zip(calls.decode(Raw(), streams, [SIZE] * 3), sources, strict=True))


class Shrunk(bytes):
    def __len__(self):
        return 1


@pytest.mark.parametrize("kind", [bytearray, memoryview, Shrunk])
def test_what_holds_bytes_becomes_bytes(sources, kind):
    streams = calls.encode(Raw(lambda streams: [kind(stream) for stream in streams]), sources, [1.0] * 3)
    assert [(type(stream), len(stream)) for stream in streams] == [(bytes, 3 * 6 * 8)] * 3


STREAMS = {
    "none": (lambda streams: None, "raw gave NoneType; expected a list of streams"),
    "few": (lambda streams: streams[1:], "raw gave 2 streams for 3 images; expected one for each"),
    "many": (lambda streams: [*streams, b"1"], "raw gave 4 streams for 3 images; expected one for each"),
    "lost": (
        lambda streams: [streams[0], None, streams[2]],
        "raw gave NoneType for image 2 of 3; expected the bytes of its stream, or a CodecError for an image that it "
        "cannot code",
    ),
    "text": (
        lambda streams: [stream.hex() for stream in streams],
        "raw gave str for image 1 of 3; expected the bytes of its stream, or a CodecError for an image that it cannot "
        "code",
    ),
}


@pytest.mark.parametrize("fault", STREAMS)
def test_streams_that_are_none_are_a_fault_of_the_codec(sources, fault):
    change, message = STREAMS[fault]
    with pytest.raises(CodecError, match=f"^{re.escape(message)}$"):
        calls.encode(Raw(change), sources, [1.0] * 3)


IMAGES = {
    "few": (lambda images: images[1:], "raw gave 2 images for 3 streams; expected one for each"),
    "lost": (lambda images: [*images[:2], None], "raw decoded stream 3 of 3 to NoneType; {}"),
    "arrays": (lambda images: [image.numpy() for image in images], "raw decoded stream 1 of 3 to ndarray; {}"),
    "floats": (lambda images: [image / 255 for image in images], "raw decoded stream 1 of 3 to values of float32; {}"),
    "signed": (lambda images: [image.short() for image in images], "raw decoded stream 1 of 3 to values of int16; {}"),
    "batch": (
        lambda images: [image[None] for image in images],
        "raw decoded stream 1 of 3 to a tensor (1, 3, 6, 8); {}",
    ),
    "grey": (lambda images: [image[:1] for image in images], "raw decoded stream 1 of 3 to a tensor (1, 6, 8); {}"),
}


@pytest.mark.parametrize("fault", IMAGES)
def test_images_that_are_none_are_a_fault_of_the_codec(sources, fault):
    change, message = IMAGES[fault]
    streams = calls.encode(Raw(), sources, [1.0] * 3)
    with pytest.raises(CodecError, match=f"^{re.escape(message.format('expected a uint8 tensor (3, H, W)'))}$"):
        calls.decode(Raw(images=change), streams, [SIZE] * 3)


def test_a_generator_is_a_list(sources):
    streams = calls.encode(Raw(iter), sources, [1.0] * 3)
    assert len(calls.decode(Raw(images=iter), streams, [SIZE] * 3)) == 3


def test_a_codec_may_work_in_place(sources):
    class InPlace(Raw):
        def encode(self, images, settings, workers=1):
            return super().encode([image.floor_divide_(7) for image in images], settings, workers)

    before = [image.clone() for image in sources]
    calls.encode(InPlace(), sources, [1.0] * 3)
    assert all(torch.equal(*pair) for pair in zip(before, sources, strict=True))


def test_the_packages_own_codecs_get_the_images_themselves(sources):
    assert all(one is other for one, other in zip(calls.own_copies(WebP(), sources), sources, strict=True))
