"""The images that models are finetuned on: a seeded choice, without those that they are tested on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypeVar, final

from compress_guard.engine.images.agreement import agree
from compress_guard.engine.images.samples import Samples, Survey, survey
from compress_guard.engine.images.subsets import Subset
from compress_guard.errors import DataError
from compress_guard.tasks.contract import Task

T = TypeVar("T")

_REMEDY: Final = "give it images that the guard does not evaluate"


@final
@dataclass(frozen=True, slots=True, eq=False)
class TrainingSet:
    """Training images with what was left out of their choice."""

    subset: Subset
    tested: int
    """Images whose very pixels are among those that models are tested on."""

    @classmethod
    def of(cls, name: str, samples: Samples, task: Task, evaluated: Survey, run_folder: Path) -> TrainingSet:
        """The training data of this name; raises `DataError`, which names it.

        Other processes of the run, which share its folder, have to see the same data.

        Of images that come again in the evaluation data a model could learn the answers by heart, and that would pass
        for recovery. A few stand twice in many published data sets, so that they are left out and not refused.
        """
        try:
            surveyed = survey(samples, task.classes)
            agree(run_folder, ("training", task.name, name, len(samples), samples.orientation), surveyed)
        except DataError as problem:
            raise DataError(f"training data {name}: {problem}") from problem
        known = frozenset(evaluated.digests)
        kept = [at for at, digest in enumerate(surveyed.digests) if digest not in known]
        if not kept:
            count = len(surveyed.usable)
            raise DataError(
                f"training data {name}: all {count} images are among those that the models are tested on; {_REMEDY}"
            )
        return cls(Subset(samples, _chosen(surveyed, kept)), len(surveyed.usable) - len(kept))

    @property
    def errors(self) -> int:
        """Images that could not be read."""
        return len(self.subset.survey.failures)


def _chosen(surveyed: Survey, kept: Sequence[int]) -> Survey:
    def of(values: Sequence[T]) -> tuple[T, ...]:
        return tuple(values[at] for at in kept)

    return replace(
        surveyed,
        usable=of(surveyed.usable),
        infos=of(surveyed.infos),
        digests=of(surveyed.digests),
        slices=of(surveyed.slices),
        targets=of(surveyed.targets),
        sizes=of(surveyed.sizes),
        levels=of(surveyed.levels),
    )
