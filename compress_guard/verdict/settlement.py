"""The settlement of a verdict: the outcome of a cell by interval, by the policy of the file, or by point estimate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from compress_guard.records import Judgement

if TYPE_CHECKING:
    from compress_guard.records import OnMissing, Outcome, Policy, SettledBy, Share, Verdict, Waiver

WAIVABLE: Final[frozenset[Verdict]] = frozenset({"fail", "inconclusive", "unreachable"})
"""Verdicts that a known failure of a limit has. An error is none: where nothing was measured, nothing is known."""


UNLIMITED: Final = "set max_drop or min_score"
WITHOUT_LIMIT: Final = "measured without a limit"
"""The ends of the notes on a cell without a limit, in a strict run and in any other."""


class Settlement(NamedTuple):
    """The outcome of a cell in pytest, and what decided it."""

    outcome: Outcome
    settled_by: SettledBy
    note: str
    """Reason if the outcome does not follow from the verdict alone; else empty."""


def settle(
    judgement: Judgement,
    *,
    max_drop: float | None,
    min_score: float | None,
    policy: Policy,
    strict: bool,
    min_clean: float | None = None,
    doubts: Sequence[str] = (),
) -> Settlement:
    """Return the outcome of a cell with these limits (points, None if not set).

    A cell without evidence (unreachable, unavailable, an error) comes as a `Judgement` with verdict and reason alone.
    `strict` fails cells that would be skipped, except if the file itself says skip, and cells that would pass by limits
    that mean little, as `doubts` say.
    """
    verdict = judgement.verdict
    if strict and doubts and verdict in ("pass", "inconclusive"):
        return Settlement("failed", "policy", f"failed because the run is strict: {doubts[0]}")
    if verdict == "pass":
        return Settlement("passed", "interval", "")
    if verdict == "fail":
        return Settlement("failed", "interval", "")
    if verdict == "inconclusive":
        limits = (max_drop, min_score, min_clean)
        return _inconclusive(judgement, limits, policy)
    if verdict == "unreachable":
        return _missing("on_unreachable", policy.on_unreachable, policy, strict)
    if verdict == "unavailable":
        return _missing("on_unavailable", policy.on_unavailable, policy, strict)
    if verdict == "unjudged":
        if strict:
            return Settlement("failed", "policy", f"failed because the run is strict: {UNLIMITED}")
        return Settlement("skipped", "policy", f"skipped: {WITHOUT_LIMIT}")
    return Settlement("failed", "policy", "")


def settle_recovery(
    verdict: Verdict,
    reason: str,
    shares: Sequence[Share],
    min_recovered: float | None,
    policy: Policy,
    strict: bool,
) -> Settlement:
    """Return the outcome of a recovery cell by its guard's policies; `strict` fails cells that would be skipped."""
    if verdict == "unjudged" and strict:
        return Settlement("failed", "policy", "failed because the run is strict: set min_recovered")
    if verdict == "inconclusive" and policy.on_inconclusive == "point" and min_recovered is not None:
        short = any(share.value is not None and share.value < min_recovered for share in shares)
        outcome: Outcome = "failed" if short else "passed"
        return Settlement(outcome, "point", f"inconclusive, {outcome} by on_inconclusive: point")
    judgement = Judgement.without_evidence(verdict, reason)
    return settle(judgement, max_drop=None, min_score=None, policy=policy, strict=strict)


def waive(settlement: Settlement, verdict: Verdict, waiver: Waiver | None, today: str) -> tuple[Settlement, str | None]:
    """Return a settlement in which a failure that is known until `today` or later is a skip, and the waiver's reason.

    The reason is None where the settlement is the one that came in. A failure that stays says why its waiver does not
    hold: its last day is over, or it is a failure of another kind.
    """
    if waiver is None or settlement.outcome != "failed":
        return settlement, None
    if verdict not in WAIVABLE:
        kind = "a limit that means little" if verdict == "pass" else f"the verdict {verdict}"
        return _noted(settlement, f"the waiver in line {waiver.line} does not cover {kind}"), None
    if today > waiver.until:
        remedy = "correct the failure, or give the waiver a later date"
        return _noted(settlement, f"its waiver ended on {waiver.until} ({waiver.reason}): {remedy}"), None
    noted = _noted(settlement, f"waived until {waiver.until}: {waiver.reason}")
    return noted._replace(outcome="skipped", settled_by="policy"), waiver.reason


def _noted(settlement: Settlement, note: str) -> Settlement:
    return settlement._replace(note=f"{settlement.note}; {note}" if settlement.note else note)


def _inconclusive(
    judgement: Judgement, limits: tuple[float | None, float | None, float | None], policy: Policy
) -> Settlement:
    """Settle an inconclusive verdict by the policy of the file; `limits` are max_drop, min_score and min_clean."""
    max_drop, *floors = limits
    choice = policy.on_inconclusive
    if choice == "point":
        dropped = max_drop is not None and judgement.drop is not None and judgement.drop.value > max_drop
        scores = (judgement.score, judgement.clean_score)
        short = (
            floor is not None and score is not None and score < floor
            for score, floor in zip(scores, floors, strict=True)
        )
        failed = dropped or judgement.fell or any(short)
    else:
        failed = choice == "fail"
    outcome: Outcome = "failed" if failed else "passed"
    by: SettledBy = "point" if choice == "point" else "policy"
    return Settlement(outcome, by, f"inconclusive, {outcome} by on_inconclusive: {choice}")


def _missing(key: str, choice: OnMissing, policy: Policy, strict: bool) -> Settlement:
    if choice == "fail":
        return Settlement("failed", "policy", f"failed by {key}: fail")
    if strict and key not in policy.stated:
        return Settlement("failed", "policy", f"failed because the run is strict: to allow it, state {key}: skip")
    return Settlement("skipped", "policy", f"skipped by {key}: skip")
