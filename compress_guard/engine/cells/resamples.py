"""Resampled scores that earlier runs left: the slow part of judging mAP and mIoU, a pure function of the evidence."""

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
from compress_guard.verdict.resampling import RESAMPLES, Resampled

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LENGTH_BYTES: Final = 4


@final
class KeptResamples:
    """What resampling gave for one metric of some evidence, in the store.

    Bound to the code that resamples and scores, and to what its sums may hang on to the last bit.
    """

    def __init__(self, store: Store, metric: str, evidence: Evidence) -> None:
        self._store: Final = store
        code = own_code.digest("verdict", "tasks", "records")
        self._key: Final = keys.key("resampled", code, np.__version__, processor(), metric, digest(evidence.items))

    def get(self, images: int, seed: int) -> Resampled | None:
        """See `Keeping.get`; None for what does not fit so many images."""
        data = self._store.get(self._name(images, seed), "evidence")
        if data is not None:
            with contextlib.suppress(ValueError, TypeError, KeyError, RecursionError):
                return _from_bytes(data)
        return None

    def put(self, images: int, seed: int, found: Resampled) -> None:
        """See `Keeping.put`."""
        self._store.put(self._name(images, seed), _to_bytes(found), "evidence")

    def _name(self, images: int, seed: int) -> str:
        return keys.key(self._key, images, seed)


def _to_bytes(found: Resampled) -> bytes:
    informative = found.informative
    parts = [found.replicates, found.halves, found.left_out, np.zeros(0) if informative is None else informative]
    head = json.dumps([*(len(part) for part in parts), informative is not None]).encode()
    body = b"".join(np.ascontiguousarray(part, dtype="<f8").tobytes() for part in parts)
    return len(head).to_bytes(_LENGTH_BYTES, "big") + head + body


def _from_bytes(data: bytes) -> Resampled:
    start = _LENGTH_BYTES + int.from_bytes(data[:_LENGTH_BYTES], "big")
    *lengths, told = json.loads(data[_LENGTH_BYTES:start])
    values: NDArray[np.float64] = np.frombuffer(data[start:], dtype="<f8").astype(np.float64)
    replicates, halves, left_out, informative, rest = np.split(values, np.cumsum(lengths))
    if len(rest) or len(replicates) != RESAMPLES or len(left_out) < len(informative):
        raise ValueError("these bytes are no resampled scores")
    return Resampled(replicates, halves, left_out, informative.astype(bool) if told else None)
