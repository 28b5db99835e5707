"""The options of pytest, from the function that declares them to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from compress_guard.plugin.options import pytest_addoption
from docs._generate.markdown import cell, code, table


@dataclass(frozen=True, slots=True)
class Declared:
    """One option as it is declared to pytest."""

    name: str
    metavar: str
    help: str


@dataclass(slots=True)
class Declarations:
    """Stands for pytest's parser and its groups, and keeps what is declared to them."""

    options: list[Declared] = field(default_factory=list)
    ini: list[Declared] = field(default_factory=list)

    def getgroup(self, *_: str) -> Declarations:
        """Return the group of options, which is this object too."""
        return self

    def addoption(self, name: str, *, help: str, metavar: str = "", **_: Any) -> None:  # noqa: A002 - pytest's word
        """Keep an option of the command line."""
        self.options.append(Declared(name, metavar, help))

    def addini(self, name: str, help: str) -> None:  # noqa: A002 - pytest's word
        """Keep an option of the ini file."""
        self.ini.append(Declared(name, "", help))


def declared() -> Declarations:
    """Return all that the plugin declares."""
    kept = Declarations()
    pytest_addoption(kept)  # type: ignore[arg-type]  # has the methods of pytest's parser that the plugin calls
    return kept


def options_part() -> str:
    """Return the part on the options of pytest, and on its ini file."""
    kept = declared()
    lines = ["## Command line\n", _rows("option", kept.options), "## Ini file\n", _rows("key", kept.ini)]
    return "\n".join(lines)


def _rows(heading: str, options: list[Declared]) -> str:
    rows = ((code(f"{each.name} {each.metavar}".strip()), cell(each.help)) for each in options)
    return table((heading, "meaning"), rows)
