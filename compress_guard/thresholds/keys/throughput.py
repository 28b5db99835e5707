"""The key `throughput`: which codecs are timed, on how many images, and how fast they have to be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, NoReturn, get_args

from compress_guard.records import (
    CodecSpec,
    Guard,
    OperatingPoint,
    SpeedLimits,
    Thresholds,
    Throughput,
    ThroughputCell,
    Work,
)
from compress_guard.thresholds.catalogue import Catalogue
from compress_guard.thresholds.keys.per_codec import PerCodec
from compress_guard.thresholds.keys.points import AskedPoints, read_quality
from compress_guard.thresholds.keys.rates import check_room, read_bpp, read_codecs
from compress_guard.thresholds.value import Entry, Span, Value

KEYS: Final = ("reference", "codecs", "bpp", "quality", "images", "rounds", "min_ratio", "min_speed", "max_growth")
WORKS: Final[tuple[Work, ...]] = get_args(Work)
REFERENCE: Final = "jpeg"
RATIOS: Final = Span(0, 1000, open_low=True)
SPEEDS: Final = Span(0, 1e6, open_low=True)
"""Megapixels per second."""
GROWTHS: Final = Span(1, 1e6)
"""Megabytes; below one it is the allocator that moves."""
IMAGES: Final = range(1, 10_001)
ROUNDS: Final = range(3, 10_001)
"""The median of fewer rounds has no useful interval."""


@dataclass(frozen=True, slots=True)
class Minimum:
    """The speed that codecs must reach at one kind of work."""

    what: str
    """``min_ratio of encode``."""
    at: PerCodec[float]
    value: Value

    def check(self, held: tuple[str, ...], reference: str) -> None:
        """Refuse a limit that none of the codecs is held to."""
        for alias in self.at.named:
            if alias not in held:
                remedy = f"the codecs held to it are {', '.join(held)}" if held else "no codec is held to it"
                self._refuse(alias, "which is not timed here", f"{remedy}; correct or remove it")
        if not any(self.at.at(alias) is not None for alias in held):
            found = f"{self.what} applies to no codec, since only {reference}, the reference, is timed"
            raise self.value.error(found, "time another codec too, or leave it out")

    def check_reference(self, reference: str) -> None:
        """Refuse the ratio of the reference to itself."""
        if reference in self.at.named:
            self._refuse(reference, "which is the reference itself", "remove it, or limit it by min_speed")

    def _refuse(self, alias: str, why: str, remedy: str) -> NoReturn:
        key = next(entry.key for entry in self.value.entries() if entry.key.scalar == alias)
        raise key.error(f"{self.what} names {alias}, {why}", remedy)


Minimums = Mapping[Work, Minimum]


@dataclass(frozen=True, slots=True)
class Asked:
    """The key `throughput` as the file has it; `codecs` and `points` are None where they are the guard's."""

    reference: CodecSpec
    value: Value
    codecs: tuple[CodecSpec, ...] | None = None
    points: AskedPoints | None = None
    images: int = 8
    rounds: int = 10
    min_ratio: Minimums = field(default_factory=dict)
    min_speed: Minimums = field(default_factory=dict)
    device: str | None = None
    max_growth: float | None = None

    @classmethod
    def read(cls, value: Value, what: str, catalogue: Catalogue) -> Asked | None:
        """Read the key; return None for an empty value or null."""
        if value.empty:
            return None
        within = value.inside(f"{value.context}: {what}")
        asked = cls(catalogue.named(REFERENCE), within)
        for name, entry in within.table(KEYS).items():
            asked = asked._with(name, entry, catalogue)
        for minimum in asked.min_ratio.values():
            minimum.check_reference(asked.reference.alias)
        if asked.codecs is not None:
            asked.check_limits(asked.codecs)
        return asked

    def _with(self, name: str, entry: Entry, catalogue: Catalogue) -> Asked:
        value = entry.value
        match name:
            case "reference":
                return replace(self, reference=catalogue.spec(value))
            case "codecs":
                return replace(self, codecs=read_codecs(value, name, catalogue))
            case "bpp":
                return self._asking(rates=read_bpp(value, name, catalogue))
            case "quality":
                return self._asking(quality=read_quality(value, name, catalogue))
            case "images":
                return replace(self, images=_whole(value, name, IMAGES))
            case "rounds":
                return replace(self, rounds=_whole(value, name, ROUNDS))
            case "min_ratio":
                return replace(self, min_ratio=_minimums(name, _works(entry, name), RATIOS, catalogue))
            case "min_speed":
                works = _works(entry, name, "device")
                device = _device(entry, works)
                return replace(self, min_speed=_minimums(name, works, SPEEDS, catalogue), device=device)
        return replace(self, max_growth=value.number(name, GROWTHS))

    def _asking(self, **given: Any) -> Asked:
        return replace(self, points=replace(self.points or AskedPoints(None, None), **given))

    def check_limits(self, codecs: Iterable[CodecSpec]) -> None:
        """Refuse limits that none of these codecs, those timed, is held to."""
        timed = tuple(spec.alias for spec in codecs)
        compared = tuple(alias for alias in timed if alias != self.reference.alias)
        for limits, held in ((self.min_ratio, compared), (self.min_speed, timed)):
            for minimum in limits.values():
                minimum.check(held, self.reference.alias)

    def of(self, guard: str, codecs: tuple[CodecSpec, ...], points: AskedPoints) -> Throughput:
        """Return the cells of a guard; its codecs and points hold where the key has none of its own."""
        cells: list[ThroughputCell] = []
        chosen, within = self.points or points, self.value.inside(f"{guard}: throughput")
        timed = codecs if self.codecs is None else self.codecs
        check_room(within, "it", chosen.count(timed) * len(WORKS))
        for spec in timed:
            cells += (self._cell(guard, spec, point, work) for point, _ in chosen.of(spec, within) for work in WORKS)
        return Throughput(self.reference, self.images, self.rounds, self.device, self.max_growth, tuple(cells))

    def _cell(self, guard: str, spec: CodecSpec, point: OperatingPoint, work: Work) -> ThroughputCell:
        ratios, speeds = self.min_ratio.get(work), self.min_speed.get(work)
        compared = spec.alias != self.reference.alias
        min_ratio = ratios.at.at(spec.alias) if ratios and compared else None
        min_speed = speeds.at.at(spec.alias) if speeds else None
        # A failure points to its limit.
        if ratios and min_ratio is not None:
            line = ratios.value.line
        else:
            line = speeds.value.line if speeds and min_speed is not None else self.value.line
        return ThroughputCell(guard, spec, point, work, SpeedLimits(min_ratio, min_speed), line)


