"""A pipeline beside a plain loop of Pillow: the same bytes, and the same pixels."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image

from compress_guard.codecs.pipeline.codec import Pipeline

QUALITY = 80
"""A quality of production, between two settings of the ladder."""
STEPS = [
    {"resize": {"longest": 90, "filter": "lanczos"}},
    {"jpeg": {"quality": 80}},
    {"resize": {"width": 48, "filter": "bilinear"}},
    {"webp": {"quality": QUALITY}},
]


def picture(image: torch.Tensor) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(image.permute(1, 2, 0).numpy()))


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


def jpeg(image: Image.Image) -> bytes:
    return saved(image, "JPEG", quality=80, subsampling="4:2:0", optimize=True)


def webp(image: Image.Image) -> bytes:
    return saved(image, "WEBP", quality=QUALITY, method=4)


def same(decoded: torch.Tensor, expected: Image.Image) -> bool:
    return np.array_equal(decoded.permute(1, 2, 0).numpy(), np.asarray(expected))


@pytest.mark.parametrize("workers", [1, 3])
def test_two_codings_and_two_resizes_are_those_of_pillow(natural, workers):
    images = [natural(120, 160, 1), natural(150, 100, 2), natural(60, 30, 3)]
    pipeline = Pipeline(STEPS)
    streams = pipeline.encode(images, [80.0] * 3, workers)
    decoded = pipeline.decode(streams, workers)
    for image, stream, delivered, large, small in zip(
        images,
        streams,
        decoded,
        # 160x120 and 100x150 come to 90 at their longer side; 30x60 stays, since nothing is made larger.
        [(90, 68), (60, 90), (30, 60)],
        [(48, 36), (48, 72), (30, 60)],
        strict=True,
    ):
        first = jpeg(picture(image).resize(large, Image.Resampling.LANCZOS))
        second = webp(opened(first).resize(small, Image.Resampling.BILINEAR))
        assert pipeline.delivered_file(stream) == second
        assert pipeline.step_bytes(stream) == (len(first), len(second))
        assert pipeline.cost(stream) == len(second)
        assert same(delivered, opened(second))


def test_steps_behind_the_last_codec_change_the_picture_and_not_the_file(natural):
    image = natural(80, 120)
    pipeline = Pipeline([{"jpeg": {"quality": 80}}, {"crop": {"box": [8, 4, 72, 68]}}, {"resize": {"scale": 0.5}}])
    (stream,) = pipeline.encode([image], [80.0])
    (delivered,) = pipeline.decode([stream])
    file = jpeg(picture(image))
    assert pipeline.delivered_file(stream) == file
    assert same(delivered, opened(file).crop((8, 4, 72, 68)).resize((32, 32), Image.Resampling.BICUBIC))


@pytest.mark.parametrize("name", ["nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"])
def test_each_filter_is_the_one_of_its_name(natural, name):
    image = natural(70, 50)
    pipeline = Pipeline([{"resize": {"height": 31, "filter": name}}, {"jpeg": {"quality": 80}}])
    (stream,) = pipeline.encode([image], [80.0])
    assert pipeline.delivered_file(stream) == jpeg(picture(image).resize((22, 31), Image.Resampling[name.upper()]))
    (plain,) = pipeline.reshaped([image])
    assert same(plain, picture(image).resize((22, 31), Image.Resampling[name.upper()]))


def test_a_file_as_the_source_is_not_coded_again(natural):
    upload = jpeg(picture(natural(64, 96)))
    image = torch.from_numpy(np.array(opened(upload))).permute(2, 0, 1)
    pipeline = Pipeline(["source", {"resize": {"shortest": 32}}, {"webp": {"quality": QUALITY}}])
    (stream,) = pipeline.encode_files([image], [upload], [80.0])
    second = webp(opened(upload).resize((48, 32), Image.Resampling.BICUBIC))
    assert pipeline.delivered_file(stream) == second
    assert pipeline.step_names == ("source", "webp")
    assert pipeline.step_bytes(stream) == (len(upload), len(second))


def test_pictures_are_scaled_and_cropped_without_coding_for_the_reference(natural):
    image = natural(60, 90)
    pipeline = Pipeline(
        [{"crop": {"centre": [40, 60]}}, {"jpeg": {"quality": 5}}, {"resize": {"area": 600}}, {"jpeg": {"quality": 5}}]
    )
    (plain,) = pipeline.reshaped([image], 2)
    assert same(plain, picture(image).crop((15, 10, 75, 50)).resize((30, 20), Image.Resampling.BICUBIC))
