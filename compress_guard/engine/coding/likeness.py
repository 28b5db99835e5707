"""Detection of a decoder that is wrong for every image, by comparing decoded images with their sources."""

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
"""Smallest gain by which a swap, a turn or a shift makes images much better."""
FEW_GAIN_DB: Final = 4.0
"""Smallest gain of each image if fewer images than `COMPARED` can be compared."""
VALUES_GAIN_DB: Final = 6.0
"""Smallest gain by another scale of values: on slopes of 16x16 pixels that use all values, WebP gains 5 dB by one."""
_LOSS_DB: Final = 0.5
"""Loss of a single image that rules a remedy out."""
_FAITHFUL_DB: Final = 40.0
"""PSNR from which an image counts as right: on an even slope a rounding may look like a shift."""
_EXPLAINED_DB: Final = 1.0
"""Smallest advantage of a remedied image over a flat picture of the source's mean colour."""

# Coarse codecs tint: JPEG moves the mean of a block by up to 16 levels in luma and in both chroma channels, in RGB a
# mean squared error of up to 735, and `neural` gives saturated colours one of 4000 at the bottom of its ladder. What
# they do not do is add detail that the source lacks.
TINT: Final = 800.0
"""Mean squared error, in levels, that always counts as coarseness."""
LOW_TINT: Final = 6000.0
"""Such an error in the lower half of a codec's ladder, for a decoded image that is flat or has the source's detail."""
LIKE: Final = 0.25
"""Correlation with the source from which a decoded image has its detail."""
CLEARLY_DB: Final = 1.0
"""Smallest advantage of a flat picture that is clearly better, beyond that error."""
_SHORTEST_SIDE: Final = 8
"""Shortest side, in pixels, of images that are judged: JPEG 2000 returns narrower ones in grey, its bits used up by
headers."""
_CORRELATED_PIXELS: Final = 2**18
"""Number of pixels that suffice for a correlation."""


@dataclass(frozen=True, slots=True)
class Rated:
    """A decoded image beside a flat picture of its source's mean colour."""

    psnr: float
    """PSNR of the decoded image, in dB."""
    flat: float
    """PSNR of the flat picture, in dB."""
    worse: bool
    """True if the flat picture is clearly better, and coarseness does not explain it."""


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """A decoded image and its source, uint8 RGB (3, H, W) of one size."""

    decoded: torch.Tensor
    source: torch.Tensor
    setting: float
    """The setting that the image was coded at."""

    def rated(self, codec: Codec, level: float | None = None, flat: float | None = None) -> Rated | None:
        """Return the comparison of the image with a flat picture; None for a source that is too narrow.

        `level` and `flat` are the PSNR of both, if they are known already.
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
        return beyond > LOW_TINT or not self._is_coarse(codec) or self._adds_detail()

    def _is_coarse(self, codec: Codec) -> bool:
        """Return True for a setting in the lower half of the ladder."""
        ladder = codec.ladder
        half = len(ladder) // 2
        # A setting between those of a ladder; the ladders of codecs that take one ascend.
        return self.setting in ladder[:half] or (self.setting not in ladder and self.setting < ladder[half])

    def _adds_detail(self) -> bool:
        """Return True if the decoded image has detail that its source lacks."""
        import torch

        step = max(1, math.isqrt(self.source[0].numel() // _CORRELATED_PIXELS))
        ours, theirs = (image[:, ::step, ::step].cpu().double().flatten(1) for image in (self.decoded, self.source))
        ours, theirs = (values - values.mean(1, keepdim=True) for values in (ours, theirs))
        variance = float(ours.square().mean())
        if variance <= TINT:
            return False
        return float((ours * theirs).mean() / torch.sqrt(variance * theirs.square().mean() + 1e-9)) < LIKE


def mishap(codec: Codec, bpp: float, pairs: Sequence[Pair]) -> str | None:
    """Return the fault of a decoder that shows in all of these images, coded for this rate; None without one.

    If the codec is `generative`, only the geometry is judged.
    """
    if (what := _remedied(pairs)) is not None:
        return f"{codec.type} at {bpp:g} bpp: the decoded images fit their sources much better when {what}"
    rated = [] if codec.generative else [pair.rated(codec) for pair in pairs]
    known = [rating for rating in rated if rating is not None]
    return _worse_than_flat(codec, bpp, known) if known and all(rating.worse for rating in known) else None


def below_flat(codec: Codec, bpp: float, rated: Iterable[Rated | None]) -> str | None:
    """Return the fault of a cell's images if flat pictures have a higher median PSNR and are better for most."""
    known = [] if codec.generative else [rating for rating in rated if rating is not None]
    if 2 * sum(rating.worse for rating in known) <= len(known):
        return None
    decoded, flat = _medians(known)
    return _worse_than_flat(codec, bpp, known) if decoded < flat else None


def _medians(rated: Sequence[Rated]) -> tuple[float, float]:
    return statistics.median(rating.psnr for rating in rated), statistics.median(rating.flat for rating in rated)


def _error(level: float) -> float:
    """Return the mean squared error of a PSNR."""
    return 0.0 if level >= EXACT_PSNR else 255**2 / 10 ** (level / 10)


def _worse_than_flat(codec: Codec, bpp: float, rated: Sequence[Rated]) -> str:
    decoded, flat = _medians(rated)
    return (
        f"{codec.type} at {bpp:g} bpp: the decoded images are further from their sources than flat pictures of the "
        f"sources' mean colours are ({decoded:.1f} dB and {flat:.1f} dB, {_median_of(len(rated))})"
    )


def _remedied(pairs: Sequence[Pair]) -> str | None:
    """Return the remedy that makes these images much better, with its gain; None without one."""
    import numpy as np

    compared = [fit for pair in pairs if (fit := fits(pair.decoded, pair.source)) is not None]
    if not compared:
        return None
    gains = np.array([fit.after - fit.before for fit in compared])
    helped = np.array([_helped(fit, len(compared)) for fit in compared])
    most = len(compared) if len(compared) < COMPARED else len(compared) // 2 + 1
    spoken_for = (helped.sum(0) >= most) & ~(gains < -_LOSS_DB).any(0)
    if not spoken_for.any():
        return None
    # A symmetric picture gains nothing from a mirror, and a grey one nothing from other channels.
    best = int(np.argmax(np.where(spoken_for, np.nansum(gains, axis=0), -np.inf)))
    before, after = (float(np.nanmedian([levels[best] for levels in each])) for each in _levels(compared))
    return f"{remedies()[best]} ({after:.1f} dB instead of {before:.1f} dB, {_median_of(len(compared))})"


def _levels(compared: Sequence[Fits]) -> tuple[list[NDArray[Any]], list[NDArray[Any]]]:
    return [fit.before for fit in compared], [fit.after for fit in compared]


def _helped(fit: Fits, images: int) -> NDArray[Any]:
    """Return the remedies that make an image much better, where this number of images is compared."""
    import numpy as np

    needed = np.full(len(fit.after), GAIN_DB if images >= COMPARED else FEW_GAIN_DB)
    needed[VALUES] = VALUES_GAIN_DB
    much = fit.after - fit.before >= needed
    return np.asarray(much & (fit.before <= _FAITHFUL_DB) & (fit.after >= fit.flat + _EXPLAINED_DB))


def _median_of(images: int) -> str:
    return f"median of {images} images" if images > 1 else "one image"
