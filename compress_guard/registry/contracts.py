"""Checks that an object can stand behind a name, made without importing the protocols or what they need."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final

GUIDE: Final = "docs/howto/extending.md"
CODEC_MEMBERS: Final = (
    "ladder",
    "version",
    "bits",
    "device",
    "remark",
    "device_tolerance",
    "seen_from",
    "generative",
    "on",
    "unavailable",
    "encode",
    "decode",
    "cost",
    "proofs",
)
"""The members of `compress_guard.Codec` beside its type."""
TASK_MEMBERS: Final = (
    "metrics",
    "target",
    "classes",
    "is_placed",
    "extent",
    "borders",
    "prediction",
    "evidence",
    "scorer",
    "skill",
    "remarks",
    "saturated",
)
"""The members of `compress_guard.Task` beside its name."""
# Node ids separate codec and rate by a hyphen, so a codec's name has none.
_CODEC_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.]*")
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")
_RESERVED: Final = "default"
"""The key of per-codec maps for every codec that they do not name."""


@dataclasses.dataclass(frozen=True, slots=True)
class Kind:
    """A kind of objects that names stand for."""

    word: str
    """``codec``, as messages call it."""
    group: str
    """Group of entry points by which third parties add objects of this kind."""
    check_name: Callable[[str, Iterable[str]], tuple[str, str] | None]
    """Function that returns the fault of a new name, given the names in use, and the remedy; None for a good one."""
    check_object: Callable[[str, object], tuple[str, str] | None]
    """Function that returns the fault of an object under a name, and what was expected; None for a good one."""


def _codec_name(name: str, known: Iterable[str]) -> tuple[str, str] | None:
    if not _CODEC_NAME.fullmatch(name):
        return (
            "has characters that node ids cannot contain",
            "begin with a letter and use letters, digits, _ and . only",
        )
    if name == _RESERVED:
        return "is reserved for all other codecs in per-codec maps", "choose another name"
    for other in known:
        # pytest's -k ignores case.
        short, long = sorted((name.lower(), other.lower()), key=len)
        if name != other and short in long:
            relation = "contains" if long == name.lower() else "is contained in"
            return f"{relation} the name of the codec {other!r}", f"choose a name that pytest -k {short} can tell apart"
    return None


def _other_name(name: str, known: Iterable[str]) -> tuple[str, str] | None:
    del known
    if not _NAME.fullmatch(name):
        return "has other characters than expected", "begin with a letter and use letters, digits, _, . and - only"
    return None


def _codec(name: str, made: object) -> tuple[str, str] | None:
    expected = "a frozen dataclass with the members of compress_guard.Codec"
    if not isinstance(made, type):
        return f"is {_kind(made)}", expected
    if missing := _missing(made, CODEC_MEMBERS):
        return f"has no {missing}", expected
    parameters = getattr(made, "__dataclass_params__", None)
    if parameters is None or not parameters.frozen:
        return "is no frozen dataclass", expected
    if getattr(made, "type", None) != name:
        return f"has the type {getattr(made, 'type', None)!r}", f"the attribute type to be {name!r}"
    return None


def _task(name: str, made: object) -> tuple[str, str] | None:
    expected = "a class with the members of compress_guard.Task"
    if not isinstance(made, type):
        return f"is {_kind(made)}", expected
    if missing := _missing(made, TASK_MEMBERS):
        return f"has no {missing}", expected
    if getattr(made, "name", None) != name:
        return f"has the name {getattr(made, 'name', None)!r}", f"the attribute name to be {name!r}"
    metrics = getattr(made, "metrics", None)
    if not isinstance(metrics, tuple) or not metrics or not all(isinstance(metric, str) for metric in metrics):
        return "has no usable metrics", "the attribute metrics to be a tuple of names, the default first"
    return None


def _factory(name: str, made: object) -> tuple[str, str] | None:
    del name
    return None if callable(made) else (f"is {_kind(made)}", "a callable that returns the object to use")


def _missing(made: type, members: Sequence[str]) -> str:
    """Return ``encode and no decode``: the members that a class does not have."""
    fields = getattr(made, "__dataclass_fields__", {})
    return " and no ".join(member for member in members if member not in fields and not hasattr(made, member))


def _kind(made: object) -> str:
    name = type(made).__name__
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


CODEC: Final = Kind("codec", "compress_guard.codecs", _codec_name, _codec)
TASK: Final = Kind("task", "compress_guard.tasks", _other_name, _task)
MODEL: Final = Kind("model", "compress_guard.models", _other_name, _factory)
DATA_SET: Final = Kind("data set", "compress_guard.data", _other_name, _factory)
