"""A data set as checked samples by position: read on demand, the recent ones kept, for all who look at it."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, final

import numpy as np

from compress_guard.codecs.orientation import UPRIGHT
from compress_guard.engine.heap import Heap
from compress_guard.engine.placing import Arrival, Placing
from compress_guard.engine.trouble import pass_on
from compress_guard.engine.wording import kind
from compress_guard.errors import DataError, described, said
from compress_guard.records import Orientation, printable

if TYPE_CHECKING:
    import torch

KEPT_BYTES: Final = 128 * 2**20
"""Images and targets kept in memory; a bound, so that memory does not grow with the data set."""

ReadTarget = Callable[[object, tuple[int, int]], Any]
"""Makes of a data set's target and the image's (H, W) what evidence needs; raises `DataError`."""

Slicer = Callable[[object, str], tuple[str, ...]]
"""Says of a data set's target and the image's id which slices of one slicing the image is in; raises `DataError`."""


class BrokenDataError(DataError):
    """A fault of the data set's code, not of one image: no image is left out for it, whatever share may fail."""


class SlicesError(BrokenDataError):
    """An image that cannot be told to be in a slice or not."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One image with what is known of it."""

    id: str
    image: torch.Tensor
    """uint8 RGB (3, H, W) on the CPU."""
    target: Any
    """What the reader of targets made of it: a task's arrays, or the data set's own object."""
    digest: bytes
    """Content hash of the pixels."""
    arrival: Arrival
    """How the image and its target came."""
    slices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The slices that the image is in, by slicing."""

    @property
    def size(self) -> tuple[int, int]:
        """(H, W) in pixels."""
        height, width = self.image.shape[-2:]
        return int(height), int(width)

    @property
    def memory(self) -> int:
        """Bytes of the image and, where a task read it, of the target: a label map takes more than its image."""
        # A task's arrays alone: a data set's own mapping may load what it holds when it is looked at.
        arrays = self.target.values() if type(self.target) is dict else ()
        return int(self.image.numel()) + sum(array.nbytes for array in arrays if isinstance(array, np.ndarray))


@final
class Shelf:
    """A map-style data set as checked samples by their position in it.

    Whatever looks at parts of one data set shares one: data sets are rarely safe to read from two threads at once (open
    archives, shared random state), and what one has read another need not read again.
    """

    def __init__(
        self,
        data: Any,
        read_target: ReadTarget,
        slicers: Mapping[str, Slicer] | None = None,
        lock: threading.Lock | None = None,
        placing: Placing | None = None,
    ) -> None:
        self._placing: Final = placing or Placing()
        self._data: Final = data
        self._read_target: Final = read_target
        self._slicers: Final = dict(slicers or {})
        self._kept: Final[OrderedDict[int, Sample]] = OrderedDict()
        self._kept_bytes = 0
        self._heap: Final = Heap()
        self._digests: Final[dict[tuple[int, Orientation], bytes]] = {}
        """Of every sample read so far: an image that was let go and is read again has to be the same."""
        self._unreadable: Final[dict[int, str]] = {}
        """Ids of images that were no good."""
        self._unsteady: str | None = None
        """What was wrong once a sample had changed: from then on, none is handed out."""
        self._lock: Final = lock or threading.Lock()

    def __len__(self) -> int:
        return len(self._data)

    def __getitem__(self, position: int) -> Sample:
        """The sample at this position; raises `DataError` naming it and what is wrong with it.

        A sample that was read before has to have the pixels that it had then: else streams and scores would be of
        images that nobody surveyed, and the store would keep them under the name of another.
        """
        with self._lock:
            if self._unsteady is not None:
                raise DataError(self._unsteady)
            if position in self._kept:
                self._kept.move_to_end(position)
                return self._kept[position]
            sample = self._read(position)
            self._check_steady(position, sample)
            self._keep(position, sample)
            return sample

    def name(self, position: int) -> str:
        """What to call a sample that could not be read: its id if that much was known, else its position."""
        return self._unreadable.get(position, str(position))

    def read_as(self, orientation: Orientation) -> None:
        """Read images that EXIF turns in this orientation from now on, where nothing else says how."""
        with self._lock:
            self._placing.used = orientation
            for position, sample in list(self._kept.items()):
                if sample.arrival.turn != UPRIGHT and sample.arrival.used != orientation:
                    self._kept_bytes -= self._kept.pop(position).memory

    def _check_steady(self, position: int, sample: Sample) -> None:
        if self._digests.setdefault((position, sample.arrival.used), sample.digest) != sample.digest:
            # Whether the next read happens to match is chance, and no verdict may hang on that.
            self._unsteady = (
                f"sample {position} (id {sample.id}) gives different pixels each time it is read; "
                "expected the same image every time; switch random transforms off for evaluation"
            )
            raise DataError(self._unsteady)

    def _read(self, position: int) -> Sample:
        try:
            raw = self._data[position]
            fits = isinstance(raw, tuple | list) and len(raw) in (2, 3)
            parts = tuple(raw) if fits else ()
        except BaseException as problem:
            pass_on(problem)
            raise _unread(f"sample {position}", problem) from problem
        if not fits:
            raise DataError(f"sample {position} is {_described(raw)}; expected (image, target) or (image, target, id)")
        own_id = self._id(position, *parts[2:])
        image_id = printable(own_id)
        try:
            image, target, arrival = self._placing.read(parts[0], parts[1], self._read_target)
            digest = _content_hash(image)
        except BaseException as problem:
            pass_on(problem)
            self._unreadable[position] = image_id
            sample = f"sample {position} (id {image_id})"
            if issubclass(type(problem), DataError):
                raise DataError(f"{sample}: {said(problem)}") from problem
            # A lazily opened picture only shows now that its file is broken.
            raise _unread(sample, problem) from problem
        try:
            slices = {name: slicer(parts[1], own_id) for name, slicer in self._slicers.items()}
        except BaseException as problem:
            pass_on(problem)
            untold = f"its slices cannot be told ({described(problem)})"
            what = said(problem) if issubclass(type(problem), DataError) else untold
            raise SlicesError(f"sample {position} (id {image_id}): {what}") from problem
        return Sample(image_id, image, target, digest, arrival, slices)

    def _id(self, position: int, *given: object) -> str:
        """Return the text of the id that the data set gives a sample, of its position where it gives none."""
        try:
            # A subclass of str may compare and hash as it likes.
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

    Code that ends the program, or raises something like it, says nothing of one image.
    """
    if issubclass(type(problem), Exception):
        return DataError(f"{sample} cannot be read ({described(problem)})")
    return BrokenDataError(f"{sample}: the data raised {described(problem)}; expected an image, or a plain exception")


def _described(raw: object) -> str:
    return f"{kind(raw)} of length {len(raw)}" if isinstance(raw, tuple | list) else kind(raw)


def _content_hash(image: torch.Tensor) -> bytes:
    digest = hashlib.blake2b(str(tuple(image.shape)).encode(), digest_size=16)
    digest.update(image.contiguous().numpy().data)
    return digest.digest()
