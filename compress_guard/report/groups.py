"""Results that share a line."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import TYPE_CHECKING, Final, TypeVar

from compress_guard.records import Rate, phrased, shortened
from compress_guard.report import numbers

if TYPE_CHECKING:
    from compress_guard.records import CellResult

Key = TypeVar("Key", bound=Hashable)
Item = TypeVar("Item")

MOST_NAMED: Final = 6
"""Most cells that a line names; more are only counted."""


def groups(results: Iterable[Item], key: Callable[[Item], Key | None]) -> Iterator[tuple[Key, list[Item]]]:
    """Yield the results by key, in the order of the first of each; results whose key is None are left out."""
    grouped: dict[Key, list[Item]] = {}
    for result in results:
        if (name := key(result)) is not None:
            grouped.setdefault(name, []).append(result)
    yield from grouped.items()


def by_guard(
    results: Iterable[CellResult], chosen: Callable[[CellResult], bool]
) -> Iterator[tuple[str, list[CellResult]]]:
    """Yield the chosen results of each guard that has any."""
    yield from groups(results, lambda result: result.guard if chosen(result) else None)


def listed(results: Iterable[CellResult], remark: Callable[[CellResult], str | None], what: str) -> Iterator[str]:
    """Yield a line for each guard that names the cells whose `remark` is not None, each with its remark."""
    for guard, group in by_guard(results, lambda result: remark(result) is not None):
        cells = (f"{shortened(coded_by(result), result.point)}{remark(result)}" for result in group)
        yield f"{guard}: {what}: {', '.join(cells)}"


def coded_by(result: CellResult) -> str:
    """Return the codec, and the decoder where the cell compares it with another: ``jpeg by opencv``."""
    return result.codec if result.first_decoder is None else f"{result.codec} by {result.decoder}"


def cell(result: CellResult) -> str:
    """Return the name of a cell within its guard: ``jpeg at 0.5 bpp``, ``jpeg by opencv at 0.5 bpp``."""
    return phrased(coded_by(result), result.point)


def cells(results: Iterable[CellResult]) -> str:
    """Return ``jpeg at 0.25 and 0.5 bpp, webp at 1 bpp``, or the number of cells if they are many."""
    results = list(results)
    if len(results) > MOST_NAMED:
        return numbers.count(len(results), "cell")
    rates: dict[str, list[str]] = {}
    others = []
    for result in results:
        if isinstance(result.point, Rate):
            rates.setdefault(coded_by(result), []).append(f"{result.point.bpp:g}")
        else:
            others.append(cell(result))
    return ", ".join([*(f"{codec} at {' and '.join(of)} bpp" for codec, of in rates.items()), *others])


def cells_by_row(results: Iterable[CellResult]) -> list[CellResult]:
    """Return results by codec, in the order of the first of each; points of a codec in the order of the results."""
    rows = groups(results, coded_by)
    return [result for _, row in rows for result in row]
