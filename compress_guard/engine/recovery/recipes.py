"""Built-in finetuning, used if the thresholds file names no trainer: one schedule, and the loss of each task."""

from __future__ import annotations

import contextlib
import math
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from compress_guard.engine.recovery.batches import Batch
from compress_guard.engine.recovery.losses import LOSSES, Inputs
from compress_guard.engine.recovery.weights import largest_file
from compress_guard.errors import ModelError
from compress_guard.files import Folder, open_regular
from compress_guard.store import UNFINISHED

if TYPE_CHECKING:
    import torch

    Preprocess = Callable[[torch.Tensor], torch.Tensor]

PEAK: Final = 5e-4
"""Learning rate of AdamW after the warm-up."""
_CHECKPOINT_COPIES: Final = 16
"""Copies of the weights in a checkpoint: the module and two averages of its optimiser, with room for precisions."""
_WEIGHT_DECAY: Final = 0.01
_WARM_UP: Final = 0.05
"""Share of the steps over which the learning rate rises; then it falls along a cosine."""
_LARGEST_GRADIENT: Final = 5.0
CHECKPOINT_SECONDS: Final = 60.0


class Resumable(Protocol):
    """The batches of a training: `Batches`, or any other object that can continue after some of the steps."""

    def after(self, steps: int, /) -> Iterator[Batch]:
        """Yield the batches after this number of steps."""


def finetune(  # noqa: PLR0913 -- a trainer is offered all of these by name
    module: torch.nn.Module,
    batches: Resumable,
    steps: int,
    *,
    task: str,
    preprocess: Preprocess,
    seed: int,
    checkpoint: Path | None = None,
    progress: Callable[[int, int, float], None] = lambda step, steps, loss: None,
    learning_rate: float = PEAK,
) -> torch.nn.Module:
    """Finetune a torchvision-style module for its task, in place.

    The optimiser is AdamW. The learning rate rises over the first 5 % of the steps and falls along a cosine; gradients
    are clipped to a norm of 5; half of the images are flipped left to right, with their boxes and label maps.
    Normalisation layers are in train mode. Classifiers and segmenters are trained by cross entropy, detectors by the
    losses that they return.

    `batches` has `steps` steps. With a `checkpoint` the state is written there once a minute, and a training that finds
    one continues from it, to the weights that it would have without a stop.

    Raises `ModelError` for a loss that is no finite number, or a module that gives none.
    """
    import torch

    module.to(memory_format=torch.channels_last)
    module.train()
    parameters = _trainable(module)
    optimiser = torch.optim.AdamW(parameters, lr=learning_rate, weight_decay=_WEIGHT_DECAY)
    done = _resumed(checkpoint, module, optimiser)
    loss_of, saved = LOSSES[task], time.monotonic()
    for step, (images, targets) in enumerate(batches.after(done), start=done + 1):
        torch.manual_seed(hash((seed, step)))  # the same dropout after a stop as without one
        for group in optimiser.param_groups:
            group["lr"] = learning_rate * pace(step / steps)
        loss = loss_of(module, _inputs(images, targets, preprocess, torch.rand(len(images)).tolist()))
        value = float(loss.detach())
        if not math.isfinite(value):
            raise ModelError(f"the loss is {value} at step {step} of {steps}")
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]  # of torch
        torch.nn.utils.clip_grad_norm_(parameters, _LARGEST_GRADIENT)
        optimiser.step()
        if checkpoint is not None and time.monotonic() - saved >= CHECKPOINT_SECONDS and step < steps:
            _save(checkpoint, module, optimiser, step)
            saved = time.monotonic()
        progress(step, steps, value)
    return module


def pace(progress: float) -> float:
    """Return the learning rate, as a share of its peak, when this share of the steps is done."""
    if progress < _WARM_UP:
        return progress / _WARM_UP
    return 0.5 * (1.001 + math.cos(math.pi * (progress - _WARM_UP) / (1 - _WARM_UP)))


def _trainable(module: torch.nn.Module) -> list[torch.nn.Parameter]:
    """Return the parameters that require gradients; all of them if the whole module was frozen for prediction."""
    parameters = list(module.parameters())
    if not any(parameter.requires_grad for parameter in parameters):
        module.requires_grad_(True)
    chosen = [parameter for parameter in parameters if parameter.requires_grad]
    if not chosen:
        raise ModelError("the module has no parameters to train")
    return chosen


def _inputs(
    images: Sequence[torch.Tensor], targets: Sequence[Any], preprocess: Preprocess, chances: Sequence[float]
) -> Inputs:
    shown, wanted = [], []
    for image, target, chance in zip(images, targets, chances, strict=True):
        flipped = chance < 0.5
        shown.append(preprocess(image.flip(-1) if flipped else image))
        wanted.append(_flipped(target, image.shape[-1]) if flipped else target)
    return Inputs(shown, wanted, [(image.shape[-2], image.shape[-1]) for image in images])


def _flipped(target: Any, width: int) -> Any:
    """Return the target of an image of this width after a flip left to right."""
    if isinstance(target, Mapping):
        left, top, right, bottom = target["boxes"].unbind(1)
        import torch

        return {**target, "boxes": torch.stack([width - right, top, width - left, bottom], 1)}
    return target if isinstance(target, int) else target.flip(-1)


def _resumed(path: Path | None, module: torch.nn.Module, optimiser: torch.optim.Optimizer) -> int:
    """Restore a checkpoint and return the number of its steps; 0 if there is none that can be read."""
    import torch

    if path is None:
        return 0
    # A missing or damaged file fails in a dozen ways, and costs only time.
    with contextlib.suppress(Exception), open_regular(path) as file:
        if os.fstat(file.fileno()).st_size > largest_file(module, _CHECKPOINT_COPIES):
            return 0
        kept = torch.load(file, map_location="cpu", weights_only=True)
        step = int(kept["step"])
        optimiser.load_state_dict(kept["optimiser"])
        module.load_state_dict(kept["module"])
        return step
    return 0


def _save(path: Path, module: torch.nn.Module, optimiser: torch.optim.Optimizer, step: int) -> None:
    """Write a checkpoint as a whole or not at all; if the disk refuses, a stopped training begins from the start."""
    import torch

    state = {"step": step, "module": module.state_dict(), "optimiser": optimiser.state_dict()}
    with (
        contextlib.suppress(OSError, RuntimeError),
        Folder.opened(path.parent) as folder,
        folder.replacing(path.name, UNFINISHED) as file,
    ):
        torch.save(state, file)
