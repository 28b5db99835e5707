"""Changes of real cells by early stopping: ``python -m benchmarks.coverage.agreement FULL.json EARLY.json``.

The two results files are of the same thresholds file, the second one made with --cg-early-stop. ``--write
docs/explanation/coverage.md`` puts the table between the marks ``<!-- agreement -->`` and ``<!-- end of agreement
-->``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from benchmarks import document
from benchmarks.command import Command
from compress_guard.errors import UsageError
from compress_guard.records import JUDGED, CellResult

MARK: Final = "agreement"

Pair = tuple[CellResult, CellResult]


def pairs(full: Path, early: Path) -> list[Pair]:
    """Return the judged cells of both files; raises `UsageError` where they are not of the same cells."""
    one, other = ({cell.id: cell for cell in _cells(path)} for path in (full, early))
    if one.keys() != other.keys():
        raise UsageError(str(early), "it has other cells than the full run", "measure the same thresholds file")
    return [(one[name], other[name]) for name in one if {one[name].verdict, other[name].verdict} <= JUDGED]


def table(found: Sequence[Pair]) -> Iterator[str]:
    """Yield a row per guard (cells, early stops, images used, agreeing verdicts), then every disagreement."""
    yield "| guard | cells | stopped early | images of the full run | images used | saved | verdicts agree |"
    yield "|---|--:|--:|--:|--:|--:|--:|"
    guards = dict.fromkeys(full.guard for full, _ in found)
    for guard in guards:
        yield _row(guard, [pair for pair in found if pair[0].guard == guard])
    if len(guards) > 1:
        yield _row("all", found)
    disagreements = [pair for pair in found if pair[0].verdict != pair[1].verdict]
    yield ""
    yield "Disagreements: none." if not disagreements else "Disagreements:"
    for full, early in disagreements:
        yield f"- `{full.id}`: {full.verdict} ({_drop(full)}), stopped early {early.verdict} ({_drop(early)})"


def _row(name: str, found: Sequence[Pair]) -> str:
    whole = sum(full.images_used or 0 for full, _ in found)
    used = sum(early.images_used or 0 for _, early in found)
    agree = sum(full.verdict == early.verdict for full, early in found)
    stopped = sum(early.stopped_early for _, early in found)
    return (
        f"| {name} | {len(found)} | {stopped} | {whole} | {used} | {1 - used / whole:.0%} | {agree} of {len(found)} |"
    )


def _drop(cell: CellResult) -> str:
    return f"{cell.drop:.1f}, {cell.drop_low:.1f} to {cell.drop_high:.1f}, allowed {cell.max_drop:g}"


def _cells(path: Path) -> list[CellResult]:
    try:
        return [CellResult.from_dict(cell) for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]]
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise UsageError(str(path), f"no results can be read from it ({problem})", "name a file of --cg-json") from None


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; 4 for files that make no sense."""
    parser = Command("coverage.agreement", __doc__)
    parser.add_argument("full", type=Path, help="results of all images")
    parser.add_argument("early", type=Path, help="results of the same file with --cg-early-stop")
    parser.add_write()
    options = parser.parse_args(arguments)
    try:
        document.publish(table(pairs(options.full, options.early)), options.write, MARK)
    except UsageError as problem:
        sys.stderr.write(f"{problem}\n")
        return 4
    return 0


if __name__ == "__main__":
    sys.exit(main())
