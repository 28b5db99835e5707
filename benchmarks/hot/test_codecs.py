"""Batches through codecs on one thread, as a gate's coding threads call them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from compress_guard.codecs.neural.codec import Neural
from compress_guard.codecs.neural.coder import AnsReader, AnsWriter
from compress_guard.codecs.neural.model import model
from compress_guard.engine.coding.available import available_codec
from compress_guard.errors import CodecUnavailable
from compress_guard.registry import codec_named

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture
    from torch import Tensor

    from compress_guard.codecs.contract import Codec
    from compress_guard.codecs.neural.frequencies import Integers

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


@pytest.fixture(scope="module")
def symbols() -> tuple[Integers, Integers]:
    """Symbols of coefficients, as frequent as the tables of the bundled learned codec say, and their rows."""
    if (reason := Neural().unavailable()) is not None:
        pytest.skip(reason)
    scales, generator = model("cpu").scales, np.random.default_rng(0)
    rows = generator.integers(1, len(scales.rows), 400_000)
    values = np.zeros(len(rows), np.int32)
    for row in range(1, len(scales.rows)):
        counts = scales.rows[row]
        places = generator.choice(len(counts), int((rows == row).sum()), p=counts / counts.sum())
        values[rows == row] = places + scales.offsets[row]
    return values, rows


def test_entropy_encode(benchmark: BenchmarkFixture, symbols: tuple[Integers, Integers]) -> None:
    """Time the entropy coder of the bundled learned codec alone, on 400 000 symbols."""

    def coded() -> bytes:
        writer = AnsWriter()
        writer.put(*symbols, model("cpu").scales)
        return writer.finish()

    assert len(benchmark(coded)) > 100_000


def test_entropy_decode(benchmark: BenchmarkFixture, symbols: tuple[Integers, Integers]) -> None:
    """Time its decoder on the same symbols."""
    values, rows = symbols
    writer = AnsWriter()
    writer.put(values, rows, model("cpu").scales)
    stream = writer.finish()
    read = benchmark(lambda: AnsReader(stream).get(rows, model("cpu").scales))
    assert np.array_equal(read, values)
