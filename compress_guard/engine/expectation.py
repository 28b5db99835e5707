"""What a guard's images can tell at all, said before the first of them is coded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from compress_guard.engine.samples import Survey
from compress_guard.engine.slices import allowed_drop, slice_values
from compress_guard.records import Cell
from compress_guard.verdict.power import FLIPS, images_for, never_resolves

Tell = Callable[[str], None]
"""Takes a line that a person should read now."""


def untold(line: str) -> None:
    """A word to nobody."""


def expectations(
    guard: str, confidences: Mapping[Cell, float], survey: Survey, resolvable: float | None
) -> Iterator[str]:
    """What the images of a survey resolve, and which limits of these cells and their slices they never can.

    `confidences` are those of the cells' last intervals; `resolvable` is the drop in points that the images are
    expected to resolve, None where only a measured cell can tell.
    """
    images = len(survey.usable)
    if resolvable is not None:
        yield (
            f"{guard}: {images} images tell drops that are at least {resolvable:.1f} points from their limit "
            f"({100 * FLIPS:g} % of the predictions flipping)"
        )
    asked = {(cell.max_drop, held) for cell, held in confidences.items() if cell.max_drop is not None}
    yield from _hopeless(guard, images, asked)
    for slicing, values in slice_values(survey.slices_by_id).items():
        for value in values:
            members = sum(value in one.get(slicing, ()) for one in survey.slices)
            limits = ((allowed_drop(cell, slicing, value), held) for cell, held in confidences.items())
            known = {(limit, held) for limit, held in limits if limit is not None}
            yield from _hopeless(f"{guard}, slice {slicing}={value}", members, known)


def _hopeless(name: str, images: int, asked: set[tuple[float, float]]) -> Iterator[str]:
    """A warning of limits (points, confidence) that cannot be held."""
    never = sorted({limit for limit, held in asked if never_resolves(images, held, limit)})
    if not never:
        return
    held = max(held for limit, held in asked if limit == never[0])
    enough = images_for(held, never[0])
    remedy = f"take at least {enough} images" if enough else "allow more than 0 points"
    listed = ", ".join(f"{limit:g}" for limit in never)
    yield (
        f"WARNING: {name}: a max_drop of {listed} can never be held on {images} images, not even where no prediction "
        f"changes; {remedy}, or raise the limit"
    )
