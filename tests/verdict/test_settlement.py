from __future__ import annotations

import itertools
from typing import get_args

import pytest

from compress_guard.records import Interval, Judgement, Outcome, Policy, SettledBy, Share, Verdict
from compress_guard.verdict import settle, settle_recovery

NUMBERS = {"drop": 3.0, "max_drop": 2.0, "score": 73.0, "min_score": None}


def settled(verdict, policy, *, strict, drop, max_drop, score, min_score):
    interval = None if drop is None else Interval(drop, drop - 5, drop + 5)
    judgement = Judgement(76.0, score, interval, None, verdict, "")
    return settle(judgement, max_drop=max_drop, min_score=min_score, policy=policy, strict=strict)


STRICT = "failed because the run is strict: "


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        ("pass", ("passed", "interval", "")),
        ("fail", ("failed", "interval", "")),
        ("error", ("failed", "policy", "")),
        ("codec_error", ("failed", "policy", "")),
    ],
)
def test_what_no_policy_changes(verdict, expected, strict):
    for choices in itertools.product(["pass", "fail", "point"], ["skip", "fail"], ["skip", "fail"]):
        assert settled(verdict, Policy(*choices), strict=strict, **NUMBERS) == expected


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize(
    ("choice", "numbers", "expected"),
    [
        ("pass", {}, ("passed", "policy")),
        ("fail", {}, ("failed", "policy")),
        ("point", {}, ("failed", "point")),
        ("point", {"drop": 2.0}, ("passed", "point")),
        ("point", {"drop": 1.0}, ("passed", "point")),
        ("point", {"drop": 1.0, "min_score": 73.1}, ("failed", "point")),
        ("point", {"drop": 1.0, "min_score": 73.0}, ("passed", "point")),
        ("point", {"max_drop": None, "min_score": 70.0}, ("passed", "point")),
        ("point", {"max_drop": None, "min_score": 80.0}, ("failed", "point")),
    ],
)
def test_inconclusive_is_settled_by_the_file(choice, numbers, expected, strict):
    found = settled("inconclusive", Policy(on_inconclusive=choice), strict=strict, **(NUMBERS | numbers))
    assert found == (*expected, f"inconclusive, {expected[0]} by on_inconclusive: {choice}")


@pytest.mark.parametrize(("verdict", "key"), [("unreachable", "on_unreachable"), ("unavailable", "on_unavailable")])
@pytest.mark.parametrize(
    ("choice", "strict", "stated", "outcome", "note"),
    [
        ("skip", False, False, "skipped", "skipped by {key}: skip"),
        ("skip", False, True, "skipped", "skipped by {key}: skip"),
        ("skip", True, False, "failed", STRICT + "to allow it, state {key}: skip"),
        ("skip", True, True, "skipped", "skipped by {key}: skip"),
        ("fail", False, False, "failed", "failed by {key}: fail"),
        ("fail", False, True, "failed", "failed by {key}: fail"),
        ("fail", True, False, "failed", "failed by {key}: fail"),
        ("fail", True, True, "failed", "failed by {key}: fail"),
    ],
)
def test_a_cell_that_cannot_run_is_settled_by_the_file_or_by_strict(
    verdict, key, choice, strict, stated, outcome, note
):
    policy = Policy(**{key: choice}, stated=frozenset({key} if stated else {"on_inconclusive"}))
    numbers = dict.fromkeys(NUMBERS)
    assert settled(verdict, policy, strict=strict, **numbers) == (outcome, "policy", note.format(key=key))


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("verdict", get_args(Verdict))
def test_doubts_of_a_limit_fail_what_would_pass_by_it_in_a_strict_run(verdict, strict):
    judgement = Judgement(76.0, 73.0, Interval(3.0, 2.0, 4.0), None, verdict, "")
    asked = {"max_drop": 80.0, "min_score": None, "policy": Policy(), "strict": strict}
    plain = settle(judgement, **asked)
    found = settle(judgement, **asked, doubts=("80 is never exceeded", "more"))
    if strict and verdict in ("pass", "inconclusive"):
        assert found == ("failed", "policy", STRICT + "80 is never exceeded")
    else:
        assert found == plain


def test_what_has_no_limit_is_skipped_unless_strict():
    policy = Policy(stated=frozenset({"on_unreachable", "on_unavailable"}))
    assert settled("unjudged", policy, strict=False, **NUMBERS) == (
        "skipped",
        "policy",
        "skipped: measured without a limit",
    )
    assert settled("unjudged", policy, strict=True, **NUMBERS) == (
        "failed",
        "policy",
        STRICT + "set max_drop or min_score",
    )


def test_every_verdict_is_settled_in_the_words_of_the_contract():
    for verdict in get_args(Verdict):
        for strict in (False, True):
            found = settled(verdict, Policy(), strict=strict, **NUMBERS)
            assert found.outcome in get_args(Outcome)
            assert found.settled_by in get_args(SettledBy)


SHORT, ENOUGH = Share(0.4, 0.2, 0.6), Share(0.6, 0.4, 0.8)


@pytest.mark.parametrize(
    ("verdict", "shares", "policy", "strict", "expected"),
    [
        ("pass", [ENOUGH], {}, False, ("passed", "interval")),
        ("fail", [SHORT], {}, False, ("failed", "interval")),
        ("inconclusive", [SHORT], {}, False, ("passed", "policy")),
        ("inconclusive", [ENOUGH], {"on_inconclusive": "fail"}, False, ("failed", "policy")),
        ("inconclusive", [ENOUGH], {"on_inconclusive": "point"}, False, ("passed", "point")),
        ("inconclusive", [ENOUGH, SHORT], {"on_inconclusive": "point"}, False, ("failed", "point")),
        ("unjudged", [ENOUGH], {}, False, ("skipped", "policy")),
        ("unjudged", [ENOUGH], {}, True, ("failed", "policy")),
        ("unavailable", [], {}, False, ("failed", "policy")),
        ("unreachable", [], {}, True, ("failed", "policy")),
        ("error", [], {}, False, ("failed", "policy")),
    ],
)
def test_verdicts_become_outcomes_by_the_policies_of_the_guard(verdict, shares, policy, strict, expected):
    settled = settle_recovery(verdict, "", shares, 0.5, Policy(**policy), strict)
    assert (settled.outcome, settled.settled_by) == expected
