"""Listeners to the progress of a run, and the ones that discard it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

Progress: TypeAlias = Callable[[str, int, int], None]
"""Called with the current activity, the number of images done, and the number of all images."""
CountProgress: TypeAlias = Callable[[int, int], None]
"""Called with the number of images done and the number of all images, 0 if unknown; the caller knows the activity."""
Tell: TypeAlias = Callable[[str], None]
"""Called with one line for the user."""


def _discard(*_: object) -> None:
    """Discard the message."""


SILENT: Final[Progress] = _discard
"""Progress without a listener."""
SILENT_COUNT: Final[CountProgress] = _discard
"""Progress in counts without a listener."""
UNHEARD: Final[Tell] = _discard
"""Lines without a reader."""
