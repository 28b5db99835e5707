"""Results that are told together."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import TYPE_CHECKING, Final, TypeVar

from compress_guard.report import numbers

if TYPE_CHECKING:
    from compress_guard.records import CellResult

Key = TypeVar("Key", bound=Hashable)

MOST_NAMED: Final = 6
"""Cells that a line names before it only counts them."""


def groups(
    results: Iterable[CellResult], key: Callable[[CellResult], Key | None]
) -> Iterator[tuple[Key, list[CellResult]]]:
    """The results by their key, in the order of the first of each; those whose key is None are left out."""
    found: dict[Key, list[CellResult]] = {}
    for result in results:
        if (name := key(result)) is not None:
            found.setdefault(name, []).append(result)
    yield from found.items()


def by_guard(
    results: Iterable[CellResult], chosen: Callable[[CellResult], bool]
) -> Iterator[tuple[str, list[CellResult]]]:
    """The chosen results of each guard that has any."""
    yield from groups(results, lambda result: result.guard if chosen(result) else None)


def listed(results: Iterable[CellResult], told: Callable[[CellResult], str | None], what: str) -> Iterator[str]:
    """One line per guard that names its cells for which there is something to tell, be it that they are meant."""
    for guard, found in by_guard(results, lambda result: told(result) is not None):
        cells = (f"{result.codec} {result.target_bpp:g} bpp{told(result)}" for result in found)
        yield f"{guard}: {what}: {', '.join(cells)}"


def cell(result: CellResult) -> str:
    """``jpeg at 0.5 bpp``."""
    return f"{result.codec} at {result.target_bpp:g} bpp"


def cells(results: Iterable[CellResult]) -> str:
    """``jpeg at 0.25 and 0.5 bpp, webp at 1 bpp``, or of many only how many they are."""
    results = list(results)
    if len(results) > MOST_NAMED:
        return numbers.count(len(results), "cell")
    rates: dict[str, list[str]] = {}
    for result in results:
        rates.setdefault(result.codec, []).append(f"{result.target_bpp:g}")
    return ", ".join(f"{codec} at {' and '.join(of)} bpp" for codec, of in rates.items())
