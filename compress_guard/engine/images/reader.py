"""A data set as checked samples by position: read on demand, with recent ones kept in memory."""

from __future__ import annotations

import os
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final, TypeVar, final

from compress_guard.codecs.pictures.metadata import Metadata
from compress_guard.codecs.pictures.orientation import UPRIGHT
from compress_guard.engine.images.access import Access, OtherThread
from compress_guard.engine.images.naming.relative import as_text
from compress_guard.engine.images.placing import Placing
from compress_guard.engine.images.readings import Reading, copied, own, pixel_hash, target_hash
from compress_guard.engine.images.sample import BrokenDataError, EndError, Sample, SlicesError, UnsteadyError
from compress_guard.engine.machine.heap import Heap, reuse_freed_memory
from compress_guard.engine.machine.worker import aside
from compress_guard.engine.trouble import pass_on
from compress_guard.engine.wording import kind
from compress_guard.errors import DataError, described, error_text
from compress_guard.records import Orientation, printable

T = TypeVar("T")

KEPT_BYTES: Final = 128 * 2**20
"""Bytes of images and targets kept in memory: the bound keeps memory from growing with the data set."""

ReadTarget = Callable[[object, tuple[int, int]], Any]
"""Turns a data set's target and the image's (H, W) into what evidence needs; raises `DataError`."""

Slicer = Callable[[object, str], tuple[str, ...]]
"""Returns the slices of one slicing for a data set's target and the image's id; raises `DataError`."""

Grouper = Callable[[object, str, int], str]
"""Returns the group of an image for its target, its id and its position in the data; raises `DataError`."""


