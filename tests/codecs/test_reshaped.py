"""Images that codecs deliver without coding have to have the geometry that the codecs state."""

from __future__ import annotations

import re

import pytest
import torch

from compress_guard.codecs import calls
from compress_guard.codecs.jpeg import Jpeg
from compress_guard.codecs.pictures.geometry import Geometry
from compress_guard.codecs.pixels import check_sizes
from compress_guard.errors import CodecError


class Halved:
    """Only what `calls.reshaped` needs: every second pixel, or what `made` gives."""

    type = "halved"

    def __init__(self, made=None):
        self._made = made

    def geometry(self, size):
        height, width = size
        return Geometry(size, (0.0, 0.0, float(width), float(height)), (height // 2, width // 2))

    def reshaped(self, images, workers=1):
        return [image[:, ::2, ::2] for image in images] if self._made is None else self._made(images)


IMAGES = [torch.zeros(3, 6, 8, dtype=torch.uint8)] * 2


def test_pictures_of_the_stated_size_are_passed_on():
    made = calls.reshaped(Halved(), IMAGES)
    assert [tuple(image.shape) for image in made] == [(3, 3, 4)] * 2
    assert calls.delivered_sizes(Halved(), IMAGES) == [(3, 4)] * 2
    check_sizes("halved", IMAGES, made, calls.delivered_sizes(Halved(), IMAGES))


def test_most_codecs_deliver_their_sources():
    assert [one is other for one, other in zip(calls.reshaped(Jpeg(), IMAGES), IMAGES, strict=True)] == [True, True]


FAULTS = {
    "few": (lambda images: images[1:], "halved reshaped 2 images to 1; expected one for each"),
    "none": (lambda images: None, "halved gave NoneType; expected a list of reshaped images"),
    "float": (
        lambda images: [image.float() for image in images],
        "halved reshaped an image to values of float32; expected a uint8 tensor (3, H, W)",
    ),
    "size": (
        list,
        "halved reshaped an image of (3, 6, 8) to (3, 6, 8), and its geometry states (3, 3, 4); expected both to agree",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_other_pictures_are_a_fault(fault):
    made, message = FAULTS[fault]
    with pytest.raises(CodecError, match=f"^{re.escape(message)}$"):
        calls.reshaped(Halved(made), IMAGES)


def test_a_decoded_picture_of_the_wrong_size_is_named():
    message = "halved gave image 1 of 2 back as 8x6 pixels, expected 4x3"
    with pytest.raises(CodecError, match=f"^{message}$"):
        check_sizes("halved", IMAGES, IMAGES, calls.delivered_sizes(Halved(), IMAGES))
