"""The images of a data set for each limit of its cells: read and checked once, the same in all processes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, final

from compress_guard.engine.images.access import Access, OtherThread
from compress_guard.engine.images.agreement import agree
from compress_guard.engine.images.lossy_sources import Sources, lossy_sources
from compress_guard.engine.images.naming.names import Known, Names
from compress_guard.engine.images.placing import Placing
from compress_guard.engine.images.reader import SampleReader, Slicer
from compress_guard.engine.images.samples import Samples
from compress_guard.engine.images.second_reading import read_again
from compress_guard.engine.images.survey.passes import survey
from compress_guard.engine.images.survey.record import Survey
from compress_guard.engine.images.together.groupers import grouper
from compress_guard.engine.machine.worker import aside
from compress_guard.errors import DataError
from compress_guard.records import Grouping, Orientation
from compress_guard.tasks.contract import Task


@dataclass(frozen=True, slots=True, eq=False)
class Subset:
    """The images that some cells share: all of the data set, or the seeded subset of a limit."""

    samples: Samples
    survey: Survey


@dataclass(frozen=True, slots=True, eq=False)
class ReadingOptions:
    """Options for choosing, ordering and reading the images of a data set."""

    seed: int
    shuffled: bool = False
    """True if images come in seeded random order, so that any first part of them is a fair sample of all."""
    slicers: Callable[[], Mapping[str, Slicer]] = dict
    access: Access = field(default_factory=Access)
    """Access to the data set, shared by all its readers."""
    orientation: Orientation | None = None
    shared: tuple[Path, str] | None = None
    """The folder of the run and the name of the data in it, if other processes read it too."""
    grouping: Grouping | None = None
    """The way in which images belong together."""
    folder: Path = field(default_factory=Path)
    """The folder that is on sys.path while the factory of `grouping` is looked up."""


@final
class Subsets:
    """The subsets of one data set for one task, each read when it is first needed."""

    def __init__(self, task: Task, load: Callable[[], Any], reading: ReadingOptions) -> None:
        """Take the task, and `load`, which returns the data set; it is called once and may raise `DataError`."""
        self._task: Final = task
        self._load: Final = load
        self._reading: Final = reading
        self._placing: Final = Placing(task, reading.orientation)
        self._data: Any = None
        self._reader: SampleReader | None = None
        self._subsets: Final[dict[int | None, Subset]] = {}
        self._refused: Final[dict[int | None, DataError]] = {}
        """Faults by limit: the images of such a limit are not read again."""
        self._unconfirmed: Final[set[int | None]] = set()
        """Limits whose images were read on another thread than the data set's own, and have not been read again."""
        self._names: Final[dict[int | None, Names]] = {}
        self._making: Final = threading.RLock()
        """Lock that is held while a subset is made: plans are made ahead on another thread."""

    @property
    def data(self) -> Any:
        """The data set; raises `DataError`."""
        if self._data is None:
            self._data = self._load()
        return self._data

    def binding(self, limit: int | None) -> int | None:
        """Return the limit, or None if the data set has no more images than that."""
        length = self._reading.access.length(self.data)
        return None if limit is None or limit >= length else limit

    def of(self, limit: int | None) -> Subset:
        """Return the images of this limit, read and checked once; raises `DataError`."""
        limit = self.binding(limit)
        with self._making:
            if limit in self._refused:
                raise self._refused[limit]
            try:
                if limit not in self._subsets:
                    self._subsets[limit] = self._surveyed(limit)
                    if aside():
                        self._unconfirmed.add(limit)
                if limit in self._unconfirmed and not aside():
                    self._confirm(limit)
            except DataError as problem:
                if not aside():  # the data set's own thread may read it
                    self._refused[limit] = problem
                raise
            return self._subsets[limit]

    def _surveyed(self, limit: int | None) -> Subset:
        reading = self._reading
        if self._reader is None:
            self._reader = SampleReader(
                self.data,
                self._task.target,
                reading.slicers(),
                reading.access,
                self._placing,
                grouper(reading.grouping, reading.folder, self.data),
            )
        samples = Samples(self._reader, limit=limit, seed=reading.seed, shuffled=reading.shuffled)
        subset = Subset(samples, survey(samples, self._task.classes))
        if not aside():
            self._agree(subset, limit)
        return subset

    def _confirm(self, limit: int | None) -> None:
        """Read a few images again on the data set's own thread, and all of them if another thread read other images."""
        subset = self._subsets[limit]
        try:
            read_again(subset.samples, subset.survey.usable)
            self._agree(subset, limit)
        except OtherThread as problem:
            if self._reader is not None:
                self._reader.retire(str(problem))
            self._reader = None
            self._subsets.clear()
            self._subsets[limit] = self._surveyed(limit)
        self._unconfirmed.discard(limit)

    def _agree(self, subset: Subset, limit: int | None) -> None:
        if self._reading.shared is not None:
            folder, name = self._reading.shared
            names = "data", self._task.name, self._reading.access.name or name, limit, subset.samples.orientation
            agree(folder, names, subset.survey)

    def names(self, limit: int | None) -> Names:
        """Return the names of the images of this limit and of their classes, as far as the data tells; no image is
        read from the data for them."""
        subset = self.of(limit)
        if limit not in self._names:
            surveyed = subset.survey
            opened = surveyed.opened or [""] * len(surveyed.infos)
            facts = zip(surveyed.infos, surveyed.usable, surveyed.digests, opened, strict=True)
            known = {
                info.id: Known(subset.samples.position(index), digest, file) for info, index, digest, file in facts
            }
            with self._reading.access.lock:
                self._names[limit] = Names.of(self.data, self._task.name, known)
        return self._names[limit]

    def lossy_sources(self, limit: int | None) -> Sources | None:
        """Return the facts about images from lossily coded files; None if the data does not tell."""
        subset = self.of(limit)
        positions = [subset.samples.position(index) for index in subset.survey.usable]
        with self._reading.access.lock:
            return lossy_sources(
                self.data, positions, [info.pixels for info in subset.survey.infos], self._reading.seed
            )
