"""One throughput cell: a codec and a reference are timed in turn on the same images, and the result is judged."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Final, TypeVar, final

from compress_guard.engine.machine.memory import Peak, held
from compress_guard.engine.progress import SILENT, Progress
from compress_guard.engine.throughput.result_draft import Terms, full_name
from compress_guard.engine.throughput.timed_codec import Entrant
from compress_guard.engine.trouble import attempted
from compress_guard.errors import RunError
from compress_guard.records import ThroughputResult
from compress_guard.verdict.speed import Measurement, SpeedJudgement, judge_speed, median_interval

T = TypeVar("T")

MOST_REPEATS: Final = 100
REPEATED_SECONDS: Final = 1.0
"""Largest time, in seconds, for repeating the reference in a round so that it takes as long as the codec."""


@final
class Contest:
    """One throughput cell ready to run.

    The driver, pytest-benchmark or `run`, calls `warm_up`, then `reference` and `work` in turn, `rounds` times, then
    `result`. None of them raises for faults of a codec.
    """

    def __init__(
        self, terms: Terms, entrant: Entrant | None, other: Entrant | None = None, *, remark: str = ""
    ) -> None:
        """Take the codecs to be timed.

        `other` is None if there is nothing to compare with; the remark gives the reason. `entrant` is None if nothing
        can be timed: see `given_up`.
        """
        self._terms: Final = terms
        self._entrant: Final = entrant
        self._other: Final = other
        self._remark: Final = remark
        self.problem: ThroughputResult | None = None
        """The result if timing is impossible from the start or has failed: no pass is made after that."""
        self.trouble: RunError | None = None
        """The error behind `problem`, with its traceback."""
        self.rounds: Final = terms.timed.throughput.rounds
        self._repeats = 1
        """Number of passes of the reference in a round."""
        self._seconds: Final[list[float]] = []
        self._other_seconds: Final[list[float]] = []
        """Seconds of one pass, for each round."""
        self._peak: float | None = None
        self._held: float | None = None
        """Megabytes in use after the first round."""

    @classmethod
    def given_up(cls, terms: Terms, trouble: RunError, reference: str = "") -> Contest:
        """Return a contest that cannot be timed; `reference` is the codec at fault if that is the reference."""
        contest = cls(terms, None)
        contest._give_up(trouble, reference)
        return contest

    def warm_up(self) -> None:
        """Make a checked pass and a measured pass of the reference and of the codec.

        The measured pass gives the time, and for the codec also the memory.
        """
        for entrant in (self._other, self._entrant):
            self._attempt(entrant, Entrant.check)
        theirs = self._attempt(self._other, Entrant.seconds)
        if self._entrant is None or self.problem is not None:
            return
        peak = Peak(self._entrant.codec.device)
        ours = self._attempt(self._entrant, Entrant.seconds)
        self._peak = peak.megabytes()
        if ours and theirs:
            # A short disturbance of the machine should affect both codecs equally.
            self._repeats = max(1, min(round(min(ours, REPEATED_SECONDS) / theirs), MOST_REPEATS))

    def reference(self) -> None:
        """Time the reference for one round, in as many passes as take about as long as one pass of the codec.

        Nothing is timed if the codec is the reference.
        """
        # Here and not after the first pass, which the driver may be timing too.
        if len(self._seconds) == 1 and self._entrant is not None:
            self._held = held(self._entrant.codec.device)
        seconds = [self._attempt(self._other, Entrant.seconds) for _ in range(self._repeats)]
        taken = [value for value in seconds if value is not None]
        if taken:
            self._other_seconds.append(statistics.fmean(taken))

    def work(self) -> None:
        """Time one pass of the codec."""
        seconds = self._attempt(self._entrant, Entrant.seconds)
        if seconds is not None:
            self._seconds.append(seconds)

    def run(self, progress: Progress = SILENT) -> ThroughputResult:
        """Run all rounds and return the result."""
        self.warm_up()
        for at in range(self.rounds if self.problem is None else 0):
            self.reference()
            self.work()
            images = len(self._entrant.images) if self._entrant else 0
            progress(f"timing {self._terms.result.codec}", (at + 1) * images, self.rounds * images)
        return self.result()

    def result(self) -> ThroughputResult:
        """Return the judged result of all rounds."""
        if self.problem is not None:
            return self.problem
        result = attempted(self._judged)
        if isinstance(result, RunError):
            self.trouble = result
            return self._terms.given_up(result)
        return result

    def _judged(self) -> ThroughputResult:
        if self._entrant is None or not self._seconds:
            return self._terms.settled(SpeedJudgement("error", "no pass of the codec was timed", False))
        measured = self._measured(self._entrant)
        judged = judge_speed(measured, self._terms.rule)
        judged = judged._replace(reason=judged.reason + self._remark)
        return self._terms.settled(judged, self._filled(self._entrant, measured))

    def _measured(self, entrant: Entrant) -> Measurement:
        confidence, megapixels = self._terms.result.confidence, entrant.megapixels
        ratio = reference_speed = None
        if self._other_seconds:
            pairs = zip(self._seconds, self._other_seconds, strict=False)
            ratio = median_interval([theirs / ours for ours, theirs in pairs], confidence)
            reference_speed = megapixels / statistics.median(self._other_seconds)
        now = None if self._held is None else held(entrant.codec.device)
        return Measurement(
            codec=entrant.alias,
            work=entrant.work,
            where=self._where(entrant),
            rounds=len(self._seconds),
            speed=median_interval([megapixels / seconds for seconds in self._seconds], confidence),
            reference=self._other.alias if self._other else None,
            reference_speed=reference_speed,
            ratio=ratio,
            growth=None if now is None or self._held is None else now - self._held,
            devices=(self._terms.result.device or "", full_name(entrant.codec.device)),
            reference_place="" if entrant.codec.device == "cpu" else " on the CPU",
        )

    def _where(self, entrant: Entrant) -> str:
        count, threads = len(entrant.images), entrant.threads
        images = f"{count} image{'s' if count > 1 else ''} of {entrant.megapixels / count:.2g} megapixels"
        return f"{self._terms.result.point.short}, {images}, {threads} thread{'s' if threads > 1 else ''}"

    def _filled(self, entrant: Entrant, measured: Measurement) -> ThroughputResult:
        """Return the result with the figures of the codecs, the images and the measurement."""
        other, moved = self._other, entrant.transfer_seconds()
        speed, ratio = measured.speed, measured.ratio
        return replace(
            self._terms.result,
            confidence=speed.confidence,
            bpp_mean=entrant.bpp,
            images=len(entrant.images),
            megapixels=entrant.megapixels,
            rounds=measured.rounds,
            threads=entrant.threads,
            codec_device=full_name(entrant.codec.device),
            codec_version=entrant.codec.version,
            speed=speed.value,
            speed_low=speed.low,
            speed_high=speed.high,
            reference=measured.reference,
            reference_version=other.codec.version if other else None,
            reference_bpp=other.bpp if other else None,
            reference_speed=measured.reference_speed,
            ratio=ratio.value if ratio else None,
            ratio_low=ratio.low if ratio else None,
            ratio_high=ratio.high if ratio else None,
            transfer_speed=entrant.megapixels / moved if moved else None,
            peak_memory=self._peak,
            growth=measured.growth,
        )

    def _attempt(self, entrant: Entrant | None, deed: Callable[[Entrant], T]) -> T | None:
        """Return the result of `deed`; None if it fails, or the contest has failed before."""
        if entrant is None or self.problem is not None:
            return None
        done = attempted(partial(deed, entrant))
        if not isinstance(done, RunError):
            return done
        self._give_up(done, "" if entrant is self._entrant else entrant.alias)
        return None

    def _give_up(self, trouble: RunError, reference: str) -> None:
        self.trouble = trouble
        self.problem = self._terms.given_up(trouble, reference)
