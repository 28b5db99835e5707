"""Evidence of earlier runs, used as long as the model and its decoders have not changed.

No evidence is used unchecked. The answers to a probing batch of clean images are part of every key, and the first batch
of each sequence of coded batches is decoded and predicted again before the evidence of the others is used. If a single
bit differs, a new generation begins, and older evidence is not part of it.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import TYPE_CHECKING, Final, final

from compress_guard import store as keys
from compress_guard.engine.prediction.shards import DIGEST_BYTES, Predicted, Shard, digest
from compress_guard.store import Store

if TYPE_CHECKING:
    from compress_guard.tasks.contract import Arrays

_RUN_BYTES: Final = 16
"""Length of the identity of the run that made the evidence of a shard, which comes first."""
_PLAIN, _PROVEN, _AGREED = b"-", b"p", b"="
"""Next byte: no digests follow; digests of a first batch; digests of a first batch that agreed with an earlier run."""
_ANSWERS: Final = "answers"
"""Name of a folder inside the folder of the run."""


class Verdict(Enum):
    """The result of decoding and predicting a first batch again."""

    SAME = auto()
    MODEL = auto()
    """The model has changed: the same pixels, other answers."""
    DECODER = auto()
    """The decoder has changed: other pixels."""


@dataclass(frozen=True, slots=True)
class BatchDigests:
    """Digests of a batch and of the model's answers, for a later run to compare."""

    answers: bytes
    pixels: bytes

    def to_bytes(self) -> bytes:
        """Return both digests, which have a fixed length."""
        return self.answers + self.pixels

    def judge(self, again: BatchDigests) -> Verdict:
        """Return what has changed between these digests and those of a second look."""
        if self.pixels != again.pixels:
            return Verdict.DECODER
        return Verdict.SAME if self.answers == again.answers else Verdict.MODEL


@dataclass(frozen=True, slots=True, eq=False)
class KeptShard:
    """The evidence of a shard in the form of the store."""

    run: bytes
    predicted: Predicted
    digests: BatchDigests | None
    agreed: bool
    """True if the run that made it found it equal to the evidence of an earlier run."""

    def to_bytes(self) -> bytes:
        kind = _PLAIN if self.digests is None else _AGREED if self.agreed else _PROVEN
        digests = b"" if self.digests is None else self.digests.to_bytes()
        return self.run + kind + digests + self.predicted.to_bytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> KeptShard:
        """Return the inverse of `to_bytes`; raises ValueError for invalid bytes."""
        run, kind, rest = data[:_RUN_BYTES], data[_RUN_BYTES : _RUN_BYTES + 1], data[_RUN_BYTES + 1 :]
        if kind not in (_PLAIN, _PROVEN, _AGREED) or not kind:
            raise ValueError("these bytes are no evidence of a shard")
        if kind == _PLAIN:
            return cls(run, Predicted.from_bytes(rest), None, agreed=False)
        digests = BatchDigests(rest[:DIGEST_BYTES], rest[DIGEST_BYTES : 2 * DIGEST_BYTES])
        return cls(run, Predicted.from_bytes(rest[2 * DIGEST_BYTES :]), digests, agreed=kind == _AGREED)


