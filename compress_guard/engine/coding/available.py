"""From a codec's specification to a codec that works here, and what may be asked of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from compress_guard.codecs.contract import Codec
from compress_guard.errors import CodecUnavailable, OptionError
from compress_guard.records import CodecSpec, Scalar
from compress_guard.registry import CODECS, unknown
from compress_guard.thresholds.catalogue import option_names, required_options


def build_codec(spec: CodecSpec) -> Codec:
    """The codec that a specification names; raises `OptionError` for options that it does not take.

    Its relative paths mean the same files from now on, whatever becomes of the current folder.
    """
    if spec.type not in CODECS:
        raise OptionError(CODECS.unknown(spec.type))
    made = CODECS.resolve(spec.type)
    try:
        codec: Codec = made(**dict(spec.options))
    except TypeError as problem:
        known = option_names(spec.type)
        for name, _ in spec.options:
            if name not in known:
                raise OptionError(unknown(f"option of codec {spec.alias}", name, known)) from None
        if missing := missing_options(spec):
            raise OptionError(f"codec {spec.alias!r} needs {missing}; add what is missing to its options") from None
        raise OptionError(f"codec {spec.alias}: {problem}") from problem
    return codec.seen_from(Path.cwd() if spec.folder is None else Path(spec.folder))


def missing_options(spec: CodecSpec) -> str:
    """Return ``path, arch``: the options that a registered codec needs and that its specification does not give."""
    return ", ".join(name for name in required_options(spec.type) if name not in dict(spec.options))


def available_codec(spec: CodecSpec, device: str = "cpu") -> Codec:
    """The codec that a specification names, if it can run here, on this device where it can work there.

    Raises `CodecUnavailable`, `OptionError`.
    """
    codec = build_codec(spec)
    if (reason := codec.unavailable()) is not None:
        raise CodecUnavailable(reason)
    return codec.on(device)


def codec_options(options: Mapping[str, Any]) -> tuple[tuple[str, Scalar], ...]:
    """Options as a specification holds them, lists frozen; their order makes no difference."""
    return tuple((key, tuple(value) if isinstance(value, list) else value) for key, value in sorted(options.items()))
