"""compress_guard: gate releases of vision models on how well they survive image compression.

Everything public is imported on first use, so that importing the package imports neither torch nor pytest.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from compress_guard import transforms as transforms
    from compress_guard.engine.compression import Compressed as Compressed
    from compress_guard.engine.compression import compress as compress
    from compress_guard.engine.measurement import measure as measure
    from compress_guard.engine.predictor import Predictor as Predictor
    from compress_guard.engine.predictor import predictor as predictor

__version__: Final = "0.1.0"

_EXPORTS: Final = {
    "Compressed": "compress_guard.engine.compression",
    "compress": "compress_guard.engine.compression",
    "measure": "compress_guard.engine.measurement",
    "Predictor": "compress_guard.engine.predictor",
    "predictor": "compress_guard.engine.predictor",
}
_MODULES: Final = ("transforms",)

__all__ = ["Compressed", "Predictor", "__version__", "compress", "measure", "predictor", "transforms"]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    if name not in _EXPORTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_EXPORTS[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
