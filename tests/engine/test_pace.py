"""The pace of a run, by a clock of the test's own."""

from __future__ import annotations

from itertools import pairwise

import pytest

from compress_guard.engine.pace import FIRST_GAP, LONGEST_GAP, Pace


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_it_counts_cells_and_tells_the_time_left(clock):
    pace = Pace(12, clock)
    pace.start()
    assert (pace.place, pace.count, pace.left) == ("cell 1 of 12", "0 of 12 cells done", "")
    clock.now += 90
    pace.finish(3)
    assert (pace.place, pace.count, pace.left) == ("cell 4 of 12", "3 of 12 cells done", "about 4 min left")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(4, "10 s"), (44, "40 s"), (100, "2 min"), (3600, "60 min"), (6000, "1 h 40 min"), (36000, "10 h 0 min")],
)
def test_times_are_rounded_for_people(clock, seconds, text):
    pace = Pace(2, clock)
    pace.start()
    clock.now += seconds
    pace.finish(1)
    assert pace.left == f"about {text} left"


def test_no_time_is_told_that_nobody_knows(clock):
    pace = Pace(3, clock)
    assert pace.left == ""
    pace.start()
    assert pace.left == ""
    clock.now += 10
    pace.finish(1)
    clock.now += 25  # the second cell takes longer than the first: nobody knows how long the rest will take
    assert pace.left == ""
    pace.finish(3)
    assert (pace.left, pace.place) == ("", "cell 3 of 3")
    assert Pace(0, clock).place == ""


def test_a_log_of_hours_has_few_lines_and_no_long_silence(clock):
    pace = Pace(40, clock)
    assert not pace.due()
    pace.start()
    lines = []
    for second in range(3 * 3600):
        clock.now = 1000.0 + second
        pace.start()
        if pace.due():
            lines.append(second)
    gaps = [after - before for before, after in pairwise(lines)]
    assert lines[0] == FIRST_GAP
    assert gaps == sorted(gaps)
    assert max(gaps) == LONGEST_GAP
    assert len(lines) < 50
