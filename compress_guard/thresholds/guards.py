"""The section `guards`: each guard with its cells."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from compress_guard.records import Cell, Guard
from compress_guard.registry import TASKS, unknown
from compress_guard.thresholds import settings
from compress_guard.thresholds.catalogue import Catalogue
from compress_guard.thresholds.curve import Curve, read_drops
from compress_guard.thresholds.percodec import PerCodec
from compress_guard.thresholds.settings import Settings
from compress_guard.thresholds.value import Entry, Value

KEYS: Final = ("task", "model", "data", "metric", "max_drop", "min_score")
NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


def read(
    section: Entry, catalogue: Catalogue, defaults: Settings, drops: Mapping[str, PerCodec[Curve]]
) -> tuple[Guard, ...]:
    """All guards in the file's order; `drops` are the tasks' own max_drop."""
    value = section.value.inside("guards")
    table = {} if value.empty else value.table()
    if not table:
        raise section.key.error("there are no guards", "add at least one guard")
    return tuple(_read_guard(name, entry, catalogue, defaults, drops) for name, entry in table.items())


def _read_guard(
    name: str, entry: Entry, catalogue: Catalogue, defaults: Settings, drops: Mapping[str, PerCodec[Curve]]
) -> Guard:
    if not NAME.fullmatch(name):
        found = f"the guard name {name!r} has characters that node ids cannot carry"
        raise entry.key.error(found, "begin with a letter, digit or _ and use letters, digits, _, . and - only")
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
    metric = _metric(table, task)
    model, data = (_factory(table[one].value, one) for one in ("model", "data"))
    cells = _cells(own.key if own else key, chosen, allowed, floors)
    if "min_score" in table and not any(cell.min_score is not None for cell in cells):
        raise table["min_score"].value.error(
            "min_score reaches no cell of this guard", "give it for a codec and a rate that the guard uses"
        )
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
        policy=chosen.policy,
        max_error_share=chosen.max_error_share,
        line=key.line,
    )


def _metric(table: Mapping[str, Entry], task: str) -> str:
    metrics: tuple[str, ...] = TASKS.resolve(task).metrics
    if "metric" not in table:
        return metrics[0]
    value = table["metric"].value
    metric = value.text("metric")
    if metric not in metrics:
        raise value.error(unknown(f"{task} metric", metric, metrics), "use one of these")
    return metric


def _factory(value: Value, what: str) -> str:
    """``package.module:callable`` or ``fixture:NAME``; only the spelling is looked at."""
    text = value.text(what)
    module, colon, name = text.partition(":")
    if not colon or not name.isidentifier() or not all(part.isidentifier() for part in module.split(".")):
        found = f"{what} {text!r} is not a factory"
        raise value.error(found, 'write "package.module:callable" or "fixture:NAME"')
    return text


def _cells(at: Value, chosen: Settings, allowed: PerCodec[Curve], floors: PerCodec[Curve]) -> tuple[Cell, ...]:
    cells = []
    for spec in chosen.codecs:
        rates = chosen.bpp.at(spec.alias)
        if rates is None:
            found = f"the bpp of line {chosen.bpp.line} has no rates for the codec {spec.alias!r}"
            raise at.error(found, f"add {spec.alias} or default to it")
        drop, floor = allowed.at(spec.alias), floors.at(spec.alias)
        for bpp in rates.values:
            max_drop = drop.at(bpp) if drop else None
            if drop and max_drop is None:
                source = f"from line {rates.line}" if rates.line else "a default"
                found = f"rate {bpp} bpp ({source}) is outside the max_drop of line {drop.line}, given at {drop.reach}"
                raise at.error(found, f"give max_drop at {bpp} bpp too, or leave this rate out")
            min_score = floor.at(bpp) if floor else None
            limit = chosen.limit.at(spec.alias)
            cells.append(Cell(at.context, spec, bpp, max_drop, min_score, limit, at.line))
    return tuple(cells)
