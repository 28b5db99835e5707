"""Decoded images kept for the second look: one of a batch is decoded again, and vouches for the others."""

from __future__ import annotations

import zlib

import pytest
import torch

from compress_guard.engine.coding import kept_images
from compress_guard.store import Store

SIZES = [(4, 6), (5, 5), (2, 9)]
STREAMS = [b"one", b"two", b"three"]


@pytest.fixture
def images():
    return [torch.randint(0, 256, (3, *size), generator=torch.Generator().manual_seed(1)).byte() for size in SIZES]


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path)


class Decoder:
    """Gives images by their streams, and counts."""

    def __init__(self, images):
        self.images, self.asked = dict(zip(STREAMS, images, strict=True)), []

    def __call__(self, streams):
        self.asked += streams
        return [self.images[stream] for stream in streams]


def same(found, images):
    return len(found) == len(images) and all(map(torch.equal, found, images))


def test_one_image_is_decoded_and_the_others_are_as_they_were(store, images):
    kept_images.keep(store, "codec", STREAMS, images)
    decoder = Decoder(images)
    assert same(kept_images.again(store, "codec", STREAMS, SIZES, decoder), images)
    assert decoder.asked == STREAMS[:1]


def test_a_decoder_that_gives_another_first_image_decodes_all(store, images):
    kept_images.keep(store, "codec", STREAMS, images)
    moved = [255 - image for image in images]
    assert same(kept_images.again(store, "codec", STREAMS, SIZES, Decoder(moved)), moved)


@pytest.mark.parametrize("other", ["codec", "stream"])
def test_another_decoder_or_stream_finds_nothing(store, images, other):
    kept_images.keep(store, "other" if other == "codec" else "codec", STREAMS, images)
    streams = [b"another", *STREAMS[1:]] if other == "stream" else STREAMS
    decoder = Decoder(images)
    decoder.images[streams[0]] = images[0]
    assert same(kept_images.again(store, "codec", streams, SIZES, decoder), images)
    assert decoder.asked == streams


@pytest.mark.parametrize("junk", [b"", b"junk", zlib.compress(bytes(3)), zlib.compress(bytes(10**6))])
def test_what_does_not_fit_is_not_used(store, images, junk):
    store.put(kept_images._name("codec", STREAMS), junk)
    assert same(kept_images.again(store, "codec", STREAMS, SIZES, Decoder(images)), images)


def test_large_images_are_not_kept(store, images, monkeypatch):
    monkeypatch.setattr(kept_images, "LARGEST", sum(image.numel() for image in images) - 1)
    kept_images.keep(store, "codec", STREAMS, images)
    decoder = Decoder(images)
    kept_images.again(store, "codec", STREAMS, SIZES, decoder)
    assert decoder.asked == STREAMS


def test_nothing_at_all_is_decoded_to_nothing(store):
    assert kept_images.again(store, "codec", [], [], lambda streams: []) == []


def test_images_that_are_kept_may_be_changed_by_a_model(store, images):
    kept_images.keep(store, "codec", STREAMS, images)
    found = kept_images.again(store, "codec", STREAMS, SIZES, Decoder(images))
    found[1].zero_()
    assert found[2].equal(images[2])
    assert same(kept_images.again(store, "codec", STREAMS, SIZES, Decoder(images)), images)
