"""Findings of ``compress-guard doctor``: a line for each codec, decoder and file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from compress_guard.cli.terminal import put
from compress_guard.foreign import shown_line


@dataclass(frozen=True, slots=True)
class Finding:
    """The state of a codec, a decoder or a file."""

    name: str
    state: str
    """``ok``, ``missing`` or ``damaged``."""
    remark: str

    def line(self, width: int) -> str:
        """Return the line of the finding, aligned with others whose names have at most `width` characters."""
        return shown_line(f"  {self.name:{width}}  {self.state:7}  {self.remark}".rstrip())


def print_findings(title: str, findings: Iterable[Finding]) -> None:
    """Print a title and the findings below it."""
    rows = list(findings)
    width = max((len(row.name) for row in rows), default=0)
    put("\n".join((title, *(row.line(width) for row in rows))))
