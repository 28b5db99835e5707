"""Rows of a survey: the facts about its samples, and an order in which groups of them are whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from compress_guard.codecs.pictures.metadata import MetadataSummary
from compress_guard.engine.images.sample import Sample
from compress_guard.engine.images.together.neighbours import difference_hash
from compress_guard.records import ImageInfo, seeded_fraction


@dataclass(frozen=True, slots=True)
class Row:
    """The facts about one usable sample."""

    index: int
    position: int
    info: ImageInfo
    size: tuple[int, int]
    level: float
    digest: bytes
    target: bytes
    slices: Mapping[str, tuple[str, ...]]
    group: str | None
    look: int | None
    """Hash of what it shows: see `difference_hash`."""
    classes: frozenset[int]
    metadata: MetadataSummary
    opened: str

    @classmethod
    def of(cls, sample: Sample, index: int, position: int, classes: Callable[[Any], frozenset[int]] | None) -> Row:
        height, width = sample.size
        return cls(
            index,
            position,
            ImageInfo(sample.id, height * width),
            sample.size,
            sample.level,
            sample.digest,
            b"" if classes is None else sample.target_digest,
            sample.slices,
            sample.group,
            difference_hash(sample.image),
            frozenset() if classes is None else classes(sample.target),
            sample.metadata.summary,
            sample.opened,
        )


def together(rows: Sequence[Row], seed: int) -> list[Row]:
    """Return samples that are in random order with whole groups in random order, each at the place of its first image.

    The first image is that of the data's order, so that large groups come no earlier than small ones; if every group
    has one image, nothing changes.
    """
    first: dict[str | None, int] = {}
    for row in sorted(rows, key=lambda row: row.position):
        first.setdefault(row.group, row.position)
    # Sorting keeps the random order of the images of a group.
    return sorted(rows, key=lambda row: seeded_fraction(seed, f"position {first[row.group]}"))
