"""PyTorch modules that were handed over instead of a predictor, and the words for messages about them."""

from __future__ import annotations

from typing import Final

from compress_guard.errors import error_text

_BATCHES: Final = ("torchvision.models.", "timm.models.", "transformers.models.")
"""Packages whose modules all take batches of floats, never a list of uint8 images."""


def is_module(model: object) -> bool:
    """Return True if this is a ``torch.nn.Module``, without importing torch."""
    return any(
        base.__name__ == "Module" and base.__module__ == "torch.nn.modules.module" for base in type(model).__mro__
    )


def surely_bare(model: object) -> bool:
    """Return True if a model can only fail as a predictor: a published network whose input was not adapted."""
    return (
        is_module(model)
        and type(model).__module__.startswith(_BATCHES)
        and "forward" not in vars(model)
        and not getattr(model, "_forward_pre_hooks", None)
    )


def remedy(task: str) -> str:
    """Return the call that makes a predictor of a module."""
    return f"wrap it: compress_guard.predictor(module, task={task!r}, preprocess=...)"


def hint(model: object, task: str, problem: BaseException) -> str:
    """Return the hint for the message about a model that raised: the remedy, if the list of images may be the cause.

    It is empty for a model that is no module, and for errors that say nothing about the input. Modules that take lists
    are valid predictors, so the hint leaves open which kind this is.
    """
    suspect_type = isinstance(problem, (TypeError, AttributeError, NotImplementedError))
    if not is_module(model) or not (suspect_type or "list" in error_text(problem).lower()):
        return ""
    return (
        f"; it was called with a list of uint8 images (3, H, W), as predictors are: if {type(model).__name__} is a "
        f"torch.nn.Module that takes batches of floats, {remedy(task)}"
    )
