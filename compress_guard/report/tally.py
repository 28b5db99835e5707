"""Counts of cells by verdict and outcome."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from compress_guard.records import Outcome, Verdict

if TYPE_CHECKING:
    from compress_guard.records import CellResult, RecoveryResult, ThroughputResult


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of a run; verdicts and outcomes that did not occur are left out."""

    cells: int
    verdicts: Mapping[Verdict, int]
    outcomes: Mapping[Outcome, int]

    def __str__(self) -> str:
        """Return ``3 cells: 1 failed, 2 passed (verdicts: 1 pass, 1 fail, 1 inconclusive)``."""
        noun = "cell" if self.cells == 1 else "cells"
        if not self.cells:
            return f"0 {noun}"
        outcomes = ", ".join(f"{self.outcomes[outcome]} {outcome}" for outcome in sorted(self.outcomes))
        verdicts = ", ".join(f"{number} {verdict.replace('_', ' ')}" for verdict, number in self.verdicts.items())
        return f"{self.cells} {noun}: {outcomes} (verdicts: {verdicts})"


def tally(results: Iterable[CellResult | RecoveryResult | ThroughputResult]) -> Tally:
    """Return the counts of these results, verdicts and outcomes in the order of the contract."""
    results = list(results)
    verdicts = Counter(result.verdict for result in results)
    outcomes = Counter(result.outcome for result in results)
    return Tally(
        len(results),
        {verdict: verdicts[verdict] for verdict in get_args(Verdict) if verdicts[verdict]},
        {outcome: outcomes[outcome] for outcome in get_args(Outcome) if outcomes[outcome]},
    )


def ungated(results: Sequence[CellResult]) -> tuple[str, ...]:
    """Return the guards that have results but none that was judged: a gate that gates nothing is not green."""
    judged = {result.guard for result in results if result.judged}
    return tuple(dict.fromkeys(result.guard for result in results if result.guard not in judged))
