"""What is measured: a model on a data set, with what is made of them once and kept: samples and clean evidence."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar, final

from compress_guard import store as keys
from compress_guard.engine import clean
from compress_guard.engine.prediction import Batch, ahead, batch_size_of, clean_batch, positions_in_batches, predict
from compress_guard.engine.samples import Samples, Slicer, Survey, survey
from compress_guard.engine.sources import Sources, lossy_sources
from compress_guard.records import Evidence
from compress_guard.registry import TASKS
from compress_guard.tasks.contract import Task

T = TypeVar("T")

CountProgress = Callable[[int, int], None]
"""Told how many images are done, and of how many."""


@dataclass(frozen=True, slots=True, eq=False)
class Subset:
    """The images that some cells share: all, or the seeded subset of a limit."""

    samples: Samples
    survey: Survey


@final
class Subject:
    """A model and a data set for one task in one process.

    `model` and `data` are called when first needed; what they raise (`ModelError`, `DataError`) is for the caller.
    """

    def __init__(  # noqa: PLR0913 -- what is measured and in which order, each by its name
        self,
        task: str,
        model: Callable[[], Any],
        data: Callable[[], Any],
        *,
        device: str,
        seed: int,
        shared: tuple[Path, str] | None = None,
        shuffled: bool = False,
        slicers: Callable[[], Mapping[str, Slicer]] = dict,
    ) -> None:
        self.task: Final[Task] = TASKS.resolve(task)()
        self.device: Final = device
        self._load_model: Final = model
        self._load_data: Final = data
        self._seed: Final = seed
        self._shared: Final = shared
        """The folder of the run and this subject's name in it, where other processes measure the same subject."""
        self.shuffled: Final = shuffled
        """Whether images come in seeded random order, so that any first part of them is a fair sample of all."""
        self._slicers: Final = slicers
        self._model: Any = None
        self._subsets: Final[dict[int | None, Subset]] = {}
        self._clean: Final[dict[int | None, Evidence]] = {}
        self._clean_parts: Final[dict[int | None, list[Evidence]]] = {}
        self._made: Final[dict[str, Any]] = {}
        self.predictions = 0
        """Images that the model was asked to predict so far, clean ones and controls included."""

    def subset(self, limit: int | None) -> Subset:
        """The images of this limit, read and checked once; raises `DataError`."""
        limit = self.binding(limit)
        if limit not in self._subsets:
            samples = Samples(
                self._load_data(),
                self.task.target,
                limit=limit,
                seed=self._seed,
                shuffled=self.shuffled,
                slicers=self._slicers(),
            )
            self._subsets[limit] = Subset(samples, survey(samples, self.task.classes))
        return self._subsets[limit]

    def once(self, name: str, make: Callable[[], T]) -> T:
        """What `make` gives, made once for all guards that measure this subject."""
        if name not in self._made:
            self._made[name] = make()
        found: T = self._made[name]
        return found

    def source_fields(self, limit: int | None) -> dict[str, Any]:
        """What a result says of the files that these images come from, as far as the data tells."""
        limit = self.binding(limit)

        def made() -> Sources | None:
            samples, surveyed = self.subset(limit).samples, self.subset(limit).survey
            positions = [samples.position(index) for index in surveyed.usable]
            return lossy_sources(self._load_data(), positions, [info.pixels for info in surveyed.infos], self._seed)

        sources = self.once(f"sources of {limit}", made)
        return {} if sources is None else sources.fields()

    def clean_evidence(self, limit: int | None, progress: CountProgress, first: int | None = None) -> Evidence:
        """The evidence of the clean images of this limit, predicted once; raises `ModelError`, `DataError`.

        With `first` only that of the batches that hold so many of them, of which other processes make their own: what
        a run that stops early has to do together is not known before.
        """
        limit = self.binding(limit)
        if first is not None:
            return self._clean_beginning(limit, first, progress)
        if limit not in self._clean:
            subset = self.subset(limit)
            chunks = list(self.batches(subset))
            ids = tuple(info.id for info in subset.survey.infos)

            def made() -> Evidence:
                makers = [partial(clean_batch, subset.samples, subset.survey, chunk, self.device) for chunk in chunks]
                return self.evidence(makers, len(subset.survey.usable), progress)

            def probe() -> Evidence:
                return self._predict(clean_batch(subset.samples, subset.survey, chunks[0], self.device))

            self._clean[limit] = clean.made_once(self._clean_file(limit), ids, made, probe)
        return self._clean[limit]

    def _clean_beginning(self, limit: int | None, images: int, progress: CountProgress) -> Evidence:
        subset = self.subset(limit)
        parts = self._clean_parts.setdefault(limit, [])
        chunks = [chunk for chunk in self.batches(subset) if chunk.start < images]
        makers = [
            partial(clean_batch, subset.samples, subset.survey, chunk, self.device) for chunk in chunks[len(parts) :]
        ]
        for part in self.each_evidence(makers):
            parts.append(part)
            progress(chunks[len(parts) - 1].stop, chunks[-1].stop)
        return Evidence.merge(parts[: len(chunks)])

    def batches(self, subset: Subset) -> Iterable[range]:
        """The positions of a subset's images, cut as the model wants them; raises `ModelError`."""
        return positions_in_batches(len(subset.survey.usable), batch_size_of(self._loaded_model()))

    def evidence(self, makers: Iterable[Callable[[], Batch]], total: int, progress: CountProgress) -> Evidence:
        """What the model makes of batches that are made while it works."""
        parts: list[Evidence] = []
        done = 0
        for part in self.each_evidence(makers):
            parts.append(part)
            done += len(part.ids)
            progress(done, total)
        return Evidence.merge(parts)

    def each_evidence(self, makers: Iterable[Callable[[], Batch]]) -> Generator[Evidence, None, None]:
        """The same batch by batch, for whoever may stop in between."""
        for batch in ahead(makers):
            yield self._predict(batch)

    def _predict(self, batch: Batch) -> Evidence:
        self.predictions += len(batch.images)
        return predict(self._loaded_model(), self.task, batch)

    def _loaded_model(self) -> Any:
        if self._model is None:
            self._model = self._load_model()
        return self._model

    def binding(self, limit: int | None) -> int | None:
        """The limit, None where there are no more images anyway."""
        return None if limit is None or limit >= len(self._load_data()) else limit

    def _clean_file(self, limit: int | None) -> Path | None:
        if self._shared is None:
            return None
        folder, name = self._shared
        return folder / f"clean-{keys.key(name, str(limit))}.npz"
