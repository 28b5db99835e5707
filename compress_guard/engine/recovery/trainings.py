"""Finetuned models by what they were trained on; their weights are kept, and an interrupted training goes on."""

from __future__ import annotations

import contextlib
import copy
import hashlib
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, final

from compress_guard import store as keys
from compress_guard.engine.progress import Progress
from compress_guard.engine.recovery.batches import Batches
from compress_guard.engine.recovery.material import Decoded, Material
from compress_guard.engine.recovery.targets import Targets
from compress_guard.engine.recovery.trainer import Trainer, source, source_of
from compress_guard.engine.recovery.weights import Weights
from compress_guard.engine.trouble import pass_on
from compress_guard.errors import CodecError, ModelError, Unreachable, described
from compress_guard.records import CodecSpec, Guard, Recovery, TrainedRate, format_trained

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Arm:
    """One training: whose images it sees, and its seed."""

    seed: int
    codec: CodecSpec | None = None
    """None: clean images. That is the control."""
    bpp: TrainedRate | None = None

    @property
    def name(self) -> str:
        """``jpeg 0.25bpp, seed 1``."""
        if self.codec is None or self.bpp is None:
            return f"clean images, seed {self.seed}"
        return f"{self.codec.alias} {format_trained(self.bpp)}, seed {self.seed}"


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """What all trainings of a study share."""

    guard: Guard
    recovery: Recovery
    trainer: Trainer
    original: Any
    """A predictor with a module."""
    material: Material
    """Of the training images."""
    targets: Targets
    device: str


@final
class Trainings:
    """Makes the model of an arm, or finds it where an earlier run has left it."""

    def __init__(self, lesson: Lesson, folder: Path) -> None:
        self._lesson: Final = lesson
        self._folder: Final = folder
        self._common = ""
        self.made = 0
        """Trainings that were carried through."""

    def model(self, arm: Arm, progress: Progress) -> Any:
        """A predictor around the finetuned module; raises `ModelError`, and what `Material.at` raises."""
        guard = self._lesson.guard.name
        sources = self._sources(arm, partial(progress, f"coding training images of {guard}"))
        weights = Weights(self._folder, self._key(arm, sources))
        waiting = partial(progress, f"waiting for another process that finetunes {guard} on {arm.name}", 0, 0)
        with weights.lock(waiting) as checkpoint:
            fresh = self._fresh()
            if not weights.fill(fresh):
                trained = self._trained(arm, sources, checkpoint, progress)
                self.made += 1
                if not self._fits(trained, fresh):
                    return self._lesson.original.with_module(trained)
                weights.keep(trained, self._described(arm))
                fresh.load_state_dict(trained.state_dict())
        return self._lesson.original.with_module(fresh)

    def _sources(self, arm: Arm, told: Callable[[int, int], None]) -> list[Decoded]:
        material = self._lesson.material
        if arm.codec is None or arm.bpp is None:
            return [material.clean(told)]
        rates = self._lesson.recovery.rates(arm.codec) if isinstance(arm.bpp, str) else (arm.bpp,)
        try:
            return [material.at((arm.codec, rate), told) for rate in rates]
        except (CodecError, Unreachable) as problem:
            raise type(problem)(f"training images: {problem}") from problem

    def _trained(self, arm: Arm, sources: Sequence[Decoded], checkpoint: Path, progress: Progress) -> torch.nn.Module:
        lesson, recovery = self._lesson, self._lesson.recovery
        what = f"finetuning {lesson.guard.name} on {arm.name}: step"
        batches = Batches(
            sources, lesson.targets, steps=recovery.steps, size=recovery.batch, seed=arm.seed, device=lesson.device
        )
        module = self._fresh().to(lesson.device)

        def told(step: int, steps: int, loss: float) -> None:
            if loss != loss or abs(loss) == float("inf"):
                raise ModelError(f"the loss is {loss} at step {step} of {steps}")
            progress(what, step, steps)

        offered = {
            "task": lesson.guard.task,
            "preprocess": lesson.original.preprocess,
            "seed": arm.seed,
            "device": lesson.device,
            "checkpoint": checkpoint,
            "progress": told,
        }
        if recovery.learning_rate is not None:
            offered["learning_rate"] = recovery.learning_rate
        progress(what, 0, recovery.steps)
        with _drawn_from(arm.seed, lesson.device):
            try:
                made = lesson.trainer.finetune(module, batches, recovery.steps, offered)
            except ModelError as problem:
                raise ModelError(f"finetuning on {arm.name}: {problem}") from problem
        with contextlib.suppress(OSError):
            checkpoint.unlink()
        return made

    def _fresh(self) -> torch.nn.Module:
        """A copy of the guard's own module, which nothing here may change."""
        try:
            module: torch.nn.Module = copy.deepcopy(self._lesson.original.module)
        except BaseException as problem:
            pass_on(problem)
            raise ModelError(
                f"{self._lesson.guard.model}: its module cannot be copied ({described(problem)}); "
                "recovery finetunes copies, so that the guard's own model stays as it is"
            ) from problem
        return module

    def _fits(self, trained: torch.nn.Module, fresh: torch.nn.Module) -> bool:
        """Whether the guard's module with these weights is what was trained: a trainer may return another network.

        Layers without weights count too, say another activation.
        """
        if repr(trained) != repr(fresh):
            return False
        given, wanted = trained.state_dict(), fresh.state_dict()
        return given.keys() == wanted.keys() and all(
            getattr(given[name], "shape", None) == getattr(wanted[name], "shape", None) for name in wanted
        )

    def _key(self, arm: Arm, sources: Sequence[Decoded]) -> str:
        """Of everything that decides the weights."""
        import torch

        lesson, recovery = self._lesson, self._lesson.recovery
        if not self._common:
            survey = lesson.material.subset.survey
            images = [part for at in range(len(survey.usable)) for part in survey.content(at)]
            self._common = keys.key(
                lesson.guard.task, _state(lesson.original.module), _looks(lesson), lesson.trainer.identity, *images
            )
        shown = [source.identity for source in sources]
        how = (recovery.steps, recovery.batch, arm.seed, str(recovery.learning_rate))
        return keys.key(self._common, *shown, *how, torch.__version__, lesson.device.partition(":")[0])

    def _described(self, arm: Arm) -> dict[str, Any]:
        lesson, recovery = self._lesson, self._lesson.recovery
        return {
            "guard": lesson.guard.name,
            "model": lesson.guard.model,
            "codec": arm.codec.alias if arm.codec else None,
            "bpp": arm.bpp,
            "seed": arm.seed,
            "steps": recovery.steps,
            "batch": recovery.batch,
            "trainer": lesson.trainer.name,
            "learning_rate": recovery.learning_rate,
        }


