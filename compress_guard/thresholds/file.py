"""A thresholds file as a whole: its sections in the order in which they need each other."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from compress_guard.records import Thresholds
from compress_guard.registry import TASKS, unknown
from compress_guard.thresholds import document, guards, settings
from compress_guard.thresholds.catalogue import Catalogue
from compress_guard.thresholds.factories import check_factories
from compress_guard.thresholds.keys.correction import corrected
from compress_guard.thresholds.keys.curve import Curve, read_drops
from compress_guard.thresholds.keys.per_codec import PerCodec
from compress_guard.thresholds.settings import Settings
from compress_guard.thresholds.value import Entry, Value
from compress_guard.thresholds.waivers import with_waivers

KEYS: Final = ("version", "thresholds", "codecs", "defaults", "guards", "waive")
VERSION: Final = 1


def load(path: Path, *, shown: str | None = None) -> Thresholds:
    """Return the guards and cells of the thresholds file at `path`.

    `shown` is how messages print the path, by default the file's name. Relative paths in the options of codecs are seen
    from the current folder. Nothing of models, data or codec libraries is imported; sources of modules are read for the
    names of factories. Raises `ThresholdsError` for the first thing that makes no sense: where, found, what to do.
    """
    shown = path.name if shown is None else shown
    return parse(document.read(path, shown), path, shown=shown, folder=Path.cwd())


def parse(text: str, path: Path, *, shown: str, folder: Path, sources: bool = True) -> Thresholds:
    """Do what `load` does with the text of a file that was read already; paths in it are seen from `folder`.

    Without `sources` factories are not looked up, as where another process of the run has done so.
    """
    root = document.parse(text, shown)
    _check_places(root, (*guards.KEYS, *settings.KEYS), "no section of the file")
    table = root.table(KEYS)
    _check_version(root, table)
    catalogue = Catalogue.read(table["codecs"].value if "codecs" in table else None, str(folder))
    drops = _task_drops(table["thresholds"].value, catalogue) if "thresholds" in table else {}
    defaults = Settings.initial(catalogue)
    if "defaults" in table:
        section = table["defaults"].value.inside("defaults")
        _check_places(section, guards.KEYS, "no key of defaults")
        defaults = defaults.updated(section.table(settings.KEYS), catalogue)
    if "guards" not in table:
        raise root.error("there are no guards", "add guards: with at least one guard")
    found = guards.read(table["guards"], catalogue, defaults, drops)
    if "waive" in table:
        found = with_waivers(table["waive"].value, found)
    if sources:
        check_factories(table, path.resolve().parent)
    return Thresholds(str(path), corrected(found), hashlib.sha256(text.encode()).hexdigest())


def _check_places(value: Value, elsewhere: Iterable[str], what: str, here: tuple[str, ...] = KEYS) -> None:
    """Raise `ThresholdsError` for a key of a map that belongs elsewhere in the file, and say where."""
    for entry in value.entries() if value.is_map else ():
        name = entry.key.scalar
        if not isinstance(name, str) or name in here or name not in elsewhere:
            continue
        if name == "max_drop":
            remedy = "give it for each task, thresholds: {classification: {max_drop: 2}}, or in each guard"
        elif name in settings.KEYS:
            remedy = "move it into defaults, or into each guard that needs it"
        else:
            remedy = "move it into each guard that needs it"
        raise entry.key.error(f"{name} is {what}", remedy)


def _check_version(root: Value, table: dict[str, Entry]) -> None:
    if "version" not in table:
        raise root.error("version is missing", f"begin the file with version: {VERSION}")
    value = table["version"].value
    if isinstance(value.scalar, bool) or value.scalar != VERSION:
        raise value.error(f"version must be {VERSION}, found {value.described}", f"write version: {VERSION}")


def _task_drops(section: Value, catalogue: Catalogue) -> dict[str, PerCodec[Curve]]:
    """Return the max_drop of each task that the section names."""
    drops = {}
    for task, entry in section.inside("thresholds").table().items():
        if task not in TASKS:
            raise entry.key.error(unknown("task", task, TASKS), "use one of these")
        value = entry.value.inside(f"thresholds of {task}")
        _check_places(value, (*guards.KEYS, *settings.KEYS), "no key of a task", ("max_drop",))
        keys = value.table(("max_drop",))
        if "max_drop" not in keys:
            raise entry.key.error(f"{task} has no max_drop", "add max_drop, or remove the task")
        drops[task] = read_drops(keys["max_drop"].value, "max_drop", catalogue)
    return drops
