"""The images of a guard: read on demand from people's data sets, checked, and the recent ones kept."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, final

from compress_guard.codecs.pixels import to_rgb
from compress_guard.engine.wording import kind
from compress_guard.errors import CodecError, DataError
from compress_guard.records import ImageInfo, seeded_fraction

if TYPE_CHECKING:
    import torch

KEPT_BYTES: Final = 256 * 2**20
"""Decoded images kept in memory; a bound, so that memory does not grow with the data set."""

ReadTarget = Callable[[object, tuple[int, int]], Any]
"""Makes of a data set's target and the image's (H, W) what evidence needs; raises `DataError`."""


Slicer = Callable[[object, str], tuple[str, ...]]
"""Says of a data set's target and the image's id which slices of one slicing the image is in; raises `DataError`."""


FEW: Final = 5
"""Images of a class before a mean over classes is judged on a part of the images."""


class SlicesError(DataError):
    """An image that cannot be told to be in a slice or not: no fault of the image, so it is not left out."""


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
    slices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The slices that the image is in, by slicing."""

    @property
    def size(self) -> tuple[int, int]:
        """(H, W) in pixels."""
        height, width = self.image.shape[-2:]
        return int(height), int(width)


@final
class Samples:
    """A map-style data set as checked samples; a seeded subset of `limit` images if there are more.

    They come in the data set's order or, `shuffled`, in a seeded random one, whose beginnings are fair samples.
    """

    def __init__(
        self,
        data: Any,
        read_target: ReadTarget,
        *,
        limit: int | None = None,
        seed: int = 0,
        shuffled: bool = False,
        slicers: Mapping[str, Slicer] | None = None,
    ) -> None:
        self._data: Final = data
        self._read_target: Final = read_target
        self._slicers: Final = dict(slicers or {})
        self._positions: Final = _subset(len(data), limit, seed, shuffled)
        self._kept: Final[OrderedDict[int, Sample]] = OrderedDict()
        self._kept_bytes = 0
        self._digests: Final[dict[int, bytes]] = {}
        """Of every sample read so far, by index: an image that was let go and is read again has to be the same."""
        self._unreadable: Final[dict[int, str]] = {}
        """Ids, by position, of images that were no good."""
        self._unsteady: str | None = None
        """What was wrong once a sample had changed: from then on, none is handed out."""
        # Data sets are rarely safe to read from two threads at once (open archives, shared random state).
        self._lock: Final = threading.Lock()

    def __len__(self) -> int:
        return len(self._positions)

    def __getitem__(self, index: int) -> Sample:
        """The sample at this index of the subset; raises `DataError` naming it and what is wrong with it.

        A sample that was read before has to have the pixels that it had then: else streams and scores would be of
        images that nobody surveyed, and the store would keep them under the name of another.
        """
        with self._lock:
            if self._unsteady is not None:
                raise DataError(self._unsteady)
            if index in self._kept:
                self._kept.move_to_end(index)
                return self._kept[index]
            sample = self._read(self._positions[index])
            self._check_steady(index, sample)
            self._keep(index, sample)
            return sample

    def position(self, index: int) -> int:
        """Where the data set has the sample at this index of the subset."""
        return self._positions[index]

    def name(self, index: int) -> str:
        """What to call a sample that could not be read: its id if that much was known, else its position."""
        position = self._positions[index]
        return self._unreadable.get(position, str(position))

    def _check_steady(self, index: int, sample: Sample) -> None:
        if self._digests.setdefault(index, sample.digest) != sample.digest:
            # Whether the next read happens to match is chance, and no verdict may hang on that.
            self._unsteady = (
                f"sample {self._positions[index]} (id {sample.id}) gives different pixels each time it is read; "
                "expected the same image every time; switch random transforms off for evaluation"
            )
            raise DataError(self._unsteady)

    def _read(self, position: int) -> Sample:
        try:
            raw = self._data[position]
        except Exception as problem:
            raise DataError(f"sample {position} cannot be read ({type(problem).__name__}: {problem})") from problem
        if not isinstance(raw, tuple | list) or len(raw) not in (2, 3):
            raise DataError(f"sample {position} is {_described(raw)}; expected (image, target) or (image, target, id)")
        image_id = str(raw[2]) if len(raw) == 3 else str(position)
        try:
            image = to_rgb(raw[0])
            size = (int(image.shape[-2]), int(image.shape[-1]))
            image = image.cpu()
            target = self._read_target(raw[1], size)
            digest = _content_hash(image)
        except Exception as problem:
            self._unreadable[position] = image_id
            # A lazily opened picture only shows now that its file is broken.
            unread = f" cannot be read ({type(problem).__name__}: {problem})"
            what = f": {problem}" if isinstance(problem, DataError) else unread
            raise DataError(f"sample {position} (id {image_id}){what}") from problem
        try:
            slices = {name: slicer(raw[1], image_id) for name, slicer in self._slicers.items()}
        except Exception as problem:
            told = f"its slices cannot be told ({type(problem).__name__}: {problem})"
            what = str(problem) if isinstance(problem, DataError) else told
            raise SlicesError(f"sample {position} (id {image_id}): {what}") from problem
        return Sample(image_id, image, target, digest, slices)

    def _keep(self, index: int, sample: Sample) -> None:
        self._kept[index] = sample
        self._kept_bytes += sample.image.numel()
        while self._kept_bytes > KEPT_BYTES and len(self._kept) > 1:
            _, oldest = self._kept.popitem(last=False)
            self._kept_bytes -= oldest.image.numel()


