"""The key `recovery`: what a guard's model is finetuned on, and how much of the drop that has to bring back."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from compress_guard.records import (
    MIXED,
    CodecSpec,
    Quality,
    Rate,
    Recovery,
    RecoveryCell,
    TrainedPoint,
    TrainedRate,
    format_setting,
)
from compress_guard.registry import DATA, setting_faults
from compress_guard.thresholds.catalogue import DEFAULT, Catalogue
from compress_guard.thresholds.keys.curve import RATES
from compress_guard.thresholds.keys.names import read_factory
from compress_guard.thresholds.keys.per_codec import PerCodec
from compress_guard.thresholds.keys.points import AskedPoints, distinct_settings
from compress_guard.thresholds.keys.rates import MOST_CELLS, check_room, distinct, read_codecs
from compress_guard.thresholds.value import Span, Value

STEPS: Final = range(1, 1_000_001)
BATCH: Final = range(1, 4097)
IMAGES: Final = range(1, 1_000_001)
SEEDS: Final = range(2**32)
"""Seeds that numpy and torch both take."""
LEARNING_RATES: Final = Span(1e-8, 10)
SHARES: Final = Span(0, 1)
_PLAN: Final = Recovery("")
"""The settings where the file has none."""


@dataclass(frozen=True, slots=True)
class Floor:
    """The smallest share of the drop that has to come back."""

    at: PerCodec[float]
    value: Value

    def check(self, studied: tuple[CodecSpec, ...]) -> None:
        """Refuse a limit of a codec that is not studied."""
        aliases = tuple(spec.alias for spec in studied)
        known = {DEFAULT, *aliases}
        for entry in self.value.entries() if self.value.is_map else ():
            if entry.key.scalar not in known:
                found = f"min_recovered names {entry.key.scalar}, which is not studied here"
                raise entry.key.error(found, f"the codecs studied are {', '.join(aliases)}; correct or remove it")


@dataclass(frozen=True, slots=True)
class StudiedGuard:
    """The guard of a study, whose settings hold where the key `recovery` has none of its own."""

    name: str
    data: str
    codecs: tuple[CodecSpec, ...]
    points: AskedPoints
    limit: PerCodec[int | None]


@dataclass(frozen=True, slots=True)
class Finetuning:
    """The key `recovery` as the file has it; `codecs`, `bpp` and `quality` are None where they are the guard's."""

    value: Value
    stated: Collection[str] = ()
    """The keys that `value` itself has; the others come from the defaults."""
    train: Value | None = None
    """A factory."""
    trainer: str | None = None
    codecs: tuple[CodecSpec, ...] | None = None
    bpp: PerCodec[tuple[TrainedRate, ...]] | None = None
    quality: PerCodec[tuple[TrainedRate, ...]] | None = None
    """With one of both, the guard's own points do not count."""
    steps: int = _PLAN.steps
    batch: int = _PLAN.batch
    images: int = _PLAN.images
    seeds: tuple[int, ...] = _PLAN.seeds
    learning_rate: float | None = None
    min_recovered: Floor | None = None

    @classmethod
    def read(cls, value: Value, what: str, catalogue: Catalogue, above: Finetuning | None) -> Finetuning | None:
        """Read the key `what`; its keys replace those of `above`. Return None for an empty value or null."""
        if value.empty:
            return None
        within = value.inside(f"{value.context}: {what}")
        table = within.table(READERS)
        base = above or cls(within)
        given = {name: READERS[name](entry.value, name, catalogue) for name, entry in table.items()}
        asked = replace(base, value=within, stated=frozenset(table), **given)
        if "min_recovered" in table and "codecs" in table:
            asked.check_floor(asked.codecs or ())
        return asked

    def check_floor(self, codecs: tuple[CodecSpec, ...]) -> None:
        """Refuse limits of codecs that are not among these, the studied ones."""
        if self.min_recovered is not None:
            self.min_recovered.check(codecs)

    def of(self, guard: StudiedGuard, *, own: bool) -> Recovery | None:
        """Return the study of a guard.

        `own`: the guard has the key itself. Without it, defaults that name no training data ask for nothing.
        """
        where = self.value.inside(f"{guard.name}: recovery")
        if self.train is None:
            if own:
                raise where.error("train is missing", "add train: with a factory of training data, or recovery: null")
            return None
        train = self.train.text("train")
        if train == guard.data:
            at = self.train.inside(where.context)
            raise at.error(
                f"train is {train}, the guard's own data, and a model is not tested on what it was trained on",
                "give it images that the guard does not evaluate",
            )
        studied = self.codecs or guard.codecs
        if own and "min_recovered" in self.stated:
            self.check_floor(studied)
        made = (
            replace(cell, limit=guard.limit.at(spec.alias))
            for spec in studied
            for cell in self._cells(guard, spec, where)
        )
        cells = tuple(itertools.islice(made, MOST_CELLS + 1))
        check_room(where, "it", len(cells))
        how = (self.steps, self.batch, self.images, self.seeds, self.learning_rate)
        return Recovery(train, self.trainer, *how, cells)

    def _cells(self, guard: StudiedGuard, spec: CodecSpec, where: Value) -> Iterator[RecoveryCell]:
        if spec.fixed:
            found = f"the codec {spec.alias!r} leaves no quality open, so that it has no rates to train at"
            raise where.error(found, "list the codecs to train at under codecs: there, without it")
        floor = self.min_recovered
        share = floor.at.at(spec.alias) if floor else None
        # A failure points to its limit.
        line = floor.value.line if floor and share is not None else where.line
        for point in self._points(guard, spec, where):
            yield RecoveryCell(guard.name, spec, point, share, line)

    def _points(self, guard: StudiedGuard, spec: CodecSpec, where: Value) -> list[TrainedPoint]:
        """Return the points that models are finetuned at: rates, qualities, then all of them by turns if asked for."""
        if self.bpp is None and self.quality is None:
            return [asked.point for asked in guard.points.of(spec, where)]
        rates = self.bpp.at(spec.alias) if self.bpp else None
        settings = self.quality.at(spec.alias) if self.quality else None
        if not rates and not settings:
            key, what, table = ("bpp", "rates", self.bpp) if self.bpp else ("quality", "settings", self.quality)
            found = f"the {key} of line {table.line if table else 0} has no {what} for the codec {spec.alias!r}"
            raise where.error(found, f"add {spec.alias} or default to it")
        given = [setting for setting in settings or () if not isinstance(setting, str)]
        for setting, taken in zip(given, setting_faults(spec, given), strict=True):
            if taken is not None:
                found = f"{format_setting(setting)} is no quality of {spec.alias}, which takes {taken}"
                raise where.error(found, "use one of these")
        points: list[TrainedPoint] = [Rate(rate) for rate in rates or () if not isinstance(rate, str)]
        points += map(Quality, given)
        return [*points, MIXED] if MIXED in (*(rates or ()), *(settings or ())) else points


