"""The ladder of a command codec as it is written in a file."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compress_guard.codecs.ladder import parse_ladder
from compress_guard.errors import OptionError

EXPECTED = "settings must be a list of different numbers or a range such as '1..100' or '25..0.5..0.5', found "

UNDERSTOOD = [
    ("1..4", (1, 2, 3, 4)),
    ("51..48", (51, 50, 49, 48)),
    ("0..1..0.25", (0, 0.25, 0.5, 0.75, 1)),
    ("0.1..0.5..0.1", (0.1, 0.2, 0.3, 0.4, 0.5)),
    ("2..1..0.5", (2, 1.5, 1)),
    ("1..10..4", (1, 5, 9)),
    ("-1..1", (-1, 0, 1)),
    (" 1..2 ", (1, 2)),
    ("7..7", (7,)),
    ((3, 1, 2.5), (3, 1, 2.5)),
    (("20", "10.5"), (20, 10.5)),
]

REFUSED = [
    ("1-100", EXPECTED + "'1-100'"),
    ("1..", EXPECTED + "'1..'"),
    ("", EXPECTED + "''"),
    ("1...5", EXPECTED + "'1...5'"),
    ("1..inf", EXPECTED + "'1..inf'"),
    (50, EXPECTED + "50"),
    ((), EXPECTED + "()"),
    ((1, "high"), EXPECTED + "'high' in the list"),
    ((1, float("nan")), EXPECTED + "nan in the list"),
    ((1, True), EXPECTED + "True in the list"),
    ((1, 2, 1.0), EXPECTED + "a number twice in [1.0, 2.0, 1.0]"),
    ("1..9..0", "the step of settings must be above 0 (first..last gives the direction), found '1..9..0'"),
    ("9..1..-1", "the step of settings must be above 0 (first..last gives the direction), found '9..1..-1'"),
    ("0..1..0.00001", "settings may be at most 10000, found 100001 in '0..1..0.00001'"),
]


@pytest.mark.parametrize(("value", "settings"), UNDERSTOOD)
def test_lists_and_ranges(value, settings) -> None:
    assert parse_ladder(value) == settings


@pytest.mark.parametrize(("value", "message"), REFUSED)
def test_what_is_refused(value, message) -> None:
    with pytest.raises(OptionError) as caught:
        parse_ladder(value)
    assert str(caught.value) == message


@given(st.integers(-500, 500), st.integers(-500, 500), st.integers(1, 40))
def test_a_range_is_pythons_range_with_its_end(first: int, last: int, tenths: int) -> None:
    sign = 1 if last >= first else -1
    expected = tuple(value / 10 for value in range(10 * first, 10 * last + sign, sign * tenths))
    assert parse_ladder(f"{first}..{last}..{tenths / 10}") == pytest.approx(expected, abs=1e-12)
