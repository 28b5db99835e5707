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
    one = _BLAS.enter()
    try:
        yield
    finally:
        _BLAS.leave(one)


@final
class _Limited:
    """OpenBLAS with one thread for as long as anybody wants it, whose sessions need not end in the order they began."""

    def __init__(self) -> None:
        self._changing: Final = threading.Lock()
        self._inside: Final[list[list[Any]]] = []
        """In the order in which they came, each with what restores the threads that it found."""

    def enter(self) -> list[Any]:
        """Limit it; returns what `leave` wants."""
        import numpy as np  # noqa: F401 -- only a library that is loaded can be told
        from threadpoolctl import ThreadpoolController

        with self._changing:
            one = [ThreadpoolController().select(internal_api="openblas").limit(limits=1)]
            self._inside.append(one)
            return one

    def leave(self, one: list[Any]) -> None:
        """Give its threads back, or leave that to who came next where somebody is still inside."""
        with self._changing:
            at = next(number for number, other in enumerate(self._inside) if other is one)
            if at + 1 < len(self._inside):
                self._inside[at + 1][0] = one[0]
            else:
                one[0].restore_original_limits()
            del self._inside[at]


_BLAS: Final = _Limited()
