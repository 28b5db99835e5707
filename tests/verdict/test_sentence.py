from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compress_guard.records import Interval
from compress_guard.verdict import sentence


@pytest.mark.parametrize(
    ("scores", "drop", "max_drop", "expected"),
    [
        (
            (76.2, 73.1),
            (3.1, 1.9, 4.3),
            2.0,
            "top1 fell by 3.1 points (76.2 to 73.1, 95 % interval 1.9 to 4.3), allowed 2.0",
        ),
        (
            (76.2, 76.7),
            (-0.5, -1.2, 0.2),
            2.0,
            "top1 rose by 0.5 points (76.2 to 76.7, 95 % interval of the drop -1.2 to 0.2), allowed drop 2.0",
        ),
        (
            (76.2, 76.2),
            (0.0, -1.9, 1.9),
            2.0,
            "top1 stayed at 76.2 (95 % interval of the drop -1.9 to 1.9), allowed drop 2.0",
        ),
        (
            (76.2, 74.18),
            (2.02, 2.004, 2.5),
            2.0,
            "top1 fell by 2.020 points (76.200 to 74.180, 95 % interval 2.004 to 2.500), allowed 2.000",
        ),
        ((76.2, 73.1), (3.1, 1.9, 4.3), None, "top1 fell by 3.1 points (76.2 to 73.1, 95 % interval 1.9 to 4.3)"),
        (
            (50.0, 46.0),
            (4.0, 2.5, 5.5),
            4.0,
            "top1 fell by 4.0 points (50.0 to 46.0, 95 % interval 2.5 to 5.5), allowed 4.0",
        ),
    ],
)
def test_both_sides_the_interval_and_the_limit_are_said(scores, drop, max_drop, expected):
    assert sentence.of_drop("top1", scores, Interval(*drop), 0.95, max_drop) == expected


@given(st.floats(-100, 100), st.floats(-100, 100))
def test_a_number_is_shown_on_its_own_side_of_the_limit(value, limit):
    digits = sentence.decimals((value,), limit)
    shown, bound = float(sentence.number(value, digits)), float(sentence.number(limit, digits))
    if abs(value - limit) > 1e-5:
        assert (shown < bound, shown > bound) == (value < limit, value > limit)


@pytest.mark.parametrize(("value", "shown"), [(-0.04, "0.0"), (0.04, "0.0"), (-0.06, "-0.1"), (12.0, "12.0")])
def test_there_is_no_negative_zero(value, shown):
    assert sentence.number(value) == shown


@pytest.mark.parametrize(("confidence", "shown"), [(0.95, "95 %"), (0.999, "99.9 %"), (0.29, "29 %")])
def test_the_confidence_is_shown_as_given(confidence, shown):
    assert f"({shown} interval 60.0 to 70.0)" in sentence.of_score(Interval(65, 60, 70), confidence, 50)
