"""compress_guard: gate releases of vision models on how well they survive image compression.

Everything public is imported on first use, so that importing the package imports neither torch nor pytest.

PYTEST_DONT_REWRITE: its asserts are no test's.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from compress_guard import strategies as strategies
    from compress_guard import transforms as transforms
    from compress_guard.codecs.contract import Codec as Codec
    from compress_guard.codecs.contract import RealStreams as RealStreams
    from compress_guard.engine.coding.compress import Compressed as Compressed
    from compress_guard.engine.coding.compress import compress as compress
    from compress_guard.engine.models.predictor import Predictor as Predictor
    from compress_guard.engine.models.predictor import predictor as predictor
    from compress_guard.engine.single_cell import measure as measure
    from compress_guard.registry import register_codec as register_codec
    from compress_guard.registry import register_data as register_data
    from compress_guard.registry import register_model as register_model
    from compress_guard.registry import register_task as register_task
    from compress_guard.tasks.classification import Classification as Classification
    from compress_guard.tasks.contract import Task as Task
    from compress_guard.tasks.scorer import Scorer as Scorer

__version__: Final = "0.1.0"

_EXPORTS: Final = {
    "Classification": "compress_guard.tasks.classification",
    "Codec": "compress_guard.codecs.contract",
    "Compressed": "compress_guard.engine.coding.compress",
    "compress": "compress_guard.engine.coding.compress",
    "measure": "compress_guard.engine.single_cell",
    "Predictor": "compress_guard.engine.models.predictor",
    "predictor": "compress_guard.engine.models.predictor",
    "RealStreams": "compress_guard.codecs.contract",
    "register_codec": "compress_guard.registry",
    "register_data": "compress_guard.registry",
    "register_model": "compress_guard.registry",
    "register_task": "compress_guard.registry",
    "Scorer": "compress_guard.tasks.scorer",
    "Task": "compress_guard.tasks.contract",
}
_MODULES: Final = ("strategies", "transforms")

__all__ = [
    "Classification",
    "Codec",
    "Compressed",
    "Predictor",
    "RealStreams",
    "Scorer",
    "Task",
    "__version__",
    "compress",
    "measure",
    "predictor",
    "register_codec",
    "register_data",
    "register_model",
    "register_task",
    "strategies",
    "transforms",
]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    if name not in _EXPORTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_EXPORTS[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
