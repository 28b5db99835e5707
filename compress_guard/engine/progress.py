"""Listeners of a run: what they are told while it works, and the ones that discard it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

Progress: TypeAlias = Callable[[str, int, int], None]
"""Called with what is being done, how many images are done, and how many there are."""
CountProgress: TypeAlias = Callable[[int, int], None]
"""The same for work that the caller names: how many images are done, and how many there are; 0 where nobody knows."""
Tell: TypeAlias = Callable[[str], None]
"""Called with one line for the person who watches the run."""


def _discard(*_: object) -> None:
    """Discard the message."""


SILENT: Final[Progress] = _discard
"""Progress without a listener."""
SILENT_COUNT: Final[CountProgress] = _discard
"""The same for counts alone."""
UNHEARD: Final[Tell] = _discard
"""Lines without a reader."""
