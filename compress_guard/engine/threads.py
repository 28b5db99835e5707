"""Threads that libraries start by themselves, kept from taking the cores that coding and prediction share."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from typing import Any, Final, final


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
    _BLAS.enter()
    try:
        yield
    finally:
        _BLAS.leave()


@final
class _Limited:
    """OpenBLAS with one thread, for as long as anybody wants it.

    The last one to leave gives back what the first one found: sessions need not end in the order in which they began.
    """

    def __init__(self) -> None:
        self._changing: Final = threading.Lock()
        self._users = 0
        self._limiter: Any = None

    def enter(self) -> None:
        """Limit it, unless it is."""
        import numpy as np  # noqa: F401 -- only a library that is loaded can be told
        from threadpoolctl import ThreadpoolController

        with self._changing:
            if self._users == 0:
                self._limiter = ThreadpoolController().select(internal_api="openblas").limit(limits=1)
            self._users += 1

    def leave(self) -> None:
        """Give its threads back once nobody wants it limited."""
        with self._changing:
            self._users -= 1
            if self._users == 0:
                self._limiter.restore_original_limits()


_BLAS: Final = _Limited()
