"""A YAML file as composed nodes: syntax, encoding, duplicate keys."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from compress_guard.errors import ThresholdsError
from compress_guard.thresholds.value import FLOAT, INTEGER, TAG, Value


class CoreLoader(yaml.SafeLoader):
    """Resolves plain scalars by the YAML 1.2 core schema.

    PyYAML's own YAML 1.1 reads 4:4:4 as the number 14644 (base 60), yes and on as true, and 1e-1 as text.
    """

    yaml_implicit_resolvers = {}  # noqa: RUF012 - PyYAML's own class attribute, filled below through its method


for _name, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", INTEGER.pattern, list("-+0123456789")),
    ("float", FLOAT.pattern, list("-+.0123456789")),
    ("merge", r"<<", ["<"]),
):
    CoreLoader.add_implicit_resolver(TAG + _name, re.compile(rf"(?:{_pattern})\Z"), _first)


def parse(text: str, shown: str) -> Value:
    """Return the root map of a file's text, checked for everything that is wrong whatever the keys mean.

    Raises `ThresholdsError` for a text that is empty, not YAML, not a map, or in which a key stands twice.
    """
    try:
        node = CoreLoader(text).get_single_node()
        if node is None:
            raise ThresholdsError(f"{shown}:1", "the file is empty", "begin it with version: 1 and add guards")
        root = Value(node, shown)
        _check_nodes(root, set(), set())
    except RecursionError:
        raise ThresholdsError(shown, "lists or maps are nested too deeply", "write them flat") from None
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        found = f"the character U+{int(error.character):04X} is not allowed in YAML"
        raise ThresholdsError(f"{shown}:{line}", found, "remove it") from None
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(error, shown) from None
    if not isinstance(node, yaml.MappingNode):
        raise root.error(f"the file must be a map of keys, found {root.described}", "begin it with version: 1")
    return root


def read(path: Path, shown: str) -> str:
    """Return the text of a file; raises `ThresholdsError` for one that is missing, unreadable or not UTF-8."""
    if path.is_dir():
        raise ThresholdsError(shown, "this is a folder", "name a thresholds file")
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        remedy = "create it, or name another file with --cg-thresholds"
        raise ThresholdsError(shown, "there is no such file", remedy) from None
    except OSError as error:
        raise ThresholdsError(shown, f"cannot be read ({error.strerror})", "make it readable") from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        found = f"byte 0x{data[error.start]:02X} is not UTF-8"
        raise ThresholdsError(f"{shown}:{line}", found, "save the file as UTF-8") from None


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
    return ThresholdsError(where, found, "indent with spaces, not tabs" if tab else "correct the syntax")


def _check_nodes(value: Value, done: set[int], above: set[int]) -> None:
    """Refuse keys that stand twice, keys that are lists or maps, foreign tags, and anchors that contain themselves."""
    node = value.node
    if id(node) in above:
        raise value.error("an anchor contains itself", "write the value out")
    if id(node) in done:
        return
    value.check_tag()
    above.add(id(node))
    if isinstance(node, yaml.MappingNode):
        seen: dict[object, Value] = {}
        for key_node, child in node.value:
            key = Value(key_node, value.file)
            key.check_tag()
            if not isinstance(key_node, yaml.ScalarNode):
                raise key.error(f"a key must be a name or a number, found {key.described}", "write a plain key")
            first = seen.setdefault(key.identity, key)
            if first is not key:
                same = (
                    "stands twice, first" if first.described == key.described else f"is the same as {first.described}"
                )
                raise key.error(f"the key {key.described} {same} on line {first.line}", "keep one of them")
            _check_nodes(Value(child, value.file), done, above)
    elif isinstance(node, yaml.SequenceNode):
        for child in node.value:
            _check_nodes(Value(child, value.file), done, above)
    above.discard(id(node))
    done.add(id(node))
