"""Evidence that earlier runs left, used as long as the model, and what decodes for it, are as they were.

Nothing is believed unseen. The answers to a probing batch of clean images are part of every key; and of each sequence
of coded batches the first one is decoded and predicted again before what was left of the others is used. Where that
comes out otherwise, to the last bit, a new generation begins, of which older evidence is no part.
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
"""Before the evidence of a shard: which run made it."""
_PLAIN, _PROVEN, _AGREED = b"-", b"p", b"="
"""Then: no digests follow; those of a first batch; those of one that came out as in an earlier run."""
_ANSWERS: Final = "answers"
"""A folder in that of the run."""


class Verdict(Enum):
    """What became of a first batch that was decoded and predicted again."""

    SAME = auto()
    MODEL = auto()
    """The same pixels, other answers."""
    DECODER = auto()
    """Other pixels."""


@dataclass(frozen=True, slots=True)
class BatchDigests:
    """What a model saw and answered, for a later run to compare."""

    answers: bytes
    pixels: bytes

    def to_bytes(self) -> bytes:
        """Return both digests, of a known length."""
        return self.answers + self.pixels

    def judge(self, again: BatchDigests) -> Verdict:
        """Return what must have moved between these and the digests of another time."""
        if self.pixels != again.pixels:
            return Verdict.DECODER
        return Verdict.SAME if self.answers == again.answers else Verdict.MODEL


@dataclass(frozen=True, slots=True, eq=False)
class KeptShard:
    """The evidence of a shard as it lies in the store."""

    run: bytes
    predicted: Predicted
    digests: BatchDigests | None
    agreed: bool
    """Whether it was found to be what an earlier run had, by the run that made it."""

    def to_bytes(self) -> bytes:
        kind = _PLAIN if self.digests is None else _AGREED if self.agreed else _PROVEN
        digests = b"" if self.digests is None else self.digests.to_bytes()
        return self.run + kind + digests + self.predicted.to_bytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> KeptShard:
        """Return the inverse of `to_bytes`; raises ValueError for bytes that are none."""
        run, kind, rest = data[:_RUN_BYTES], data[_RUN_BYTES : _RUN_BYTES + 1], data[_RUN_BYTES + 1 :]
        if kind not in (_PLAIN, _PROVEN, _AGREED) or not kind:
            raise ValueError("these bytes are no evidence of a shard")
        if kind == _PLAIN:
            return cls(run, Predicted.from_bytes(rest), None, agreed=False)
        digests = BatchDigests(rest[:DIGEST_BYTES], rest[DIGEST_BYTES : 2 * DIGEST_BYTES])
        return cls(run, Predicted.from_bytes(rest[2 * DIGEST_BYTES :]), digests, agreed=kind == _AGREED)


@final
class Recall:
    """The evidence that a store holds of one model, which answered a probing batch just as it did back then."""

    def __init__(self, store: Store, run_folder: Path, identity: str, probe: Shard, answers: Sequence[Arrays]) -> None:
        self._store: Final = store
        self._run: Final = hashlib.blake2b(str(run_folder).encode(), digest_size=_RUN_BYTES).digest()
        self._began: Final = hashlib.blake2b(self._run, digest_size=_RUN_BYTES).digest()
        """Name of a generation that this run began since something had moved."""
        self._made_in_run: Final[set[str]] = set()
        self._names: Final[dict[str, str]] = {}
        """Of what this process kept: it stays of use where a generation ends."""
        self._trusted: Final[set[str]] = {""}
        """Ways and contents of shards whose evidence of earlier runs may be used."""
        answered = digest(answers)
        self._key: Final = keys.key(identity, probe.content, answered)
        self._generations: Final[dict[str, bytes]] = {}
        name = keys.key("probe", identity, probe.content)
        before = store.get(name, "versions")
        self.moved = (before is not None and before != answered) or self._generation("") == self._began
        """Whether the model answers otherwise than the one that had this identity in an earlier run."""
        self.generation = 0
        """Counts how often all evidence of earlier runs was given up."""
        _leave_answers(run_folder, name, answered)

    def get(self, shard: Shard) -> Predicted | None:
        """Return what this run, or an earlier one that is believed, kept of a shard."""
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
        """Keep what came of a shard, unless images were lost on the way: those want a second look."""
        if predicted.evidence.ids == shard.ids:
            self._made_in_run.add(shard.content)
            name = self._names[shard.content] = self._name(shard)
            self._store.put(name, KeptShard(self._run, predicted, digests, agreed).to_bytes(), "evidence")

    def is_earlier(self, shard: Shard) -> bool:
        """Return whether what `get` found of a shard was made neither by this run nor by another process of it."""
        return shard.content not in self._made_in_run

    def unproven(self, shards: Sequence[Shard]) -> tuple[Shard, Predicted, BatchDigests] | None:
        """Return the first of these that has to be predicted again before any is believed, with what was kept of it.

        None where no earlier run left one with digests, or where another process of this run has looked already.
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
        """Believe what earlier runs left of these shards."""
        self._trusted.update(shard.content for shard in shards)

    def begin(self, way: str = "") -> None:
        """Begin a new generation: use nothing any more that earlier runs left of this way, or of all where it is empty.

        Later runs, and other processes of this one, find nothing older either.
        """
        self._store.put(self._generation_name(way), self._began, "versions")
        self._generations[way] = self._began
        if not way:
            self._give_up()

    def _follow(self) -> None:
        """Give up what another process of the run has given up."""
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
            if kept is None:  # nobody has kept anything, or nobody knows any more what may be used of it
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
    """Give what the models of a run answered to their probing batches, by key: the next run compares its own with it.

    It goes into the store when the run has ended: while it lasts, all its processes find the same there, and what goes
    on after a kill finds what the killed run had found.
    """
    for path in sorted((run_folder / _ANSWERS).glob("*")):
        try:
            answered = path.read_bytes()
        except OSError:
            continue
        if len(answered) == DIGEST_BYTES:  # a full disk, or a kill, may have left part of it
            yield path.name, answered


def _leave_answers(run_folder: Path, name: str, answered: bytes) -> None:
    folder = run_folder / _ANSWERS
    with contextlib.suppress(OSError):  # nothing but the next run's warning hangs on it
        folder.mkdir(exist_ok=True)
        (folder / name).write_bytes(answered)
