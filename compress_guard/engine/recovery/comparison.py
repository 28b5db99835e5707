"""Comparison of the finetuned models of a recovery cell with the original and with the controls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from compress_guard.engine.recovery.evaluation import Evaluation
from compress_guard.engine.recovery.material import Point
from compress_guard.records import Quality, Rate, RecoveryPoint, RecoveryResult, Share
from compress_guard.verdict.recovery import share

ORIGINAL: Final = "the original"
"""Name of the guard's own model in an evaluation."""


@dataclass(frozen=True, slots=True, eq=False)
class ArmComparison:
    """The models of one recovery cell, by their names in the evaluation that has tested them."""

    evaluation: Evaluation
    finetuned: Sequence[str]
    controls: Sequence[str]
    seed: int
    """Seed of the resampling."""
    confidence: float

    def applied(self, result: RecoveryResult) -> RecoveryResult:
        """Return the result with the scores of all models, clean and at every tested point."""
        finetuned_clean = self._scores(self.finetuned, None)
        return replace(
            result,
            images=self.evaluation.images(),
            clean=self.evaluation.score(ORIGINAL, None),
            control_clean=_mean(self._scores(self.controls, None)),
            finetuned_clean=_mean(finetuned_clean),
            finetuned_clean_seeds=finetuned_clean,
            points=tuple(self._at(point) for point in self.evaluation.tested),
        )

    def _at(self, point: Point) -> RecoveryPoint:
        control, finetuned = self._scores(self.controls, point), self._scores(self.finetuned, point)
        return RecoveryPoint(
            codec=point[0].alias,
            bpp=point[1].bpp if isinstance(point[1], Rate) else None,
            quality=point[1].setting if isinstance(point[1], Quality) else None,
            bpp_mean=self.evaluation.bpp_mean(point),
            compressed=self.evaluation.score(ORIGINAL, point),
            control=_mean(control),
            finetuned=_mean(finetuned),
            control_seeds=control,
            finetuned_seeds=finetuned,
            recovered=self._share([ORIGINAL], point),
            beyond_control=self._share(self.controls, point),
        )

    def _scores(self, names: Sequence[str], point: Point | None) -> tuple[float, ...]:
        return tuple(self.evaluation.score(name, point) for name in names)

    def _share(self, compressed: Sequence[str], point: Point) -> Share:
        """Return the share of the drop of the `compressed` models at a point that the finetuned ones bring back."""
        finetuned, there, clean = (
            self.evaluation.scorers(names, place)
            for names, place in ((self.finetuned, point), (compressed, point), (compressed, None))
        )
        images, groups = self.evaluation.images(), self.evaluation.groups()
        return share(finetuned, there, clean, images, self.seed, self.confidence, groups)


def _mean(values: tuple[float, ...]) -> float:
    return sum(values) / len(values)
