"""Sentences on images that seem to belong together, and on groups that are too few, which engine and report share."""

from __future__ import annotations

from typing import Final

FEW: Final = 10
"""Number of groups below which intervals are wide and rest on little."""
SHARE: Final = 0.1
"""Share of near-equal neighbours from which a data set looks like a video."""
FEWEST: Final = 5
"""Least number of near-equal neighbours that are worth a word: a few photographs may have been taken twice."""


def few_groups(groups: int | None) -> str | None:
    """Return the warning of so few groups; None if they are enough, or if images stand alone."""
    if groups is None or groups >= FEW:
        return None
    return (
        f"intervals over {groups} {'group' if groups == 1 else 'groups'} of images are very wide, because so few show "
        f"little of how much groups differ; take at least {FEW}, better 20"
    )


def looks_like_video(near: int, images: int) -> bool:
    """Return True if so many near-equal neighbours among so many images are no chance."""
    return near >= FEWEST and near >= SHARE * (images - 1)


def like_video(near: int | None, images: int | None, *, grouped: bool) -> str | None:
    """Return the warning of images that are nearly equal to the next one in the data; None if they are few.

    With `grouped` they are in other groups than the next one.
    """
    if not near or not images or not looks_like_video(near, images):
        return None
    found = f"{near} of {images} images are nearly equal to the next one, as frames of a video are"
    if grouped:
        return f"{found}, and in another group, so intervals are too narrow; put images that belong together in one"
    return (
        f"{found}: they tell less than their number, and intervals are too narrow; say which belong together by the "
        "key groups"
    )
