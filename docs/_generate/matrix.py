"""The matrix of README.md, so that the site shows the same run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

README: Final = Path(__file__).parents[2] / "README.md"
BLOCK: Final = re.compile(r"^```(?:text)?\n(\w+: \w+ .*?)^```$", re.MULTILINE | re.DOTALL)
"""A block that begins with a guard and its metric."""


def matrix_part() -> str:
    """Return the first matrix of README.md."""
    shown = BLOCK.search(README.read_text(encoding="utf-8"))
    if shown is None:
        raise ValueError("README.md has no block with a matrix; correct the expression in docs/_generate/matrix.py")
    return f"```text\n{shown[1]}```\n"