def benchmarked(thresholds: Thresholds) -> Thresholds:
    """Return the guards for a run that times codecs: where none asks for throughput, each data set is timed once.

    The first guard of each data set then has all its codecs and points timed, without limits.
    """
    if any(guard.throughput is not None for guard in thresholds.guards):
        return thresholds
    first = {guard.data: guard.name for guard in reversed(thresholds.guards)}
    guards = (
        replace(guard, throughput=_unlimited(guard)) if first[guard.data] == guard.name else guard
        for guard in thresholds.guards
    )
    return replace(thresholds, guards=tuple(guards))


def _unlimited(guard: Guard) -> Throughput:
    named = (spec for spec in guard.codecs if spec.alias == REFERENCE)
    cells = (
        ThroughputCell(guard.name, cell.codec, cell.point, work, SpeedLimits(), cell.line)
        for cell in guard.cells
        for work in WORKS
    )
    return Throughput(next(named, CodecSpec(REFERENCE, REFERENCE)), cells=tuple(cells))


def _works(entry: Entry, what: str, *others: str) -> dict[str, Entry]:
    """Read a map from kinds of work, at least one."""
    listed = ", ".join((*others, *WORKS))
    if not entry.value.is_map:
        found = f"{what} must be a map of {listed}, found {entry.value.described}"
        raise entry.value.error(found, f"write {what}: {{{others[0] + ': NAME, ' if others else ''}round_trip: ...}}")
    table = entry.value.table((*others, *WORKS))
    if not any(work in table for work in WORKS):
        raise entry.key.error(f"{what} limits nothing", f"add one of {', '.join(WORKS)}, or leave it out")
    return table


def _device(entry: Entry, table: Mapping[str, Entry]) -> str:
    if "device" not in table:
        raise entry.key.error(
            "min_speed has no device, and megapixels per second mean nothing on another machine",
            "add device: with the name that results print, or use min_ratio, which holds everywhere",
        )
    value = table["device"].value
    name = value.text("device")
    if not name.strip():
        raise value.error("device is an empty text", "write the name that results print, such as NVIDIA H200")
    return name


def _minimums(key: str, table: Mapping[str, Entry], span: Span, catalogue: Catalogue) -> Minimums:
    minimums: dict[Work, Minimum] = {}
    for work in WORKS:
        if work in table:
            value, what = table[work].value, f"{key} of {work}"
            at = PerCodec.read(value, what, catalogue, lambda limit, name: limit.number(name, span))
            minimums[work] = Minimum(what, at, value)
    return minimums


def _whole(value: Value, what: str, allowed: range) -> int:
    scalar = value.scalar
    if isinstance(scalar, bool) or not isinstance(scalar, int) or scalar not in allowed:
        found = f"{what} must be a whole number from {allowed[0]} to {allowed[-1]}, found {value.described}"
        raise value.error(found, "write such a number")
    return scalar
