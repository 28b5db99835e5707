"""Shards: batches of images on their way to evidence, and the evidence that earlier runs left of them."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, final

from compress_guard import store as keys
from compress_guard.engine.prediction import Batch
from compress_guard.engine.seen import Seen
from compress_guard.records import Evidence
from compress_guard.store import Store

if TYPE_CHECKING:
    from compress_guard.tasks.contract import Arrays

_LENGTH_BYTES: Final = 4
_RUN_BYTES: Final = 16
"""Before the evidence of a shard: which run made it."""
_DIGEST_BYTES: Final = 20
"""Of a model's answers."""
_ANSWERS: Final = "answers"
"""A folder in that of the run."""


@dataclass(frozen=True, slots=True, eq=False)
class Shard:
    """A batch of images as a model will see it: what a killed run loses at most of each process."""

    make: Callable[[], Batch]
    ids: tuple[str, ...]
    """Of all images that belong to it; fewer may come out of coding."""
    content: str
    """Key of all that its evidence depends on beside the model: pixels, targets, how they are coded and checked."""


@dataclass(frozen=True, slots=True, eq=False)
class Predicted:
    """What a shard gave."""

    evidence: Evidence
    seen: Seen

    @classmethod
    def merge(cls, parts: Sequence[Predicted]) -> Predicted:
        """Shards put together, in the order given; exact."""
        return cls(Evidence.merge(part.evidence for part in parts), Seen.merge(part.seen for part in parts))

    def to_bytes(self) -> bytes:
        """The length of a JSON document, that document, and the evidence."""
        head = json.dumps(self.seen.as_dict(), separators=(",", ":")).encode()
        return len(head).to_bytes(_LENGTH_BYTES, "big") + head + self.evidence.to_bytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> Predicted:
        """The inverse of `to_bytes`; raises ValueError for bytes that are none."""
        start = _LENGTH_BYTES + int.from_bytes(data[:_LENGTH_BYTES], "big")
        try:
            seen = Seen.from_dict(json.loads(data[_LENGTH_BYTES:start]))
        except Exception as problem:  # of damaged JSON too: it may be nested too deeply, or hold anything
            raise ValueError(f"these bytes are not what was seen of a shard: {problem}") from problem
        return cls(Evidence.from_bytes(data[start:]), seen)


@final
class Recall:
    """The evidence that a store holds of one model, which answered a probing batch just as it did back then.

    The answers to that batch are part of every key: a model that answers otherwise finds nothing, whatever its
    fingerprint says.
    """

    def __init__(self, store: Store, run_folder: Path, identity: str, probe: Shard, answers: Sequence[Arrays]) -> None:
        self._store: Final = store
        self._run: Final = hashlib.blake2b(str(run_folder).encode(), digest_size=_RUN_BYTES).digest()
        self._made_in_run: Final[set[str]] = set()
        found = digest(answers)
        self._key: Final = keys.key(identity, probe.content, found)
        name = keys.key("probe", identity, probe.content)
        before = store.get(name, "versions")
        self.moved: Final = before is not None and before != found
        """Whether the model answers otherwise than the one that had this identity in the last run that ended."""
        _leave_answers(run_folder, name, found)

    def get(self, shard: Shard) -> Predicted | None:
        """What an earlier run, or this one, kept of a shard."""
        data = self._store.get(self._name(shard.content), "evidence")
        if data is None:
            return None
        try:
            found = Predicted.from_bytes(data[_RUN_BYTES:])
        except ValueError:
            return None
        if data[:_RUN_BYTES] == self._run:
            self._made_in_run.add(shard.content)
        return found if found.evidence.ids == shard.ids else None

    def put(self, shard: Shard, predicted: Predicted) -> None:
        """Keep what came of a shard, unless images were lost on the way: those want a second look."""
        if predicted.evidence.ids == shard.ids:
            self._made_in_run.add(shard.content)
            self._store.put(self._name(shard.content), self._run + predicted.to_bytes(), "evidence")

    def is_earlier(self, shard: Shard) -> bool:
        """Whether what `get` found of a shard was made neither by this run nor by another process of it."""
        return shard.content not in self._made_in_run

    def _name(self, content: str) -> str:
        return keys.key(self._key, content)


def left_answers(run_folder: Path) -> Iterator[tuple[str, bytes]]:
    """What the models of a run answered to their probing batches, by key: what the next run compares its own with.

    It goes into the store when the run has ended: while it lasts, all its processes find the same there, and what goes
    on after a kill finds what the killed run had found.
    """
    for path in sorted((run_folder / _ANSWERS).glob("*")):
        try:
            digest = path.read_bytes()
        except OSError:
            continue
        if len(digest) == _DIGEST_BYTES:  # a full disk, or a kill, may have left part of it
            yield path.name, digest


def _leave_answers(run_folder: Path, name: str, digest: bytes) -> None:
    folder = run_folder / _ANSWERS
    with contextlib.suppress(OSError):  # nothing but the next run's warning hangs on it
        folder.mkdir(exist_ok=True)
        (folder / name).write_bytes(digest)


def digest(answers: Sequence[Arrays]) -> bytes:
    """Return a hash of every bit of these predictions."""
    made = hashlib.blake2b(digest_size=_DIGEST_BYTES)
    for answer in answers:
        for name in sorted(answer):
            array = answer[name]
            made.update(f"{name} {array.dtype} {array.shape}".encode())
            made.update(array.tobytes())
    return made.digest()
