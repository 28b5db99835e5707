"""Names of classes, by the number that a label has."""

from __future__ import annotations

import contextlib
import operator
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from compress_guard.engine.images.naming.listed import NamesError, is_joined, is_part, is_torchs, is_torchvisions
from compress_guard.engine.wording import kind
from compress_guard.records import printable

GIVEN: Final = "class_names"
_OTHERS: Final = ("classes", "categories")
"""Attributes that may have another meaning too; they count if they hold names."""
_EXPECTED: Final = (
    "expected a list of texts, one for each label from 0, a dict of label and text, or a list of dicts with id and "
    "name, as files of COCO have them"
)
_DEEPEST: Final = 20
LONGEST: Final = 100
"""Largest number of characters of a name of a class."""

ClassNames = dict[int, str]


def class_names(data: Any, task: str) -> ClassNames:
    """Return the names that a data set gives its classes, by label; empty if it gives none.

    Subsets and concatenations of torch are looked through. Raises `NamesError` for names that contradict themselves,
    and whatever the data set raises.
    """
    return {label: _bounded(name) for label, name in _names(data, task, 0).items()}


def _names(data: Any, task: str, depth: int) -> ClassNames:
    if depth > _DEEPEST:
        return {}
    if (given := getattr(data, GIVEN, None)) is not None:
        read = _read(given)
        if read is None:
            raise NamesError(f"{GIVEN} of the data is {kind(given)}; {_EXPECTED}")
        return read
    if is_part(data):
        return _names(data.dataset, task, depth + 1) if is_torchs(data) else {}
    if is_joined(data):
        return _agreed([_names(part, task, depth + 1) for part in data.datasets]) if is_torchs(data) else {}
    if getattr(data, "target_transform", None) is not None:
        return {}  # its labels may be others than those that its names are for
    for name in _OTHERS:
        if _is_meant(data, task) and (read := _read(getattr(data, name, None))):
            return read
    categories = getattr(getattr(data, "coco", None), "cats", None)
    return (_read(list(categories.values())) or {}) if isinstance(categories, Mapping) else {}


def _is_meant(data: Any, task: str) -> bool:
    """Return False for a data set of torchvision whose list of classes is not that of its targets.

    OxfordIIITPet lists breeds also where its targets are label maps.
    """
    kinds = getattr(data, "_target_types", None) or getattr(data, "target_type", None)
    return not is_torchvisions(data) or (task == "classification" and kinds in (None, "category", ["category"]))


def _agreed(parts: Sequence[ClassNames]) -> ClassNames:
    """Return the names of the parts of a data set, which have to be the same; parts without names do not count."""
    named = [part for part in parts if part]
    if any(part != named[0] for part in named):
        raise NamesError("the joined data sets name the same classes differently; expected one list of classes for all")
    return named[0] if named else {}


def _read(value: Any) -> dict[int, str] | None:
    """Return names in one of the forms; None for anything else. Raises `NamesError` for two names of one class."""
    if isinstance(value, Mapping):
        return _by_label(value.items())
    if not isinstance(value, list | tuple):
        return None
    if all(isinstance(each, str) for each in value):
        return dict(enumerate(map(str.__str__, value)))
    if all(isinstance(each, Mapping) and {"id", "name"} <= set(each) for each in value):
        return _by_label((each["id"], each["name"]) for each in value)
    return None


def _by_label(pairs: Iterable[tuple[object, object]]) -> dict[int, str] | None:
    names: dict[int, str] = {}
    for key, name in pairs:
        label = _label(key)
        if label is None or not isinstance(name, str):
            return None
        if names.setdefault(label, str.__str__(name)) != name:
            raise NamesError(f"class {label} of the data has two names, {names[label]} and {name}; {_EXPECTED}")
    return names


def _label(key: object) -> int | None:
    """Return a label that is a whole number, or one in a text, as JSON has its keys."""
    if isinstance(key, bool):
        return None
    with contextlib.suppress(TypeError, ValueError):
        return int(key) if isinstance(key, str) else operator.index(key)  # type: ignore[arg-type]  # it may raise
    return None


def _bounded(name: str) -> str:
    text = printable(name)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
