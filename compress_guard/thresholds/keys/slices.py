"""The key `slices` of a guard: how its images are parted, and the drops that the parts are allowed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from compress_guard.records import OperatingPoint, SliceLimit, Slicing
from compress_guard.registry import unknown
from compress_guard.thresholds.catalogue import DEFAULT
from compress_guard.thresholds.keys.curve import Curve, is_quality, missing, places_of, read_curve
from compress_guard.thresholds.keys.names import check_name, read_factory
from compress_guard.thresholds.keys.shares import doubts_of
from compress_guard.thresholds.value import Entry, Value

KEYS: Final = ("by", "max_drop")
OBJECT_SIZE: Final = "object_size"
"""The ready-made slicing of detections."""
SIZES: Final[Mapping[str, str]] = {"small": "map_small", "medium": "map_medium", "large": "map_large"}
"""The slices of `OBJECT_SIZE`, COCO's areas, each with the metric that scores it over all images."""


@dataclass(frozen=True, slots=True)
class SliceRule:
    """One slicing of a guard with its limits."""

    slicing: Slicing
    limits: Mapping[str | None, Curve]
    """By slice; None: every slice that is not named. Empty where the slices only inform."""
    key: Value

    def at(self, point: OperatingPoint, source: str) -> tuple[SliceLimit, ...]:
        """Return the limits at a point, given at `source`; raises `ThresholdsError` where a limit has none."""
        return tuple(self._limit(value, curve, point, source) for value, curve in self.limits.items())

    def doubts(self, point: OperatingPoint) -> Iterator[str]:
        """Yield a message for each limit that looks like a share."""
        for value, curve in self.limits.items():
            name = f"max_drop of slice {self.slicing.name}" + ("" if value is None else f"={value}")
            yield from doubts_of("max_drop", curve, point, name)

    def places(self, point: OperatingPoint) -> Iterator[tuple[str, str]]:
        """Yield the key and the place of each limit at a point: ``("slice weather=night", "thresholds.yaml:14")``."""
        for value, curve in self.limits.items():
            yield from places_of(f"slice {self.slicing.name}{'' if value is None else f'={value}'}", curve, point)

    def _limit(self, value: str | None, curve: Curve, point: OperatingPoint, source: str) -> SliceLimit:
        max_drop = curve.holding(point)
        if max_drop is None:
            remedy = missing("max_drop", point)
            if value is None and curve.rates:
                remedy += "; names of slices that are numbers stand in quotes"
            raise self.key.error(curve.beyond(point, source), remedy)
        return SliceLimit(self.slicing.name, value, max_drop)


def read(section: Entry, metrics: Collection[str], *, qualities: bool = False) -> tuple[SliceRule, ...]:
    """Read all slicings of a guard whose task has these metrics, in the file's order.

    `qualities`: the guard has cells at qualities, so that the key ``q75`` of limits is one and no name of a slice.
    """
    value = section.value
    guard, inside = value.context, value.inside(f"{value.context}: slices")
    table = inside.table()
    if not table:
        raise section.key.error("slices is an empty map", "name at least one way to part the images, or leave it out")
    rules = []
    for name, entry in table.items():
        check_name(entry.key, "slice", "results")
        where = f"{guard}: slices: {name}"
        within = Entry(entry.key.inside(where), entry.value.inside(where))
        rules.append(_read_rule(name, within, metrics, qualities=qualities))
    return tuple(rules)


def _read_rule(name: str, entry: Entry, metrics: Collection[str], *, qualities: bool) -> SliceRule:
    if not entry.value.is_map:
        return SliceRule(Slicing(name, _read_by(entry.value, metrics)), {}, entry.key)
    table = entry.value.table(KEYS)
    if "by" not in table:
        raise entry.key.error("by is missing", "add by: a factory or a field of the target")
    by = _read_by(table["by"].value, metrics)
    limits = _read_limits(table["max_drop"].value, by, qualities=qualities) if "max_drop" in table else {}
    return SliceRule(Slicing(name, by), limits, table["max_drop"].key if limits else entry.key)


def _read_by(value: Value, metrics: Collection[str]) -> str:
    """Read a factory, a ready-made slicing or a field of the target."""
    text = value.text("by")
    if ":" in text:
        return read_factory(value, "by", fixtures=False)
    if not text:
        raise value.error("by is an empty text", "name a factory or a field of the target")
    if text == OBJECT_SIZE and not set(SIZES.values()) <= set(metrics):
        found = f"{OBJECT_SIZE} needs a task with the metrics {', '.join(SIZES.values())}, this one has "
        raise value.error(found + ", ".join(metrics), "use it in guards of detection, or go by something else")
    return text


def _read_limits(value: Value, by: str, *, qualities: bool) -> Mapping[str | None, Curve]:
    """Read one limit for all slices, or limits by slice; names of slices are texts, which tells them from rates."""
    what = "max_drop of slices"
    entries = value.entries() if value.is_map else []

    def names_point(entry: Entry) -> bool:
        return qualities and is_quality(entry.key) and not entry.value.is_map

    if all(names_point(entry) or not isinstance(entry.key.scalar, str) for entry in entries):
        return {None: read_curve(value, what)}
    limits: dict[str | None, Curve] = {}
    for entry in entries:
        name = entry.key.scalar
        if not isinstance(name, str):
            found = f"{what} mixes names of slices with {entry.key.described}"
            raise entry.key.error(found, "give rates below each slice, or no slices; names of slices stand in quotes")
        if by == OBJECT_SIZE and name not in (*SIZES, DEFAULT):
            raise entry.key.error(unknown("object size", name, (*SIZES, DEFAULT)), "use one of these")
        limits[None if name == DEFAULT else name] = read_curve(entry.value, f"max_drop of slice {name}")
    return limits
