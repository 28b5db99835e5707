"""A correction of the guards' confidence, so that all cells together are as sure as a single cell was to be."""

from __future__ import annotations

from dataclasses import replace

from compress_guard.records import Guard


def corrected(guards: tuple[Guard, ...]) -> tuple[Guard, ...]:
    """Return the guards of a file, those with ``correction: bonferroni`` at the confidence 1 - (1 - confidence) / m.

    m counts the judged limits of all cells, whatever is selected later, of all guards that ask for the correction: a
    cell with a max_drop and a min_score has two intervals, either of which may miss the truth. A min_clean counts in
    each cell of its guard: their clean scores need not be of the same images. The k slices with a limit in a cell need
    no count of their own: each of them, and each of the cell's L own limits, takes 1 / (k + 1) of the error of one
    limit, and (k + L) / (k + 1) is at most L. Guards without the correction are left as they are and
    do not count: they bring errors of their own in any case, which wider intervals elsewhere would not make up for.
    So, with the confidence C in every guard that asks, the chance that any of their cells fails with
    its limits kept, or passes with one broken, is at most 1 - C.
    """
    limits = sum(cell.judged_limits for guard in guards if guard.correction == "bonferroni" for cell in guard.cells)
    # With one limit there is nothing to correct, and 1 - (1 - 0.95) is not 0.95.
    if limits < 2:
        return guards
    return tuple(
        replace(guard, confidence=1 - (1 - guard.confidence) / limits) if guard.correction == "bonferroni" else guard
        for guard in guards
    )
