"""Survey of the images of a guard: which are usable, and the facts that later steps need of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar, final

import numpy as np

from compress_guard.codecs.pictures.metadata import MetadataSummary
from compress_guard.engine.images.intake import Intake
from compress_guard.errors import CodecError, DataError
from compress_guard.records import SOURCE_HASHES, Evidence, ImageInfo
from compress_guard.verdict.grouped.groups import Groups

T = TypeVar("T")


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
    opened: tuple[str, ...] = ()
    """File that Pillow opened each usable sample from, as far as the data gave it so; empty if none."""

    def only(self, kept: Sequence[int]) -> Survey:
        """Return the survey of the usable samples at these positions among them, in ascending order."""

        def chosen(each: tuple[T, ...]) -> tuple[T, ...]:
            return tuple(each[at] for at in kept) if each else ()

        return replace(
            self,
            usable=chosen(self.usable),
            infos=chosen(self.infos),
            digests=chosen(self.digests),
            slices=chosen(self.slices),
            targets=chosen(self.targets),
            sizes=chosen(self.sizes),
            levels=chosen(self.levels),
            groups=chosen(self.groups),
            metadata=chosen(self.metadata),
            opened=chosen(self.opened),
        )

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
