"""The subject of measurements: a model on a data set, with samples and clean evidence that are made once."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Final, TypeVar, final

from compress_guard.codecs.contract import Codec
from compress_guard.engine.images.naming.names import Names
from compress_guard.engine.images.subsets import ReadingOptions, Subset, Subsets
from compress_guard.engine.models.fingerprint import Certainty
from compress_guard.engine.prediction.asked_model import AskedModel
from compress_guard.engine.prediction.batches import Batch, ahead, evidence_of, positions_in_batches
from compress_guard.engine.prediction.clean.reference import SOURCE, Reference, Shown
from compress_guard.engine.prediction.clean.side import CleanSide
from compress_guard.engine.prediction.earlier_evidence import BatchDigests, Recall, Verdict
from compress_guard.engine.prediction.shards import Predicted, Shard, digest, pixels
from compress_guard.engine.progress import CountProgress
from compress_guard.errors import DataError
from compress_guard.records import Evidence, SourceFigures
from compress_guard.registry import TASKS
from compress_guard.tasks.contract import Task

if TYPE_CHECKING:
    from compress_guard.tasks.contract import Arrays

T = TypeVar("T")


@final
class Subject:
    """A model and a data set for one task in one process.

    `model` and `data` are called when first needed; the caller handles what they raise (`ModelError`, `DataError`).
    """

    def __init__(
        self,
        task: str,
        model: Callable[[], Any],
        data: Callable[[], Any],
        reading: ReadingOptions,
        *,
        device: str,
        certainty: Certainty | None = None,
    ) -> None:
        self.task: Final[Task] = TASKS.resolve(task)()
        self.device: Final = device
        self.model: Final = AskedModel(self.task, model, device)
        self.reading: Final = reading
        self._subsets: Final = Subsets(self.task, data, reading)
        self._certainty: Final = certainty
        """None if evidence of earlier runs must not be used."""
        self._sides: Final[dict[Reference, CleanSide]] = {}
        self._made: Final[dict[str, Any]] = {}
        self.remembered = 0
        """Number of images whose evidence came from earlier runs."""

    @property
    def predictions(self) -> int:
        """Number of images that the model was asked to predict so far, clean ones and controls included."""
        return self.model.predictions

    def subset(self, limit: int | None) -> Subset:
        """Return the images of this limit, read and checked once; raises `DataError`."""
        return self._subsets.of(limit)

    def binding(self, limit: int | None) -> int | None:
        """Return the limit, or None if the data set has no more images than that; raises `DataError`."""
        return self._subsets.binding(limit)

    def source_figures(self, limit: int | None) -> SourceFigures:
        """Return the figures of the files that these images come from, as far as the data tells."""
        limit = self.binding(limit)
        sources = self.once(f"sources of {limit}", partial(self._subsets.lossy_sources, limit))
        return SourceFigures() if sources is None else sources.figures()

    def names(self, limit: int | None) -> Names:
        """Return the names of the images of this limit and of their classes, as far as the data tells."""
        return self._subsets.names(self.binding(limit))

    def once(self, name: str, make: Callable[[], T]) -> T:
        """Return the result of `make`, which is called once for all guards that measure this subject."""
        if name not in self._made:
            self._made[name] = make()
        made: T = self._made[name]
        return made

    def clean(self, codec: Codec | None = None) -> CleanSide:
        """Return the clean side: the sources, or with a codec the sources as it scales and crops them."""
        reference = SOURCE if codec is None else Reference.behind(codec)
        if reference not in self._sides:
            self._sides[reference] = CleanSide(self, reference, codec if reference.name else None)
        return self._sides[reference]

    def clean_evidence(self, limit: int | None, progress: CountProgress, first: int | None = None) -> Evidence:
        """Return the evidence of the sources of this limit: see `CleanSide.evidence`."""
        return self.clean().evidence(limit, progress, first)

    def batches(self, subset: Shown) -> Iterable[range]:
        """Return the positions of a subset's images, in batches of the model's size; raises `ModelError`."""
        return positions_in_batches(len(subset.survey.usable), self.model.batch_size)

    def evidence(self, shards: Sequence[Shard], progress: CountProgress) -> Predicted:
        """Return the merged evidence of shards; the next batches are made while the model works."""
        parts: list[Predicted] = []
        total, done = sum(len(shard.ids) for shard in shards), 0
        for shard, part in zip(shards, self.each(shards), strict=True):
            parts.append(part)
            done += len(shard.ids)
            progress(done, total)
        return Predicted.merge(parts)

    def each(self, shards: Sequence[Shard]) -> Generator[Predicted, None, None]:
        """Yield the evidence of each shard, for callers that may stop early; evidence of earlier runs is used."""
        recall, first = self.recall, True

        def kept_or_made(shard: Shard) -> Predicted | Batch:
            kept = recall.get(shard) if recall is not None else None
            return shard.make() if kept is None else kept

        making = ahead((partial(kept_or_made, shard) for shard in shards), lambda: self.reading.access.bound)
        for shard, outcome in zip(shards, making, strict=True):
            if isinstance(outcome, Predicted):
                self.remembered += len(shard.ids) if recall is not None and recall.is_earlier(shard) else 0
                yield outcome
                continue
            # Only the first batch of a way is looked at again: hashing the pixels of all would slow a GPU down.
            proving = first and recall is not None and bool(shard.way) and outcome.ids == shard.ids
            first = first and not proving
            seen = pixels(outcome.looked_at) if proving else b""  # before a model that works in place
            if proving and shard.keep is not None:
                shard.keep(outcome)
            answers = self.model.predict(shard, outcome)
            predicted = Predicted(evidence_of(self.task, outcome, answers), outcome.seen)
            if recall is not None:
                recall.put(shard, predicted, BatchDigests(digest(answers), seen) if proving else None)
            yield predicted

    def verify(self, shards: Sequence[Shard]) -> Verdict:
        """Predict the first batch again for which earlier runs left evidence, before the others of this way are used.

        If it differs, evidence of earlier runs is no longer used, for this way or for all. Raises what making the batch
        raises, `ModelError`, `DataError`.
        """
        if self.recall is None:
            return Verdict.SAME
        before, idle = self.recall.generation, self.model.idle
        verdict = Verdict.SAME
        if (unproven := self.recall.unproven(shards)) is not None:
            shard, predicted, digests = unproven
            batch = (shard.look or shard.make)()
            if batch.ids == shard.ids:
                seen = pixels(batch.looked_at)  # before a model that works in place
                verdict = digests.judge(BatchDigests(digest(self.model.predict(shard, batch)), seen))
                if verdict is Verdict.SAME:
                    self.recall.trust(shards)
                    self.recall.put(shard, predicted, digests, agreed=True)
                    if idle:
                        self.model.steady()
                else:
                    self.recall.begin("" if verdict is Verdict.MODEL else shard.way)
        if self.recall.generation != before:
            self._forget()
        return verdict

    def _forget(self) -> None:
        """Discard everything that depends on evidence of earlier runs, made in this process or in another."""
        for side in self._sides.values():
            side.forget()
        for name in [name for name in self._made if not name.startswith("sources of")]:
            del self._made[name]

    @property
    def generation(self) -> int:
        """Number of times that evidence of earlier runs was discarded."""
        return 0 if self.recall is None else self.recall.generation

    @property
    def certain(self) -> bool:
        """True if the model has a fingerprint, so that its evidence may outlast the run."""
        return self._certainty is not None

    @property
    def moved(self) -> bool:
        """True if the answers to the probing batch differ from those of an earlier model with the same fingerprint."""
        recall = self.__dict__.get("recall")
        return recall is not None and recall.moved

    @cached_property
    def recall(self) -> Recall | None:
        """The evidence of earlier runs, after the model has answered a probing batch; None for an uncertain model.

        Raises `ModelError`, `DataError`.
        """
        if self._certainty is None:
            return None
        size = self.model.batch_size
        probe = self._probe(size)
        batch = probe.make()
        answers = self.model.predict(probe, batch)
        certainty = self._certainty
        identity = certainty.identity(self.device, size)
        recall = Recall(certainty.store, certainty.run_folder, identity, probe, answers)
        recall.put(probe, Predicted(evidence_of(self.task, batch, answers), batch.seen))
        return recall

    def _probe(self, images: int) -> Shard:
        """Return the first batch of a seeded subset of this size, or of a larger one if it has no usable images."""
        try:
            return self.clean().shards(images)[0]
        except DataError:
            if self.binding(images) is None:
                raise
        return self._probe(2 * images)

    def answered(self, shard: Shard) -> tuple[Predicted, list[Arrays] | None]:
        """Return the evidence of one shard and the model's answers, or None for these if the evidence was kept.

        `keep` decides later if new evidence is kept.
        """
        if self.recall is not None and (kept := self.recall.get(shard)) is not None:
            self.remembered += len(shard.ids) if self.recall.is_earlier(shard) else 0
            return kept, None
        batch = shard.make()
        answers = self.model.predict(shard, batch)
        return Predicted(evidence_of(self.task, batch, answers), batch.seen), answers

    def keep(self, shard: Shard, predicted: Predicted) -> None:
        """Keep the evidence of a shard for later runs, if the model has a fingerprint."""
        if self.recall is not None:
            self.recall.put(shard, predicted)
