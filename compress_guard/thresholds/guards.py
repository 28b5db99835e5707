"""The section `guards`: each guard with its cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from compress_guard.records import Cell, Fixed, Guard, OperatingPoint, Recovery, Throughput
from compress_guard.registry import DATA, MODELS, TASKS, unknown
from compress_guard.thresholds import settings
from compress_guard.thresholds.catalogue import Catalogue
from compress_guard.thresholds.keys import slices
from compress_guard.thresholds.keys.curve import Curve, line_of, missing, places_of, read_drops
from compress_guard.thresholds.keys.decoders import LIMIT, check_limits_used, check_reads, with_decoders
from compress_guard.thresholds.keys.fingerprint import read_fingerprint
from compress_guard.thresholds.keys.names import check_name, read_factory
from compress_guard.thresholds.keys.per_codec import PerCodec, check_codecs_used
from compress_guard.thresholds.keys.rates import check_room
from compress_guard.thresholds.keys.recovery import StudiedGuard
from compress_guard.thresholds.keys.shares import doubts_of
from compress_guard.thresholds.keys.slices import SliceRule
from compress_guard.thresholds.keys.traffic import with_traffic
from compress_guard.thresholds.keywords import LIMITS
from compress_guard.thresholds.settings import Settings
from compress_guard.thresholds.value import Entry, Value

REGRESSION: Final = "max_regression"
_POINTS: Final = ("bpp", "quality")
KEYS: Final = ("task", "model", "data", "metric", "max_drop", "min_score", "slices", "traffic", "fingerprint")


def read(
    section: Entry, catalogue: Catalogue, defaults: Settings, drops: Mapping[str, PerCodec[Curve]]
) -> tuple[Guard, ...]:
    """Read all guards in the file's order; `drops` are the tasks' own max_drop."""
    value = section.value.inside("guards")
    table = {} if value.empty else value.table()
    if not table:
        raise section.key.error("there are no guards", "add at least one guard")
    guards: list[Guard] = []
    cells = 0
    for name, entry in table.items():
        guard = _read_guard(name, entry, catalogue, defaults, drops)
        cells += _size(guard)
        check_room(entry.key, f"the file, up to guard {name},", cells)
        guards.append(guard)
    check_limits_used(defaults.max_decoder_drop, guards)
    return tuple(guards)


def _size(guard: Guard) -> int:
    """Count the cells of all kinds and the limits of slices."""
    others = (part.cells for part in (guard.throughput, guard.recovery) if part is not None)
    return sum(1 + len(cell.slice_limits) for cell in guard.cells) + sum(map(len, others))


def _read_guard(
    name: str, entry: Entry, catalogue: Catalogue, defaults: Settings, drops: Mapping[str, PerCodec[Curve]]
) -> Guard:
    check_name(entry.key, "guard", "node ids")
    key, value = entry.key.inside(name), entry.value.inside(name)
    table = value.table((*KEYS, *settings.KEYS))
    chosen = defaults.updated(table, catalogue)
    for needed in ("task", "model", "data"):
        if needed not in table:
            raise key.error(f"{needed} is missing", f"add {needed}")
    task = table["task"].value.text("task")
    if task not in TASKS:
        raise table["task"].value.error(unknown("task", task, TASKS), "use one of these")
    own = table.get("max_drop")
    allowed = read_drops(own.value, "max_drop", catalogue) if own else drops.get(task, PerCodec())
    floors = read_drops(table["min_score"].value, "min_score", catalogue) if "min_score" in table else PerCodec()
    metrics: tuple[str, ...] = table["task"].value.resolved(TASKS, task).metrics
    metric = _metric(table, task, metrics)
    model = read_factory(table["model"].value, "model", fixtures=True, names=MODELS)
    data = read_factory(table["data"].value, "data", fixtures=True, names=DATA)
    rules = slices.read(table["slices"], metrics, qualities=chosen.quality is not None) if "slices" in table else ()
    _check_names(table, chosen, catalogue)
    cells = _cells(own.key if own else key, chosen, allowed, floors, rules)
    _check_reach(table, rules, cells)
    _check_points(table, chosen, cells)
    recovery = _recovery(name, data, chosen, own="recovery" in table)
    if chosen.decoders is not None and recovery is not None:
        check_reads(key, chosen.decoders, (cell.codec for cell in recovery.cells))
    cells = with_decoders(key, cells, chosen.decoders, chosen.max_decoder_drop, own=LIMIT in table)
    if "traffic" in table:
        cells = with_traffic(table["traffic"], cells)
    return Guard(
        name=name,
        task=task,
        metric=metric,
        model=model,
        data=data,
        cells=cells,
        rate=chosen.rate,
        rate_tolerance=chosen.tolerance,
        confidence=chosen.confidence,
        correction=chosen.correction,
        slicings=tuple(rule.slicing for rule in rules),
        groups=chosen.groups,
        decoder_swap=chosen.decoder_swap,
        policy=chosen.policy,
        max_error_share=chosen.max_error_share,
        orientation=chosen.orientation,
        reference=chosen.reference,
        fingerprint=read_fingerprint(table["fingerprint"].value) if "fingerprint" in table else None,
        throughput=_throughput(name, chosen, own="throughput" in table),
        recovery=recovery,
        line=key.line,
    )


def _check_names(table: Mapping[str, Entry], chosen: Settings, catalogue: Catalogue) -> None:
    """Refuse codecs that the guard names for its own points and does not use: a slip must not cost a cell."""
    own = [spec.alias for spec in chosen.codecs]
    parts = {"throughput": chosen.throughput, "recovery": chosen.recovery}
    others: dict[str, list[str]] = {}
    for name, part in parts.items():
        if part is not None:
            others[name] = own if part.codecs is None else [spec.alias for spec in part.codecs]
    used = list(dict.fromkeys([*own, *(alias for aliases in others.values() for alias in aliases)]))
    for name in _POINTS:
        if name in table:
            check_codecs_used(table[name].value, name, catalogue, used)
    for part_name, aliases in others.items():
        value = table[part_name].value if part_name in table else None
        for entry in value.entries() if value is not None and value.is_map else ():
            if entry.key.scalar in _POINTS:
                within = entry.value.inside(f"{table[part_name].value.context}: {part_name}")
                check_codecs_used(within, str(entry.key.scalar), catalogue, aliases)


def _metric(table: Mapping[str, Entry], task: str, metrics: tuple[str, ...]) -> str:
    if "metric" not in table:
        return metrics[0]
    value = table["metric"].value
    metric = value.text("metric")
    if metric not in metrics:
        raise value.error(unknown(f"{task} metric", metric, metrics), "use one of these")
    return metric


def _cells(
    at: Value, chosen: Settings, allowed: PerCodec[Curve], floors: PerCodec[Curve], rules: tuple[SliceRule, ...]
) -> tuple[Cell, ...]:
    limits_of_slices = sum(len(rule.limits) for rule in rules)
    check_room(at, "the guard", chosen.points.count(chosen.codecs) * (1 + limits_of_slices))
    cells = []
    for spec in chosen.codecs:
        if spec.crops and chosen.reference != "input":
            found = f"the codec {spec.alias!r} crops, and the targets of what it leaves are not those of the source"
            raise at.error(found, "set reference: input, so that both sides are cropped, or remove the step crop")
        drop, floor = allowed.at(spec.alias), floors.at(spec.alias)
        fall = chosen.max_regression.at(spec.alias) if chosen.max_regression else None
        for point, source in chosen.points.of(spec, at):
            max_drop = _covered("max_drop", drop, at, point, source)
            min_score = floor.holding(point) if floor else None
            min_clean = chosen.min_clean.holding(point) if chosen.min_clean else None
            limit = chosen.limit.at(spec.alias)
            cell = Cell(at.context, spec, point, max_drop, min_score, limit, at.line, min_clean=min_clean)
            cell = replace(cell, max_regression=_covered("max_regression", fall, at, point, source))
            curves = (drop, floor, chosen.min_clean, fall)
            cell = replace(cell, limit_line=line_of(curves, point) or at.line)
            limited = tuple(zip(LIMITS, curves, strict=True))
            doubts = [doubt for name, curve in limited for doubt in doubts_of(name, curve, point)]
            if cell.judged:
                limits = tuple(one for rule in rules for one in rule.at(point, source))
                cell = replace(cell, slice_limits=limits)
                doubts += [doubt for rule in rules for doubt in rule.doubts(point)]
            places = [place for name, curve in limited for place in places_of(name, curve, point)]
            places += [place for rule in rules for place in rule.places(point)] if cell.judged else []
            cells.append(replace(cell, doubts=tuple(dict.fromkeys(doubts)), places=tuple(places)))
    return tuple(cells)


def _covered(what: str, curve: Curve | None, at: Value, point: OperatingPoint, source: str) -> float | None:
    """Return the limit at a point; raise `ThresholdsError` for a curve that does not cover it."""
    limit = curve.holding(point) if curve else None
    if curve and limit is None:
        raise at.error(curve.beyond(point, source, what), missing(what, point))
    return limit


def _throughput(guard: str, chosen: Settings, *, own: bool) -> Throughput | None:
    """Return the throughput cells; limits that are the guard's own have to apply to one of its codecs."""
    if chosen.throughput is None:
        return None
    if own:
        chosen.throughput.check_limits(chosen.throughput.codecs or chosen.codecs)
    return chosen.throughput.of(guard, chosen.codecs, chosen.points)


