"""Data for the benchmarks of the hot paths, made once from seeds."""

from __future__ import annotations

import os

# Small arrays are slower with more threads, and no figure should hang on what else the machine does. Read when numpy
# is first imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from torch import Tensor


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    """Let networks work on one thread, too."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def scenes() -> list[Tensor]:
    """Return eight scenes of the bundled world, uint8 RGB (3, 256, 256)."""
    from benchmarks.speed.codecs import load

    return load(None, 8)
