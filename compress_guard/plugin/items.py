"""Tests that stand in the thresholds file."""

from __future__ import annotations

import os
from typing import Any, Final

import pytest

from compress_guard.records import Cell, ThroughputCell


class FileItem(pytest.Function):
    """A cell as a test function: it has fixtures, markers, -k, --lf, JUnit and xdist like any other."""

    def __init__(self, *, cell: Cell | ThroughputCell, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.line: Final = cell.line
        self.add_marker(pytest.mark.compress_guard(guard=cell.guard, codecs=[cell.codec.alias], bpp=[cell.bpp]))

    @property
    def id(self) -> Any:
        """The node id in parts, as pytest reads it back from text.

        pytest 9.2 compares these for --lf, --ff and --nf. Of a function that its own parametrize has not made it would
        take the brackets for a part of the name, and so never find again what failed.
        """
        return type(super().id).parse(self.nodeid)

    def reportinfo(self) -> tuple[os.PathLike[str] | str, int | None, str]:
        # Not the bare name: where a line ends with this text, pytest writes every dot in it as "::", and guards may
        # have dots in their names.
        return self.path, self.line - 1, f"cell {self.name}"
