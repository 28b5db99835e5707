"""Finetuned models, one for each training; their weights are kept, and an interrupted training continues."""

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
from compress_guard.records import CodecSpec, Guard, Quality, Rate, Recovery, TrainedPoint, format_trained

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Arm:
    """One training: the codec and operating point of its images, and its seed."""

    seed: int
    codec: CodecSpec | None = None
    """None for clean images, which make the control."""
    point: TrainedPoint | None = None

    @property
    def name(self) -> str:
        """The name of the training: ``jpeg 0.25bpp, seed 1``."""
        if self.codec is None or self.point is None:
            return f"clean images, seed {self.seed}"
        return f"{self.codec.alias} {format_trained(self.point)}, seed {self.seed}"


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """The parts that all trainings of a study share."""

    guard: Guard
    recovery: Recovery
    trainer: Trainer
    original: Any
    """A predictor with a module."""
    material: Material
    """The training images."""
    targets: Targets
    device: str


@final
class Trainings:
    """The finetuned models of a study, each trained or taken from an earlier run."""

    def __init__(self, lesson: Lesson, folder: Path) -> None:
        self._lesson: Final = lesson
        self._folder: Final = folder
        self._common = ""
        self.made = 0
        """Number of trainings that were finished in this process."""

    def model(self, arm: Arm, progress: Progress) -> Any:
        """Return a predictor with the finetuned module; raises `ModelError`, and what `Material.at` raises."""
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

    def _sources(self, arm: Arm, progress: Callable[[int, int], None]) -> list[Decoded]:
        material = self._lesson.material
        if arm.codec is None or arm.point is None:
            return [material.clean(progress)]
        points = self._lesson.recovery.points_of(arm.codec) if isinstance(arm.point, str) else (arm.point,)
        try:
            return [material.at((arm.codec, point), progress) for point in points]
        except (CodecError, Unreachable) as problem:
            raise type(problem)(f"training images: {problem}") from problem

    def _trained(self, arm: Arm, sources: Sequence[Decoded], checkpoint: Path, progress: Progress) -> torch.nn.Module:
        lesson, recovery = self._lesson, self._lesson.recovery
        what = f"finetuning {lesson.guard.name} on {arm.name}: step"
        batches = Batches(
            sources, lesson.targets, steps=recovery.steps, size=recovery.batch, seed=arm.seed, device=lesson.device
        )
        module = self._fresh().to(lesson.device)

        def report_step(step: int, steps: int, loss: float) -> None:
            if loss != loss or abs(loss) == float("inf"):
                raise ModelError(f"the loss is {loss} at step {step} of {steps}")
            progress(what, step, steps)

        offered = {
            "task": lesson.guard.task,
            "preprocess": lesson.original.preprocess,
            "seed": arm.seed,
            "device": lesson.device,
            "checkpoint": checkpoint,
            "progress": report_step,
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
        """Return a copy of the guard's own module, which must not change."""
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
        """Return True if the guard's module with these weights is the trained one: it may be another network.

        Layers without weights count too, such as another activation.
        """
        if repr(trained) != repr(fresh):
            return False
        given, wanted = trained.state_dict(), fresh.state_dict()
        return given.keys() == wanted.keys() and all(
            getattr(given[name], "shape", None) == getattr(wanted[name], "shape", None) for name in wanted
        )

    def _key(self, arm: Arm, sources: Sequence[Decoded]) -> str:
        """Return the key of everything that the weights depend on."""
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
            "bpp": arm.point.bpp if isinstance(arm.point, Rate) else arm.point if isinstance(arm.point, str) else None,
            "quality": arm.point.setting if isinstance(arm.point, Quality) else None,
            "seed": arm.seed,
            "steps": recovery.steps,
            "batch": recovery.batch,
            "trainer": lesson.trainer.name,
            "learning_rate": recovery.learning_rate,
        }


@contextlib.contextmanager
def _drawn_from(seed: int, device: str) -> Iterator[None]:
    """Seed all global random numbers inside the block, and restore their state afterwards."""
    import numpy as np
    import torch

    plain, array = random.getstate(), np.random.get_state()  # noqa: NPY002 -- a trainer may draw from them
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
    """Return a hash of the network: of its layers, the code of layers outside torch, and its weights."""
    import torch

    digest = hashlib.sha256(repr(module).encode())
    kinds = {type(part) for part in module.modules()}
    # Weights do not show the code of forward; torch's own code is known by its version.
    for path in sorted({source_of(kind) for kind in kinds if not kind.__module__.startswith("torch.")}):
        digest.update(source(path))
    for name, value in module.state_dict().items():
        digest.update(name.encode())
        if isinstance(value, torch.Tensor):
            digest.update(f"{value.dtype} {tuple(value.shape)}".encode())
            # Contiguous, so that the order in memory, which a copy may change, does not count.
            plain = value.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
            digest.update(plain.numpy().tobytes())
    return digest.hexdigest()


def _looks(lesson: Lesson) -> bytes:
    """Return the preprocessed first image as bytes; it stands for the preprocessing, which has no name."""
    subset = lesson.material.subset
    image = subset.samples[subset.survey.usable[0]].image.clone()
    try:
        made = lesson.original.preprocess(image)
    except BaseException as problem:
        pass_on(problem)
        raise ModelError(f"the model's preprocessing raised {described(problem)}") from problem
    pixels: bytes = made.detach().float().cpu().contiguous().numpy().tobytes()
    return pixels
