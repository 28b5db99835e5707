"""The images for finetuning: a seeded choice, without the evaluation images."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

from compress_guard.engine.images.agreement import agree
from compress_guard.engine.images.samples import Samples
from compress_guard.engine.images.subsets import Subset
from compress_guard.engine.images.survey.passes import survey
from compress_guard.engine.images.survey.record import Survey
from compress_guard.errors import DataError
from compress_guard.tasks.contract import Task

_REMEDY: Final = "give it images that the guard does not evaluate"


@final
@dataclass(frozen=True, slots=True, eq=False)
class TrainingSet:
    """Training images, and the number of images that were left out."""

    subset: Subset
    tested: int
    """Number of images with the same pixels as an evaluation image."""

    @classmethod
    def of(cls, name: str, samples: Samples, task: Task, evaluated: Survey, run_folder: Path) -> TrainingSet:
        """Read the training data of this name; raises `DataError`, which names it.

        Other processes of the run, which share its folder, have to read the same data.

        A model could learn the answers to images by heart that are also in the evaluation data, which would look like
        recovery. Many published data sets hold a few images twice, so they are left out and not refused.
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
        return cls(Subset(samples, surveyed.only(kept)), len(surveyed.usable) - len(kept))

    @property
    def errors(self) -> int:
        """Number of images that could not be read."""
        return len(self.subset.survey.failures)
