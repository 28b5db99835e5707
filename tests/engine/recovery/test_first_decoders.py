"""Studies of a guard whose first decoder is not the codecs' own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch

from compress_guard.codecs.decoding.contract import Decoder
from compress_guard.records import Cell, CodecSpec, Rate
from compress_guard.registry import DECODERS

JPEG = CodecSpec("jpeg", "jpeg")


class Soft(Decoder):
    """A decoder that smooths every row, more or less."""

    name = "soft"
    strength = 3

    @property
    def version(self) -> str:
        return f"soft {self.strength}"

    def unavailable(self) -> str | None:
        return None

    def decode(self, streams, workers=1):
        return [soft(image) for image in self.codec.decode(streams)]


def soft(image: Any) -> Any:
    values = image.int()
    return ((values * 2 + values.roll(1, 2) + values.roll(-1, 2)) // 4).to(torch.uint8)


@dataclass(frozen=True)
class Known:
    made: Any = Soft
    reads: tuple[str, ...] = ("jpeg",)

    def load(self):
        return self.made


@pytest.fixture(autouse=True)
def soft_decoder(monkeypatch):
    monkeypatch.setitem(DECODERS, "soft", Known())


def by(decoder):
    """The cells of a guard that names this first decoder."""
    return (replace(Cell("toys", JPEG, Rate(3.0), 100.0, None, None, 1), decoder=decoder),)


def shown(tiny):
    """The pictures of each training, as often as the trainer got them; `soft` of them, too."""
    runs = [[image for images, _ in batches for image in images] for batches in tiny.module.SEEN]
    tiny.module.SEEN.clear()
    return tuple([sorted(how(image).numpy().tobytes() for image in run) for run in runs] for how in (plainly, soft))


def plainly(image):
    return image


def test_training_images_are_decoded_by_the_first_decoder(tiny):
    study = tiny.recovery(trainer="M:look", seeds=(0,))
    tiny.only(study, cells=by(None))
    (own, control), (smoothed, _) = shown(tiny)
    tiny.only(study, cells=by("soft"))
    (read,), _ = shown(tiny)
    assert read == smoothed != own
    assert control not in (own, read), "the control is shown clean images"


def test_weights_of_another_decoder_are_not_used_again(tiny):
    """Weights that were trained on the pixels of one decoder say nothing about those of another."""
    study = tiny.recovery(seeds=(0,))
    own = tiny.only(study, cells=by(None)).result
    other = tiny.only(study, cells=by("soft")).result
    again = tiny.only(study, cells=by("soft")).result
    assert (own.trained, other.trained, again.trained) == (2, 1, 0), "the control sees clean images, by no decoder"
    (before,), (point,) = own.points, other.points
    assert point.bpp_mean == before.bpp_mean
