from __future__ import annotations

from compress_guard.report import tally, ungated


def test_counts_by_verdict_and_outcome(every_verdict, cell):
    found = tally(every_verdict)
    assert found.cells == sum(found.verdicts.values()) == sum(found.outcomes.values()) == 11
    assert found.verdicts["pass"] == 3
    assert found.outcomes == {"passed": 4, "failed": 5, "skipped": 2}
    assert str(tally([cell("jpeg", 1, drop=1.0)])) == "1 cell: 1 passed (verdicts: 1 pass)"
    assert str(tally([])) == "0 cells"


def test_guards_of_which_no_cell_was_judged(cell):
    found = [
        cell("jpeg", 1, "unjudged", "skipped", 1.0, guard="b"),
        cell("jpeg", 1, "error", "failed", guard="a"),
        cell("webp", 1, "unreachable", "skipped", guard="b"),
        cell("webp", 1, "unavailable", "skipped", guard="c"),
        cell("jpeg", 1, "inconclusive", "passed", 1.0, guard="c"),
        cell("jpeg", 1, "fail", "failed", 1.0, guard="d"),
    ]
    assert ungated(found) == ("b", "a")
    assert ungated([]) == ()
