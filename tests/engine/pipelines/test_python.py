"""Pipelines in the Python functions: steps are an option, and rates belong to an open quality alone."""

from __future__ import annotations

import io

import pytest
import torch
from PIL import Image
from torchvision import tv_tensors

import compress_guard
from compress_guard.engine.throughput.cells import contest_of
from compress_guard.errors import OptionError
from compress_guard.transforms import RandomCompression

SCALED = {"resize": {"longest": 48}}
FIXED = [SCALED, {"jpeg": {"quality": 80}}, {"webp": {"quality": 75}}]
OPEN = [SCALED, {"jpeg": {"quality": 80}}, "webp"]


@pytest.fixture
def images(pictures) -> list[torch.Tensor]:
    return [image for image, _, _ in pictures(3)]


def test_compress_returns_what_a_fixed_pipeline_delivers(images):
    made = compress_guard.compress(images, codec="pipeline", steps=FIXED)
    assert made.settings == [75.0] * 3
    for source, image, stream, bpp in zip(images, made.images, made.streams, made.bpp, strict=True):
        file = Image.open(io.BytesIO(stream))
        assert (file.format, max(file.size)) == ("WEBP", 48)
        assert tuple(image.shape[:0:-1]) == file.size
        assert bpp == 8 * len(stream) / (source.shape[-2] * source.shape[-1])


def test_compress_brings_an_open_pipeline_to_a_rate_and_to_a_quality(images):
    at_rate = compress_guard.compress(images, codec="pipeline", bpp=0.4, steps=OPEN)
    assert at_rate.bpp == pytest.approx([0.4] * 3, rel=0.06)
    at_quality = compress_guard.compress(images, codec="pipeline", quality=75, steps=OPEN)
    fixed = compress_guard.compress(images, codec="pipeline", steps=FIXED)
    assert at_quality.streams == fixed.streams


def test_measure_takes_a_pipeline_by_its_steps(pictures, spectrum):
    steps = [{"resize": {"longest": 94}}, {"jpeg": {"quality": 80}}, {"webp": {"quality": 75}}]
    data = pictures(6, ((96, 96), (89, 95)))
    result = compress_guard.measure(
        spectrum(), data, task="classification", codec="pipeline", options={"steps": steps}, min_clean=0
    )
    assert (result.id, result.target_bpp, result.target_quality) == ("measure[pipeline]", None, None)
    assert result.encodes == pytest.approx(2)
    assert [name for name, _ in result.steps] == ["jpeg", "webp"]


@pytest.mark.parametrize(("key", "value"), [("bpp", 0.25), ("bpp", [0.5, 1.0]), ("quality", 75)])
def test_a_fixed_pipeline_takes_no_rate_and_no_quality(images, pictures, spectrum, key, value):
    message = (
        f"{key} is {value!r}, and the steps of codec pipeline leave no quality open; leave {key} out, or the quality "
        "of its last codec"
    )
    with pytest.raises(OptionError) as caught:
        compress_guard.compress(images, codec="pipeline", steps=FIXED, **{key: value})
    assert str(caught.value) == message
    asked = {key: value} if value != [0.5, 1.0] else {key: 0.25}
    with pytest.raises(OptionError, match="leave no quality open"):
        compress_guard.measure(
            spectrum(), pictures(2), task="classification", codec="pipeline", options={"steps": FIXED}, **asked
        )


@pytest.mark.parametrize("steps", [[], ["jpeg", "webp"], "jpeg", [{"resize": {"longest": 9}}]])
def test_steps_that_make_no_sense_are_refused(images, steps):
    with pytest.raises(OptionError, match="step"):
        compress_guard.compress(images, codec="pipeline", steps=steps)


@pytest.mark.parametrize("work", ["encode", "decode", "round_trip"])
def test_a_fixed_pipeline_is_timed_beside_a_reference_at_its_rate(images, work):
    # Nearly without loss, so that the reference can reach its rate on images of so few pixels.
    steps = [{"resize": {"longest": 90}}, {"jpeg": {"quality": 95}}]
    result = contest_of(
        images, codec="pipeline", options={"steps": steps}, work=work, rounds=3, device="cpu", workers=1
    ).run()
    assert (result.target_bpp, result.target_quality) == (None, None)
    assert result.speed is not None
    coded = compress_guard.compress(images, codec="pipeline", steps=steps)
    assert result.bpp_mean == pytest.approx(sum(coded.bpp) / len(coded.bpp))
    assert result.reference_bpp == pytest.approx(result.bpp_mean, rel=0.05)


def test_random_compression_gives_the_delivered_size(images):
    transform = RandomCompression({"pipeline": {"steps": FIXED}})
    made = transform(images[0])
    assert max(made.shape[-2:]) == 48
    pixels = images[0].shape[-2] * images[0].shape[-1]
    assert transform._trips[0].codec.encoded_pixels == 2 * pixels, (
        "no setting is searched, and each codec is called once"
    )
    same = compress_guard.compress(images[:1], codec="pipeline", steps=FIXED).images[0]
    assert torch.equal(made, same)


def test_random_compression_refuses_boxes_beside_images_that_are_scaled(images):
    boxes = tv_tensors.BoundingBoxes([[1, 2, 3, 4]], format="XYXY", canvas_size=images[0].shape[-2:])
    with pytest.raises(ValueError, match="got BoundingBoxes beside an image, and the pipeline scales or crops images"):
        RandomCompression({"pipeline": {"steps": FIXED}})(tv_tensors.Image(images[0]), boxes)
    plain = [{"jpeg": {"quality": 80}}]
    coded, kept = RandomCompression({"pipeline": {"steps": plain}})(tv_tensors.Image(images[0]), boxes)
    assert coded.shape == images[0].shape
    assert torch.equal(kept, boxes)
