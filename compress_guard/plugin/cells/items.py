"""Cells of the thresholds file as tests: their names, and how their failures look."""

from __future__ import annotations

import os
from typing import Any, Final, TypeAlias

import pytest

from compress_guard.errors import described
from compress_guard.foreign import TAB, shown_line, shown_lines
from compress_guard.plugin.results import CellFailed
from compress_guard.records import Cell, RecoveryCell, ThroughputCell

AnyCell: TypeAlias = Cell | RecoveryCell | ThroughputCell

_TRACES: Final = pytest.StashKey[dict[str, str]]()
"""The name of the cell that was the first in this process to show each traceback, by the traceback's text."""


class FileItem(pytest.Function):
    """A cell as a test function: it has fixtures, markers, -k, --lf, JUnit and xdist like any other."""

    def __init__(self, *, cell: AnyCell, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.guard_name: Final = cell.guard
        self.codec: Final = cell.codec
        self.line: Final = cell.line
        self.last = False
        """True if no further cell of this kind and guard comes in this process; known when the test begins."""
        where = {} if cell.bpp is None else {"bpp": [cell.bpp]}
        if cell.quality is not None:
            where = {"quality": [cell.quality]}
        self.add_marker(pytest.mark.compress_guard(guard=cell.guard, codecs=[cell.codec.alias], **where))

    @property
    def id(self) -> Any:
        """The node id in parts, as pytest reads it back from text.

        pytest 9.2 compares these for --lf, --ff and --nf. It would take the brackets of a function that its own
        parametrize has not made for a part of the name, and so never find again what failed.
        """
        return type(super().id).parse(self.nodeid)

    def continues(self, other: pytest.Item | None) -> bool:
        """Return True if another test is a cell of the same kind and guard."""
        return type(other) is type(self) and other.guard_name == self.guard_name

    def reportinfo(self) -> tuple[os.PathLike[str] | str, int | None, str]:
        # Not the bare name: where a line ends with this text, pytest writes every dot in it as "::", and guards may
        # have dots in their names.
        return self.path, self.line - 1, f"cell {self.name}"

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Return the cell's one sentence; below it the traceback of what people's own code raised."""
        if not isinstance(excinfo.value, CellFailed):
            return self._shown(excinfo)
        from compress_guard.engine.frames import traced
        from compress_guard.plugin.output.shown import text_as_failure

        result, problem = excinfo.value.result, excinfo.value.problem
        lines = [f"{self.path.name}:{self.line}: {self.name}: {result.verdict}", result.reason]
        if problem is not None and (trace := traced(problem)) is not None:
            first = self.config.stash.setdefault(_TRACES, {}).setdefault(trace, self.name)
            lines += ["", trace if first == self.name else f"Its traceback is the same as that of {first}."]
        return text_as_failure(excinfo, shown_lines("\n".join(lines)), (str(self.path), self.line))

    def _shown(self, excinfo: pytest.ExceptionInfo[BaseException]) -> Any:
        """Return what pytest shows of an exception, printable, or its name where showing it raises another one."""
        try:
            made = super().repr_failure(excinfo)
            text = str(made)
            escaped = shown_lines(text)
            return made if escaped == text.expandtabs(TAB) else escaped
        except Exception:  # noqa: BLE001 -- one that a thread of people's code left behind, say
            where = f"{self.path.name}:{self.line}: {self.name}"
            return shown_line(f"{where}: {described(excinfo.value)}, which cannot be shown")


def plain_id(item: pytest.Item) -> str:
    """Return a test's node id as it is in any run: ``--dist loadgroup`` appends ``@group`` to some ids."""
    if item.config.getoption("loadgroup", False) and item.get_closest_marker("xdist_group") is not None:
        return item.nodeid.rpartition("@")[0]
    return item.nodeid
