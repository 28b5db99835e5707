"""Score against rate, a panel per guard.

``python -m benchmarks.quality.curves RESULTS... --out docs/images/curves.svg``. RESULTS are files written by
``--cg-json``. Lines join the rates of a codec, bars are the intervals of the drop, seen from the clean score, which is
dashed. A rate that a codec does not reach has no point.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.command import Command
from compress_guard.records import CellResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito's colours, which people tell apart however they see colour; the marker says the same once more.
STYLES: Final = {
    "jpeg": ("#E69F00", "o"),
    "webp": ("#009E73", "s"),
    "avif": ("#0072B2", "^"),
    "neural": ("#CC79A7", "D"),
}
OTHERS: Final = (("#D55E00", "v"), ("#56B4E9", "P"), ("#000000", "X"))


def cells(paths: Sequence[Path]) -> dict[str, list[CellResult]]:
    """Return the cells of all files by guard, in the order of the files."""
    found: dict[str, list[CellResult]] = {}
    for path in paths:
        for values in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            cell = CellResult.from_dict(values)
            found.setdefault(cell.guard, []).append(cell)
    return found


def draw(axes: Axes, guard: str, results: Sequence[CellResult]) -> None:
    """Draw one panel."""
    measured = [cell for cell in results if cell.score is not None and cell.bpp_mean is not None]
    if not measured:
        raise SystemExit(f"{guard}: no cell has a score")
    clean, images = measured[0].clean_score or 0.0, measured[0].images_used
    axes.axhline(clean, color="#777777", linestyle="--", linewidth=1)
    others = iter(OTHERS)
    for codec in dict.fromkeys(cell.codec for cell in measured):
        colour, marker = STYLES.get(codec) or next(others, OTHERS[-1])
        chosen = sorted((cell for cell in measured if cell.codec == codec), key=lambda cell: cell.target_bpp or 0.0)
        scores = [cell.score or 0.0 for cell in chosen]
        spans = [
            [score - (clean - (cell.drop_high or 0.0)) for score, cell in zip(scores, chosen, strict=True)],
            [(clean - (cell.drop_low or 0.0)) - score for score, cell in zip(scores, chosen, strict=True)],
        ]
        axes.errorbar(
            [cell.bpp_mean or 0.0 for cell in chosen],
            scores,
            yerr=[[max(0.0, span) for span in side] for side in spans],
            color=colour,
            marker=marker,
            markersize=5,
            linewidth=1.6,
            elinewidth=0.9,
            capsize=2,
            label=codec,
        )
    rates = sorted({cell.target_bpp or 0.0 for cell in measured})
    axes.set_xscale("log")
    axes.set_xticks(rates, [f"{rate:g}" for rate in rates])
    axes.minorticks_off()
    axes.set_ylim(0, 102)
    axes.set_title(f"{guard}: {measured[0].metric}, {images} images", fontsize=10)
    axes.set_xlabel("bits per pixel")
    axes.grid(visible=True, color="#e5e5e5", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def main(arguments: Sequence[str] | None = None) -> None:
    """Draw the picture and write it."""
    parser = Command("quality.curves", __doc__)
    parser.add_argument("results", nargs="+", type=Path, metavar="RESULTS", help="written by --cg-json")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="SVG, PNG or PDF by its ending")
    options = parser.parse_args(arguments)
    import matplotlib as mpl

    mpl.use("Agg")
    mpl.rcParams.update({"svg.hashsalt": "compress_guard", "font.family": "DejaVu Sans", "font.size": 9})
    from matplotlib import pyplot as plt

    guards = cells(options.results)
    columns = min(2, len(guards))
    rows = -(-len(guards) // columns)
    figure, panels = plt.subplots(rows, columns, figsize=(4.6 * columns, 3.3 * rows), squeeze=False)
    spare = list(panels.flat)
    for guard, results in guards.items():
        draw(spare.pop(0), guard, results)
    for empty in spare:
        empty.set_visible(False)
    for row in panels:
        row[0].set_ylabel("score (points)")
    panels[0][0].legend(frameon=False, loc="lower right")
    figure.tight_layout()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    if options.out.suffix == ".svg":
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None})
        # matplotlib leaves blanks at the ends of lines, which no text file of a repository should have.
        options.out.write_text(
            "\n".join(line.rstrip() for line in text.getvalue().splitlines()) + "\n", encoding="utf-8"
        )
    else:
        figure.savefig(options.out)


if __name__ == "__main__":
    main()
