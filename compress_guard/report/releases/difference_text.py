"""The difference between two releases as text, Markdown or JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from compress_guard.engine.releases.changed_cells import KINDS, CellChange, Moved
from compress_guard.engine.releases.difference import ReleaseDifference
from compress_guard.foreign import shown_json, shown_line
from compress_guard.records import CellResult
from compress_guard.report import numbers
from compress_guard.report.brief import brief
from compress_guard.report.html.markdown import escaped

SCHEMA: Final = "compress-guard-diff/1"


def text(difference: ReleaseDifference) -> str:
    """Return the difference as lines: the changes of each kind, moved versions, and a last line that counts."""
    lines: list[str] = []
    for kind in KINDS:
        changes = [change for change in difference.changes if change.kind == kind]
        if changes:
            lines.append(f"{kind}: {numbers.count(len(changes), 'cell')}")
            lines += (shown_line(f"  {change.id}  {'; '.join(_parts(change))}".rstrip()) for change in changes)
            lines.append("")
    lines += (shown_line(line) for line in _tail(difference))
    return "\n".join(lines)


def markdown(difference: ReleaseDifference) -> str:
    """Return the difference as Markdown: a headline and a table."""
    bad = difference.regressions
    head = numbers.count(bad, "regression") if bad else "no regression"
    lines = [f"### compress_guard: {head}", ""]
    if difference.changes:
        lines += ["| change | cell | what |", "|---|---|---|"]
        for change in difference.changes:
            cells = (change.kind, change.id, "; ".join(_parts(change)))
            lines.append(f"| {' | '.join(escaped(shown_line(part)) for part in cells)} |")
        lines.append("")
    lines += (f"{escaped(shown_line(line))}\n" for line in _tail(difference))
    return "\n".join(lines).rstrip("\n")


def as_json(difference: ReleaseDifference) -> str:
    """Return the difference as one JSON document."""
    document = {
        "schema": SCHEMA,
        "regressions": difference.regressions,
        "cells_in_both": difference.both,
        "confidence": difference.confidence,
        "changes": [_values(change) for change in difference.changes],
        "packages": [_moved(each) for each in difference.packages],
        "remarks": list(difference.remarks),
    }
    return shown_json(json.dumps(document, allow_nan=False, ensure_ascii=False, indent=1))


def _parts(change: CellChange) -> Iterator[str]:
    """Yield what is to say of a change."""
    if change.kind == "newly failing" and change.after is not None:
        yield brief(change.after)
    if change.kind == "appeared" and change.after is not None:
        yield f"{change.after.outcome} ({change.after.verdict.replace('_', ' ')})"
    if change.remark:
        yield change.remark
    comparison = change.comparison
    if comparison is not None and comparison.fall is not None and comparison.scores is not None:
        before, now = comparison.scores
        fall, figures = comparison.fall, comparison.figures
        ends = f"{numbers.points(fall.low)} to {numbers.points(fall.high)}"
        on = f"{figures.baseline_images} images of both" if figures.baseline_images else "scores alone"
        metric = getattr(change.after, "metric", "score")
        moved = f"{metric} {numbers.points(before)} to {numbers.points(now)}"
        yield f"{moved} (fall {numbers.points(fall.value)}, {ends}, {on})"
    for each in change.moved:
        yield _arrow(each)


def _tail(difference: ReleaseDifference) -> Iterator[str]:
    yield from difference.remarks
    if difference.packages:
        yield f"versions that moved: {', '.join(map(_arrow, difference.packages))}"
    bad = difference.regressions
    count = numbers.count(bad, "regression") if bad else "no regression"
    both, changed = numbers.count(difference.both, "cell"), numbers.count(len(difference.changes), "change")
    yield (
        f"{both} in both, {changed}, {count}; "
        f"a score moved where its whole {numbers.percent(round(difference.confidence, 6))} interval did"
        + ("; a share or a ratio where its two intervals have nothing in common" if difference.others else "")
    )


def _arrow(moved: Moved) -> str:
    return f"{moved.name} {moved.before or 'absent'} -> {moved.after or 'absent'}"


def _moved(each: Moved) -> dict[str, str | None]:
    return {"name": each.name, "before": each.before, "after": each.after}


def _values(change: CellChange) -> dict[str, object]:
    figures = None if change.comparison is None else change.comparison.figures
    return {
        "id": change.id,
        "kind": change.kind,
        "regression": change.regression,
        "before": _side(change, before=True),
        "after": _side(change, before=False),
        "fall": None if figures is None else figures.regression,
        "fall_low": None if figures is None else figures.regression_low,
        "fall_high": None if figures is None else figures.regression_high,
        "drop_change": None if figures is None else figures.drop_change,
        "images": None if figures is None else figures.baseline_images,
        "paired": None if figures is None else figures.baseline_paired,
        "remark": change.remark or (None if figures is None else figures.baseline_remark),
        "moved": [_moved(each) for each in change.moved],
    }


def _side(change: CellChange, *, before: bool) -> dict[str, object] | None:
    result = change.before if before else change.after
    if result is None:
        return None
    score = result.score if isinstance(result, CellResult) else None
    return {"verdict": result.verdict, "outcome": result.outcome, "score": score, "reason": result.reason}
