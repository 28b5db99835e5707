"""Limits on threads that libraries start by themselves, so that coding and prediction have the cores."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from typing import Any, Final, final


def calm_threads() -> None:
    """Have torch's threads sleep while they wait for one another: coding beside predictions needs the cores.

    This has no effect once torch is loaded, or if the environment says how they wait.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")


@contextlib.contextmanager
def single_blas_thread() -> Iterator[None]:
    """Let numpy's OpenBLAS work on the calling thread alone inside the block.

    Its other threads wake even for an inverse of 4x4, gain nothing with matrices as small as those of a rate search,
    and then spin for more than 50 ms: on two cores a gate took 43 s with them and 31 s without. torch's own copy is not
    affected.
    """
    session = _BLAS.enter()
    try:
        yield
    finally:
        _BLAS.leave(session)


@final
class _Limited:
    """OpenBLAS with one thread while any session is open; sessions may end in any order."""

    def __init__(self) -> None:
        self._changing: Final = threading.Lock()
        self._inside: Final[list[list[Any]]] = []
        """Open sessions in their order, each with the object that restores the earlier threads."""

    def enter(self) -> list[Any]:
        """Limit OpenBLAS; return the session for `leave`."""
        import numpy as np  # noqa: F401 -- only a library that is loaded can be limited
        from threadpoolctl import ThreadpoolController

        with self._changing:
            session = [ThreadpoolController().select(internal_api="openblas").limit(limits=1)]
            self._inside.append(session)
            return session

    def leave(self, session: list[Any]) -> None:
        """Restore the threads, or leave that to the next session if one is still open."""
        with self._changing:
            at = next(number for number, other in enumerate(self._inside) if other is session)
            if at + 1 < len(self._inside):
                self._inside[at + 1][0] = session[0]
            else:
                session[0].restore_original_limits()
            del self._inside[at]


_BLAS: Final = _Limited()
