"""How a model is finetuned where the thresholds file names no trainer: one schedule, and the loss of its task."""

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
"""A module and the two averages of its optimiser, with room for other precisions."""
_WEIGHT_DECAY: Final = 0.01
_WARM_UP: Final = 0.05
"""Share of the steps over which the learning rate rises; then it falls along a cosine."""
_LARGEST_GRADIENT: Final = 5.0
CHECKPOINT_SECONDS: Final = 60.0


class Resumable(Protocol):
    """The batches of a training: `Batches`, or whatever can go on after some of its steps."""

    def after(self, steps: int, /) -> Iterator[Batch]:
        """Yield the batches that come after so many steps."""


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

    AdamW; the learning rate rises over the first 5 % of the steps and falls along a cosine; gradients are clipped to
    a norm of 5; half of the images are flipped left to right, with their boxes and label maps. Normalisation layers are
    in train mode. Classifiers and segmenters are trained by cross entropy, detectors by the losses that they return.

    `batches` are of `steps` steps. With a `checkpoint` the state is written there once a minute, and a training that
    finds one goes on from it, to the weights that it would have had without a stop.

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
        torch.manual_seed(hash((seed, step)))  # dropout goes on after a stop as it would have without
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
    """Share of the peak learning rate when this share of the steps is done."""
    if progress < _WARM_UP:
        return progress / _WARM_UP
    return 0.5 * (1.001 + math.cos(math.pi * (progress - _WARM_UP) / (1 - _WARM_UP)))


def _trainable(module: torch.nn.Module) -> list[torch.nn.Parameter]:
    """The parameters that ask for gradients; all, where a module was frozen as a whole to predict with it."""
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
    """The target of an image of this width once it is flipped left to right."""
    if isinstance(target, Mapping):
        left, top, right, bottom = target["boxes"].unbind(1)
        import torch

        return {**target, "boxes": torch.stack([width - right, top, width - left, bottom], 1)}
    return target if isinstance(target, int) else target.flip(-1)


def _resumed(path: Path | None, module: torch.nn.Module, optimiser: torch.optim.Optimizer) -> int:
    """Steps that are done, by a checkpoint that is taken over; 0 where there is none that can be read."""
    import torch

    if path is None:
        return 0
    # A file that is not there, or damaged, fails in a dozen ways, and is only time lost.
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
    """Write a checkpoint, whole or not at all; a disk that refuses costs no more than a start from the beginning."""
    import torch

    state = {"step": step, "module": module.state_dict(), "optimiser": optimiser.state_dict()}
    with (
        contextlib.suppress(OSError, RuntimeError),
        Folder.opened(path.parent) as folder,
        folder.replacing(path.name, UNFINISHED) as file,
    ):
        torch.save(state, file)
