"""Preparation of a process for its first cell: libraries that are slow to import, and the device."""

from __future__ import annotations

import contextlib
import importlib
import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from compress_guard.codecs.zoo.learned import Learned
from compress_guard.codecs.zoo.library import compressai_library
from compress_guard.engine.coding.available import build_codec
from compress_guard.engine.trouble import attempted
from compress_guard.errors import CompressGuardError
from compress_guard.records import CodecSpec

if TYPE_CHECKING:
    from compress_guard.engine.session import Session

_ALWAYS: Final = ("torch", "torchvision", "PIL.Image")
"""Modules that every cell, or the metric of a task, imports."""


def make_ready(session: Session, codecs: Iterable[CodecSpec]) -> None:
    """Import the libraries that cells with these codecs need and find the device, so that no cell's time includes it.

    Raises nothing but KeyboardInterrupt: a cell with the same problem reports it. Warnings of the imports are
    suppressed, since they belong to no cell.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in _ALWAYS:
            attempted(lambda name=name: importlib.import_module(name))  # type: ignore[misc]  # a default binds it now
        attempted(lambda: session.device)
        for codec in dict.fromkeys(codecs):
            attempted(lambda codec=codec: _load(codec))  # type: ignore[misc]  # as above


def _load(spec: CodecSpec) -> None:
    """Import a codec's library. Nothing is downloaded and no program is run, since either may take very long."""
    with contextlib.suppress(CompressGuardError):
        codec = build_codec(spec)
        if isinstance(codec, Learned):
            compressai_library()
        else:
            codec.unavailable()
