"""A cell's result while it is made: what is known so far, and what becomes of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from compress_guard.engine.cells.limits import toothless
from compress_guard.engine.coding.coder import Coder
from compress_guard.engine.images.samples import Survey
from compress_guard.engine.settings import RunSettings, device_name, effective_limit
from compress_guard.errors import RunError, said
from compress_guard.records import Cell, CellResult, Guard, Judgement, PlannedRate
from compress_guard.verdict import settle

NAMED_ERRORS: Final = 5
"""Failed images that a result names."""
_OF_ANSWERS: Final = (
    *("clean_score", "score", "drop", "drop_low", "drop_high", "score_low", "score_high", "images_used"),
    *("interval_confidence", "images_needed", "changed", "harmful_flips", "helpful_flips"),
    *("swap_decoder", "swap_score"),
)
"""Fields of a result that are figures of the model's answers."""


@dataclass(slots=True, eq=False)
class Draft:
    """What is known of a cell so far: an error later on takes none of it back."""

    guard: Guard
    settings: RunSettings
    result: CellResult

    @classmethod
    def of(cls, guard: Guard, cell: Cell, node_id: str, settings: RunSettings, device: str) -> Draft:
        """What was asked for, before anything is measured."""
        return cls(
            guard,
            settings,
            CellResult(
                id=node_id,
                guard=guard.name,
                task=guard.task,
                metric=guard.metric,
                codec=cell.codec.alias,
                target_bpp=cell.bpp,
                verdict="error",
                outcome="failed",
                settled_by="policy",
                reason="",
                rate=guard.rate,
                device=device_name(device),
                seed=settings.seed,
                confidence=guard.confidence,
                correction=guard.correction,
                rate_tolerance=guard.rate_tolerance,
                limit=effective_limit(cell, settings),
                max_drop=cell.max_drop,
                min_score=cell.min_score,
                min_clean=cell.min_clean,
                doubts=cell.doubts,
            ),
        )

    def note(self, **values: Any) -> None:
        """Set fields of the result."""
        self.result = replace(self.result, **values)

    def doubt(self, doubts: Iterable[str]) -> None:
        """Add what makes a limit of the cell mean little."""
        self.note(doubts=(*self.result.doubts, *doubts))

    def note_codec(self, coder: Coder, moved: str | None) -> None:
        """Which codec works, where, what it counts, and what it was in the run before if that was another."""
        codec = coder.codec
        where = device_name(codec.device)
        self.note(codec_version=codec.version, codec_moved=moved, codec_device=where, bits=codec.bits)

    def note_rate(self, survey: Survey, coder: Coder, planned: PlannedRate) -> None:
        """What a planned rate says."""
        coded = [
            (info.pixels, length)
            for info, length in zip(survey.infos, planned.lengths, strict=True)
            if length is not None
        ]
        pixels = sum(pixels for pixels, _ in coded)
        self.note(
            bpp_mean=planned.bpp_mean,
            bpp_pooled=8 * sum(length for _, length in coded) / pixels if coded else None,
            bpp_se=planned.bpp_se,
            settings=tuple(planned.setting_counts.items()),
            mixed=planned.mixed,
            off_target=planned.off_target,
            floor_bpp=planned.floor,
            encodes=planned.encodes * coder.made_share,
        )

    def check_failures(self, survey: Survey, lost: Mapping[int, str]) -> None:
        """Count the images that failed; raises `DataError` or `CodecError` where the guard does not allow so many."""
        failed = survey.failed_ids(lost)
        self.note(errors=len(failed), error_ids=failed[:NAMED_ERRORS])
        survey.check_failures(lost, self.guard.max_error_share)

    def judged(self, cell: Cell, judgement: Judgement, used: int) -> CellResult:
        """The result with this judgement, which rests on so many images."""
        self.doubt(toothless(cell, self.guard.metric, judgement, self.result.slices))
        drop, score, clean = judgement.drop, judgement.score_interval, judgement.clean_interval
        self.note(
            images_used=used,
            clean_score=judgement.clean_score,
            score=judgement.score,
            drop=drop.value if drop else None,
            drop_low=drop.low if drop else None,
            drop_high=drop.high if drop else None,
            score_low=score.low if score else None,
            score_high=score.high if score else None,
            clean_low=clean.low if clean else None,
            clean_high=clean.high if clean else None,
        )
        reason = f"{judgement.reason}: {cell.codec.alias} at {cell.bpp:g} bpp, {used} images"
        return self.settled(replace(judgement, reason=reason))

    def withdraw(self) -> None:
        """Take back every figure that rests on what the model answered."""
        self.note(**dict.fromkeys(_OF_ANSWERS), worst=(), slices=(), stopped_early=False)

    def given_up(self, problem: RunError) -> CellResult:
        """Return the result of a cell that could not be measured."""
        return self.settled(Judgement.without_evidence(problem.verdict, said(problem)))

    def settled(self, judgement: Judgement) -> CellResult:
        """The result with a judgement's verdict and what the guard's policy makes of it."""
        settlement = settle(
            judgement,
            max_drop=self.result.max_drop,
            min_score=self.result.min_score,
            min_clean=self.result.min_clean,
            doubts=self.result.doubts,
            policy=self.guard.policy,
            strict=self.settings.strict,
        )
        reason = f"{judgement.reason}; {settlement.note}" if settlement.note else judgement.reason
        self.note(
            verdict=judgement.verdict,
            outcome=settlement.outcome,
            settled_by=settlement.settled_by,
            reason=reason,
        )
        return self.result
