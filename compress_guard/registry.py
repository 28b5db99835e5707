"""Names and what stands behind them: ``name -> "module:object"``, imported on first use.

A codec, task or metric is named here and nowhere else; help texts, documents and errors ask these tables.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterator, Mapping
from typing import Any, Final, final


@final
class Registry:
    """A table of names of one kind, each standing for an object that is imported when it is first asked for."""

    __slots__ = ("_found", "_targets", "kind")

    def __init__(self, kind: str, targets: Mapping[str, str]) -> None:
        self.kind: Final = kind
        self._targets: Final = dict(targets)
        self._found: Final[dict[str, Any]] = {}

    def __iter__(self) -> Iterator[str]:
        return iter(self._targets)

    def __contains__(self, name: object) -> bool:
        return name in self._targets

    def resolve(self, name: str) -> Any:
        """The object behind `name`; KeyError for a name that is not in the table."""
        if name not in self._found:
            module, _, attribute = self._targets[name].partition(":")
            self._found[name] = getattr(importlib.import_module(module), attribute)
        return self._found[name]

    def unknown(self, name: str) -> str:
        """What to say of a name that is not in the table: the near match, then all names."""
        return unknown(self.kind, name, self)


def unknown(kind: str, name: str, known: Iterator[str] | Registry | tuple[str, ...]) -> str:
    """``unknown codec 'jpg', did you mean 'jpeg'? known: avif, ...``; the remedy half of a message about a name."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1)
    hint = f", did you mean {near[0]!r}?" if near else ";"
    return f"unknown {kind} {name!r}{hint} known: {', '.join(names)}"


CODECS: Final = Registry(
    "codec",
    {
        "jpeg": "compress_guard.codecs.jpeg:Jpeg",
        "webp": "compress_guard.codecs.webp:WebP",
        "avif": "compress_guard.codecs.avif:Avif",
        "jp2": "compress_guard.codecs.jp2:Jp2",
        "heic": "compress_guard.codecs.heic:Heic",
        "jxl": "compress_guard.codecs.jxl:Jxl",
        "command": "compress_guard.codecs.command:Command",
    },
)

TASKS: Final = Registry(
    "task",
    {
        "classification": "compress_guard.tasks.classification:Classification",
        "detection": "compress_guard.tasks.detection:Detection",
        "segmentation": "compress_guard.tasks.segmentation:Segmentation",
    },
)
