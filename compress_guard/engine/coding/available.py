"""Codecs that work here, built from their specifications."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from compress_guard.codecs.contract import Codec
from compress_guard.errors import CodecError, CodecUnavailable, OptionError
from compress_guard.records import CodecSpec, Scalar
from compress_guard.registry import CODECS, option_names, read_steps, required_options, unknown


def build_codec(spec: CodecSpec) -> Codec:
    """Build the codec of a specification; raises `OptionError` for options that it does not take.

    Its relative paths stay the same files if the current folder changes later.
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
    """Return the required options that a registered codec's specification lacks, such as ``path, arch``."""
    return ", ".join(name for name in required_options(spec.type) if name not in dict(spec.options))


def available_codec(spec: CodecSpec, device: str = "cpu") -> Codec:
    """Build the codec of a specification for a device, or for the CPU if it cannot work there.

    Raises `CodecUnavailable` for one that cannot run here, `CodecError` for one without settings, and `OptionError`.
    """
    codec = build_codec(spec)
    if (reason := codec.unavailable()) is not None:
        raise CodecUnavailable(reason)
    if not len(codec.ladder):
        raise CodecError(f"{spec.alias} has an empty ladder; a codec needs at least one setting")
    return codec.on(device)


def codec_options(options: Mapping[str, Any]) -> tuple[tuple[str, Scalar], ...]:
    """Return options in the form of a specification: sorted by name, with lists as tuples, and steps as records.

    Raises `OptionError` for steps of a pipeline whose form is wrong.
    """
    return tuple((key, _frozen(key, value)) for key, value in sorted(options.items()))


def _frozen(key: str, value: Any) -> Any:
    if key == "steps" and isinstance(value, list | tuple):
        return read_steps(value)
    return tuple(value) if isinstance(value, list) else value