@contextlib.contextmanager
def _drawn_from(seed: int, device: str) -> Iterator[None]:
    """Whatever a trainer draws by global random numbers comes of this seed, and leaves no trace in the process."""
    import numpy as np
    import torch

    plain, array = random.getstate(), np.random.get_state()  # noqa: NPY002 -- the numbers that a trainer may draw
    with torch.random.fork_rng(devices=[device] if device.startswith("cuda") else []):
        torch.manual_seed(seed)
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        try:
            yield
        finally:
            random.setstate(plain)
            np.random.set_state(array)  # noqa: NPY002


def _state(module: torch.nn.Module) -> str:
    """A hash of the network: of its layers, of the code of those that are not torch's, and of its weights."""
    import torch

    digest = hashlib.sha256(repr(module).encode())
    kinds = {type(part) for part in module.modules()}
    # What forward does shows in no weight; torch's own is known by its version.
    for path in sorted({source_of(kind) for kind in kinds if not kind.__module__.startswith("torch.")}):
        digest.update(source(path))
    for name, value in module.state_dict().items():
        digest.update(name.encode())
        if isinstance(value, torch.Tensor):
            digest.update(f"{value.dtype} {tuple(value.shape)}".encode())
            # Contiguous whatever order in memory the module has, or a copy of it would have another name.
            plain = value.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
            digest.update(plain.numpy().tobytes())
    return digest.hexdigest()


def _looks(lesson: Lesson) -> bytes:
    """What the preprocessing, which has no name of its own, makes of the first image."""
    subset = lesson.material.subset
    image = subset.samples[subset.survey.usable[0]].image.clone()
    try:
        made = lesson.original.preprocess(image)
    except BaseException as problem:
        pass_on(problem)
        raise ModelError(f"the model's preprocessing raised {described(problem)}") from problem
    found: bytes = made.detach().float().cpu().contiguous().numpy().tobytes()
    return found
