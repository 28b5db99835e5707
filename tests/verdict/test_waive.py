"""A waiver turns a known failure into a skip until its last day, and nothing else."""

from __future__ import annotations

from typing import get_args

import pytest

from compress_guard.records import Verdict, Waiver
from compress_guard.verdict import Settlement, waive

WAIVER = Waiver("photos[*]", "ISSUE-12", "2026-12-31", 7)
FAILED = Settlement("failed", "interval", "")


@pytest.mark.parametrize("today", ["2026-01-01", "2026-12-31"])
@pytest.mark.parametrize("verdict", ["fail", "inconclusive", "unreachable"])
def test_a_known_failure_is_skipped_through_the_last_day(verdict, today):
    settled = Settlement("skipped", "policy", "waived until 2026-12-31: ISSUE-12")
    assert waive(FAILED, verdict, WAIVER, today) == (settled, "ISSUE-12")


def test_the_note_of_a_policy_stays():
    by_policy = Settlement("failed", "policy", "failed by on_unreachable: fail")
    settled, _ = waive(by_policy, "unreachable", WAIVER, "2026-12-31")
    assert settled.note == "failed by on_unreachable: fail; waived until 2026-12-31: ISSUE-12"


def test_after_the_last_day_it_fails_and_says_so():
    note = "its waiver ended on 2026-12-31 (ISSUE-12): correct the failure, or give the waiver a later date"
    assert waive(FAILED, "fail", WAIVER, "2027-01-01") == (Settlement("failed", "interval", note), None)


@pytest.mark.parametrize("verdict", ["error", "codec_error", "unavailable", "unjudged"])
def test_where_nothing_is_known_nothing_is_waived(verdict):
    note = f"the waiver in line 7 does not cover the verdict {verdict}"
    assert waive(FAILED, verdict, WAIVER, "2026-12-31") == (Settlement("failed", "interval", note), None)


def test_limits_that_mean_little_are_not_waived():
    settled, reason = waive(FAILED, "pass", WAIVER, "2026-12-31")
    assert (settled.note, reason) == ("the waiver in line 7 does not cover a limit that means little", None)


@pytest.mark.parametrize("outcome", ["passed", "skipped"])
@pytest.mark.parametrize("verdict", get_args(Verdict))
def test_what_does_not_fail_is_left_alone(verdict, outcome):
    settled = Settlement(outcome, "interval", "")
    for day in ("2026-12-31", "2027-01-01"):
        assert waive(settled, verdict, WAIVER, day) == (settled, None)


@pytest.mark.parametrize("verdict", get_args(Verdict))
def test_without_a_waiver_everything_stays(verdict):
    assert waive(FAILED, verdict, None, "2026-12-31") == (FAILED, None)
