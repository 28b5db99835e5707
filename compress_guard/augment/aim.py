"""The setting that brings an image to a rate, predicted without coding the image."""

from __future__ import annotations

import dataclasses
import functools
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from compress_guard.augment.activity import LOOKS, QUICK
from compress_guard.codecs.contract import Codec

if TYPE_CHECKING:
    from numpy.typing import NDArray

TABLE: Final = Path(__file__).with_name("rates.json")
"""File of the rates that ``python -m training.rates`` learnt for the codecs of the package."""

Measure = Callable[[float], float]
"""A function from a setting to the bpp of the current image; it costs an encode."""


class Aim(Protocol):
    """The knowledge of one codec's rates."""

    @property
    def features(self) -> int:
        """Number of features of `activity` that are used: one of LOOKS."""

    def reach(self, features: NDArray[np.float32], pixels: int) -> tuple[float, float]:
        """Return the lowest and the highest bpp of an image with these features; 0 and infinity if unknown."""

    def setting(self, features: NDArray[np.float32], pixels: int, bpp: float, measure: Measure) -> float:
        """Return the setting of the ladder that comes nearest to `bpp`, an end of it beyond the codec's range.

        `pixels` is the number of pixels of the image.
        """


@dataclass(frozen=True, slots=True)
class Learnt:
    """Lines fitted in advance, one per knot of the ladder: the answer depends on the image alone."""

    header: float
    """Bytes of a header, which every image takes."""
    ladder: NDArray[np.float64]
    knots: NDArray[np.float64]
    """Positions on the ladder, ascending, including both ends."""
    weights: NDArray[np.float64]
    """(knots, features): log2 of bpp without the header."""

    @classmethod
    def of(cls, known: Mapping[str, Any], ladder: Sequence[float]) -> Learnt | None:
        """Build from an entry of the table; return None if its settings are not on this ladder."""
        if not set(known["settings"]) <= set(ladder):
            return None
        weights = np.asarray(known["weights"], np.float64)
        if weights.shape[1] not in LOOKS:
            raise ValueError(f"{TABLE} is of other features than these; run python -m training.rates")
        knots = np.searchsorted(np.asarray(ladder), known["settings"]).astype(np.float64)
        return cls(known["header"], np.asarray(ladder, np.float64), knots, weights)

    @property
    def features(self) -> int:
        """See `Aim.features`."""
        return self.weights.shape[1]

    def reach(self, features: NDArray[np.float32], pixels: int) -> tuple[float, float]:
        """See `Aim.reach`."""
        curve = self.curve(features, pixels)
        return float(curve[0]), float(curve[-1])

    def curve(self, features: NDArray[np.float32], pixels: int) -> NDArray[np.float64]:
        """Return bpp at every knot, rising."""
        bpp = np.exp2(self.weights @ features) + 8 * self.header / pixels
        rising: NDArray[np.float64] = np.maximum.accumulate(bpp)
        return rising

    def setting(self, features: NDArray[np.float32], pixels: int, bpp: float, measure: Measure) -> float:
        """See `Aim.setting`."""
        position = np.interp(math.log(bpp), np.log(self.curve(features, pixels)), self.knots)
        return float(self.ladder[round(float(position))])


_FIRST: Final = 8
"""Number of first images that are searched by bisection, before the fitted surface is trusted."""
_PROBES: Final = 6
_TERMS: Final = 8
_FORGIVEN: Final = 1e-3


@dataclass(slots=True)
class Learning:
    """A ridge regression of log rate that learns from every coded image, for codecs that are not in the table.

    The first images take a few more encodes. The answers depend on the images seen before.
    """

    ladder: Sequence[float]
    images: int = 0
    _squares: NDArray[np.float64] = field(default_factory=lambda: _FORGIVEN * np.eye(_TERMS))
    _products: NDArray[np.float64] = field(default_factory=lambda: np.zeros(_TERMS))

    @property
    def features(self) -> int:
        """See `Aim.features`."""
        return QUICK

    def reach(self, features: NDArray[np.float32], pixels: int) -> tuple[float, float]:
        """See `Aim.reach`."""
        return 0.0, math.inf

    def setting(self, features: NDArray[np.float32], pixels: int, bpp: float, measure: Measure) -> float:
        """See `Aim.setting`."""
        self.images += 1
        if self.images <= _FIRST:
            return self._searched(features, bpp, measure)
        solved = np.linalg.solve(self._squares, self._products)
        places = np.arange(len(self.ladder)) / max(1, len(self.ladder) - 1)
        curve = np.maximum.accumulate(_terms(features, places) @ solved)
        return self.ladder[int(np.abs(curve - math.log2(bpp)).argmin())]

    def saw(self, features: NDArray[np.float32], setting: float, bpp: float) -> None:
        """Record the bpp of an image at a setting."""
        place = self.ladder.index(setting) / max(1, len(self.ladder) - 1)
        terms = _terms(features, np.array([place]))[0]
        self._squares += np.outer(terms, terms)
        self._products += terms * math.log2(bpp)

    def _searched(self, features: NDArray[np.float32], bpp: float, measure: Measure) -> float:
        """Find the setting by bisection, and learn from every probe."""
        low, high = 0, len(self.ladder) - 1
        nearest = self.ladder[high], math.inf
        for _ in range(_PROBES):
            middle = (low + high) // 2
            setting = self.ladder[middle]
            measured = measure(setting)
            self.saw(features, setting, measured)
            miss = abs(math.log(measured / bpp))
            if miss < nearest[1]:
                nearest = setting, miss
            low, high = (middle + 1, high) if measured < bpp else (low, middle - 1)
            if low > high:
                break
        return nearest[0]


def _terms(features: NDArray[np.float32], places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the terms (places, _TERMS) whose weighted sum is log2 of the rate."""
    # Coefficients above four, one and a quarter of JPEG's steps at quality 50.
    coarse, middle, fine = (float(features[at]) for at in (9, 7, 5))
    ones = np.ones_like(places)
    lines = [ones, places, places**2, places**3, middle * ones, coarse * (1 - places), fine * places]
    return np.stack([*lines, float(features[0]) * (1 - places)], 1)


def aim_of(codec: Codec) -> Aim:
    """Return the table's entry of a codec with its options, or a new `Learning` if there is none."""
    known = table().get(entry(codec))
    learnt = Learnt.of(known, codec.ladder) if known else None
    return learnt if learnt is not None else Learning(codec.ladder)


def entry(codec: Codec) -> str:
    """Return the table's name of a codec: ``jpeg``, ``jpeg subsampling=4:4:4``, with options that are not the default.

    The options `bits` and `metadata` make no difference.
    """
    named = [codec.type]
    options: Mapping[str, dataclasses.Field[Any]] = getattr(codec, "__dataclass_fields__", {})
    for name, option in options.items():
        if option.init and name not in ("bits", "metadata") and (value := getattr(codec, name)) != option.default:
            named.append(f"{name}={value}")
    return " ".join(named)


@functools.cache
def table() -> Mapping[str, Any]:
    """Return, by the name that `entry` gives a codec, bytes of a header, settings, and the weights of each setting."""
    entries: Mapping[str, Any] = json.loads(TABLE.read_text(encoding="utf-8"))
    return entries
