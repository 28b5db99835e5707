"""Codecs that begin with the files of their sources, and codecs of several encoders, as `contract` defines them."""

from __future__ import annotations

import re

import pytest
import torch

from compress_guard.codecs import calls
from compress_guard.codecs.contract import encoders_of, needs_files
from compress_guard.codecs.jpeg import Jpeg
from compress_guard.errors import CodecError

IMAGES = [torch.zeros(3, 2, 2, dtype=torch.uint8)] * 2


class Uploaded:
    """A codec that hands the files of its images on; it is no whole codec, only what these calls need."""

    type = "uploaded"
    encoders = 2

    def __init__(self, from_files=True, streams=lambda files: files):
        self.from_files, self._streams = from_files, streams

    def encode_files(self, images, files, settings, workers=1):
        for image in images:
            image.fill_(1)
        return self._streams(files)


def test_files_reach_the_codec_that_asks_for_them():
    assert needs_files(Uploaded())
    assert calls.encode_files(Uploaded(), IMAGES, [b"one", bytearray(b"two")], [1.0, 1.0]) == [b"one", b"two"]
    assert not any(image.any() for image in IMAGES), "the codec works on copies"


def test_most_codecs_begin_with_pixels_and_have_one_encoder():
    assert (needs_files(Jpeg()), needs_files(Uploaded(from_files=False))) == (False, False)
    assert (encoders_of(Jpeg()), encoders_of(Uploaded())) == (1, 2)


def test_a_codec_that_loses_a_file_is_at_fault():
    message = "uploaded gave 1 streams for 2 files; expected one for each"
    with pytest.raises(CodecError, match=f"^{re.escape(message)}$"):
        calls.encode_files(Uploaded(streams=lambda files: files[1:]), IMAGES, [b"one", b"two"], [1.0, 1.0])
