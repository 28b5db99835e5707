"""Whoever finetunes: the recipe of the task or people's own callable, and what is asked of what it returns."""

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
from compress_guard.errors import ModelError, RunError, described, said

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
    """On sys.path while it works: that of the thresholds file."""

    @classmethod
    def of(cls, name: str | None, folder: Path) -> Trainer:
        """The trainer that a thresholds file names, or the recipes; raises `ModelError` for one that is none."""
        if name is None:
            return cls(BUILT_IN, recipes.finetune, folder)
        expected = "a trainer: a callable (module, batches, steps, ...) that returns the finetuned module"
        return cls(name, imported(name, folder, ModelError, expected), folder)

    @property
    def identity(self) -> str:
        """Changes with its source, with that of the module that it is named in, and with that of what it gets."""
        digest = hashlib.sha256(self.name.encode())
        # A partial, or a trainer with options of its own, is made in another file than what it calls.
        named = sys.modules.get(self.name.partition(":")[0])
        given = [module.__file__ or "" for module in (batches, losses, targets)]
        for path in [*given, source_of(self.call), getattr(named, "__file__", None) or ""]:
            digest.update(source(path))
        return digest.hexdigest()

    def finetune(
        self, module: torch.nn.Module, shown: Batches, steps: int, offered: Mapping[str, Any]
    ) -> torch.nn.Module:
        """What it makes of a module; it gets those of `offered` that it has parameters for.

        Raises `ModelError` where it raises, returns no module, or one whose weights are not finite.
        """
        import torch

        try:
            with importable(self.folder), torch.inference_mode(False), torch.enable_grad():
                made = self.call(module, shown, steps, **self._taken(offered))
        except RunError as problem:
            raise ModelError(f"trainer {self.name}: {said(problem)}{_REMEDY}") from problem
        except BaseException as problem:
            pass_on(problem)
            raise ModelError(f"trainer {self.name}: raised {described(problem)}") from problem
        if not isinstance(made, torch.nn.Module):
            found = "nothing" if made is None else kind(made)
            raise ModelError(f"trainer {self.name}: returned {found}; a trainer must return the finetuned module")
        for name, tensor in made.state_dict().items():
            if isinstance(tensor, torch.Tensor) and not bool(torch.isfinite(tensor).all()):
                raise ModelError(
                    f"trainer {self.name}: diverged: {name} holds values that are not finite after {steps} "
                    f"steps{_REMEDY}"
                )
        return made

    def takes(self, name: str) -> bool:
        """Whether it has a parameter of this name."""
        return name in self._taken({name: None})

    def _taken(self, offered: Mapping[str, Any]) -> dict[str, Any]:
        try:
            parameters = inspect.signature(self.call).parameters
        except (TypeError, ValueError):
            return {}
        if any(one.kind is one.VAR_KEYWORD for one in parameters.values()):
            return dict(offered)
        return {name: value for name, value in offered.items() if name in parameters}


def source_of(made: object) -> str:
    """The file with the code of a function, a class, or an object's class; empty where there is none."""
    unwrapped = inspect.unwrap(made) if callable(made) else made
    for one in (unwrapped, type(unwrapped)):
        with contextlib.suppress(TypeError, OSError):
            return inspect.getsourcefile(one) or ""  # type: ignore[arg-type]  # raises TypeError for what has no code
    return ""


def source(path: str) -> bytes:
    """The text of a source file; empty where it cannot be read."""
    with contextlib.suppress(OSError):
        return Path(path).read_bytes()
    return b""


def finetunable(model: Any, name: str) -> Any:
    """The predictor, if it has a module to finetune; raises `ModelError`."""
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
