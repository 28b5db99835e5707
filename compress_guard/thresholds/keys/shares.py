"""Limits that look like a share where points are meant: 0.05 for 5 of 100."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from compress_guard.records import OperatingPoint
from compress_guard.thresholds.keys.curve import Curve
from compress_guard.thresholds.value import Span

SMALL: Final = {
    "max_drop": Span(0, 0.2, open_low=True, open_high=True),
    "max_decoder_drop": Span(0, 0.1, open_low=True, open_high=True),
    "max_regression": Span(0, 0.1, open_low=True, open_high=True),
    "min_score": Span(0, 1, open_low=True, open_high=True),
    "min_clean": Span(0, 1, open_low=True, open_high=True),
}
"""Values of each limit that are rarely meant: few sets of images resolve a drop of less than 0.2 points, and a floor
below 1 point is none for a model that works. A floor of 1 says "more than nothing", and is no share."""


def looks_like_share(limit: str, points: float, name: str = "", where: str = "") -> str | None:
    """Return a message about a limit that looks like a share, None for any other limit.

    `limit` is the key, `name` what messages call it, ``max_drop of slice night``, and `where` file and line, if any.
    """
    if points not in SMALL[limit]:
        return None
    place = f"{where}: " if where else ""
    meant = f"{100 * points:g}"
    return f"{place}{name or limit} is {points:g} points and looks like a share: write {meant} for {meant} points"


def doubts_of(limit: str, curve: Curve | None, point: OperatingPoint, name: str = "") -> Iterator[str]:
    """Yield a message for each value of a curve at a point that looks like a share."""
    for points, place in curve.used(point) if curve is not None else ():
        doubt = looks_like_share(limit, points, name, place)
        if doubt is not None:
            yield doubt
