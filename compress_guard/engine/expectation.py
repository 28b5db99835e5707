"""What a guard's images can tell at all, said before the first of them is coded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from compress_guard.records import Cell, Guard
from compress_guard.verdict.power import FLIPS, images_for, never_resolves

Tell = Callable[[str], None]
"""Takes a line that a person should read now."""


def untold(line: str) -> None:
    """A word to nobody."""


def expectations(guard: Guard, cells: Sequence[Cell], images: int, resolvable: float | None) -> Iterator[str]:
    """What `images` images resolve, and which limits of these cells they never can.

    `resolvable` is the drop in points that they are expected to resolve, None where only a measured cell can tell.
    """
    if resolvable is not None:
        yield (
            f"{guard.name}: {images} images tell drops that are at least {resolvable:.1f} points from their limit "
            f"({100 * FLIPS:g} % of the predictions flipping)"
        )
    limits = sorted({cell.max_drop for cell in cells if cell.max_drop is not None})
    never = [limit for limit in limits if never_resolves(images, guard.confidence, limit)]
    if never:
        enough = images_for(guard.confidence, min(never))
        remedy = f"take at least {enough} images" if enough else "allow more than 0 points"
        listed = ", ".join(f"{limit:g}" for limit in never)
        yield (
            f"WARNING: {guard.name}: a max_drop of {listed} can never be held on {images} images, not even where no "
            f"prediction changes; {remedy}, or raise the limit"
        )
