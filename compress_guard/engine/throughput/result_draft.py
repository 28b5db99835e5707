"""The result of a throughput cell: what is known before timing, completed by the measurement and its judgement."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from compress_guard.engine.settings import RunSettings, device_name, processor
from compress_guard.errors import RunError, error_text
from compress_guard.records import Guard, Throughput, ThroughputCell, ThroughputResult
from compress_guard.verdict import waive
from compress_guard.verdict.speed import SpeedJudgement, SpeedRule, settle_speed


@dataclass(frozen=True, slots=True)
class TimedCell:
    """One throughput cell with the guard and the section of the thresholds file that it belongs to."""

    guard: Guard
    throughput: Throughput
    cell: ThroughputCell


@dataclass(frozen=True, slots=True, eq=False)
class Terms:
    """The terms of a contest, known before anything is coded."""

    timed: TimedCell
    result: ThroughputResult
    """The result without measured values."""
    rule: SpeedRule
    strict: bool
    started: float
    today: str

    @classmethod
    def of(cls, timed: TimedCell, node_id: str, settings: RunSettings, device: str) -> Terms:
        """Return the terms of a cell."""
        guard, throughput, cell = timed.guard, timed.throughput, timed.cell
        waiver = guard.waiver(cell.name)
        result = ThroughputResult(
            id=node_id,
            guard=guard.name,
            codec=cell.codec.alias,
            target_bpp=cell.bpp,
            target_quality=cell.quality,
            work=cell.work,
            verdict="error",
            outcome="failed",
            settled_by="policy",
            reason="",
            seed=settings.seed,
            confidence=guard.confidence,
            device=full_name(device),
            min_ratio=cell.limits.min_ratio,
            min_speed=cell.limits.min_speed,
            limit_device=None if cell.limits.min_speed is None else throughput.device,
            max_growth=throughput.max_growth,
            waived_until=None if waiver is None else waiver.until,
            limit_line=cell.line,
        )
        rule = SpeedRule(cell.limits, throughput.device, throughput.max_growth)
        return cls(timed, result, rule, settings.strict, time.perf_counter(), settings.today)

    @property
    def is_reference(self) -> bool:
        """True if the codec is the one that others are compared with."""
        return self.timed.cell.codec == self.timed.throughput.reference

    def settled(self, judged: SpeedJudgement, measured: ThroughputResult | None = None) -> ThroughputResult:
        """Return the result with a judgement and the outcome that the guard's policies give it.

        `measured` is the result with its figures; None: nothing was measured.
        """
        excused = self.is_reference or judged.elsewhere
        settlement = settle_speed(judged, policy=self.timed.guard.policy, strict=self.strict, excused=excused)
        waiver = self.timed.guard.waiver(self.timed.cell.name)
        settlement, waived = waive(settlement, judged.verdict, waiver, self.today)
        return replace(
            self.result if measured is None else measured,
            verdict=judged.verdict,
            outcome=settlement.outcome,
            settled_by=settlement.settled_by,
            waived=waived,
            reason=f"{judged.reason}; {settlement.note}" if settlement.note else judged.reason,
            seconds=time.perf_counter() - self.started,
        )

    def given_up(self, problem: RunError, reference: str = "") -> ThroughputResult:
        """Return the result if nothing can be timed; `reference` is the codec at fault if that is the reference."""
        reason = f"the reference {reference}: {error_text(problem)}" if reference else error_text(problem)
        return self.settled(SpeedJudgement(problem.verdict, reason, False))


def full_name(device: str) -> str:
    """Return a device with its product name: ``cpu (AMD EPYC)``, ``cuda:0 (NVIDIA H200)``."""
    return f"cpu ({processor()})" if device == "cpu" else device_name(device)
