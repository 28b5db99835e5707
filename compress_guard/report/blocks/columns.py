"""Tables that are wider than their output: whole columns go below, behind the same labels."""

from __future__ import annotations

from collections.abc import Sequence


def groups(label: int, widths: Sequence[int], width: int | None) -> list[list[int]]:
    """Return the numbers of the columns that stand side by side, in groups that stand one below the other.

    `label` is the width of what stands before the first column, `widths` are those of the columns, and `width` is that
    of the output; None: without bound. A column is never broken, so that no number is; one that is wider than the
    output stands alone.
    """
    found: list[list[int]] = [[]]
    used = label
    for at, column in enumerate(widths):
        if width is not None and found[-1] and used + column > width:
            found.append([])
            used = label
        found[-1].append(at)
        used += column
    return found