@final
class Recall:
    """The evidence of one model in a store, made while the model gave the same answers to a probing batch."""

    def __init__(self, store: Store, run_folder: Path, identity: str, probe: Shard, answers: Sequence[Arrays]) -> None:
        self._store: Final = store
        self._run: Final = hashlib.blake2b(str(run_folder).encode(), digest_size=_RUN_BYTES).digest()
        self._began: Final = hashlib.blake2b(self._run, digest_size=_RUN_BYTES).digest()
        """Name of a generation that this run begins after a change."""
        self._made_in_run: Final[set[str]] = set()
        self._names: Final[dict[str, str]] = {}
        """Names of evidence that this process kept, by content: it stays valid when a generation ends."""
        self._trusted: Final[set[str]] = {""}
        """Ways and contents of shards whose evidence from earlier runs may be used."""
        answered = digest(answers)
        self._key: Final = keys.key(identity, probe.content, answered)
        self._generations: Final[dict[str, bytes]] = {}
        name = keys.key("probe", identity, probe.content)
        before = store.get(name, "versions")
        self.moved = (before is not None and before != answered) or self._generation("") == self._began
        """True if the answers differ from those of the model that had this identity in an earlier run."""
        self.generation = 0
        """Number of times that all evidence of earlier runs was discarded."""
        _leave_answers(run_folder, name, answered)

    def get(self, shard: Shard) -> Predicted | None:
        """Return the evidence of a shard from this run, or from an earlier run that is trusted; else None."""
        if (entry := self._entry(shard)) is None:
            return None
        if entry.run == self._run:
            self._made_in_run.add(shard.content)
        elif not self._trusted & {shard.way, shard.content}:
            return None
        return entry.predicted

    def put(
        self, shard: Shard, predicted: Predicted, digests: BatchDigests | None = None, *, agreed: bool = False
    ) -> None:
        """Keep the evidence of a shard, unless images were lost on the way: they need a second look."""
        if predicted.evidence.ids == shard.ids:
            self._made_in_run.add(shard.content)
            name = self._names[shard.content] = self._name(shard)
            self._store.put(name, KeptShard(self._run, predicted, digests, agreed).to_bytes(), "evidence")

    def is_earlier(self, shard: Shard) -> bool:
        """Return True if the evidence of a shard that `get` returned was made by an earlier run."""
        return shard.content not in self._made_in_run

    def unproven(self, shards: Sequence[Shard]) -> tuple[Shard, Predicted, BatchDigests] | None:
        """Return the first of these shards that must be predicted again before any is trusted, with its evidence.

        Return None if no earlier run left digests, or if another process of this run has done it already.
        """
        self._follow()
        for shard in shards:
            entry = self._entry(shard)
            if entry is None or entry.digests is None:
                continue
            if entry.run != self._run:
                return shard, entry.predicted, entry.digests
            if entry.agreed:
                self.trust(shards)
            return None
        return None

    def trust(self, shards: Sequence[Shard]) -> None:
        """Trust the evidence of these shards from earlier runs."""
        self._trusted.update(shard.content for shard in shards)

    def begin(self, way: str = "") -> None:
        """Begin a new generation: stop using evidence of earlier runs for this way, or for all ways if it is empty.

        Later runs, and other processes of this run, do not find older evidence either.
        """
        self._store.put(self._generation_name(way), self._began, "versions")
        self._generations[way] = self._began
        if not way:
            self._give_up()

    def _follow(self) -> None:
        """Discard the evidence that another process of the run has discarded."""
        before = self._generation("")
        self._generations.clear()
        if self._generation("") != before:
            self._give_up()

    def _give_up(self) -> None:
        self.moved = True
        self.generation += 1

    def _generation(self, way: str) -> bytes:
        if way not in self._generations:
            kept = self._store.get(self._generation_name(way), "versions")
            if kept is None:  # nothing was kept, or it is unknown what may be used
                self._store.put(self._generation_name(way), self._run, "versions")
            self._generations[way] = kept or self._run
        return self._generations[way]

    def _generation_name(self, way: str) -> str:
        return keys.key("generation", self._key, way)

    def _entry(self, shard: Shard) -> KeptShard | None:
        for name in dict.fromkeys((self._name(shard), self._names.get(shard.content, ""))):
            data = self._store.get(name, "evidence") if name else None
            if data is not None:
                with contextlib.suppress(ValueError):
                    entry = KeptShard.from_bytes(data)
                    if entry.predicted.evidence.ids == shard.ids:
                        return entry
        return None

    def _name(self, shard: Shard) -> str:
        ways = ("",) if not shard.way else ("", shard.way)
        return keys.key(self._key, *(self._generation(way) for way in ways), shard.content)


def left_answers(run_folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the answers of a run's models to their probing batches, by key, for comparison by the next run.

    They go into the store when the run has ended. Until then all its processes find the same there, and a run that
    continues after a kill finds what the killed run found.
    """
    for path in sorted((run_folder / _ANSWERS).glob("*")):
        try:
            answered = path.read_bytes()
        except OSError:
            continue
        if len(answered) == DIGEST_BYTES:  # a full disk or a kill may leave an incomplete file
            yield path.name, answered


def _leave_answers(run_folder: Path, name: str, answered: bytes) -> None:
    folder = run_folder / _ANSWERS
    with contextlib.suppress(OSError):  # only a warning of the next run depends on it
        folder.mkdir(exist_ok=True)
        (folder / name).write_bytes(answered)
