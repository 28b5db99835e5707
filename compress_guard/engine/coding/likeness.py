"""A decoder that is wrong for every image: decoded images are held against their sources before a model is blamed."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from compress_guard.codecs.contract import Codec
from compress_guard.codecs.pictures.fidelity import EXACT_PSNR, flat_psnr, psnr
from compress_guard.codecs.pictures.mishaps import VALUES, Fits, fits, remedies

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

COMPARED: Final = 3
"""Decoded images that are compared with swapped, turned and shifted copies of themselves."""

# On photographs no remedy gains more than 0.9 dB for an honest codec, at the bottom of its ladder or above; `neural` at
# its very bottom gains 3, where it is no better than a flat colour.
GAIN_DB: Final = 2.0
"""The least gain of a swap, a turn or a shift that makes images much better."""
FEW_GAIN_DB: Final = 4.0
"""The same where fewer images than `COMPARED` can be compared: each of them gains as much."""
VALUES_GAIN_DB: Final = 6.0
"""The same for scales of values: on slopes of 16x16 pixels that use all values, WebP gains 5 dB by one."""
_LOSS_DB: Final = 0.5
"""An image that a remedy makes so much worse speaks against it."""
_FAITHFUL_DB: Final = 40.0
"""An image is as it should be from here on: on an even slope a rounding may look like a shift."""
_EXPLAINED_DB: Final = 1.0
"""The least that a remedied image has beyond a flat picture of the source's mean colour."""

# Coarse codecs tint: JPEG moves the mean of a block by up to 16 levels in luma and in both chroma channels, in RGB a
# mean squared error of up to 735, and `neural` gives saturated colours one of 4000 at the bottom of its ladder. What
# they do not do is add detail that the source lacks.
TINT: Final = 800.0
"""Mean squared error, in levels, that is never taken for more than coarseness."""
LOW_TINT: Final = 6000.0
"""The same in the lower half of a codec's ladder, for a decoded image that is flat or has the source's detail."""
LIKE: Final = 0.25
"""Correlation with the source from which on a decoded image has its detail."""
CLEARLY_DB: Final = 1.0
"""By how much a flat picture is better at least, beyond that."""
_SHORTEST_SIDE: Final = 8
"""JPEG 2000 spends its bits on headers where images are narrower, and gives them back in grey."""
_CORRELATED_PIXELS: Final = 2**18
"""Pixels that suffice for a correlation."""


