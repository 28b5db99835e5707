"""The size of a file once its aliases are written out, and contents that no file may have whatever the keys mean.

A few hundred bytes of anchors and aliases can stand for more values than memory holds: each list or map that names the
one before twice doubles them. So every node is measured once, from the leaves up, before anything walks through them.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple, final

import yaml

from compress_guard.thresholds.value import Value

MOST_VALUES: Final = 10_000
"""Keys, values, lists and maps as the file writes them."""
MOST_WRITTEN_OUT: Final = 30_000
"""Keys, values, lists and maps with every alias and merge key written out."""
DEEPEST: Final = 40
"""Lists and maps in one another, through aliases and merge keys too."""
LONGEST_TEXT: Final = 10_000
"""Characters of a value."""
LONGEST_KEY: Final = 200

# Escapes such as "\0" and "\ud800" bring in what YAML does not allow as it stands.
_FORBIDDEN: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


class Extent(NamedTuple):
    """A node with all that is in it."""

    values: int
    depth: int


@final
class Nodes:
    """The nodes of one file, each checked and measured once."""

    def __init__(self) -> None:
        self._extents: Final[dict[int, Extent]] = {}
        self._above: Final[set[int]] = set()

    def check(self, value: Value) -> Extent:
        """Measure a value. Raises `ThresholdsError` for keys that are given twice or are lists or maps, foreign tags,
        texts that no key expects, anchors that contain themselves, and aliases that are too large together.
        """
        node = value.node
        if id(node) in self._above:
            raise value.error("an anchor contains itself", "write the value out")
        if id(node) not in self._extents:
            value.check_tag()
            self._above.add(id(node))
            self._extents[id(node)] = self._measured(value)
            self._above.discard(id(node))
        return self._extents[id(node)]

    def _measured(self, value: Value) -> Extent:
        node = value.node
        if isinstance(node, yaml.ScalarNode):
            _check_text(value, "a value", LONGEST_TEXT)
            return Extent(1, 0)
        if isinstance(node, yaml.MappingNode):
            _check_keys(value)
            parts = [self.check(Value(child, value.file)) for _, child in node.value]
            values = 1 + len(parts) + sum(part.values for part in parts)
        else:
            parts = [self.check(Value(child, value.file)) for child in node.value]
            values = 1 + sum(part.values for part in parts)
        extent = Extent(values, 1 + max((part.depth for part in parts), default=0))
        if extent.depth > DEEPEST:
            raise value.error(f"aliases nest lists or maps more than {DEEPEST} deep", "nest them less deeply")
        if extent.values > MOST_WRITTEN_OUT:
            found = f"{value.described} has more than {MOST_WRITTEN_OUT} values once its aliases are written out"
            raise value.error(found, "use fewer aliases in one another")
        return extent


def _check_keys(value: Value) -> None:
    seen: dict[object, Value] = {}
    for key_node, _ in value.node.value:
        key = Value(key_node, value.file)
        key.check_tag()
        if not isinstance(key_node, yaml.ScalarNode):
            raise key.error(f"a key must be a name or a number, found {key.described}", "write a plain key")
        _check_text(key, "a key", LONGEST_KEY)
        first = seen.setdefault(key.identity, key)
        if first is not key:
            same = f"is given twice, first on line {first.line}"
            if first.described != key.described:
                same = f"is the same as {first.described} on line {first.line}"
            raise key.error(f"the key {key.described} {same}", "keep one of them")


def _check_text(value: Value, what: str, longest: int) -> None:
    text = str(value.node.value)
    if len(text) > longest:
        raise value.error(f"{what} has {len(text)} characters, at most {longest} are taken", "shorten it")
    if forbidden := _FORBIDDEN.search(text):
        raise value.error(f"{what} holds the character U+{ord(forbidden[0]):04X}", "remove it")
