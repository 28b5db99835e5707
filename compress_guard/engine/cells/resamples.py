"""Resampled scores of earlier runs: the slow part of judging mAP and mIoU, and a pure function of the evidence."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Final, final

import numpy as np

from compress_guard import own_code
from compress_guard import store as keys
from compress_guard.engine.prediction.shards import digest
from compress_guard.engine.settings import processor
from compress_guard.records import Evidence
from compress_guard.store import Store
from compress_guard.verdict.grouped.groups import Groups
from compress_guard.verdict.resampling import RESAMPLES, Resampled

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LENGTH_BYTES: Final = 4


@final
class KeptResamples:
    """Resampled scores in the store, for one metric of some evidence.

    Their key includes the code that resamples and scores, and all that may change the last bit of a sum.
    """

    def __init__(self, store: Store, metric: str, evidence: Evidence) -> None:
        self._store: Final = store
        code = own_code.digest("verdict", "tasks", "records")
        self._key: Final = keys.key("resampled", code, np.__version__, processor(), metric, digest(evidence.items))

    def get(self, images: int, seed: int, groups: Groups | None = None) -> Resampled | None:
        """Return the resampled scores, see `Keeping.get`; None if there are none that can be read."""
        data = self._store.get(self._name(images, seed, groups), "evidence")
        if data is not None:
            with contextlib.suppress(ValueError, TypeError, KeyError, RecursionError):
                return _from_bytes(data)
        return None

    def put(self, images: int, seed: int, resampled: Resampled, groups: Groups | None = None) -> None:
        """Keep resampled scores, see `Keeping.put`."""
        self._store.put(self._name(images, seed, groups), _to_bytes(resampled), "evidence")

    def _name(self, images: int, seed: int, groups: Groups | None = None) -> str:
        return keys.key(self._key, images, seed, *(() if groups is None else (groups.key,)))


def _to_bytes(resampled: Resampled) -> bytes:
    informative = resampled.informative
    parts = [
        resampled.replicates,
        resampled.halves,
        resampled.left_out,
        np.zeros(0) if informative is None else informative,
    ]
    head = json.dumps([*(len(part) for part in parts), informative is not None]).encode()
    body = b"".join(np.ascontiguousarray(part, dtype="<f8").tobytes() for part in parts)
    return len(head).to_bytes(_LENGTH_BYTES, "big") + head + body


def _from_bytes(data: bytes) -> Resampled:
    start = _LENGTH_BYTES + int.from_bytes(data[:_LENGTH_BYTES], "big")
    *lengths, counted = json.loads(data[_LENGTH_BYTES:start])
    values: NDArray[np.float64] = np.frombuffer(data[start:], dtype="<f8").astype(np.float64)
    replicates, halves, left_out, informative, rest = np.split(values, np.cumsum(lengths))
    if len(rest) or len(replicates) != RESAMPLES or len(left_out) < len(informative):
        raise ValueError("these bytes are no resampled scores")
    return Resampled(replicates, halves, left_out, informative.astype(bool) if counted else None)
