"""The clean side of a subject's cells: evidence of the pictures that count as clean, made once for each reference."""

from __future__ import annotations

from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Final, final

from compress_guard import store as keys
from compress_guard.codecs.contract import Codec
from compress_guard.engine.prediction import shared_clean
from compress_guard.engine.prediction.batches import Batch, clean_batch
from compress_guard.engine.prediction.clean.reference import Reference, Shown, way_of
from compress_guard.engine.prediction.earlier_evidence import Verdict
from compress_guard.engine.prediction.shards import Shard
from compress_guard.engine.progress import SILENT_COUNT, CountProgress
from compress_guard.records import Evidence

if TYPE_CHECKING:
    from compress_guard.engine.images.subsets import Subset
    from compress_guard.engine.prediction.subject import Subject
    from compress_guard.tasks.contract import Arrays


@final
class CleanSide:
    """The clean pictures of one reference through the model of a subject."""

    def __init__(self, subject: Subject, reference: Reference, codec: Codec | None = None) -> None:
        """Take the subject, and the codec that scales and crops unless the reference is that of the sources."""
        self.subject: Final = subject
        self.reference: Final = reference
        self._codec: Final = codec
        self._whole: Final[dict[int | None, Evidence]] = {}
        self._parts: Final[dict[int | None, list[Evidence]]] = {}
        self._views: Final[dict[int | None, tuple[Subset, Shown]]] = {}

    def named(self, what: str, limit: int | None) -> str:
        """Return the name of what the subject makes once for these pictures."""
        of = f" {self.reference.name}" if self.reference.name else ""
        return f"{what} of {self.subject.binding(limit)}{of}"

    def view(self, limit: int | None) -> Shown:
        """Return the pictures of this limit; raises `DataError`."""
        limit, subset = self.subject.binding(limit), self.subject.subset(limit)
        if self._codec is None:
            return subset
        # The images may have been read anew, on the data set's own thread.
        if limit not in self._views or self._views[limit][0] is not subset:
            self._views[limit] = subset, self.reference.view(subset, self._codec)
        return self._views[limit][1]

    def evidence(self, limit: int | None, progress: CountProgress, first: int | None = None) -> Evidence:
        """Return the evidence of the pictures of this limit, predicted once; raises `ModelError`, `DataError`.

        With `first`, return only the evidence of the batches with this number of first images. Other processes make
        their own then: a run that stops early does not know before how much its processes could share.
        """
        limit, subject = self.subject.binding(limit), self.subject
        if first is not None:
            return self._beginning(limit, first, progress)
        if limit not in self._whole:
            shards = self.shards(limit)
            ids = tuple(info.id for info in self.view(limit).survey.infos)

            def made() -> Evidence:
                return subject.evidence(shards, progress).evidence

            def probe() -> Evidence:
                return subject.evidence(shards[:1], SILENT_COUNT).evidence

            self._whole[limit] = shared_clean.made_once(self._file(limit, shards), ids, made, probe)
        return self._whole[limit]

    def _beginning(self, limit: int | None, images: int, progress: CountProgress) -> Evidence:
        parts = self._parts.setdefault(limit, [])
        shards = self.shards(limit)
        stops = list(accumulate(len(shard.ids) for shard in shards))
        wanted = sum(stop - len(shard.ids) < images for stop, shard in zip(stops, shards, strict=True))
        for part in self.subject.each(shards[len(parts) : wanted]):
            parts.append(part.evidence)
            progress(stops[len(parts) - 1], stops[wanted - 1])
        return Evidence.merge(parts[:wanted])

    def shards(self, limit: int | None) -> list[Shard]:
        """Return the shards of the pictures of this limit; raises `ModelError`, `DataError`."""
        shown = self.view(limit)
        # Sources come from the data set, which is compared; reshaped pictures come from a library.
        way = way_of(shown)
        return [
            Shard(
                partial(clean_batch, shown.samples, shown.survey, cut, self.subject.device),
                tuple(shown.survey.infos[at].id for at in cut),
                keys.key("clean", *(part for at in cut for part in shown.survey.content(at))),
                way,
            )
            for cut in self.subject.batches(shown)
        ]

    def verify(self, limit: int | None) -> Verdict:
        """Look again at the first batch of reshaped pictures, before evidence of earlier runs is used for any.

        Raises what the model and the data raise.
        """
        return self.subject.verify(self.shards(limit)) if self.reference.name else Verdict.SAME

    def answers(self, limit: int | None) -> tuple[Batch, list[Arrays]]:
        """Return the first batch of this limit with the model's answers, asked once for this purpose.

        It is for facts that evidence does not hold. Raises `ModelError`, `DataError`.
        """

        def asked() -> tuple[Batch, list[Arrays]]:
            shard = self.shards(limit)[0]
            batch = shard.make()
            return batch, self.subject.model.predict(shard, batch)

        return self.subject.once(self.named("answers", limit), asked)

    def forget(self) -> None:
        """Discard what depends on evidence of earlier runs."""
        self._whole.clear()
        self._parts.clear()

    def _file(self, limit: int | None, shards: list[Shard]) -> Path | None:
        """Return the file of the run for this evidence, named by all its images and targets."""
        if self.subject.reading.shared is None:
            return None
        folder, name = self.subject.reading.shared
        contents = (shard.content for shard in shards)
        return folder / f"clean-{keys.key(name, str(limit), self.subject.moved, *contents)}.npz"
