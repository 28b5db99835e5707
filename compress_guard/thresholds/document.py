"""A YAML file as composed nodes: syntax, encoding, duplicate keys, and bounds on what a small file can blow up to."""

from __future__ import annotations

import re
import stat
from pathlib import Path
from typing import Any, Final

import yaml

from compress_guard.errors import ThresholdsError
from compress_guard.thresholds.extent import DEEPEST, MOST_VALUES, Nodes
from compress_guard.thresholds.value import BOOL, FLOAT, INTEGER, NULL, TAG, Value, clipped

LARGEST_FILE: Final = 2**18
"""Bytes. PyYAML reads about 400 000 characters per second: this is over in less than one."""


class OutOfBounds(yaml.MarkedYAMLError):
    """A file that is larger or nested deeper than a person writes it; `note` is what to do."""


class CoreLoader(yaml.SafeLoader):
    """A loader that resolves plain scalars by the YAML 1.2 core schema, and stops at bounds.

    PyYAML's own YAML 1.1 reads 4:4:4 as the number 14644 (base 60), yes and on as true, and 1e-1 as text.
    """

    yaml_implicit_resolvers = {}  # noqa: RUF012 - PyYAML's own class attribute, filled below through its method

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._depth = 0
        self._values = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Compose the next node, unless it is nested too deeply or one too many."""
        self._values += 1
        if self._values > MOST_VALUES:
            found = f"the file has more than {MOST_VALUES} values"
            raise OutOfBounds(None, None, found, self._next_mark(), "remove some")
        if self._depth >= DEEPEST and not self.check_event(yaml.ScalarEvent, yaml.AliasEvent):
            raise _too_deep(self._next_mark())
        self._depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1

    def _next_mark(self) -> Any:
        event: yaml.Event = self.peek_event()  # type: ignore[no-untyped-call]  # the stubs leave it out
        return event.start_mark

    def fetch_flow_collection_start(self, token: Any) -> None:
        """Stop at the bracket: PyYAML looks a thousand of them ahead, and each takes longer than the one before."""
        if self.flow_level >= DEEPEST:
            raise _too_deep(self.get_mark())
        super().fetch_flow_collection_start(token)


def _too_deep(mark: Any) -> OutOfBounds:
    return OutOfBounds(None, None, f"lists or maps are nested more than {DEEPEST} deep", mark, "nest them less deeply")


for _name, _pattern, _first in (
    ("null", NULL.pattern, ["~", "n", "N", ""]),
    ("bool", BOOL.pattern, list("tTfF")),
    ("int", INTEGER.pattern, list("-+0123456789")),
    ("float", FLOAT.pattern, list("-+.0123456789")),
    ("merge", r"<<", ["<"]),
):
    CoreLoader.add_implicit_resolver(TAG + _name, re.compile(rf"(?:{_pattern})\Z"), _first)


def parse(text: str, shown: str) -> Value:
    """Return the root map of a file's text, checked for everything that is wrong whatever the keys mean.

    Raises `ThresholdsError` for a text that is empty, not YAML, not a map, in which a key is given twice, or whose
    aliases would blow up.
    """
    node = _composed(text, shown)
    if node is None:
        raise ThresholdsError(f"{shown}:1", "the file is empty", "begin it with version: 1 and add guards")
    root = Value(node, shown)
    Nodes().check(root)
    if not isinstance(node, yaml.MappingNode):
        raise root.error(f"the file must be a map of keys, found {root.described}", "begin it with version: 1")
    return root


def _composed(text: str, shown: str) -> yaml.Node | None:
    """Return the root node, None for an empty file; raises `ThresholdsError` for a text that is not YAML."""
    loader = None
    try:
        loader = CoreLoader(text)
        node: yaml.Node | None = loader.get_single_node()
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        found = f"the character U+{int(error.character):04X} is not allowed in YAML"
        raise ThresholdsError(f"{shown}:{line}", found, "remove it") from None
    except OutOfBounds as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ThresholdsError(f"{shown}:{line}", str(error.problem), str(error.note)) from None
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(error, shown) from None
    except Exception as error:  # noqa: BLE001 - PyYAML passes on what int() and chr() raise, and fails in ways of its own
        where = shown if loader is None else f"{shown}:{loader.line + 1}"
        raise ThresholdsError(where, clipped(f"not valid YAML: {error}"), "correct the syntax") from None
    return node


def read(path: Path, shown: str) -> str:
    """Return the text of a file.

    Raises `ThresholdsError` for one that is missing, unreadable, too large or not UTF-8.
    """
    data = _data(path, shown)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        found = f"byte 0x{data[error.start]:02X} is not UTF-8"
        raise ThresholdsError(f"{shown}:{line}", found, "save the file as UTF-8") from None


def _data(path: Path, shown: str) -> bytes:
    """Return the content of a regular file; a device or a pipe would be read for ever."""
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise ThresholdsError(shown, "this is a folder", "name a thresholds file")
        if not stat.S_ISREG(status.st_mode):
            raise ThresholdsError(shown, "this is not a regular file", "name a thresholds file")
        with path.open("rb") as file:
            data = file.read(LARGEST_FILE + 1)
    except FileNotFoundError:
        remedy = "create it, or name another file with --cg-thresholds"
        raise ThresholdsError(shown, "there is no such file", remedy) from None
    except OSError as error:
        raise ThresholdsError(shown, f"cannot be read ({error.strerror})", "make it readable") from None
    if len(data) > LARGEST_FILE:
        size = max(len(data), status.st_size)
        found = f"the file has {size} bytes, more than the {LARGEST_FILE} allowed"
        raise ThresholdsError(shown, found, "name a thresholds file, or write what repeats once with an anchor")
    return data


def _syntax_error(error: yaml.MarkedYAMLError, shown: str) -> ThresholdsError:
    mark = error.problem_mark or error.context_mark
    where = shown if mark is None else f"{shown}:{mark.line + 1}"
    found = f"not valid YAML: {error.problem}"
    if error.context and error.problem and error.problem.startswith("but "):
        found = f"not valid YAML: {error.context}, {error.problem}"
    elif error.context and error.context_mark and mark and error.context_mark.line != mark.line:
        found += f" ({error.context} that begins on line {error.context_mark.line + 1})"
    elif error.context:
        found += f" ({error.context})"
    tab = error.problem is not None and r"'\t'" in error.problem
    return ThresholdsError(where, clipped(found), "indent with spaces, not tabs" if tab else "correct the syntax")
