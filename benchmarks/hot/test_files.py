"""Hot paths of every image and every cell to disk and back."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from compress_guard.engine.images.reader import SampleReader
from compress_guard.engine.images.samples import Samples
from compress_guard.records import Evidence
from compress_guard.store import Store, key
from compress_guard.thresholds import load

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture
    from torch import Tensor

ROOT = Path(__file__).parents[2]
STREAM = np.random.default_rng(0).bytes(20_000)
"""A stream of about half a bit per pixel at 576x576."""


def test_sample(benchmark: BenchmarkFixture, scenes: list[Tensor]) -> None:
    """Time reading an image of a data set in memory: it is checked and hashed; hashing is most of the work."""
    data = [(scenes[0].repeat(1, 2, 2), 0)]  # 512x512

    def unread() -> tuple[tuple[Samples], dict[str, object]]:
        return (Samples(SampleReader(data, lambda raw, size: raw)),), {}

    sample = benchmark.pedantic(  # type: ignore[no-untyped-call]  # of pytest-benchmark
        lambda samples: samples[0], setup=unread, rounds=100
    )
    assert sample.size == (512, 512)


def test_store_put(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    """Time keeping a stream of 20 kB under a new key."""
    store, names = Store(tmp_path), (key("put", number) for number in itertools.count())
    benchmark(lambda: store.put(next(names), STREAM))
    assert store.writable


def test_store_get(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    """Time reading a stream of 20 kB from the store, with its checksum verified."""
    store, name = Store(tmp_path), key("get")
    store.put(name, STREAM)
    assert benchmark(store.get, name) == STREAM


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    """Return the evidence of 1000 images and a classifier."""
    draw = np.random.default_rng(0)
    items = tuple(
        {
            "top1": np.array(draw.random() < 0.7, dtype=np.uint8),
            "top5": np.array(1, dtype=np.uint8),
            "predicted": np.array(draw.integers(1000)),
            "target": np.array(draw.integers(1000)),
        }
        for _ in range(1000)
    )
    return Evidence(tuple(f"validation/image-{number:05}.png" for number in range(1000)), items)


def test_evidence_to_bytes(benchmark: BenchmarkFixture, evidence: Evidence) -> None:
    """Time writing the evidence of a cell, as for the archive beside a results file and for other processes."""
    assert len(benchmark(evidence.to_bytes)) < 50_000


def test_evidence_from_bytes(benchmark: BenchmarkFixture, evidence: Evidence) -> None:
    """Time reading that evidence."""
    assert benchmark(Evidence.from_bytes, evidence.to_bytes()).ids == evidence.ids


def test_collect(benchmark: BenchmarkFixture) -> None:
    """Time reading, checking and freezing the bundled thresholds file: our part of --collect-only."""
    found = benchmark(load, ROOT / "thresholds.yaml")
    assert sum(len(guard.cells) for guard in found.guards) > 40
