"""Training images that EXIF turns, and training images on another scale."""

from __future__ import annotations

import sys
import textwrap

import pytest
import torch

WORLD = """
    import io
    import numpy as np
    from PIL import Image
    from compress_guard.codecs.pictures.orientation import stored_pil

    def scene(number, meant, orientation):
        # A bright corner; the label map is meant for the upright or for the stored image.
        pixels = np.random.default_rng(number).integers(20, 60, (32, 32, 3)).astype(np.uint8)
        labels = np.zeros((32, 32), np.uint8)
        pixels[2:18, 2:12], labels[2:18, 2:12] = 230, 1
        exif, file = Image.Exif(), io.BytesIO()
        exif[0x0112] = orientation
        stored_pil(Image.fromarray(pixels), orientation).save(file, "PNG", exif=exif)
        mask = Image.fromarray(labels)
        mask = mask if meant == "upright" else stored_pil(mask, orientation)
        return Image.open(io.BytesIO(file.getvalue())), np.array(mask), f"{number}"

    def upright():
        return [scene(number, "upright", 6 if number % 2 else 3) for number in range(12)]

    def stored():
        return [scene(number, "stored", 6 if number % 2 else 3) for number in range(12)]

    def dark():
        rng = np.random.default_rng(0)
        return [(Image.fromarray(rng.random((32, 32)).astype(np.float32)), np.zeros((32, 32), int)) for _ in range(4)]
"""


@pytest.fixture
def studied(tiny):
    name = tiny.name + "_turned"
    (tiny.folder / f"{name}.py").write_text(textwrap.dedent(WORLD))

    def study(train, **keys):
        recovery = tiny.recovery(train=f"{name}:{train}", seeds=(0,), trainer="M:look")
        named = {"task": "segmentation", "metric": "miou", "model": "M:dense", "data": "M:maps", **keys}
        return tiny.only(recovery, **named).result

    yield study
    sys.modules.pop(name, None)


@pytest.mark.parametrize("meant", ["upright", "stored"])
def test_a_guard_says_how_training_images_are_meant(tiny, studied, meant) -> None:
    studied(meant, orientation=meant)
    pairs = [pair for images, targets in tiny.module.SEEN[0] for pair in zip(images, targets, strict=True)]
    assert pairs
    for image, labels in pairs:
        bright = image.float().mean(0) > 140
        assert torch.equal(bright, labels == 1) or (bright != (labels == 1)).float().mean() < 0.02


def test_training_images_of_which_nothing_tells(studied) -> None:
    result = studied("upright")
    assert (result.verdict, result.trained) == ("error", 0)
    assert "_turned:upright: EXIF turns 12 images whose targets fit" in result.reason


def test_dark_training_images(studied) -> None:
    result = studied("dark")
    assert result.verdict == "error"
    assert "_turned:dark: the levels of all 4 pictures (mode F) are" in result.reason
