"""The codes that the command ends with."""

from __future__ import annotations

from typing import Final

EXIT_HELD: Final = 0
EXIT_FAILED: Final = 1
EXIT_USAGE: Final = 4
EXIT_INTERRUPTED: Final = 130
"""What shells make of Ctrl-C."""
