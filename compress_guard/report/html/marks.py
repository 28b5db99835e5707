"""Marks of verdicts: the look and the word of each."""

from __future__ import annotations

from typing import Literal

from compress_guard.report.signs import Result

Tone = Literal["bad", "good", "unsure", "plain"]
"""Look of a verdict: failed, held, inconclusive, or nothing judged."""


def tone(result: Result) -> Tone:
    """Return the look of a result."""
    if result.outcome == "failed":
        return "bad"
    return "good" if result.verdict == "pass" else "unsure" if result.verdict in ("inconclusive", "fail") else "plain"


def is_waived(result: Result) -> bool:
    """Return True for a known failure that a waiver keeps from failing the run."""
    return result.outcome != "failed" and result.waived is not None


def mark(result: Result) -> str:
    """Return the word for the verdict of a result, which stands beside its number."""
    if is_waived(result):
        return f"{result.verdict.replace('_', ' ')}, waived"
    if result.outcome == "failed":
        return "undecided, FAIL" if result.verdict == "inconclusive" else "FAIL"
    named = {"pass": "held", "inconclusive": "undecided", "unjudged": "no limit"}
    return named.get(result.verdict, result.verdict.replace("_", " "))
