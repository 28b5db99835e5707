"""The section `waive`: known failures, each with a reason and a last day."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Final

from compress_guard.records import Guard, Waiver
from compress_guard.thresholds.value import Entry, Value

KEYS: Final = ("cells", "reason", "until")
MOST: Final = 200
"""Most waivers of a file, since each is held against the name of every cell."""
DATE: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_EXAMPLES: Final = {
    "cells": "write a pattern such as 'photos[jpeg-*]'",
    "reason": "write why these cells may fail",
    "until": "write the last day of the waiver, such as 2026-12-31",
}


def with_waivers(section: Value, guards: Sequence[Guard]) -> tuple[Guard, ...]:
    """Return the guards with the waivers of the section.

    Raises `ThresholdsError` for a waiver that makes no sense, that fits no cell, or that fits a cell which another one
    covers already.
    """
    listed = section.inside("waive").elements("waive")
    if len(listed) > MOST:
        raise listed[MOST].error(f"there are {len(listed)} waivers, at most {MOST}", "join some into one pattern")
    names = {guard.name: _names(guard) for guard in guards}
    covered: dict[str, Waiver] = {}
    waivers = []
    for value in listed:
        table = value.table(KEYS)
        waiver = _read(value, table)
        fitting = [name for own in names.values() for name in own if waiver.covers(name)]
        if not fitting:
            first = next(name for own in names.values() for name in own)
            found = f"cells {waiver.cells!r} fits no cell"
            remedy = f"correct or remove it; there are {sum(map(len, names.values()))} cells, the first is {first}"
            raise table["cells"].value.error(found, remedy)
        if (twice := next((name for name in fitting if name in covered), None)) is not None:
            found = f"cells {waiver.cells!r} fits {twice}, which the waiver in line {covered[twice].line} covers"
            raise table["cells"].value.error(found, "let each cell have one waiver")
        covered |= dict.fromkeys(fitting, waiver)
        waivers.append(waiver)
    return tuple(
        replace(guard, waivers=tuple(each for each in waivers if any(map(each.covers, names[guard.name]))))
        for guard in guards
    )


def _names(guard: Guard) -> list[str]:
    """Return the names of a guard's cells of all kinds."""
    parts = (guard, guard.throughput, guard.recovery)
    return [cell.name for part in parts if part is not None for cell in part.cells]


def _read(value: Value, table: dict[str, Entry]) -> Waiver:
    for key in KEYS:
        if key not in table:
            raise value.error(f"{key} is missing", _EXAMPLES[key])
    texts = {}
    for key in KEYS:
        each = table[key].value
        texts[key] = " ".join(each.text(key).split())
        if not texts[key]:
            raise each.error(f"{key} is an empty text", _EXAMPLES[key])
    if not _is_date(texts["until"]):
        found = table["until"].value
        raise found.error(f"until must be a date, found {found.described}", _EXAMPLES["until"])
    return Waiver(**texts, line=value.line)


def _is_date(text: str) -> bool:
    try:
        return re.fullmatch(DATE, text) is not None and date.fromisoformat(text) is not None
    except ValueError:
        return False
