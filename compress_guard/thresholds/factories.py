"""The factories that a file names, held against the sources of their modules before anything runs."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from compress_guard.thresholds.modules import names_in, search_path, source_of
from compress_guard.thresholds.value import Entry, Value

_MISTYPED: Final = 0.7
"""Likeness, by difflib, from which on a name that is not there is taken for another one mistyped."""


def check_factories(table: Mapping[str, Entry], folder: Path) -> None:
    """Refuse a factory whose module certainly has no such name, and has one that is similar.

    `table` is a whole file that has passed all other checks. Other missing names are found when the run loads them.
    """
    roots, known = search_path(folder), dict[Path, frozenset[str] | None]()
    for key, value in _factories(table):
        text = value.text(key)
        module, _, name = text.partition(":")
        source = None if module == "fixture" or not name else source_of(module, roots)
        if source is None:
            continue
        if source not in known:
            known[source] = names_in(source)
        names = known[source]
        if names is None or name in names or name in vars(sys.modules.get(module, object)):
            continue
        public = sorted(one for one in names if not one.startswith("_"))
        if near := difflib.get_close_matches(name, public, n=1, cutoff=_MISTYPED):
            found = f"{key} {text}: {_shown(source, folder)} has no {name}"
            raise value.error(found, f"did you mean {module}:{near[0]}?")


def _factories(table: Mapping[str, Entry]) -> Iterator[tuple[str, Value]]:
    """Yield each key that names a factory, and its value."""
    if "defaults" in table:
        yield from _of_recovery(table["defaults"].value.inside("defaults"))
    for guard, entry in table["guards"].value.table().items():
        value = entry.value.inside(guard)
        keys = value.table()
        for key in ("model", "data"):
            yield key, keys[key].value
        if "slices" in keys and keys["slices"].value.is_map:
            for one in keys["slices"].value.table().values():
                by = one.value.table()["by"].value if one.value.is_map else one.value
                if ":" in by.text("by"):
                    yield "by", by
        yield from _of_recovery(value)


def _of_recovery(section: Value) -> Iterator[tuple[str, Value]]:
    keys = section.table()
    if "recovery" not in keys or not keys["recovery"].value.is_map:
        return
    studied = keys["recovery"].value.table()
    for key in ("train", "trainer"):
        if key in studied and not studied[key].value.empty:
            yield key, studied[key].value


def _shown(source: Path, folder: Path) -> str:
    return (source.relative_to(folder) if source.is_relative_to(folder) else source).as_posix()
