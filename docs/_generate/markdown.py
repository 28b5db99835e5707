"""Markdown for the generated parts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def code(text: str) -> str:
    """Return a text as code; vertical bars are kept out of the way of tables."""
    return f"`{text}`".replace("|", "\\|")


def cell(text: str) -> str:
    """Return running text for one cell of a table, on one line."""
    return " ".join(text.split()).replace("|", "\\|")


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table, whose cells stand one below another on a phone; each row has a cell for each heading."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "".join([":::{container} stacked\n\n", *(f"| {' | '.join(cells)} |\n" for cells in lines), ":::\n"])
