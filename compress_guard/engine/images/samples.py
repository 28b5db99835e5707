"""The images of a guard, all of its data set or a seeded subset, and a survey of them in one pass."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar, final

import numpy as np

from compress_guard import interrupts
from compress_guard.codecs.pictures.metadata import MetadataSummary
from compress_guard.codecs.pictures.orientation import UPRIGHT
from compress_guard.engine.images.access import Access
from compress_guard.engine.images.intake import Intake
from compress_guard.engine.images.placing import Arrival, settled
from compress_guard.engine.images.reader import SampleReader
from compress_guard.engine.images.sample import BrokenDataError, EndError, Sample
from compress_guard.engine.images.second_reading import read_again
from compress_guard.engine.images.together.neighbours import near_equal
from compress_guard.engine.images.together.rows import Row, together
from compress_guard.engine.machine.worker import aside
from compress_guard.errors import CodecError, DataError
from compress_guard.records import SOURCE_HASHES, Evidence, ImageInfo, Orientation, seeded_fraction
from compress_guard.verdict.grouped.groups import Groups

T = TypeVar("T")

FEW: Final = 5
"""Images needed of each class before a mean over classes is judged on a part of the images."""


@final
class Samples:
    """Checked samples of a data set; a seeded subset of `limit` images if there are more.

    They come in the data set's order or, `shuffled`, in a seeded random one, whose beginnings are fair samples. Subsets
    of one data set share its reader.
    """

    def __init__(
        self, reader: SampleReader, *, limit: int | None = None, seed: int = 0, shuffled: bool = False
    ) -> None:
        self._reader: Final = reader
        self.seed: Final = seed
        self.shuffled: Final = shuffled
        self._positions = _subset(len(reader), limit, seed, shuffled)

    def __len__(self) -> int:
        return len(self._positions)

    def __getitem__(self, index: int) -> Sample:
        """Return the sample at this index of the subset; raises `DataError`: see `SampleReader`."""
        return self._reader[self._positions[index]]

    def arrange(self, indices: Sequence[int]) -> None:
        """Bring the samples into this order of their present indices, of which each occurs once."""
        self._positions = [self._positions[index] for index in indices]

    def settle(self, arrivals: Mapping[str, Arrival]) -> bool:
        """Choose the one orientation that fits the targets of these arrivals, by id, for all later reads.

        Return True if some samples were read in another orientation. Raises `DataError` if none fits, or both.
        """
        orientation = settled(arrivals)
        if orientation is None:
            return False
        self._reader.read_as(orientation)
        return any(arrival.turn != UPRIGHT and arrival.used != orientation for arrival in arrivals.values())

    def read_again(self, index: int) -> None:
        """Read the sample at this index again and compare; raises `DataError`: see `SampleReader`."""
        self._reader.read_again(self._positions[index])

    def look(self, index: int, look: Callable[[Any, int], T], /) -> T:
        """Return what `look` makes of the data set and the position in it of the sample at this index."""
        return self._reader.look(self._positions[index], look)

    @property
    def reading_seconds(self) -> float:
        """Seconds spent reading the data set so far."""
        return self._reader.seconds

    @property
    def access(self) -> Access:
        """Access to the data set."""
        return self._reader.access

    def check_length(self, end: int | None) -> None:
        """Raise `DataError` if the length of the data set has changed, or the data set ends before it, at `end`."""
        length = len(self._reader)
        if end is not None:
            raise DataError(
                f"the data set has a length of {length} but ends at {end}: sample {end} and all samples after it raise "
                f"IndexError or StopIteration; expected {length} images; let len() return the number of images that "
                "can be read"
            )

    def position(self, index: int) -> int:
        """Return the position in the data set of the sample at this index of the subset."""
        return self._positions[index]

    @property
    def orientation(self) -> Orientation:
        """Orientation in which images that EXIF turns are read; known once all have been read."""
        return self._reader.orientation

    def name(self, index: int) -> str:
        """Return the name of a sample that could not be read: its id if it is known, else its position."""
        return self._reader.name(self._positions[index])


def _subset(count: int, limit: int | None, seed: int, shuffled: bool) -> Sequence[int]:
    """Return the positions of a seeded subset, in data order or shuffled; a smaller limit gives a part of them.

    The choice goes by position, not by id: ids are known only once an image has been read.
    """
    if not shuffled and (limit is None or limit >= count):
        return range(count)
    chosen = sorted(range(count), key=lambda position: seeded_fraction(seed, f"position {position}"))[:limit]
    return chosen if shuffled else sorted(chosen)


@final
@dataclass(frozen=True, slots=True)
class Survey:
    """The result of one pass over the samples: which are usable, and the facts that rate control and the store need."""

    usable: tuple[int, ...]
    """Indices of the samples that could be read, in data order."""
    infos: tuple[ImageInfo, ...]
    """One per usable sample."""
    digests: tuple[bytes, ...]
    """Content hash of each usable sample's pixels."""
    failures: tuple[tuple[str, str], ...]
    """(id, or position where no id is known; what was wrong) of the others."""
    slices: tuple[Mapping[str, tuple[str, ...]], ...]
    """The slices of each usable sample, by slicing."""
    targets: tuple[bytes, ...] = ()
    """Content hash of each usable sample's target; empty if no task read it."""
    sizes: tuple[tuple[int, int], ...] = ()
    """(H, W) of each usable sample."""
    levels: tuple[float, ...] = ()
    """Brightness of each usable sample: `Sample.level`."""
    intake: Intake = field(default_factory=Intake)
    """State of the images and targets on arrival."""
    groups: tuple[str, ...] = ()
    """The group that each usable sample belongs to; empty if images stand alone. In random order groups are whole."""
    near_equal: int = 0
    """Number of usable samples that are nearly equal to the next one in the order of the data, and in another group."""
    classes_seen: int = 0
    """Number of usable samples, in their order, until each class that occurs was seen in at least five of them, or in
    all that have it."""
    metadata: tuple[MetadataSummary, ...] = ()
    """ICC profile and EXIF of each usable sample's file; empty if nobody asked."""

    def content(self, at: int) -> tuple[str | bytes, ...]:
        """Return the id and the hashes of pixels and target of the usable sample at this position."""
        return self.infos[at].id, self.digests[at], self.targets[at]

    def sources_of(self, ids: Sequence[str]) -> Evidence:
        """Return the hashes of pixels and target of the images with these ids, in this order, in the form of evidence.

        Another run pairs its images with them: see `SOURCE_HASHES`.
        """
        where = {info.id: at for at, info in enumerate(self.infos)}
        hashes = [(self.digests[where[name]], self.targets[where[name]]) for name in ids]
        items = (
            {name: np.frombuffer(part, dtype=np.uint8) for name, part in zip(SOURCE_HASHES, parts, strict=True)}
            for parts in hashes
        )
        return Evidence(tuple(ids), tuple(items))

    @property
    def slices_by_id(self) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
        """The slices of each usable sample, by its id and by slicing."""
        return {info.id: slices for info, slices in zip(self.infos, self.slices, strict=True)}

    @property
    def images(self) -> int:
        return len(self.usable) + len(self.failures)

    def groups_of(self, ids: Sequence[str]) -> Groups | None:
        """Return the groups of the images with these ids, in this order; None if each stands alone."""
        if not self.groups:
            return None
        names = self.groups_by_id
        return Groups.of([names[image] for image in ids])

    @property
    def groups_by_id(self) -> Mapping[str, str]:
        """The group of each usable sample by its id; empty if images stand alone."""
        return {info.id: group for info, group in zip(self.infos, self.groups, strict=False)}

    @property
    def group_starts(self) -> Sequence[int]:
        """Number of usable samples before each group, and before the end: groups are whole in random order."""
        if not self.groups:
            return range(len(self.usable) + 1)
        pairs = zip(self.groups, (None, *self.groups), strict=False)
        return [at for at, (group, before) in enumerate(pairs) if group != before] + [len(self.groups)]

    @property
    def grouped(self) -> Groups | None:
        """The groups of all usable samples; None if each stands alone."""
        return Groups.of(self.groups) if self.groups else None

    def failed_ids(self, lost: Mapping[int, str]) -> tuple[str, ...]:
        """Return the names of images that could not be read, then of those that were lost in coding, by position."""
        return tuple([name for name, _ in self.failures] + [self.infos[at].id for at in sorted(lost)])

    def check_failures(self, lost: Mapping[int, str], allowed: float) -> None:
        """Raise `CodecError`, or `DataError` if none was lost in coding, if more than the allowed share failed."""
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

    If the targets fit images as they are stored, images that were turned upright are read once more. On the data set's
    own thread, a few samples are finally read a second time and compared.

    Raises `DataError` if two samples have one id, none can be read, one has changed when it is read again, the data set
    changes its length, all are in one group, or the orientation of images that EXIF turns is unknown; and for boxes or
    levels that cannot be meant: see `Intake`.
    """
    if not len(samples):
        raise DataError("the data set has no images; expected at least one")
    surveyed, arrivals = _surveyed(samples, classes)
    if samples.settle(arrivals):
        surveyed, arrivals = _surveyed(samples, classes)
    _check_groups(surveyed)
    intake = Intake.of(arrivals)
    if not aside():
        read_again(samples, surveyed.usable)
    return replace(surveyed, intake=intake)


def _surveyed(
    samples: Samples, classes: Callable[[Any], frozenset[int]] | None
) -> tuple[Survey, Mapping[str, Arrival]]:
    """Make one pass over the samples; return the survey and the arrival of each usable sample, by its id."""
    rows: list[Row] = []
    failures: list[tuple[str, str]] = []
    failed: list[int] = []
    seen: dict[str, int] = {}
    arrivals: dict[str, Arrival] = {}
    watch = interrupts.current()
    missing: dict[int, bool] = {}
    for index in range(len(samples)):
        watch.check()
        try:
            sample = samples[index]
        except BrokenDataError:
            raise
        except DataError as problem:
            missing[samples.position(index)] = isinstance(problem, EndError)
            failures.append((samples.name(index), str(problem)))
            failed.append(index)
            continue
        if sample.id in seen:
            raise DataError(
                f"samples {samples.position(seen[sample.id])} and {samples.position(index)} both have the id "
                f"{sample.id!r}; expected ids that tell images apart"
            )
        seen[sample.id] = index
        arrivals[sample.id] = sample.arrival
        rows.append(Row.of(sample, index, samples.position(index), classes))
    if not rows:
        raise DataError(f"none of the {len(samples)} samples can be used; the first: {failures[0][1]}")
    samples.check_length(_end(missing, max(row.position for row in rows)))
    if samples.shuffled and rows[0].group is not None:
        rows = together(rows, samples.seed)
        samples.arrange([*(row.index for row in rows), *failed])
        rows = [replace(row, index=index) for index, row in enumerate(rows)]
    return _survey_of(rows, failures), arrivals


def _survey_of(rows: Sequence[Row], failures: Sequence[tuple[str, str]]) -> Survey:
    """Return the survey of these samples, in their order."""
    places: dict[int, list[int]] = {}
    for count, row in enumerate(rows, start=1):
        for label in row.classes:
            places.setdefault(label, []).append(count)
    ordered = sorted(rows, key=lambda row: row.position)
    return Survey(
        tuple(row.index for row in rows),
        tuple(row.info for row in rows),
        tuple(row.digest for row in rows),
        tuple(failures),
        tuple(row.slices for row in rows),
        tuple(row.target for row in rows),
        tuple(row.size for row in rows),
        tuple(row.level for row in rows),
        groups=tuple(row.group for row in rows if row.group is not None),
        near_equal=near_equal([row.look for row in ordered], [row.group for row in ordered if row.group is not None]),
        classes_seen=max((counts[:FEW][-1] for counts in places.values()), default=0),
        metadata=tuple(row.metadata for row in rows),
    )


def _check_groups(surveyed: Survey) -> None:
    """Refuse a single group of several images, which says nothing about others."""
    if len(surveyed.usable) > 1 and len(set(surveyed.groups)) == 1:
        raise DataError(
            f"groups: all {len(surveyed.usable)} images belong to one group, {surveyed.groups[0]}, and say nothing "
            "about images of others; expected at least two groups; name what tells them apart"
        )


def _end(failed: Mapping[int, bool], last: int) -> int | None:
    """Return the position at which a data set ends early, else None; `last` is the last usable position.

    `failed` maps each position that could not be read to True if there is no sample at it.
    """
    behind = {position: absent for position, absent in failed.items() if position > last}
    return min(behind) if behind and all(behind.values()) else None
