"""Names of codecs that carry options: ``zoo:mbt2018-mean?metric=ms-ssim``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from compress_guard.errors import OptionError
from compress_guard.records import CodecSpec, Scalar
from compress_guard.registry.lazy_table import unknown
from compress_guard.registry.tables import CODECS, SCHEMES

# Node ids carry the name, and end at the first bracket. pytest cuts them at ::, and shells at spaces.
_CARRIED: Final = re.compile(r"[\w.:/?&=,~+%@-]+")


def codec_named(text: str, options: Mapping[str, Scalar] | None = None) -> CodecSpec:
    """Return the codec that a text names, with the text as its alias.

    The text is ``jpeg``, ``zoo:mbt2018-mean?metric=ms-ssim`` or ``compressai:a.pth,b.pth?arch=mbt2018-mean&N=128``;
    `options` are given beside it. The caller checks that the codec exists and takes these options. Raises
    `OptionError` for a text that cannot be read, and for an option given twice.
    """
    given = dict(options or {})
    kind, colon, rest = text.partition(":")
    if not colon:
        return CodecSpec(text, text, tuple(sorted(given.items())))
    _check_scheme(text, kind)
    body, _, query = rest.partition("?")
    carried = _carried(text, {SCHEMES[kind]: body} if body else {}, query)
    for name in given:
        if name in carried:
            raise OptionError(f"the codec {text!r} says {name}, and so do its options; keep one of them")
    return CodecSpec(text, kind, tuple(sorted((carried | given).items())))


def _check_scheme(text: str, kind: str) -> None:
    """Raise `OptionError` unless names of this kind may carry options, in characters that node ids can hold."""
    if kind not in SCHEMES and kind in CODECS:
        raise OptionError(f"the codec {text!r}: {kind} takes no text after a colon; options go under codecs")
    if kind not in SCHEMES:
        raise OptionError(unknown("codec", kind, tuple(CODECS)))
    if not _CARRIED.fullmatch(text) or "::" in text:
        raise OptionError(
            f"the codec {text!r} has characters that node ids cannot contain; "
            f"give it a name of its own under codecs, with type: {kind} and {SCHEMES[kind]}"
        )


def _carried(text: str, options: dict[str, Scalar], query: str) -> dict[str, Scalar]:
    """Return `options` and those of the query ``name=value&...``; raise `OptionError` for one that is wrong."""
    for part in query.split("&") if query else ():
        name, equals, value = part.partition("=")
        if not (name and equals and value):
            raise OptionError(f"{part!r} in the codec {text!r} is no option; write name=value, with & between options")
        if name in options:
            raise OptionError(f"the codec {text!r} says {name} twice; keep one of them")
        options[name] = _scalar(value)
    return options


def _scalar(text: str) -> str | int | bool:
    """Return the value that YAML would read: true, false, a count or a text."""
    if text in ("true", "false"):
        return text == "true"
    return int(text) if re.fullmatch(r"\d{1,9}", text) else text
