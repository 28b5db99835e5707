"""Threads that libraries start by themselves, kept from taking the cores that coding and prediction share."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator


def calm_threads() -> None:
    """Have torch's threads sleep while they wait for one another: coding beside predictions wants the cores.

    Without effect once torch is loaded, or where the environment says how they wait.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")


@contextlib.contextmanager
def single_blas_thread() -> Iterator[None]:
    """While inside, numpy's OpenBLAS works on the thread that asks it.

    Its other threads wake for an inverse of 4x4, gain nothing with matrices as small as a rate search has, and then
    spin for more than 50 ms: on two cores a gate took 43 s with them and 31 s without. What torch has is its own.
    """
    import numpy as np  # noqa: F401 -- only a library that is loaded can be told
    from threadpoolctl import ThreadpoolController

    with ThreadpoolController().select(internal_api="openblas").limit(limits=1):
        yield
