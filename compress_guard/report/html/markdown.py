"""The summary of a run in Markdown, as a comment on a pull request or a job's page shows it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from compress_guard.foreign import LONGEST_SENTENCE, shown
from compress_guard.report.html.cell import CellView
from compress_guard.report.html.contents import RunContents
from compress_guard.report.html.guard import GuardView, guard_views
from compress_guard.report.html.headline import Headline

_SPECIAL: Final = re.compile(r"[\\`*_{}\[\]<>#|~!&@$]|(?<=:)//|(?<=\bwww)\.", re.IGNORECASE)
"""Characters that would make markup, mention a person, or link to a site."""
_LONGEST: Final = 60_000
"""Most characters of a summary: GitHub takes 65536 in a comment."""


def markdown(run: RunContents) -> str:
    """Return a summary: the verdict, a matrix for each guard, each failed cell with what to do about it."""
    text = "\n".join(_lines(run)) + "\n"
    if len(text) <= _LONGEST:
        return text
    kept = text[:_LONGEST].rpartition("\n")[0]
    return f"{kept}\n\nThe rest is left out: this summary has {len(text)} characters.\n"


def _lines(run: RunContents) -> Iterator[str]:
    headline = Headline.of(run)
    yield f"## compress\\_guard: {escaped(headline.title)}"
    for sentence in headline.sentences:
        yield from ("", escaped(sentence))
    for name, reason in headline.studies:
        yield from ("", f"**{escaped(name)}**: {escaped(reason)}")
    for guard in guard_views(run):
        yield from _guard(guard)


def _guard(guard: GuardView) -> Iterator[str]:
    yield from ("", f"### {escaped(guard.name)}", "", f"{escaped(guard.subtitle)}. Drop in points (interval) / allowed")
    if guard.rows:
        yield ""
        yield _row("", *guard.points)
        yield "|---|" + "--:|" * len(guard.points)
        for row in guard.rows:
            yield _row(row.name, *("" if cell is None else _text(cell) for cell in row.cells))
    for cell in guard.failed:
        yield from ("", f"**{escaped(cell.name)}**: {escaped(cell.reason)}", "")
        yield from (f"- {escaped(sentence)}" for sentence in (cell.since, *cell.advice) if sentence)
        if cell.places:
            yield f"- Limit that was missed: {escaped(cell.places)}"
        if cell.worst:
            yield f"- Worst images: {escaped(', '.join(_image(*image) for image in cell.worst))}"
        yield f"- Run it alone: {escaped(cell.command)}"
    speeds = [table for table in guard.tables if table.title in ("Throughput", "Recovery by finetuning", "Traffic")]
    for table in speeds:
        yield from ("", f"**{table.title}**", "", _row(*table.heads), "|---" * len(table.heads) + "|")
        yield from (_row(*row.texts) for row in table.rows)


def _image(name: str, change: str, points: str) -> str:
    del points
    return f"{name} ({change})" if change else name


def _text(cell: CellView) -> str:
    interval = f" ({cell.interval})" if cell.interval else ""
    limit = f" / {cell.limit}" if cell.limit else ""
    return f"{cell.number}{interval}{limit} {cell.mark}"


def _row(*texts: str) -> str:
    return f"| {' | '.join(map(escaped, texts))} |"


def escaped(text: str) -> str:
    """Return a text that Markdown shows as it is, on one line and in printable characters."""
    line = shown(" ".join(text.split()), LONGEST_SENTENCE)
    return _SPECIAL.sub(lambda match: "".join(f"&#{ord(sign)};" for sign in match[0]), line)