@dataclass(frozen=True, slots=True)
class Rated:
    """A decoded image beside a flat picture of its source's mean colour."""

    psnr: float
    """PSNR of the decoded image, in dB."""
    flat: float
    """PSNR of the flat picture, in dB."""
    worse: bool
    """Whether the flat picture is clearly better, and coarseness is no excuse."""


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """A decoded image and its source, uint8 RGB (3, H, W) of one size."""

    decoded: torch.Tensor
    source: torch.Tensor
    setting: float
    """The setting that the image was coded at."""

    def rated(self, codec: Codec, level: float | None = None, flat: float | None = None) -> Rated | None:
        """Return how the image compares with a flat picture; None for a source that is too narrow.

        The PSNR of either may be known.
        """
        if min(self.source.shape[-2:]) < _SHORTEST_SIDE:
            return None
        level = psnr(self.decoded, self.source) if level is None else level
        flat = flat_psnr(self.source) if flat is None else flat
        return Rated(level, flat, level < flat and self._is_worse(codec, _error(level), _error(flat)))

    def _is_worse(self, codec: Codec, error: float, flat: float) -> bool:
        beyond = error - flat * 10 ** (CLEARLY_DB / 10)
        if beyond <= TINT:
            return False
        ladder = codec.ladder
        if beyond > LOW_TINT or self.setting not in ladder[: len(ladder) // 2]:
            return True
        return self._adds_detail()

    def _adds_detail(self) -> bool:
        """Whether the decoded image has detail, and other detail than its source."""
        import torch

        step = max(1, math.isqrt(self.source[0].numel() // _CORRELATED_PIXELS))
        ours, theirs = (image[:, ::step, ::step].cpu().double().flatten(1) for image in (self.decoded, self.source))
        ours, theirs = (values - values.mean(1, keepdim=True) for values in (ours, theirs))
        variance = float(ours.square().mean())
        if variance <= TINT:
            return False
        return float((ours * theirs).mean() / torch.sqrt(variance * theirs.square().mean() + 1e-9)) < LIKE


def mishap(codec: Codec, bpp: float, pairs: Sequence[Pair]) -> str | None:
    """Say what a decoder does wrong to all of these images, coded for this rate; None where nothing is known.

    For a codec that is `generative` only the geometry counts.
    """
    if (what := _remedied(pairs)) is not None:
        return f"{codec.type} at {bpp:g} bpp: the decoded images fit their sources much better when {what}"
    rated = [] if codec.generative else [pair.rated(codec) for pair in pairs]
    known = [one for one in rated if one is not None]
    return _worse_than_flat(codec, bpp, known) if known and all(one.worse for one in known) else None


def below_flat(codec: Codec, bpp: float, rated: Iterable[Rated | None]) -> str | None:
    """Say whether flat pictures have a higher median PSNR than a cell's images, and are clearly better for most."""
    known = [] if codec.generative else [one for one in rated if one is not None]
    if 2 * sum(one.worse for one in known) <= len(known):
        return None
    decoded, flat = _medians(known)
    return _worse_than_flat(codec, bpp, known) if decoded < flat else None


def _medians(rated: Sequence[Rated]) -> tuple[float, float]:
    return statistics.median(one.psnr for one in rated), statistics.median(one.flat for one in rated)


def _error(level: float) -> float:
    """Mean squared error of a PSNR."""
    return 0.0 if level >= EXACT_PSNR else 255**2 / 10 ** (level / 10)


def _worse_than_flat(codec: Codec, bpp: float, rated: Sequence[Rated]) -> str:
    decoded, flat = _medians(rated)
    return (
        f"{codec.type} at {bpp:g} bpp: the decoded images are further from their sources than flat pictures of the "
        f"sources' mean colours are ({decoded:.1f} dB and {flat:.1f} dB, {_median_of(len(rated))})"
    )


def _remedied(pairs: Sequence[Pair]) -> str | None:
    """Name the remedy that makes these images much better, with its gain; None where there is none."""
    import numpy as np

    found = [one for pair in pairs if (one := fits(pair.decoded, pair.source)) is not None]
    if not found:
        return None
    gains = np.array([one.after - one.before for one in found])
    helped = np.array([_helped(one, len(found)) for one in found])
    most = len(found) if len(found) < COMPARED else len(found) // 2 + 1
    spoken_for = (helped.sum(0) >= most) & ~(gains < -_LOSS_DB).any(0)
    if not spoken_for.any():
        return None
    # A picture that is alike on both sides gains nothing by a mirror, and one in grey nothing by other channels.
    best = int(np.argmax(np.where(spoken_for, np.nansum(gains, axis=0), -np.inf)))
    before, after = (float(np.nanmedian([levels[best] for levels in each])) for each in _levels(found))
    return f"{remedies()[best]} ({after:.1f} dB instead of {before:.1f} dB, {_median_of(len(found))})"


def _levels(found: Sequence[Fits]) -> tuple[list[NDArray[Any]], list[NDArray[Any]]]:
    return [one.before for one in found], [one.after for one in found]


def _helped(one: Fits, images: int) -> NDArray[Any]:
    """Which remedies make an image much better, among so many images."""
    import numpy as np

    needed = np.full(len(one.after), GAIN_DB if images >= COMPARED else FEW_GAIN_DB)
    needed[VALUES] = VALUES_GAIN_DB
    much = one.after - one.before >= needed
    return np.asarray(much & (one.before <= _FAITHFUL_DB) & (one.after >= one.flat + _EXPLAINED_DB))


def _median_of(images: int) -> str:
    return f"median of {images} images" if images > 1 else "one image"