def _recovery(guard: str, data: str, chosen: Settings, *, own: bool) -> Recovery | None:
    """Return how the guard's model is finetuned, None where nothing asks for it."""
    if chosen.recovery is None:
        return None
    return chosen.recovery.of(StudiedGuard(guard, data, chosen.codecs, chosen.points, chosen.limit), own=own)


def _check_reach(table: Mapping[str, Entry], rules: tuple[SliceRule, ...], cells: tuple[Cell, ...]) -> None:
    """Refuse limits that apply nowhere; limits of slices apply only in cells that are judged themselves."""
    if "min_score" in table and not any(cell.min_score is not None for cell in cells):
        raise table["min_score"].value.error(
            "min_score applies to no cell of this guard", "give it for a codec and a rate that the guard uses"
        )
    if REGRESSION in table and not table[REGRESSION].value.empty and all(cell.max_regression is None for cell in cells):
        found = f"{REGRESSION} applies to no cell of this guard"
        raise table[REGRESSION].value.error(found, "give it for a codec that the guard uses")
    for rule in rules:
        if rule.limits and not any(cell.judged for cell in cells):
            raise rule.key.error(
                "max_drop of slices applies to no cell that is judged",
                "give the guard a max_drop too, 100 where only the slices are to decide",
            )


def _check_points(table: Mapping[str, Entry], chosen: Settings, cells: tuple[Cell, ...]) -> None:
    """Refuse rates or qualities of the guard's own that make no cell, since all its codecs are fixed pipelines."""
    if chosen.throughput is not None or chosen.recovery is not None:
        return  # their codecs may have a choice
    for name in _POINTS:
        if name in table and not table[name].value.empty and all(isinstance(cell.point, Fixed) for cell in cells):
            raise table[name].value.error(
                f"{name} applies to no codec of this guard: the steps of its pipelines leave no quality open",
                f"remove {name}, or leave the quality of a pipeline's last codec out",
            )
