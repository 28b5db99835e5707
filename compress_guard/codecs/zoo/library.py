"""CompressAI, imported on first use and only here."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import warnings
from types import ModuleType
from typing import Final

from compress_guard.errors import CodecUnavailable

_MODULES: Final = ("compressai.models", "compressai.zoo.image_vbr")
WHEELS: Final = (3, 12)
"""The last Python that compressai has wheels for; later ones would build it with a C++ compiler, which takes long."""
INSTALL: Final = "pip install 'compress-guard[zoo]'" + (
    ""
    if sys.version_info[:2] <= WHEELS
    else f" on Python {WHEELS[0]}.{WHEELS[1]} or older, for which compressai has wheels"
)


def missing_library() -> str | None:
    """Return the reason why CompressAI cannot be used here, ending with the command that installs it, or None.

    Only looks for it: its import takes seconds, and what that meets is said by `compressai_library`.
    """
    if importlib.util.find_spec("compressai") is None:
        return f"compressai is not installed; {INSTALL}"
    return None


def compressai_library() -> ModuleType:
    """Return the package `compressai` with its models and its zoo.

    Raises `CodecUnavailable` where it does not import.
    """
    if (reason := missing_library()) is not None:
        raise CodecUnavailable(reason)
    if (found := sys.modules.get("compressai")) is not None and set(_MODULES) <= sys.modules.keys():
        return found  # catch_warnings() acts on the whole process: only where it is needed
    try:
        with warnings.catch_warnings():
            # Its dependency torch_geometric calls a deprecated torch.jit.script, which should not end a gate under
            # -W error: that is about another package.
            warnings.simplefilter("ignore")
            for name in _MODULES:
                importlib.import_module(name)
            return importlib.import_module("compressai")
    except (ImportError, AttributeError, OSError) as problem:
        raise CodecUnavailable(f"compressai does not import here ({problem}); {INSTALL}") from problem
