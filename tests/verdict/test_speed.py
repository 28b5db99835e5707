"""Timed passes against limits: the interval of a median, the verdict and what it says."""

from __future__ import annotations

import statistics

import numpy as np
import pytest

from compress_guard.records import Policy, SpeedLimits
from compress_guard.verdict.speed import (
    Measurement,
    MedianInterval,
    SpeedRule,
    judge_speed,
    median_interval,
    on_device,
    settle_speed,
)


def measurement(ratio=(0.12, 0.11, 0.13), growth=0.2, **more):
    given = {
        "codec": "webp",
        "work": "encode",
        "where": "0.5 bpp, 8 images of 0.5 megapixels, 2 threads",
        "rounds": 10,
        "speed": MedianInterval(14.2, 13.9, 14.5, 0.95),
        "reference": "jpeg",
        "reference_speed": 118.3,
        "ratio": None if ratio is None else MedianInterval(*ratio, 0.95),  # type: ignore[call-arg]  # mypy cannot count what a star brings
        "growth": growth,
        "devices": ("cpu (AMD EPYC 9654)",),
    }
    return Measurement(**(given | more))


def rule(min_ratio=None, min_speed=None, device=None, max_growth=None):
    return SpeedRule(SpeedLimits(min_ratio, min_speed), device, max_growth)


@pytest.mark.parametrize(
    ("count", "rank", "held"),
    [(10, 2, 0.95), (6, 1, 0.95), (20, 6, 0.95), (5, 1, 0.9375), (3, 1, 0.75), (2, 1, 0.5), (1, 1, 0.0)],
)
def test_ends_of_the_median_are_the_ranks_of_the_binomial_table(count, rank, held):
    values = [float(value) for value in np.random.default_rng(count).permutation(count) + 1]
    found = median_interval(values, 0.95)
    assert (found.low, found.high) == (rank, count + 1 - rank)
    assert found.value == statistics.median(values)
    assert found.confidence == pytest.approx(held)


@pytest.mark.parametrize("count", [3, 5, 10, 15])
def test_the_interval_covers_the_median_as_often_as_it_says_whatever_the_distribution(count):
    noise = np.random.default_rng(7)
    draws = noise.pareto(1.2, size=(3000, count))  # the time of a pass has a long tail upwards
    median = 2 ** (1 / 1.2) - 1
    found = [median_interval(list(row), 0.9) for row in draws]
    covered = np.mean([one.low <= median <= one.high for one in found])
    # Three standard errors of 3000 trials below what is held.
    assert covered >= found[0].confidence - 3 * np.sqrt(0.25 * found[0].confidence / 3000)
    assert all(one.low <= one.value <= one.high for one in found)


def test_more_values_and_less_confidence_never_widen_the_interval():
    values = [float(value) for value in range(1, 31)]
    widths = [(found := median_interval(values, confidence)).high - found.low for confidence in (0.6, 0.8, 0.95, 0.99)]
    assert widths == sorted(widths)
    assert widths[0] < widths[-1]


@pytest.mark.parametrize(
    ("limits", "verdict", "point_fails"),
    [
        (rule(min_ratio=0.10), "pass", False),
        (rule(min_ratio=0.11), "pass", False),
        (rule(min_ratio=0.115), "inconclusive", False),
        (rule(min_ratio=0.125), "inconclusive", True),
        (rule(min_ratio=0.13), "inconclusive", True),
        (rule(min_ratio=0.14), "fail", True),
        (rule(max_growth=0.2), "pass", False),
        (rule(max_growth=0.1), "fail", True),
        (rule(min_ratio=0.10, max_growth=0.1), "fail", True),
        (rule(min_ratio=0.125, max_growth=1), "inconclusive", True),
        (rule(min_speed=13, device="epyc"), "pass", False),
        (rule(min_speed=14.3, device="AMD EPYC"), "inconclusive", True),
        (rule(min_speed=20, device="AMD EPYC"), "fail", True),
        (rule(min_ratio=0.10, min_speed=20, device="AMD EPYC"), "fail", True),
        (rule(min_ratio=0.10, min_speed=20, device="NVIDIA H200"), "pass", False),
        (rule(min_speed=20, device="NVIDIA H200"), "unjudged", False),
        (rule(), "unjudged", False),
    ],
)
def test_the_worst_side_of_all_limits_is_the_verdict(limits, verdict, point_fails):
    judged = judge_speed(measurement(), limits)
    assert (judged.verdict, judged.point_fails) == (verdict, point_fails)
    assert judged.elsewhere == (limits.device == "NVIDIA H200")


def test_what_was_not_measured_is_not_judged():
    assert judge_speed(measurement(growth=None), rule(max_growth=1)).verdict == "unjudged"
    assert judge_speed(measurement(ratio=None), rule(min_ratio=0.1)).verdict == "unjudged"


