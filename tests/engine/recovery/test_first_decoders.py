"""Studies of a guard whose first decoder is not the codecs' own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from compress_guard.records import Cell, CodecSpec, Rate

JPEG = CodecSpec("jpeg", "jpeg")

pytestmark = pytest.mark.usefixtures("soft")


def by(decoder):
    """The cells of a guard that names this first decoder."""
    return (replace(Cell("toys", JPEG, Rate(3.0), 100.0, None, None, 1), decoder=decoder),)


def shown(tiny, soft):
    """Return the pictures of each training, as often as the trainer got them, and as the decoder soft makes them."""
    runs = [[image for images, _ in batches for image in images] for batches in tiny.module.SEEN]
    tiny.module.SEEN.clear()
    return tuple(
        [sorted(how(image).numpy().tobytes() for image in run) for run in runs] for how in (plainly, soft.image)
    )


def plainly(image):
    return image


def test_training_images_are_decoded_by_the_first_decoder(tiny, soft):
    study = tiny.recovery(trainer="M:look", seeds=(0,))
    tiny.only(study, cells=by(None))
    (own, control), (smoothed, _) = shown(tiny, soft)
    tiny.only(study, cells=by("soft"))
    (read,), _ = shown(tiny, soft)
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
