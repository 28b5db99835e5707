"""Code as users write it, with the types that it gets; tests/public/test_types.py gives it to mypy --strict."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, assert_type

import torch
from PIL import Image

import compress_guard
from compress_guard import (
    Compressed,
    Predictor,
    RealStreams,
    compress,
    measure,
    predictor,
    register_codec,
    register_model,
    transforms,
)
from compress_guard.engine.prediction.batches import Batch
from compress_guard.errors import CodecUnavailable, CompressGuardError, OptionError, RunError, UsageError
from compress_guard.plugin.fixtures.guard_fixture import GuardFacade
from compress_guard.plugin.fixtures.throughput_fixture import CodecThroughput
from compress_guard.records import CellResult, ThroughputResult
from compress_guard.transforms import RandomBatchCompression, RandomCompression

version: str = compress_guard.__version__


def model(module: torch.nn.Module) -> Predictor:
    made = predictor(module, task="segmentation", preprocess=lambda image: image / 255, batch_size=8, device="cpu")
    assert_type(made, Predictor)
    assert_type(made.with_module(module), Predictor)
    assert_type(made([torch.zeros(3, 8, 8, dtype=torch.uint8)]), list[Any])
    return predictor(module)


def measured(module: torch.nn.Module, data: list[tuple[Image.Image, int]]) -> CellResult:
    result = measure(predictor(module), data, task="classification", codec="webp", bpp=0.5, max_drop=2.0, seed=1)
    assert_type(result, CellResult)
    assert_type(result.drop, float | None)
    assert_type(result.images_used, int | None)
    assert_type(result.doubts, tuple[str, ...])
    assert_type(measure(module, data, task="classification", bpp=[0.25, 0.5], cache=Path("kept")), list[CellResult])
    return result


def compressed(images: list[torch.Tensor], picture: Image.Image) -> list[Compressed]:
    batch = compress(images, codec="jpeg", bpp=0.5, subsampling="4:4:4")
    assert_type(batch, Compressed)
    assert_type(batch.images, list[torch.Tensor])
    assert_type(batch.streams, list[bytes])
    assert_type(batch.bpp, list[float])
    assert_type(compress(torch.stack(images)), Compressed)
    several = compress(picture, bpp=(0.25, 0.5), rate="dataset", tolerance=0.02, workers=2)
    assert_type(several, list[Compressed])
    return several


def trained(batch: torch.Tensor) -> None:
    assert_type(RandomCompression("jpeg", bpp=(0.1, 2.0), p=0.5), RandomCompression)
    assert_type(transforms.RandomCompression({"jpeg": {"subsampling": "4:4:4"}, "webp": {}}), RandomCompression)
    on_device = RandomBatchCompression("neural", bpp=[0.25, 0.5])
    assert_type(on_device.forward(batch), torch.Tensor | list[torch.Tensor])


def errors(images: list[torch.Tensor]) -> str:
    try:
        compress(images, codec="neural")
    except CodecUnavailable as problem:
        caught: RunError = problem
        return str(caught)
    except OptionError as problem:
        base: CompressGuardError = problem
        return str(base)
    except UsageError as problem:
        assert_type(problem.remedy, str)
    return ""


def test_model(guard: GuardFacade, data: list[tuple[Image.Image, int]], module: torch.nn.Module) -> None:
    assert_type(guard.check(module, data, task="classification", bpp=0.5, max_drop=3.0), CellResult)
    assert_type(guard.measure(module, data, task="classification", bpp=[0.5, 1.0]), list[CellResult])


def test_batches(compressed_batches: Iterator[Batch]) -> None:
    for batch in compressed_batches:
        assert_type(batch.images, list[torch.Tensor])
        assert_type(batch.bpp, tuple[float, ...])


def test_codec(codec_throughput: CodecThroughput, images: list[torch.Tensor]) -> None:
    assert_type(codec_throughput.check(images, codec="webp", reference="jpeg", min_ratio=0.1), ThroughputResult)


@register_codec("grey")
@dataclass(frozen=True)
class Grey(RealStreams):
    """A codec of a third party."""


@register_model("grey-classifier")
def classifier() -> Predictor:
    return predictor(torch.nn.Linear(1, 1))


assert_type(classifier(), Predictor)
assert_type(Grey(), Grey)