def _described(raw: object) -> str:
    return f"{kind(raw)} of length {len(raw)}" if isinstance(raw, tuple | list) else kind(raw)


def _subset(count: int, limit: int | None, seed: int, shuffled: bool) -> Sequence[int]:
    """Positions of a seeded subset, in data order or shuffled; a smaller limit takes a part of what a larger one takes.

    The choice goes by position, not by id: ids are known only once an image has been read.
    """
    if not shuffled and (limit is None or limit >= count):
        return range(count)
    chosen = sorted(range(count), key=lambda position: seeded_fraction(seed, f"position {position}"))[:limit]
    return chosen if shuffled else sorted(chosen)


@final
@dataclass(frozen=True, slots=True)
class Survey:
    """One pass over the samples: which can be used, and what rate control and the store need to know of them."""

    usable: tuple[int, ...]
    """Indices of the samples that could be read, in data order."""
    infos: tuple[ImageInfo, ...]
    """One per usable sample."""
    digests: tuple[bytes, ...]
    """Content hash of each usable sample's pixels."""
    failures: tuple[tuple[str, str], ...]
    """(id, or position where no id is known; what was wrong) of the others."""
    slices: tuple[Mapping[str, tuple[str, ...]], ...]
    """Of each usable sample the slices that it is in, by slicing."""
    classes_seen: int = 0
    """How many of the usable samples it takes, in their order, until each class that occurs has been seen in at least
    five of them, or in all that have it."""

    @property
    def slices_by_id(self) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
        """The same by the image's id."""
        return {info.id: slices for info, slices in zip(self.infos, self.slices, strict=True)}

    @property
    def images(self) -> int:
        return len(self.usable) + len(self.failures)

    def failed_ids(self, lost: Mapping[int, str]) -> tuple[str, ...]:
        """Names of the images that could not be read, then of those, by position, that were lost in coding."""
        return tuple([name for name, _ in self.failures] + [self.infos[at].id for at in sorted(lost)])

    def check_failures(self, lost: Mapping[int, str], allowed: float) -> None:
        """Raises `CodecError`, or `DataError` if none was lost in coding, where more than this share failed."""
        failed = len(self.failures) + len(lost)
        # Dividing meets a share like 0.29 of 100 exactly, where multiplying gives 28.999999999999996.
        if failed / self.images <= allowed:
            return
        named = [text for _, text in self.failures]
        named += [f"image {self.infos[at].id}: {text}" for at, text in sorted(lost.items())]
        permitted = max(count for count in range(failed) if count / self.images <= allowed)
        raise (CodecError if lost else DataError)(
            f"{failed} of {self.images} images failed, allowed by max_error_share {allowed:g}: {permitted}; the "
            f"first: {named[0]}"
        )


def survey(samples: Samples, classes: Callable[[Any], frozenset[int]] | None = None) -> Survey:
    """Read every sample once; `classes` says which classes a target adds to a mean over classes.

    Raises `DataError` if two samples have one id or none can be read.
    """
    usable: list[int] = []
    infos: list[ImageInfo] = []
    digests: list[bytes] = []
    failures: list[tuple[str, str]] = []
    slices: list[Mapping[str, tuple[str, ...]]] = []
    seen: dict[str, int] = {}
    places: dict[int, list[int]] = {}
    for index in range(len(samples)):
        try:
            sample = samples[index]
        except SlicesError:
            raise
        except DataError as problem:
            failures.append((samples.name(index), str(problem)))
            continue
        if sample.id in seen:
            raise DataError(
                f"samples {samples.position(seen[sample.id])} and {samples.position(index)} both have the id "
                f"{sample.id!r}; expected ids that tell images apart"
            )
        seen[sample.id] = index
        height, width = sample.size
        usable.append(index)
        infos.append(ImageInfo(sample.id, height * width))
        digests.append(sample.digest)
        slices.append(sample.slices)
        for label in classes(sample.target) if classes is not None else ():
            places.setdefault(label, []).append(len(usable))
    if not usable:
        raise DataError(f"none of the {len(samples)} samples can be used; the first: {failures[0][1]}")
    enough = max((found[:FEW][-1] for found in places.values()), default=0)
    return Survey(tuple(usable), tuple(infos), tuple(digests), tuple(failures), tuple(slices), enough)


def _content_hash(image: torch.Tensor) -> bytes:
    digest = hashlib.blake2b(str(tuple(image.shape)).encode(), digest_size=16)
    digest.update(image.contiguous().numpy().tobytes())
    return digest.digest()