def _train(value: Value, what: str, catalogue: Catalogue) -> Value:
    del catalogue
    read_factory(value, what, fixtures=True, names=DATA)
    return value


def _trainer(value: Value, what: str, catalogue: Catalogue) -> str | None:
    del catalogue
    return None if value.empty else read_factory(value, what, fixtures=False)


def _bpp(value: Value, what: str, catalogue: Catalogue) -> PerCodec[tuple[TrainedRate, ...]] | None:
    return None if value.empty else PerCodec.read(value, what, catalogue, partial(_trained, _RATES))


def _quality(value: Value, what: str, catalogue: Catalogue) -> PerCodec[tuple[TrainedRate, ...]] | None:
    return None if value.empty else PerCodec.read(value, what, catalogue, partial(_trained, _SETTINGS))


@dataclass(frozen=True, slots=True)
class _Trained:
    """Numbers beside which `MIXED` may stand, and the words of messages about them."""

    word: str
    expected: str
    example: str
    unit: str
    read: Callable[[list[Value], str], tuple[float, ...]]


_RATES: Final = _Trained("rate", f"a number from {RATES}", "[0.1, 0.25, mixed]", " bpp", distinct)
_SETTINGS: Final = _Trained("setting", "a number", "[75, 50, mixed]", "", distinct_settings)


def _trained(kind: _Trained, value: Value, what: str) -> tuple[TrainedRate, ...]:
    """Read numbers; return them in ascending order, then `MIXED` if it is among them."""
    elements = [value] if value.scalar == MIXED else value.elements(what)
    mixed = [element for element in elements if element.scalar == MIXED]
    for element in elements:
        if isinstance(element.scalar, str) and element.scalar != MIXED:
            found = f"a {kind.word} of {what} must be a number or {MIXED}, found {element.described}"
            raise element.error(found, f"write {kind.expected} without quotes, or {MIXED}")
    numbers = kind.read([element for element in elements if element.scalar != MIXED], what)
    if len(mixed) > 1:
        raise mixed[1].error(f"{MIXED} is given twice in {what}", "keep one of them")
    if not mixed:
        return numbers
    if not numbers:
        found = f"{MIXED} is the only entry of {what}, and is a model over the {kind.word}s beside it"
        raise mixed[0].error(found, f"list the {kind.word}s that it mixes, e.g. {kind.example}")
    if len(numbers) == 1:
        found = (
            f"{MIXED} has a single {kind.word} beside it in {what}, and would be the model of {numbers[0]}{kind.unit}"
        )
        raise mixed[0].error(found, f"list another {kind.word}, or leave {MIXED} out")
    return *numbers, MIXED


def _whole(allowed: range) -> Callable[[Value, str, Catalogue], int]:
    return lambda value, what, _: value.whole(what, allowed)


def _seeds(value: Value, what: str, catalogue: Catalogue) -> tuple[int, ...]:
    del catalogue
    if not value.is_list:
        return (value.whole(what, SEEDS),)
    seeds: dict[int, None] = {}
    for element in value.elements(what):
        seed = element.whole("a seed", SEEDS)
        if seed in seeds:
            raise element.error(f"the seed {seed} is given twice", "keep one of them")
        seeds[seed] = None
    return tuple(seeds)


def _learning_rate(value: Value, what: str, catalogue: Catalogue) -> float | None:
    del catalogue
    return None if value.empty else value.number(what, LEARNING_RATES)


def _floor(value: Value, what: str, catalogue: Catalogue) -> Floor | None:
    if value.empty:
        return None
    return Floor(PerCodec.read(value, what, catalogue, lambda share, name: share.number(name, SHARES)), value)


READERS: Final[Mapping[str, Callable[[Value, str, Catalogue], Any]]] = {
    "train": _train,
    "trainer": _trainer,
    "codecs": read_codecs,
    "bpp": _bpp,
    "quality": _quality,
    "steps": _whole(STEPS),
    "batch": _whole(BATCH),
    "images": _whole(IMAGES),
    "seeds": _seeds,
    "learning_rate": _learning_rate,
    "min_recovered": _floor,
}
