"""A value of the file that knows its line, and how it is read as what a key expects."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

import yaml

from compress_guard.errors import RegistrationError, ThresholdsError
from compress_guard.registry import Registry, unknown

TAG: Final = "tag:yaml.org,2002:"
MERGE: Final = TAG + "merge"
SCALARS: Final = frozenset(TAG + name for name in ("null", "bool", "int", "float", "str", "merge"))
# Numbers of the YAML 1.2 core schema (https://yaml.org/spec/1.2.2/#1032-tag-resolution)
INTEGER: Final = re.compile(r"[-+]?[0-9]+")
FLOAT: Final = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
BOOL: Final = re.compile(r"true|True|TRUE|false|False|FALSE")
NULL: Final = re.compile(r"~|null|Null|NULL|")
SPELLINGS: Final = {TAG + "bool": BOOL, TAG + "null": NULL}
_CLIPPED: Final = 600
"""Most characters of each half of a message: values in a file may be long, and a person has to read the sentence."""


@dataclass(frozen=True, slots=True)
class Span:
    """The numbers that a key accepts; each end is included unless it is open."""

    low: float
    high: float
    open_low: bool = False
    open_high: bool = False

    def __contains__(self, number: float) -> bool:
        above = number > self.low if self.open_low else number >= self.low
        below = number < self.high if self.open_high else number <= self.high
        return above and below

    def __str__(self) -> str:
        ends = [f"{end:g}" for end, out in ((self.low, self.open_low), (self.high, self.open_high)) if out]
        return f"{self.low:g} to {self.high:g}" + (f" ({' and '.join(ends)} excluded)" if ends else "")


@dataclass(frozen=True, slots=True)
class Value:
    """A node of the file; `context` is what messages name before the finding, e.g. the guard."""

    node: yaml.Node
    file: str
    context: str = ""

    @property
    def line(self) -> int:
        """The line, counted from 1."""
        return int(self.node.start_mark.line) + 1

    @property
    def place(self) -> str:
        """``thresholds.yaml:14``."""
        return f"{self.file}:{self.line}"

    def error(self, found: str, remedy: str) -> ThresholdsError:
        where = f"{self.place}: {self.context}" if self.context else self.place
        return ThresholdsError(where, clipped(found), clipped(remedy))

    def resolved(self, registry: Registry, name: str) -> Any:
        """Return what is registered under a name that this value gives; raises `ThresholdsError` if it is unusable."""
        try:
            return registry.resolve(name)
        except RegistrationError as problem:
            raise self.error(problem.found, problem.remedy) from problem

    def inside(self, context: str) -> Value:
        """Return this value with another `context` for its messages."""
        return replace(self, context=context)

    @property
    def is_map(self) -> bool:
        return isinstance(self.node, yaml.MappingNode)

    @property
    def is_list(self) -> bool:
        return isinstance(self.node, yaml.SequenceNode)

    @property
    def empty(self) -> bool:
        """True for null, and where nothing was written."""
        return str(self.node.tag) == TAG + "null"

    @property
    def scalar(self) -> str | int | float | bool | None:
        """The value of a scalar by the core schema; None too for lists and maps."""
        text = str(self.node.value)
        match self.node.tag.removeprefix(TAG):
            case "str" | "merge":
                return text
            case "bool":
                return text.lower() == "true"
            case "int" | "float":
                return _number(text)
        return None

    @property
    def as_number(self) -> float | None:
        """The number, None for everything else; true and false are no numbers."""
        value = self.scalar
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None

    @property
    def described(self) -> str:
        """The value as messages show it: numbers as the file spells them, text in quotes."""
        if self.is_map or self.is_list:
            return "a map" if self.is_map else "a list"
        value = self.scalar
        if value is None:
            return "nothing"
        return repr(value) if isinstance(value, str) else str(self.node.value)

    @property
    def identity(self) -> object:
        """An object that is equal for equal keys: 1, 1.0 and 1.00 are one rate, but neither true nor the text '1'."""
        if self.node.tag == MERGE:
            return MERGE
        number = self.as_number
        return (type(self.scalar), self.scalar) if number is None else (float, number)

    def check_tag(self) -> None:
        """Refuse tags beyond the core schema's, and explicit tags that the text does not fit."""
        tag = str(self.node.tag)
        fits = tag == TAG + "map" if self.is_map else tag == TAG + "seq" if self.is_list else tag in SCALARS
        if tag in (TAG + "int", TAG + "float"):
            fits = fits and self.as_number is not None
        elif tag in SPELLINGS:
            fits = fits and SPELLINGS[tag].fullmatch(str(self.node.value)) is not None
        if not fits:
            raise self.error(f"the tag {tag.replace(TAG, '!!')} does not belong here", "remove the tag")

    # Reading

    def entries(self) -> list[Entry]:
        """Return the entries of a map in the file's order; entries of merge keys come first, own ones replace them."""
        own = [Entry(self._child(key), self._child(child)) for key, child in self.node.value]
        merged: dict[object, Entry] = {}
        for entry in own:
            if entry.key.node.tag == MERGE:
                for source in entry.value.elements("<<") if entry.value.is_list else [entry.value]:
                    if not source.is_map:
                        raise source.error(f"<< must name a map, found {source.described}", "merge the anchor of a map")
                    for other in source.entries():
                        merged.setdefault(other.key.identity, other)
        plain = {entry.key.identity: entry for entry in own if entry.key.node.tag != MERGE}
        return list((merged | plain).values())

    def table(self, known: Iterable[str] | None = None) -> dict[str, Entry]:
        """Return the entries of a map by name; `known` are the allowed names, None allows any."""
        if not self.is_map:
            raise self.error(f"expected a map of keys, found {self.described}", "write key: value lines below it")
        names: dict[str, Entry] = {}
        for entry in self.entries():
            name = entry.key.scalar
            if not isinstance(name, str):
                found = f"expected a name, found {entry.key.described}"
                raise entry.key.error(found, "write a name, and put a number in quotes")
            if known is not None and name not in known:
                raise entry.key.error(unknown("key", name, tuple(known)), "correct or remove it")
            names[name] = entry
        return names

    def elements(self, what: str) -> list[Value]:
        """Return the elements of a list; raises `ThresholdsError` for an empty list."""
        if not self.is_list:
            remedy = "write a list in brackets" if self.is_map or self.empty else f"write [{self.node.value}]"
            raise self.error(f"{what} must be a list, found {self.described}", remedy)
        if not self.node.value:
            raise self.error(f"{what} is an empty list", "give at least one")
        return [self._child(child) for child in self.node.value]

    def number(self, what: str, span: Span) -> float:
        number = self.as_number
        if number is None:
            quoted = isinstance(self.scalar, str) and isinstance(_number(self.scalar), float | int)
            remedy = "write it without quotes" if quoted else f"write a number from {span}"
            raise self.error(f"{what} must be a number, found {self.described}", remedy)
        if number not in span:
            raise self.error(f"{what} is {self.described}, outside {span}", "use a number in that range")
        return number

    def whole(self, what: str, allowed: range) -> int:
        scalar = self.scalar
        if isinstance(scalar, bool) or not isinstance(scalar, int) or scalar not in allowed:
            found = f"{what} must be a whole number from {allowed[0]} to {allowed[-1]}, found {self.described}"
            raise self.error(found, "write such a number")
        return scalar

    def text(self, what: str) -> str:
        if not isinstance(self.scalar, str):
            raise self.error(f"{what} must be text, found {self.described}", "write text, in quotes if need be")
        return self.scalar

    def flag(self, what: str) -> bool:
        if not isinstance(self.scalar, bool):
            raise self.error(f"{what} must be true or false, found {self.described}", "write true or false")
        return self.scalar

    def choice(self, what: str, names: tuple[str, ...]) -> str:
        if self.scalar not in names or not isinstance(self.scalar, str):
            listed = f"{', '.join(names[:-1])} or {names[-1]}"
            raise self.error(f"{what} must be {listed}, found {self.described}", "use one of these")
        return self.scalar

    def _child(self, node: yaml.Node) -> Value:
        return Value(node, self.file, self.context)


class Entry(NamedTuple):
    """A key of a map and its value."""

    key: Value
    value: Value


def _number(text: str) -> str | int | float:
    """Return the number that `text` spells, else `text` itself."""
    # int() refuses more than 4300 digits; a longer number is out of every range here, so a float will do
    if INTEGER.fullmatch(text) and len(text) < 20:
        return int(text)
    return float(re.sub(r"\.(?=[a-z])", "", text.lower())) if FLOAT.fullmatch(text) else text


def clipped(text: str) -> str:
    """Return a text, without its middle where it is too long for a message."""
    return text if len(text) <= _CLIPPED else f"{text[: _CLIPPED // 2]} ... {text[-_CLIPPED // 3 :]}"