WHERE = ": at 0.5 bpp, 8 images of 0.5 megapixels, 2 threads"


@pytest.mark.parametrize(
    ("measured", "limits", "sentence"),
    [
        (
            measurement(),
            rule(min_ratio=0.1),
            "webp encodes 14.2 megapixels per second, 0.12 of jpeg's 118 (95 % interval 0.11 to 0.13), least allowed "
            "0.1",
        ),
        (
            measurement(ratio=(0.11996, 0.11, 0.13), work="round_trip"),
            rule(min_ratio=0.12),
            "webp encodes and decodes 14.2 megapixels per second, 0.11996 of jpeg's 118 (95 % interval 0.11 to 0.13), "
            "least allowed 0.12",
        ),
        (
            measurement(work="decode", ratio=None, reference=None, reference_speed=None),
            rule(),
            "webp decodes 14.2 megapixels per second (95 % interval 13.9 to 14.5), no limit is set here",
        ),
        (
            measurement(growth=-0.01),
            rule(min_speed=12, device="EPYC", max_growth=64),
            "webp encodes 14.2 megapixels per second (95 % interval 13.9 to 14.5), least allowed 12 on EPYC, 0.12 of "
            "jpeg's 118 (95 % interval 0.11 to 0.13); memory grew by 0.0 megabytes over 10 rounds, allowed 64",
        ),
        (
            measurement(ratio=(12.7, 12, 13), reference_place=" on the CPU"),
            rule(min_speed=500, device="NVIDIA H200"),
            "webp encodes 14.2 megapixels per second, whose least is set for NVIDIA H200, 12.7 of jpeg's 118 on the "
            "CPU (95 % interval 12 to 13), no limit is set here",
        ),
        (
            measurement(growth=None, speed=MedianInterval(1532.4, 1500, 1600, 0.9375), ratio=None),
            rule(max_growth=1),
            "webp encodes 1530 megapixels per second (93.75 % interval 1500 to 1600); this system does not tell how "
            "memory grew, no limit is set here",
        ),
    ],
)
def test_the_sentence_shows_both_sides(measured, limits, sentence):
    assert judge_speed(measured, limits).reason == sentence + WHERE


def test_numbers_stand_on_their_own_side_of_the_limit():
    for least in (0.1, 0.12, 0.1234567, 3.0, 250.0):
        for factor in (0.9999, 0.99999, 1.00001, 1.0001):
            value = least * factor
            reason = judge_speed(measurement(ratio=(value, value, value)), rule(min_ratio=least)).reason
            shown = float(reason.split(", ")[1].split(" of ")[0])
            assert (shown < least) == (value < least)


def test_a_device_is_told_by_a_part_of_its_name():
    assert on_device("amd epyc", ["cpu (AMD EPYC 9654 96-Core Processor)"])
    assert on_device("NVIDIA H200", ["cpu (AMD EPYC)", "cuda:0 (NVIDIA H200)"])
    assert not on_device("NVIDIA H100", ["cuda:0 (NVIDIA H200)"])
    assert not on_device(None, ["cpu (AMD EPYC)"])


INCONCLUSIVE = judge_speed(measurement(), rule(min_ratio=0.125))
UNJUDGED = judge_speed(measurement(), rule())


@pytest.mark.parametrize(
    ("judged", "keys", "expected"),
    [
        (judge_speed(measurement(), rule(min_ratio=0.1)), {}, ("passed", "interval", "")),
        (judge_speed(measurement(), rule(min_ratio=0.2)), {}, ("failed", "interval", "")),
        (INCONCLUSIVE, {}, ("passed", "policy", "inconclusive, passed by on_inconclusive: pass")),
        (
            INCONCLUSIVE,
            {"policy": Policy(on_inconclusive="fail")},
            ("failed", "policy", "inconclusive, failed by on_inconclusive: fail"),
        ),
        (
            INCONCLUSIVE,
            {"policy": Policy(on_inconclusive="point")},
            ("failed", "point", "inconclusive, failed by on_inconclusive: point"),
        ),
        (
            judge_speed(measurement(), rule(min_ratio=0.115)),
            {"policy": Policy(on_inconclusive="point")},
            ("passed", "point", "inconclusive, passed by on_inconclusive: point"),
        ),
        (UNJUDGED, {}, ("skipped", "policy", "skipped: measured without a limit that applies here")),
        (
            UNJUDGED,
            {"strict": True},
            ("failed", "policy", "failed because the run is strict: set min_ratio, min_speed or max_growth"),
        ),
        (
            UNJUDGED,
            {"strict": True, "excused": True},
            ("skipped", "policy", "skipped: measured without a limit that applies here"),
        ),
    ],
)
def test_the_outcome_is_by_the_guards_policies(judged, keys, expected):
    given = {"policy": Policy(), "strict": False, "excused": False} | keys
    assert tuple(settle_speed(judged, **given)) == expected
