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
    """Confidence of the interval; less than requested if there are too few values."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """Measurements of the rounds of a throughput cell; speeds are megapixels per second, memory megabytes."""

    codec: str
    work: Work
    where: str
    """Rate, images and threads in words: ``0.5 bpp, 8 images of 0.5 megapixels, 2 threads``."""
    rounds: int
    speed: MedianInterval
    reference: str | None = None
    """Name of the reference codec, if there is one."""
    reference_speed: float | None = None
    ratio: MedianInterval | None = None
    growth: float | None = None
    """Growth of memory from the first round to the last; None if the system does not tell."""
    devices: tuple[str, ...] = ()
    """Names of the devices, as results print them."""
    reference_place: str = ""
    """Place of the reference in words, if it is another one: `` on the CPU``."""


@dataclass(frozen=True, slots=True)
class SpeedRule:
    """The limits that hold for a throughput cell."""

    limits: SpeedLimits
    device: str | None = None
    """Name, or a part of it, of the device that min_speed is meant for."""
    max_growth: float | None = None
    """Largest growth of memory in megabytes."""


class SpeedJudgement(NamedTuple):
    """The verdict on a measurement."""

    verdict: Verdict
    reason: str
    """One sentence with both sides."""
    point_fails: bool
    """True if a point estimate misses a limit, which ``on_inconclusive: point`` decides by."""
    elsewhere: bool = False
    """True if a limit is not judged here, since the file sets it for another device."""


def median_interval(values: Sequence[float], confidence: float) -> MedianInterval:
    """Return the median of at least one value with its distribution-free interval; 0 < confidence < 1.

    The ends are the r-th smallest and the r-th largest of n values: the median lies outside them with probability
    2 P(X < r), X binomial with n and 1/2, for any distribution of the values (Conover, Practical Nonparametric
    Statistics, 3rd edition, section 3.2). r is as large as the confidence allows. If even the smallest and the
    largest value do not reach it (five reach 93.75 %), they are the ends, and the interval states their confidence.
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
    """Judge a measurement.

    `fail`: the whole interval of the ratio lies below min_ratio (or that of the speed below min_speed, on its device),
    or memory grew by more than max_growth. `pass`: the intervals are at or above; else `inconclusive`. The worst of all
    counts. Growth has no interval. `unjudged`: no limit applies.
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
    """Return True if the name of one of the devices contains this name, in any case."""
    return wanted is not None and any(wanted.casefold() in name.casefold() for name in names)


def settle_speed(judged: SpeedJudgement, *, policy: Policy, strict: bool, excused: bool) -> Settlement:
    """Return the outcome of a throughput cell by the policies of its guard.

    `excused` means that nothing had to be judged: the cell is the reference itself, or the file keeps its limit for
    another device. `strict` fails every other cell without a verdict.
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


def _side(interval: MedianInterval, least: float) -> Side:
    return "fail" if interval.high < least else "pass" if interval.low >= least else "inconclusive"


def _sentence(measured: Measurement, rule: SpeedRule, here: bool, judged: bool) -> str:
    """Return the sentence of a measurement.

    ``webp encodes 14.2 megapixels per second, 0.12 of jpeg's 118 (95 % interval 0.11 to 0.13), least allowed 0.1: at
    0.5 bpp, 8 images of 0.5 megapixels, 2 threads``
    """
    text = f"{measured.codec} {_VERBS[measured.work]} {_number(measured.speed.value)} megapixels per second"
    ratio, floor = measured.ratio, rule.limits.min_speed
    if ratio is None or here:
        text += f" ({_interval(measured.speed, floor if here else None)})"
    if floor is not None:
        text += f", least allowed {floor:g} on {rule.device}" if here else f", whose least is set for {rule.device}"
    if ratio is not None and measured.reference_speed is not None:
        least = rule.limits.min_ratio
        theirs = f"{measured.reference}'s {_number(measured.reference_speed)}{measured.reference_place}"
        text += f", {_beside(ratio.value, ratio, least)} of {theirs}"
        text += f" ({_interval(ratio, least)})"
        text += "" if least is None else f", least allowed {least:g}"
    if rule.max_growth is not None:
        text += _growth(measured, rule.max_growth)
    return f"{text}{'' if judged else ', no limit is set here'}: at {measured.where}"


def _growth(measured: Measurement, most: float) -> str:
    if measured.growth is None:
        return "; this system does not tell how memory grew"
    grown = f"{max(measured.growth, 0.0):.1f}"
    return f"; memory grew by {grown} megabytes over {measured.rounds} rounds, allowed {most:g}"


def _interval(interval: MedianInterval, least: float | None) -> str:
    low, high = (_beside(end, interval, least) for end in (interval.low, interval.high))
    return f"{100 * interval.confidence:.4g} % interval {low} to {high}"


def _beside(value: float, interval: MedianInterval, least: float | None) -> str:
    """Return a value with as many digits as it takes to show on which side of the limit the interval lies."""
    if least is None:
        return _number(value)
    for digits in range(_FEWEST_DIGITS, _MOST_DIGITS):
        if all(
            (float(_number(end, digits)) < least) == (end < least)
            for end in (interval.low, interval.value, interval.high)
        ):
            return _number(value, digits)
    return _number(value, _MOST_DIGITS)


def _number(value: float, digits: int = _FEWEST_DIGITS) -> str:
    """Return a positive number with this many significant digits, never as a power of ten."""
    text = f"{float(f'{value:.{digits - 1}e}'):.12f}"
    return text.rstrip("0").rstrip(".")
