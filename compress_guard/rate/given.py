"""Operating points whose setting is given: every image is coded at it, and nothing is searched or mixed."""

from __future__ import annotations

from collections.abc import Sequence

from compress_guard.rate.ledger import Encode
from compress_guard.records import ImageInfo, OperatingPoint, PlannedRate


def plan_given(images: Sequence[ImageInfo], point: OperatingPoint, setting: float, encode: Encode) -> PlannedRate:
    """Return the plan of a point at which every image has this setting; `encode` is that of `plan`."""
    lengths = tuple(encode([(at, setting) for at in range(len(images))]))
    return PlannedRate(
        point=point,
        settings=tuple(None if length is None else setting for length in lengths),
        lengths=lengths,
        bpp=tuple(
            None if length is None else 8 * length / image.pixels for image, length in zip(images, lengths, strict=True)
        ),
        reachable=True,
        floor=None,
        off_target=None,
        mixed=False,
        encodes=1.0,
    )
