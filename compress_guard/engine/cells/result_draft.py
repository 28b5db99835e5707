"""The result of a cell while it is made, and its settlement by the guard's policy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Final

from compress_guard.codecs.decoding.streams import decoder_version, writer
from compress_guard.engine.cells.judging import Judged
from compress_guard.engine.cells.limits import UNJUDGED, toothless
from compress_guard.engine.coding.coder import Coder
from compress_guard.engine.coding.fidelity import Seen
from compress_guard.engine.images.survey.record import Survey
from compress_guard.engine.prediction.knowledge_check import Insight
from compress_guard.engine.settings import RunSettings, device_name, effective_limit
from compress_guard.errors import RunError, error_text
from compress_guard.records import (
    AgainstBaseline,
    Cell,
    CellResult,
    CellTerms,
    CleanScore,
    CodecUsed,
    CodedRate,
    DecoderComparison,
    DecoderSwap,
    EstimateCheck,
    Guard,
    Judgement,
    LossFigures,
    PlannedRate,
    Precision,
    Scores,
    phrased,
)
from compress_guard.verdict import settle, waive
from compress_guard.verdict.sentence import in_groups
from compress_guard.verdict.settlement import UNLIMITED, WITHOUT_LIMIT

NAMED_ERRORS: Final = 5
"""Failed images that a result names."""


NEEDS_BASELINE: Final = (
    f"{UNJUDGED}, since the run has no baseline; name results of an earlier run by --cg-baseline, or "
    "--baseline of compress-guard run"
)
"""The doubt of a cell with a limit against a baseline, in a run without one."""


@dataclass(slots=True, eq=False)
class Draft:
    """The result of a cell as far as it is known: a later error takes none of it back."""

    guard: Guard
    settings: RunSettings
    result: CellResult

    @classmethod
    def of(cls, guard: Guard, cell: Cell, node_id: str, settings: RunSettings, device: str) -> Draft:
        """Return the draft before anything is measured: an `error` without a reason, which a verdict replaces."""
        waiver = guard.waiver(cell.name)
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
                rate=None if cell.bpp is None else guard.rate,
                device=device_name(device),
                seed=settings.seed,
                confidence=guard.confidence,
                terms=CellTerms(
                    rate_tolerance=None if cell.bpp is None else guard.rate_tolerance,
                    limit=effective_limit(cell, settings),
                    max_drop=cell.max_drop,
                    max_decoder_drop=cell.max_decoder_drop,
                    max_regression=cell.max_regression,
                    min_score=cell.min_score,
                    min_clean=cell.min_clean,
                    target_quality=cell.quality,
                    traffic=cell.traffic,
                    limit_places=cell.places,
                    doubts=(*cell.doubts, *_unjudged_limits(cell, settings)),
                    correction=guard.correction,
                    reference=guard.reference,
                    waived_until=None if waiver is None else waiver.until,
                    limit_line=cell.limit_line,
                ),
                decoding=DecoderComparison(decoder=cell.decoder, first_decoder=cell.first_decoder),
            ),
        )

    def doubt(self, doubts: Iterable[str]) -> None:
        """Add sentences on what makes a limit of the cell mean little."""
        terms = self.result.terms
        self.result = replace(self.result, terms=replace(terms, doubts=(*terms.doubts, *doubts)))

    def note_codec(self, coder: Coder, moved: str | None) -> None:
        """Set the codec; `moved` is its version in the run before if that was another."""
        codec = writer(coder.codec)
        decoding = self.result.decoding
        if decoding.decoder is not None:
            decoding = replace(decoding, decoder_version=decoder_version(coder.codec))
        self.result = replace(
            self.result,
            codec_used=CodecUsed(bits=codec.bits, codec_version=codec.version, codec_device=device_name(codec.device)),
            decoding=decoding,
            earlier=replace(self.result.earlier, codec_moved=moved),
        )

    def note_crop(self, emptied: int) -> None:
        """Set the number of images of which a crop leaves nothing."""
        self.result = replace(self.result, counts=replace(self.result.counts, crop_emptied=emptied))

    def note_images(self, survey: Survey) -> None:
        """Set the number of images, and how they came."""
        counts = replace(self.result.counts, images=survey.images)
        intake = replace(survey.intake.figures(), near_equal=survey.near_equal)
        self.result = replace(self.result, counts=counts, intake=intake)
        self.doubt(survey.intake.doubts)

    def note_expected(self, resolvable: float | None) -> None:
        """Set the drop, in points, that the images are expected to resolve."""
        precision = replace(self.result.precision, resolvable_drop=resolvable)
        self.result = replace(self.result, precision=precision)

    def note_decoder(self, *, moved: bool) -> None:
        """Say if the decoder gives other pixels than in an earlier run."""
        self.result = replace(self.result, earlier=replace(self.result.earlier, decoder_moved=moved))

    def note_clean(self, insight: Insight) -> None:
        """Set the clean score and the remarks on it."""
        self.result = replace(
            self.result,
            scores=replace(self.result.scores, clean_score=insight.clean_score),
            clean=replace(self.result.clean, clean_remark=insight.remark),
        )
        self.doubt(insight.doubts)

    def note_rate(self, survey: Survey, coder: Coder, planned: PlannedRate) -> None:
        """Set the figures of a planned rate."""
        coded = [
            (info.pixels, length)
            for info, length in zip(survey.infos, planned.lengths, strict=True)
            if length is not None
        ]
        pixels = sum(pixels for pixels, _ in coded)
        kept = [
            (info.pixels, summary.size(coder.keeps))
            for info, summary, length in zip(survey.infos, survey.metadata, planned.lengths, strict=True)
            if length is not None and coder.keeps
        ]
        rate = CodedRate(
            bpp_mean=planned.bpp_mean,
            bpp_pooled=8 * sum(length for _, length in coded) / pixels if coded else None,
            bpp_se=planned.bpp_se,
            settings=tuple(planned.setting_counts.items()),
            mixed=planned.mixed,
            off_target=planned.off_target,
            floor_bpp=planned.floor,
            metadata_images=sum(size > 0 for _, size in kept) if kept else None,
            metadata_bpp=fmean(8 * size / pixels for pixels, size in kept) if kept else None,
        )
        work = replace(self.result.work, encodes=planned.encodes * coder.made_share)
        self.result = replace(self.result, coded=rate, work=work)

    def note_steps(self, steps: tuple[tuple[str, float], ...]) -> None:
        """Set the rate of each step of a pipeline."""
        self.result = replace(self.result, coded=replace(self.result.coded, steps=steps))

    def note_decoded(self, seen: Seen, again: float) -> None:
        """Set the figures of the decoded images, and add the encoder calls that their streams took once more."""
        if (apart := seen.decoder_difference) is not None:
            largest, mean = apart
            decoding = replace(self.result.decoding, decoder_difference_max=largest, decoder_difference_mean=mean)
            self.result = replace(self.result, decoding=decoding)
        work = replace(self.result.work, encodes=(self.result.encodes or 0.0) + again)
        self.result = replace(self.result, fidelity=seen.figures(), work=work)

    def note_check(self, estimates: EstimateCheck, images: int) -> None:
        """Set the comparison of estimates with real streams, and the number of images that were coded for it."""
        self.result = replace(self.result, estimates=estimates, work=replace(self.result.work, check_encodes=images))

    def note_judged(self, judged: Judged) -> None:
        """Set what a judgement brings beside its scores."""
        counts = replace(self.result.counts, groups=judged.groups)
        self.result = replace(
            self.result,
            confidence=judged.confidence,
            counts=counts,
            precision=judged.precision,
            losses=judged.losses,
            against=judged.against,
        )
        self.doubt(judged.doubts)

    def check_failures(self, survey: Survey, lost: Mapping[int, str]) -> None:
        """Count the images that failed; raises `DataError` or `CodecError` where the guard does not allow so many."""
        failed = survey.failed_ids(lost)
        counts = replace(self.result.counts, errors=len(failed), error_ids=failed[:NAMED_ERRORS])
        self.result = replace(self.result, counts=counts)
        survey.check_failures(lost, self.guard.max_error_share)

    def judged(self, cell: Cell, judged: Judged, used: int) -> CellResult:
        """Return the result with this judgement, which rests on `used` images."""
        judgement, deciding = judged.judgement, judged.deciding
        self.doubt(toothless(cell, self.guard.metric, deciding, self.result.slices))
        drop, score, clean = judgement.drop, judgement.score_interval, judgement.clean_interval
        self.result = replace(
            self.result,
            counts=replace(self.result.counts, images_used=used),
            scores=Scores(
                clean_score=judgement.clean_score,
                score=judgement.score,
                drop=drop.value if drop else None,
                drop_low=drop.low if drop else None,
                drop_high=drop.high if drop else None,
                score_low=score.low if score else None,
                score_high=score.high if score else None,
            ),
            clean=replace(
                self.result.clean,
                clean_low=clean.low if clean else None,
                clean_high=clean.high if clean else None,
            ),
        )
        images = in_groups(str(used), self.result.groups)
        how = phrased(cell.codec.alias, cell.point)
        if judged.between is not None:
            lost = judged.between.drop
            self.result = replace(
                self.result,
                decoding=replace(
                    self.result.decoding,
                    decoder_drop=lost.value if lost else None,
                    decoder_drop_low=lost.low if lost else None,
                    decoder_drop_high=lost.high if lost else None,
                ),
            )
            how = f"{how}, decoded by {cell.decoder} instead of {cell.first_decoder}"
            if self.result.decoder_difference_max == 0:
                how = f"{how} to identical pixels"
        return self.settled(replace(deciding, reason=f"{deciding.reason}: {how}, {images}"))

    def withdraw(self) -> None:
        """Take back every figure that rests on what the model answered."""
        known = self.result
        self.result = replace(
            known,
            counts=replace(known.counts, images_used=None, groups=None),
            scores=Scores(),
            clean=CleanScore(),
            precision=Precision(),
            losses=LossFigures(),
            against=AgainstBaseline(),
            swap=DecoderSwap(),
            decoding=replace(known.decoding, decoder_drop=None, decoder_drop_low=None, decoder_drop_high=None),
        )

    def given_up(self, problem: RunError) -> CellResult:
        """Return the result of a cell that could not be measured."""
        return self.settled(Judgement.without_evidence(problem.verdict, error_text(problem)))

    def settled(self, judgement: Judgement) -> CellResult:
        """Return the result with a judgement's verdict and the outcome that the guard's policy gives it."""
        first = self.result.first_decoder
        waiver = self.guard.waiver(self.result.id.rpartition("::")[2])
        settlement = settle(
            judgement,
            max_drop=self.result.max_drop if first is None else self.result.max_decoder_drop,
            min_score=self.result.min_score,
            min_clean=self.result.min_clean,
            doubts=self.result.doubts,
            policy=self.guard.policy,
            strict=self.settings.strict,
        )
        settlement, waived = waive(settlement, judgement.verdict, waiver, self.settings.today)
        note = settlement.note
        if first is not None:  # such a cell takes no other limit
            note = note.replace("max_drop or min_score", "max_decoder_drop")
        if unjudged := next((doubt for doubt in self.result.doubts if doubt.startswith(UNJUDGED)), None):
            for end in (UNLIMITED, WITHOUT_LIMIT):
                note = note.replace(end, unjudged)
        reason = f"{judgement.reason}; {note}" if note else judgement.reason
        self.result = replace(
            self.result,
            verdict=judgement.verdict,
            outcome=settlement.outcome,
            settled_by=settlement.settled_by,
            reason=reason,
            terms=replace(self.result.terms, waived=waived),
        )
        return self.result


def _unjudged_limits(cell: Cell, settings: RunSettings) -> tuple[str, ...]:
    return (NEEDS_BASELINE,) if cell.max_regression is not None and not settings.baseline else ()