@final
class SampleReader:
    """A map-style data set as checked samples by their position in it.

    All users of one data set share one reader: data sets are rarely safe to read from two threads at once (open
    archives, shared random state), and a sample in memory need not be read again.
    """

    def __init__(
        self,
        data: Any,
        read_target: ReadTarget,
        slicers: Mapping[str, Slicer] | None = None,
        access: Access | None = None,
        placing: Placing | None = None,
        grouper: Grouper | None = None,
    ) -> None:
        self._grouper: Final = grouper
        self._placing: Final = placing or Placing()
        self._data: Final = data
        self._read_target: Final = read_target
        self._slicers: Final = dict(slicers or {})
        self._kept: Final[OrderedDict[int, Sample]] = OrderedDict()
        self._kept_bytes = 0
        reuse_freed_memory()
        self._heap: Final = Heap()
        self._readings: Final[dict[tuple[int, Orientation], Reading]] = {}
        """The first reading of every sample: a sample that was dropped from memory has to be equal when read again."""
        self._aside: Final[set[tuple[int, Orientation]]] = set()
        """The readings that were made on another thread than the data set's own."""
        self._unreadable: Final[dict[int, str]] = {}
        """Ids of images that could not be used, by position."""
        self._unsteady: str | None = None
        """Message about a sample that has changed: from then on no sample is handed out."""
        self.access: Final = access or Access()
        self.seconds = 0.0
        """Seconds spent reading."""

    def __len__(self) -> int:
        """Return the number of samples; raises `DataError` if it has changed."""
        return self.access.length(self._data)

    def __getitem__(self, position: int) -> Sample:
        """Return the sample at this position; raises `DataError`, which names it and the fault.

        A sample that was read before has to be the same: otherwise streams and scores would belong to images that were
        not surveyed, and the store would keep them under the wrong name. Raises `OtherThread` if the data set's own
        thread has to read it.
        """
        with self.access.lock:
            self._check_steady()
            if position in self._kept:
                self._kept.move_to_end(position)
                return self._kept[position]
            sample = self.access.read(position, partial(self._compared, position))
            self._keep(position, sample)
            return sample

    def read_again(self, position: int) -> None:
        """Read a sample from the data set again, even if it is in memory, and compare it with its first reading.

        Raises what `[]` raises.
        """
        with self.access.lock:
            self._check_steady()
            try:
                self.access.read(position, partial(self._compared, position))
            except BrokenDataError:
                raise
            except DataError as problem:
                raise BrokenDataError(
                    f"at the second reading, {problem}; expected samples that can be read any number of times"
                ) from problem

    def look(self, position: int, look: Callable[[Any, int], T]) -> T:
        """Return what `look` makes of the data set at this position; it is called as a sample is read."""
        with self.access.lock:
            return self.access.read((position, look), partial(look, self._data, position))

    def retire(self, why: str) -> None:
        """Hand out no sample from now on; `why` becomes the message."""
        with self.access.lock:
            self._unsteady = why

    @property
    def orientation(self) -> Orientation:
        """Orientation in which images that EXIF turns are read."""
        return self._placing.used

    def name(self, position: int) -> str:
        """Return the name of a sample that could not be read: its id if it is known, else its position."""
        return self._unreadable.get(position, str(position))

    def read_as(self, orientation: Orientation) -> None:
        """Read images that EXIF turns in this orientation from now on, unless the guard or the target says another."""
        with self.access.lock:
            self._placing.used = orientation
            for position, sample in list(self._kept.items()):
                if sample.arrival.turn != UPRIGHT and sample.arrival.used != orientation:
                    self._kept_bytes -= self._kept.pop(position).memory

    def _check_steady(self) -> None:
        if self._unsteady is not None:
            raise UnsteadyError(self._unsteady)

    def _compared(self, position: int) -> Sample:
        """Read a sample and compare it with its first reading."""
        started = time.perf_counter()
        try:
            sample = self._read(position)
        finally:
            self.seconds += time.perf_counter() - started
        key = position, sample.arrival.used
        if key not in self._readings:
            self._readings[key] = sample.reading
            if aside():
                self._aside.add(key)
            return sample
        if (change := self._readings[key].change(position, sample.reading)) is None:
            self._aside.difference_update(() if aside() else (key,))
            return sample
        if aside():
            raise UnsteadyError(change)  # not final: the data set's own thread may read it right
        if key in self._aside and self._read(position).reading == sample.reading:
            self.access.bound = True
            raise OtherThread(f"{change}; read on the thread that made the data it stays the same")
        # The next read might match by chance, and no verdict may depend on that.
        self._unsteady = change
        raise UnsteadyError(change)

    def _read(self, position: int) -> Sample:
        try:
            raw = self._data[position]
            fits = isinstance(raw, tuple | list) and len(raw) in (2, 3)
            parts = tuple(raw) if fits else ()
        except BaseException as problem:
            pass_on(problem)
            error = _unread(f"sample {position}", problem)
            raise (EndError(error) if issubclass(type(problem), IndexError | StopIteration) else error) from problem
        if not fits:
            raise DataError(f"sample {position} is {_described(raw)}; expected (image, target) or (image, target, id)")
        own_id = self._id(position, *parts[2:])
        image_id = printable(own_id)
        try:
            image, target, arrival = self._placing.read(parts[0], parts[1], self._read_target)
            # A data set may reuse the objects that it has returned.
            image, target = own(image), copied(target)
            digest, target_digest = pixel_hash(image), target_hash(target)
            metadata, opened = Metadata.of(parts[0]), _opened(parts[0])
        except BaseException as problem:
            pass_on(problem)
            self._unreadable[position] = image_id
            sample = f"sample {position} (id {image_id})"
            if issubclass(type(problem), DataError):
                raise DataError(f"{sample}: {error_text(problem)}") from problem
            # A lazily opened picture fails only now if its file is broken.
            raise _unread(sample, problem) from problem
        part = "slices"
        try:
            slices = {name: slicer(copied(parts[1]), own_id) for name, slicer in self._slicers.items()}
            part = "group"
            group = None if self._grouper is None else self._grouper(copied(parts[1]), own_id, position)
        except BaseException as problem:
            pass_on(problem)
            unknown = f"its {part} cannot be determined ({described(problem)})"
            what = error_text(problem) if issubclass(type(problem), DataError) else unknown
            raise SlicesError(f"sample {position} (id {image_id}): {what}") from problem
        made = Sample(image_id, image, target, digest, arrival, slices, target_digest, metadata=metadata, group=group)
        return replace(made, opened=opened)

    def _id(self, position: int, *given: object) -> str:
        """Return the id that the data set gives a sample, or its position, as text."""
        try:
            # A subclass of str may define comparison and hash of its own.
            return str.__str__(str(*given)) if given else str(position)
        except BaseException as problem:
            pass_on(problem)
            raise DataError(
                f"sample {position}: its id cannot be read as text ({described(problem)}); expected a text or a number"
            ) from problem

    def _keep(self, position: int, sample: Sample) -> None:
        self._kept[position] = sample
        self._kept_bytes += sample.memory
        while self._kept_bytes > KEPT_BYTES and len(self._kept) > 1:
            _, oldest = self._kept.popitem(last=False)
            self._kept_bytes -= oldest.memory
            self._heap.freed(oldest.memory)


def _unread(sample: str, problem: BaseException) -> DataError:
    """Return the error for a sample that cannot be read.

    An exception that is no `Exception`, such as SystemExit, is a fault of the data set's code and not of one image.
    """
    if issubclass(type(problem), Exception):
        return DataError(f"{sample} cannot be read ({described(problem)})")
    return BrokenDataError(f"{sample}: the data raised {described(problem)}; expected an image, or a plain exception")


def _opened(image: object) -> str:
    """Return the file that Pillow has opened an image from; empty for any other image, such as a converted one."""
    from PIL import Image

    name = getattr(image, "filename", "") if isinstance(image, Image.Image) else ""
    return as_text(name) if isinstance(name, str | bytes | os.PathLike) else ""


def _described(raw: object) -> str:
    return f"{kind(raw)} of length {len(raw)}" if isinstance(raw, tuple | list) else kind(raw)
