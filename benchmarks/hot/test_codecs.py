"""Batches through codecs on one thread, as a gate's coding threads call them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from compress_guard.engine.coding.available import available_codec
from compress_guard.errors import CodecUnavailable
from compress_guard.registry import codec_named

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture
    from torch import Tensor

    from compress_guard.codecs.contract import Codec

NAMES = ("jpeg", "webp", "avif", "neural")


@pytest.fixture(scope="module", params=NAMES)
def codec(request: pytest.FixtureRequest) -> Codec:
    try:
        return available_codec(codec_named(request.param))
    except CodecUnavailable as reason:
        pytest.skip(str(reason))


def _batch(codec: Codec, scenes: list[Tensor]) -> list[Tensor]:
    """Return eight images of 256x256; two for a network, which takes a thousand times as long as JPEG."""
    return scenes[:2] if codec.type == "neural" else scenes


def _settings(codec: Codec, images: list[Tensor]) -> list[float]:
    return [codec.ladder[len(codec.ladder) // 2]] * len(images)


def test_encode(benchmark: BenchmarkFixture, codec: Codec, scenes: list[Tensor]) -> None:
    """Time the encoding of one batch at the middle of the ladder."""
    images = [image.clone() for image in _batch(codec, scenes)]
    settings = _settings(codec, images)

    def fresh() -> tuple[tuple[list[Tensor], list[float], int], dict[str, object]]:
        # Tensors that no encoder has seen: what it keeps of an image for the next setting is not to be timed here.
        return ([image.clone() for image in images], settings, 1), {}

    rounds = 3 if codec.type == "neural" else 10
    streams = benchmark.pedantic(  # type: ignore[no-untyped-call]  # of pytest-benchmark
        codec.encode, setup=fresh, rounds=rounds, warmup_rounds=1
    )
    assert len(streams) == len(images)


def test_decode(benchmark: BenchmarkFixture, codec: Codec, scenes: list[Tensor]) -> None:
    """Time the decoding of that batch's streams to images."""
    images = _batch(codec, scenes)
    streams = codec.encode(images, _settings(codec, images), 1)
    rounds = 3 if codec.type == "neural" else 10
    decoded = benchmark.pedantic(  # type: ignore[no-untyped-call]  # of pytest-benchmark
        codec.decode, (streams, 1), rounds=rounds, warmup_rounds=1
    )
    assert [image.shape for image in decoded] == [image.shape for image in images]
