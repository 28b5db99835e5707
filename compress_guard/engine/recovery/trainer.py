"""Trainers: the recipe of the task or a user's own callable, and the checks of what they return."""

from __future__ import annotations

import contextlib
import hashlib
import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from compress_guard.engine.images.factories import importable, imported
from compress_guard.engine.recovery import batches, losses, recipes, targets
from compress_guard.engine.recovery.batches import Batches
from compress_guard.engine.trouble import pass_on
from compress_guard.engine.wording import kind
from compress_guard.errors import ModelError, RunError, described, error_text

if TYPE_CHECKING:
    import torch

BUILT_IN: Final = "built in"
_REMEDY: Final = "; lower the learning rate, or name a trainer that suits the model"


@dataclass(frozen=True, slots=True)
class Trainer:
    """A callable (module, batches, steps, ...) -> module."""

    name: str
    call: Callable[..., Any]
    folder: Path
    """Folder of the thresholds file, which is on sys.path while the trainer works."""

    @classmethod
    def of(cls, name: str | None, folder: Path) -> Trainer:
        """Return the trainer of this name, or the built-in recipes for None; raises `ModelError` for an invalid one."""
        if name is None:
            return cls(BUILT_IN, recipes.finetune, folder)
        expected = "a trainer: a callable (module, batches, steps, ...) that returns the finetuned module"
        return cls(name, imported(name, folder, ModelError, expected), folder)

    @property
    def identity(self) -> str:
        """A hash of the sources of the trainer, of the module that names it, and of its batches, targets and losses."""
        digest = hashlib.sha256(self.name.encode())
        # A partial, or a trainer with options of its own, is made in another file than the function that it calls.
        named = sys.modules.get(self.name.partition(":")[0])
        given = [module.__file__ or "" for module in (batches, losses, targets)]
        for path in [*given, source_of(self.call), getattr(named, "__file__", None) or ""]:
            digest.update(source(path))
        return digest.hexdigest()

    def finetune(
        self, module: torch.nn.Module, shown: Batches, steps: int, offered: Mapping[str, Any]
    ) -> torch.nn.Module:
        """Return the finetuned module; the callable gets those of `offered` for which it has parameters.

        Raises `ModelError` if it raises, returns no module, or returns one whose weights are not finite.
        """
        import torch

        try:
            with importable(self.folder), torch.inference_mode(False), torch.enable_grad():
                made = self.call(module, shown, steps, **self._taken(offered))
        except RunError as problem:
            raise ModelError(f"trainer {self.name}: {error_text(problem)}{_REMEDY}") from problem
        except BaseException as problem:
            pass_on(problem)
            raise ModelError(f"trainer {self.name}: raised {described(problem)}") from problem
        if not isinstance(made, torch.nn.Module):
            returned = "nothing" if made is None else kind(made)
            raise ModelError(f"trainer {self.name}: returned {returned}; a trainer must return the finetuned module")
        for name, tensor in made.state_dict().items():
            if isinstance(tensor, torch.Tensor) and not bool(torch.isfinite(tensor).all()):
                raise ModelError(
                    f"trainer {self.name}: diverged: {name} holds values that are not finite after {steps} "
                    f"steps{_REMEDY}"
                )
        return made

    def takes(self, name: str) -> bool:
        """Return True if the trainer accepts this keyword, by name or by ``**kwargs``; False if unknown."""
        return name in self._taken({name: None})

    def _taken(self, offered: Mapping[str, Any]) -> dict[str, Any]:
        try:
            parameters = inspect.signature(self.call).parameters
        except (TypeError, ValueError):
            return {}
        if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
            return dict(offered)
        return {name: value for name, value in offered.items() if name in parameters}


def source_of(made: object) -> str:
    """Return the file with the code of a function, a class, or an object's class; empty if there is none."""
    unwrapped = inspect.unwrap(made) if callable(made) else made
    for candidate in (unwrapped, type(unwrapped)):
        with contextlib.suppress(TypeError, OSError):
            return inspect.getsourcefile(candidate) or ""  # type: ignore[arg-type]  # raises TypeError for an object without code
    return ""


def source(path: str) -> bytes:
    """Return the content of a source file; empty if it cannot be read."""
    with contextlib.suppress(OSError):
        return Path(path).read_bytes()
    return b""


def finetunable(model: Any, name: str) -> Any:
    """Return the predictor; raises `ModelError` if it has no module to finetune."""
    import torch

    parts = ("with_module", "preprocess")
    if isinstance(getattr(model, "module", None), torch.nn.Module) and all(
        callable(getattr(model, part, None)) for part in parts
    ):
        return model
    raise ModelError(
        f"{name}: has no module that could be finetuned; recovery needs a predictor that compress_guard.predictor "
        "made, or one with .module, .preprocess and .with_module(module)"
    )
