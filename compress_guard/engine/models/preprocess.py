"""Preprocessing of a model, written for tensors or for PIL images."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final, final

from compress_guard.codecs.pixels import to_pil
from compress_guard.engine.models.outputs import described_output
from compress_guard.engine.trouble import pass_on
from compress_guard.errors import ModelError, RunError, described

if TYPE_CHECKING:
    import torch

_FROM_PIL: Final = frozenset(["ToTensor", "PILToTensor"])
_FROM_EITHER: Final = frozenset(["ToImage", "ToPILImage"])


@final
class Preprocess:
    """A transform that is called with tensors or, if it needs them, with PIL images of the same pixels.

    The first image decides for all: a transform that holds torchvision's ``ToTensor`` or ``PILToTensor`` is tried with
    a PIL image first, any other with the tensor; if that raises, the other kind is tried.
    """

    def __init__(self, transform: Callable[[Any], Any]) -> None:
        self.transform: Final = transform
        self._wants_pil: bool | None = None

    def __call__(self, image: torch.Tensor) -> torch.Tensor:
        """Return the model's input for a uint8 RGB image (3, H, W), on the image's device.

        Raises `ModelError` if the first image fails both as a tensor and as a PIL image, and for results that are no
        tensor; for later images anything that the transform raises.
        """
        if self._wants_pil is None:
            return self._first(image)
        return self._made(image, self._wants_pil)

    def _first(self, image: torch.Tensor) -> torch.Tensor:
        preferred = _holds_to_tensor(self.transform)
        problems: dict[bool, Exception] = {}
        for pil in (preferred, not preferred):
            try:
                made = self._made(image.clone(), pil)  # a transform may change its input before it fails
            except (RunError, MemoryError):
                raise
            except Exception as problem:
                pass_on(problem)
                if type(problem).__name__ == "OutOfMemoryError":
                    raise
                problems[pil] = problem
            else:
                self._wants_pil = pil
                return made
        raise ModelError(
            f"preprocess raised {described(problems[False])} for a uint8 tensor {tuple(image.shape)}, and "
            f"{described(problems[True])} for a PIL image of it; expected a transform that takes one of the two and "
            "returns a tensor"
        ) from problems[preferred]

    def _made(self, image: torch.Tensor, pil: bool) -> torch.Tensor:
        import torch

        made = self.transform(to_pil(image) if pil else image)
        if not isinstance(made, torch.Tensor):
            raise ModelError(
                f"preprocess returned {described_output(made)}; expected a tensor (3, h, w); take it out, for example "
                'preprocess=lambda image: processor(image, return_tensors="pt")["pixel_values"][0]'
            )
        return made.to(image.device) if pil else made


def _holds_to_tensor(transform: object) -> bool:
    """Return True if torchvision's step from PIL image to tensor comes before any step that takes both."""
    for part in _steps(transform, set()):
        own = {base.__name__ for base in type(part).__mro__ if base.__module__.startswith("torchvision.transforms.")}
        if own & _FROM_EITHER:
            return False
        if own & _FROM_PIL:
            return True
    return False


def _steps(transform: object, seen: set[int]) -> Iterator[object]:
    """Yield a transform and, in order, the steps that it is composed of."""
    if id(transform) in seen:
        return
    seen.add(id(transform))
    yield transform
    inner = getattr(transform, "transforms", None)
    if not isinstance(inner, (list, tuple)):
        modules = getattr(transform, "_modules", None)
        inner = list(modules.values()) if isinstance(modules, dict) else []
    for step in inner:
        yield from _steps(step, seen)
