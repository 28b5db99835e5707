"""The setting that brings an image to a rate, guessed without coding it."""

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
"""What ``python -m training.rates`` learnt of the codecs that come with the package."""

Measure = Callable[[float], float]
"""bpp of the image at hand at a setting: an encode."""


class Aim(Protocol):
    """What is known of one codec."""

    @property
    def features(self) -> int:
        """Which features of `activity` it goes by: one of LOOKS."""

    def reach(self, features: NDArray[np.float32], pixels: int) -> tuple[float, float]:
        """The lowest and the highest bpp of such an image; 0 and infinity where that is not known."""

    def setting(self, features: NDArray[np.float32], pixels: int, bpp: float, measure: Measure) -> float:
        """The setting of the ladder that comes nearest to `bpp`; its end where the codec does not go that far.

        `pixels` is how many the image has.
        """


@dataclass(frozen=True, slots=True)
class Learnt:
    """Straight lines through the features, one per knot of the ladder: the same answer always, nothing is learnt."""

    header: float
    """Bytes that any image takes."""
    ladder: NDArray[np.float64]
    knots: NDArray[np.float64]
    """Positions on the ladder, ascending, the first and the last of it among them."""
    weights: NDArray[np.float64]
    """(knots, features): log2 of bpp without the header."""

    @classmethod
    def of(cls, known: Mapping[str, Any], ladder: Sequence[float]) -> Learnt | None:
        """From an entry of the table; None if its settings are not on this ladder."""
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
        """bpp at every knot, rising."""
        bpp = np.exp2(self.weights @ features) + 8 * self.header / pixels
        rising: NDArray[np.float64] = np.maximum.accumulate(bpp)
        return rising

    def setting(self, features: NDArray[np.float32], pixels: int, bpp: float, measure: Measure) -> float:
        """See `Aim.setting`."""
        position = np.interp(math.log(bpp), np.log(self.curve(features, pixels)), self.knots)
        return float(self.ladder[round(float(position))])


_FIRST: Final = 8
"""Images that are searched by bisection, before the surface through what they told is trusted."""
_PROBES: Final = 6
_TERMS: Final = 8
_FORGIVEN: Final = 1e-3


@dataclass(slots=True)
class Learning:
    """For a codec that no table knows: ridge regression of log rate that grows with every image coded.

    The first images cost some encodes more. What it answers hangs on the images that it saw before.
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
        """An image took this many bits at this setting."""
        place = self.ladder.index(setting) / max(1, len(self.ladder) - 1)
        terms = _terms(features, np.array([place]))[0]
        self._squares += np.outer(terms, terms)
        self._products += terms * math.log2(bpp)

    def _searched(self, features: NDArray[np.float32], bpp: float, measure: Measure) -> float:
        """Bisection, of which every probe is learnt from."""
        low, high = 0, len(self.ladder) - 1
        nearest = self.ladder[high], math.inf
        for _ in range(_PROBES):
            middle = (low + high) // 2
            setting = self.ladder[middle]
            found = measure(setting)
            self.saw(features, setting, found)
            miss = abs(math.log(found / bpp))
            if miss < nearest[1]:
                nearest = setting, miss
            low, high = (middle + 1, high) if found < bpp else (low, middle - 1)
            if low > high:
                break
        return nearest[0]


def _terms(features: NDArray[np.float32], places: NDArray[np.float64]) -> NDArray[np.float64]:
    """(places, _TERMS): what log2 of the rate is taken to be a sum of."""
    # Coefficients above four, one and a quarter of JPEG's steps at quality 50.
    coarse, middle, fine = (float(features[at]) for at in (9, 7, 5))
    ones = np.ones_like(places)
    lines = [ones, places, places**2, places**3, middle * ones, coarse * (1 - places), fine * places]
    return np.stack([*lines, float(features[0]) * (1 - places)], 1)


def aim_of(codec: Codec) -> Aim:
    """What is known of a codec with its options: the table's entry, else nothing yet."""
    known = table().get(entry(codec))
    learnt = Learnt.of(known, codec.ladder) if known else None
    return learnt if learnt is not None else Learning(codec.ladder)


def entry(codec: Codec) -> str:
    """What the table calls a codec: ``jpeg``, ``jpeg subsampling=4:4:4``; by options that are not the default.

    How bits are counted makes no difference.
    """
    named = [codec.type]
    options: Mapping[str, dataclasses.Field[Any]] = getattr(codec, "__dataclass_fields__", {})
    for name, one in options.items():
        if one.init and name != "bits" and (value := getattr(codec, name)) != one.default:
            named.append(f"{name}={value}")
    return " ".join(named)


@functools.cache
def table() -> Mapping[str, Any]:
    """By codec, as `entry` names it: bytes of a header, settings, and the weights of each."""
    found: Mapping[str, Any] = json.loads(TABLE.read_text(encoding="utf-8"))
    return found
