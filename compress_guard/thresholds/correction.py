"""What is made of the confidence of guards so that many cells together are as sure as one was asked to be."""

from __future__ import annotations

from dataclasses import replace

from compress_guard.records import Guard


def corrected(guards: tuple[Guard, ...]) -> tuple[Guard, ...]:
    """The guards of a file, those with ``correction: bonferroni`` at the confidence 1 - (1 - confidence) / m.

    m counts the judged cells, whatever is selected later, of all guards that ask for the correction. Where all of a
    file share the defaults these are all its judged cells. Guards without it are left as they are and do not count:
    they bring errors of their own in any case, which wider intervals elsewhere would not make up for. What holds is
    that, with the confidence C in every guard that asks, the chance that any of their cells fails with its limits kept,
    or passes with one broken, is at most 1 - C.
    """
    judged = sum(cell.judged for guard in guards if guard.correction == "bonferroni" for cell in guard.cells)
    # With one cell there is nothing to correct, and 1 - (1 - 0.95) is not 0.95.
    if judged < 2:
        return guards
    return tuple(
        replace(guard, confidence=1 - (1 - guard.confidence) / judged) if guard.correction == "bonferroni" else guard
        for guard in guards
    )
