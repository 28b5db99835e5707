"""Timed passes against the limits of a throughput cell: the interval of a median, and what follows from it."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from math import comb
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from compress_guard.records import Judgement
from compress_guard.verdict.settlement import Settlement, settle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from compress_guard.records import Policy, SpeedLimits, Verdict, Work

_VERBS: Final = {"encode": "encodes", "decode": "decodes", "round_trip": "encodes and decodes"}
_FEWEST_DIGITS: Final = 3
_MOST_DIGITS: Final = 8

Side = Literal["pass", "fail", "inconclusive"]


@dataclass(frozen=True, slots=True)
class MedianInterval:
    """A median with its interval in whatever unit the values have; low <= value <= high."""

    value: float
    low: float
    high: float
    confidence: float
    """What was asked for, or less where so few values cannot hold it."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """What the rounds of a throughput cell gave, and where. Speeds are megapixels per second, memory megabytes."""

    codec: str
    work: Work
    where: str
    """What to say of the rate, the images and the threads: ``0.5 bpp, 8 images of 0.5 megapixels, 2 threads``."""
    rounds: int
    speed: MedianInterval
    reference: str | None = None
    """The codec compared with, if there is one."""
    reference_speed: float | None = None
    ratio: MedianInterval | None = None
    growth: float | None = None
    """Of the memory held, from the first round to the last; None where the system does not tell."""
    devices: tuple[str, ...] = ()
    """The names of where it was measured, as results print them."""
    reference_place: str = ""
    """What to say of where the reference worked, if that was elsewhere: `` on the CPU``."""


@dataclass(frozen=True, slots=True)
class SpeedRule:
    """The limits that hold for a throughput cell."""

    limits: SpeedLimits
    device: str | None = None
    """Part of the name of the device that min_speed is meant for."""
    max_growth: float | None = None
    """Megabytes."""


class SpeedJudgement(NamedTuple):
    """The verdict on a measurement."""

    verdict: Verdict
    reason: str
    """One sentence with both sides."""
    point_fails: bool
    """Whether the estimates by themselves miss a limit: what ``on_inconclusive: point`` goes by."""
    elsewhere: bool = False
    """Whether the file itself keeps a limit from being judged here: it is meant for another device."""


def median_interval(values: Sequence[float], confidence: float) -> MedianInterval:
    """The median of at least one value with its distribution-free interval; 0 < confidence < 1.

    Its ends are the r-th smallest and the r-th largest of n values: the median lies outside them with probability
    2 P(X < r), X binomial with n and 1/2, whatever the values' distribution (Conover, Practical Nonparametric
    Statistics, 3rd edition, section 3.2). r is as large as the confidence allows. Where even the smallest and the
    largest value do not hold it (five hold 93.75 %), these are the ends, and the interval says what they hold.
    """
    ordered = sorted(values)
    count = len(ordered)
    rank, missed = 1, 0.5 ** (count - 1)
    for wanted in range(2, (count + 1) // 2 + 1):
        outside = sum(comb(count, at) for at in range(wanted)) * 0.5 ** (count - 1)
        if outside > 1 - confidence:
            break
        rank, missed = wanted, outside
    held = min(confidence, 1 - missed)
    return MedianInterval(statistics.median(ordered), ordered[rank - 1], ordered[-rank], held)


def judge_speed(measured: Measurement, rule: SpeedRule) -> SpeedJudgement:
    """The verdict on a measurement: `fail` where the whole interval of the ratio lies below min_ratio (or that of the
    speed below min_speed, on its device), or memory grew by more than max_growth; `pass` where they are at or above,
    else `inconclusive`; the worst of all counts. Growth is judged as it is, without an interval. `unjudged` where no
    limit applies.
    """
    least, floor, most = rule.limits.min_ratio, rule.limits.min_speed, rule.max_growth
    sides: list[Side] = []
    misses = []
    here = floor is not None and on_device(rule.device, measured.devices)
    if least is not None and measured.ratio is not None:
        sides.append(_side(measured.ratio, least))
        misses.append(measured.ratio.value < least)
    if floor is not None and here:
        sides.append(_side(measured.speed, floor))
        misses.append(measured.speed.value < floor)
    if most is not None and measured.growth is not None:
        sides.append("fail" if measured.growth > most else "pass")
        misses.append(measured.growth > most)
    reason = _sentence(measured, rule, here, bool(sides))
    elsewhere = floor is not None and not here
    if not sides:
        return SpeedJudgement("unjudged", reason, False, elsewhere)
    verdict: Verdict = "fail" if "fail" in sides else "inconclusive" if "inconclusive" in sides else "pass"
    return SpeedJudgement(verdict, reason, any(misses), elsewhere)


def on_device(wanted: str | None, names: Sequence[str]) -> bool:
    """Whether one of the devices carries this name, or has it as a part, in capitals or not."""
    return wanted is not None and any(wanted.casefold() in name.casefold() for name in names)


def settle_speed(judged: SpeedJudgement, *, policy: Policy, strict: bool, excused: bool) -> Settlement:
    """The outcome of a throughput cell, by the guard's policies.

    `excused` says that nothing had to be judged: the reference itself, which has nothing to be compared with, or a
    limit that the file keeps for another device. `strict` fails every other cell without a verdict.
    """
    if judged.verdict == "unjudged":
        if strict and not excused:
            wanted = "set min_ratio, min_speed or max_growth"
            return Settlement("failed", "policy", f"failed because the run is strict: {wanted}")
        return Settlement("skipped", "policy", "skipped: measured without a limit that applies here")
    if judged.verdict == "inconclusive" and policy.on_inconclusive == "point":
        outcome: Literal["failed", "passed"] = "failed" if judged.point_fails else "passed"
        return Settlement(outcome, "point", f"inconclusive, {outcome} by on_inconclusive: point")
    judgement = Judgement.without_evidence(judged.verdict, judged.reason)
    return settle(judgement, max_drop=None, min_score=None, policy=policy, strict=strict)


def _side(found: MedianInterval, least: float) -> Side:
    return "fail" if found.high < least else "pass" if found.low >= least else "inconclusive"


def _sentence(measured: Measurement, rule: SpeedRule, here: bool, judged: bool) -> str:
    """``webp encodes 14.2 megapixels per second, 0.12 of jpeg's 118 (95 % interval 0.11 to 0.13), least allowed 0.1:
    at 0.5 bpp, 8 images of 0.5 megapixels, 2 threads``.
    """
    said = f"{measured.codec} {_VERBS[measured.work]} {_number(measured.speed.value)} megapixels per second"
    ratio, floor = measured.ratio, rule.limits.min_speed
    if ratio is None or here:
        said += f" ({_interval(measured.speed, floor if here else None)})"
    if floor is not None:
        said += f", least allowed {floor:g} on {rule.device}" if here else f", whose least is set for {rule.device}"
    if ratio is not None and measured.reference_speed is not None:
        least = rule.limits.min_ratio
        theirs = f"{measured.reference}'s {_number(measured.reference_speed)}{measured.reference_place}"
        said += f", {_beside(ratio.value, ratio, least)} of {theirs}"
        said += f" ({_interval(ratio, least)})"
        said += "" if least is None else f", least allowed {least:g}"
    if rule.max_growth is not None:
        said += _growth(measured, rule.max_growth)
    return f"{said}{'' if judged else ', no limit is set here'}: at {measured.where}"


def _growth(measured: Measurement, most: float) -> str:
    if measured.growth is None:
        return "; this system does not tell how memory grew"
    grown = f"{max(measured.growth, 0.0):.1f}"
    return f"; memory grew by {grown} megabytes over {measured.rounds} rounds, allowed {most:g}"


def _interval(found: MedianInterval, least: float | None) -> str:
    low, high = (_beside(end, found, least) for end in (found.low, found.high))
    return f"{100 * found.confidence:.4g} % interval {low} to {high}"


def _beside(value: float, found: MedianInterval, least: float | None) -> str:
    """A value of an interval with as many digits as it takes to see on which side of the limit its numbers lie."""
    if least is None:
        return _number(value)
    for digits in range(_FEWEST_DIGITS, _MOST_DIGITS):
        if all((float(_number(one, digits)) < least) == (one < least) for one in (found.low, found.value, found.high)):
            return _number(value, digits)
    return _number(value, _MOST_DIGITS)


def _number(value: float, digits: int = _FEWEST_DIGITS) -> str:
    """A positive number with so many significant digits, never as a power of ten."""
    text = f"{float(f'{value:.{digits - 1}e}'):.12f}"
    return text.rstrip("0").rstrip(".")
