"""Names and what stands behind them: ``name -> "module:object"``, imported on first use.

A codec, task or metric is named here and nowhere else; help texts, documents and errors ask these tables.
"""

from __future__ import annotations

import difflib
import importlib
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, final

from compress_guard.errors import OptionError
from compress_guard.records import CodecSpec, Scalar


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


_MOST_COMPARED: Final = 300
_MOST_SHOWN: Final = 60


def unknown(kind: str, name: str, known: Iterator[str] | Registry | tuple[str, ...]) -> str:
    """``unknown codec 'jpg', did you mean 'jpeg'? known: avif, ...``; the remedy half of a message about a name."""
    names = sorted(known)
    # Of hundreds of names nobody reads a list, and comparing takes its time.
    near = difflib.get_close_matches(name, names, n=1) if len(names) <= _MOST_COMPARED else []
    hint = f", did you mean {near[0]!r}?" if near else ";"
    more = f" and {len(names) - _MOST_SHOWN} more" if len(names) > _MOST_SHOWN else ""
    return f"unknown {kind} {name!r}{hint} known: {', '.join(names[:_MOST_SHOWN])}{more}"


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
        "neural": "compress_guard.codecs.neural.codec:Neural",
        "zoo": "compress_guard.codecs.zoo.published:Zoo",
        "compressai": "compress_guard.codecs.zoo.own:CompressAi",
    },
)

SCHEMES: Final[Mapping[str, str]] = {"zoo": "model", "compressai": "path"}
"""Codecs that a name may carry options of, and the option that stands right behind the colon."""

# Node ids carry the name, and end at the first bracket; what pytest cuts at :: and shells at spaces has no place there.
_CARRIED: Final = re.compile(r"[\w.:/?&=,~+%@-]+")


def codec_named(text: str, options: Mapping[str, Scalar] | None = None) -> CodecSpec:
    """The codec that a text names, called by that text: ``jpeg``, ``zoo:mbt2018-mean?metric=ms-ssim``,
    ``compressai:a.pth,b.pth?arch=mbt2018-mean&N=128``.

    `options` are those given beside the text. Whether there is such a codec, and what its options may be, is left to
    whoever asks. Raises `OptionError` for a text that cannot be read, and for an option given twice.
    """
    given = dict(options or {})
    kind, colon, rest = text.partition(":")
    if not colon:
        return CodecSpec(text, text, tuple(sorted(given.items())))
    if kind in CODECS and kind not in SCHEMES:
        raise OptionError(f"the codec {text!r}: {kind} takes no text after a colon; options go under codecs")
    if kind not in SCHEMES:
        raise OptionError(unknown("codec", kind, tuple(CODECS)))
    if not _CARRIED.fullmatch(text) or "::" in text:
        raise OptionError(
            f"the codec {text!r} has characters that node ids cannot carry; "
            f"give it a name of its own under codecs, with type: {kind} and {SCHEMES[kind]}"
        )
    body, _, query = rest.partition("?")
    found: dict[str, Scalar] = {SCHEMES[kind]: body} if body else {}
    for part in query.split("&") if query else ():
        name, equals, value = part.partition("=")
        if not (name and equals and value):
            raise OptionError(f"{part!r} in the codec {text!r} is no option; write name=value, with & between options")
        if name in found:
            raise OptionError(f"the codec {text!r} says {name} twice; keep one of them")
        found[name] = _scalar(value)
    for name in given:
        if name in found:
            raise OptionError(f"the codec {text!r} says {name}, and so do its options; keep one of them")
    return CodecSpec(text, kind, tuple(sorted((found | given).items())))


def _scalar(text: str) -> str | int | bool:
    """What an option in a name means, as YAML would read it: numbers are counts here."""
    if text in ("true", "false"):
        return text == "true"
    return int(text) if re.fullmatch(r"\d{1,9}", text) else text


TASKS: Final = Registry(
    "task",
    {
        "classification": "compress_guard.tasks.classification:Classification",
        "detection": "compress_guard.tasks.detection:Detection",
        "segmentation": "compress_guard.tasks.segmentation:Segmentation",
    },
)
