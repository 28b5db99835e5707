"""Workflow commands: lines by which a step annotates files, and assignments by which it hands on outputs.

Both are of a line each, so that a line feed in a foreign text would be a command of its own:
https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from compress_guard.foreign import LONGEST_SENTENCE, shown

Level = Literal["error", "warning", "notice"]

_IN_DATA: Final = {ord("%"): "%25", ord("\r"): "%0D", ord("\n"): "%0A"}
_IN_PROPERTIES: Final = {**_IN_DATA, ord(":"): "%3A", ord(","): "%2C"}


def message(level: Level, text: str, **properties: str | int | None) -> str:
    """Return a line that makes an annotation of a text; properties that are None are left out."""
    given = {name: str(value) for name, value in properties.items() if value is not None}
    pairs = ",".join(f"{name}={shown(value).translate(_IN_PROPERTIES)}" for name, value in given.items())
    return f"::{level}{' ' if pairs else ''}{pairs}::{shown(text, LONGEST_SENTENCE).translate(_IN_DATA)}"


def assignments(values: Mapping[str, str | int]) -> str:
    """Return lines for the file of a step's outputs, each value in printable characters."""
    return "".join(f"{name}={shown(str(value))}\n" for name, value in values.items())
