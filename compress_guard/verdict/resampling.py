"""Resampling: scores of data sets made from the same images, drawn with replacement, halved, or with a part left out.

One resampling of the images serves every metric, codec and rate of a guard. Images that belong together are drawn,
halved and left out together: the group takes the place of the image.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, final

import numpy as np

from compress_guard.verdict.grouped.groups import GroupScorer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from compress_guard.tasks.scorer import Scorer
    from compress_guard.verdict.grouped.groups import Groups

RESAMPLES: Final = 2000
PARTS: Final = 1000
"""Largest number of parts that are left out in turn; of more images, several are left out at a time."""
_HALVINGS: Final = 50
_CHUNK: Final = 2_000_000
"""Number of weights that are drawn and scored at once: 16 MB of float64, for any number of images."""
NOTHING: Final = 1e-9
"""Influence in points up to which it counts as rounding."""


@dataclass(frozen=True, slots=True, eq=False)
class Resampled:
    """Scores, in points, of data sets made from the same images; NaN if a data set leaves the score undefined.

    The difference of two records over the same images with the same seed is the record of the drop.
    """

    replicates: NDArray[np.float64]
    """(resamples,) scores of as many images, drawn with replacement."""
    halves: NDArray[np.float64]
    """(2 x 50,) scores of random halves, each followed by the other half."""
    left_out: NDArray[np.float64]
    """(min(images, PARTS),) scores without one image each, or without one group of images."""
    informative: NDArray[np.bool_] | None = None
    """True for each part that the score depends on, unlike images without ground truth; None if it depends on all."""

    def __sub__(self, other: Resampled) -> Resampled:
        sides = self.informative, other.informative
        return Resampled(
            self.replicates - other.replicates,
            self.halves - other.halves,
            self.left_out - other.left_out,
            None if sides[0] is None or sides[1] is None else sides[0] | sides[1],
        )

    @property
    def parts(self) -> int:
        """Number of parts that the score depends on."""
        return len(self.left_out) if self.informative is None else int(self.informative.sum())

    @classmethod
    def of(
        cls, scorer: Scorer, images: int, seed: int, resamples: int = RESAMPLES, groups: Groups | None = None
    ) -> Resampled:
        """Resample a scorer over at least two images, or over at least two groups of them."""
        if groups is not None:
            return cls.of(GroupScorer(scorer, groups), groups.count, seed, resamples)
        left_out = np.concatenate([scorer(weights) for weights in _without(images)])
        return cls(
            replicates(scorer, images, seed, resamples),
            np.concatenate([scorer(weights) for weights in _halves(images, seed)]),
            left_out,
            _informative(scorer, images, left_out),
        )


class Keeping(Protocol):
    """A place that keeps the resampled scores of one scorer beyond the process."""

    def get(self, images: int, seed: int, groups: Groups | None = None) -> Resampled | None:
        """Return the kept scores, or None."""

    def put(self, images: int, seed: int, scores: Resampled, groups: Groups | None = None) -> None:
        """Keep the scores."""


@final
class Remembered:
    """A scorer that keeps its resampled scores; for the clean scorer, which every cell of a guard is compared with."""

    __slots__ = ("_keeping", "_replicates", "_resampled", "_scorer")

    def __init__(self, scorer: Scorer, keeping: Keeping | None = None) -> None:
        self._scorer: Final = scorer
        self._keeping: Final = keeping
        self._replicates: Final[dict[tuple[int, int, int], NDArray[np.float64]]] = {}
        self._resampled: Final[dict[tuple[int, int, bytes], Resampled]] = {}

    @property
    def flags(self) -> NDArray[np.bool_] | None:
        return self._scorer.flags

    def __call__(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        return self._scorer(weights)

    def replicates(self, images: int, seed: int, resamples: int) -> NDArray[np.float64]:
        key = (images, seed, resamples)
        if key not in self._replicates:
            self._replicates[key] = replicates(self._scorer, images, seed, resamples)
        return self._replicates[key]

    def resampled(self, images: int, seed: int, groups: Groups | None = None) -> Resampled:
        key = (images, seed, b"" if groups is None else groups.key)
        if key not in self._resampled:
            kept = self._keeping.get(images, seed, groups) if self._keeping is not None else None
            if kept is None:
                kept = Resampled.of(self, images, seed, groups=groups)
                if self._keeping is not None:
                    self._keeping.put(images, seed, kept, groups)
            self._resampled[key] = kept
        return self._resampled[key]


def resampled(scorer: Scorer, images: int, seed: int, groups: Groups | None = None) -> Resampled:
    """Return the resampled scores of a scorer over at least two images, kept ones if it is `Remembered`.

    With `groups`, at least two, these are what is drawn, halved and left out, each with all of its images.
    """
    if isinstance(scorer, Remembered):
        return scorer.resampled(images, seed, groups)
    return Resampled.of(scorer, images, seed, groups=groups)


def replicates(scorer: Scorer, images: int, seed: int, resamples: int = RESAMPLES) -> NDArray[np.float64]:
    """Return the scores, in points, of `resamples` data sets drawn with replacement from the images: (resamples,).

    Replicate r of two scorers over the same images with the same seed comes from the same draw, so their difference is
    a paired replicate of the drop. NaN if a draw leaves the score undefined.
    """
    if isinstance(scorer, Remembered):
        return scorer.replicates(images, seed, resamples)
    return np.concatenate([scorer(weights) for weights in draws(images, seed, resamples)])


def draws(images: int, seed: int, resamples: int = RESAMPLES) -> Iterator[NDArray[np.float64]]:
    """Yield the count of each image in each draw, (R, images) in chunks; multinomial, the same for any chunk size."""
    generator = np.random.default_rng(seed % 2**64)
    chunk = max(1, _CHUNK // images)
    for start in range(0, resamples, chunk):
        rows = min(chunk, resamples - start)
        drawn = generator.integers(0, images, size=(rows, images)) + images * np.arange(rows)[:, np.newaxis]
        counts = np.bincount(drawn.reshape(-1), minlength=rows * images)
        yield counts.reshape(rows, images).astype(np.float64)


def _halves(images: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """Yield pairs of random halves (2, images): an image is in one of them, the last of an odd number half in both.

    For a score that is linear in the weights the mean of two halves is the whole, so only bias remains.
    """
    generator = np.random.default_rng([seed % 2**64, images])
    for _ in range(_HALVINGS):
        order = generator.permutation(images)
        weights = np.zeros((2, images))
        weights[0, order[: images // 2]] = 1
        weights[1, order[images // 2 : images // 2 * 2]] = 1
        weights[:, order[images // 2 * 2 :]] = 0.5
        yield weights


def _without(images: int) -> Iterator[NDArray[np.float64]]:
    """Yield weights of all images without one image or one group, (R, images) in chunks; each is left out once."""
    groups = np.arange(images) % min(images, PARTS)
    chunk = max(1, _CHUNK // images)
    for start in range(0, groups.max() + 1, chunk):
        left_out = np.arange(start, min(start + chunk, groups.max() + 1))
        yield (groups != left_out[:, np.newaxis]).astype(np.float64)


def _informative(scorer: Scorer, images: int, left_out: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return True for each part that the score depends on: (min(images, PARTS),).

    These are parts that change the score, and parts that have a score on their own, since an image that equals the
    mean of all does not change it either.
    """
    telling: NDArray[np.bool_] = np.abs(left_out - scorer(np.ones((1, images)))) >= NOTHING
    telling |= np.isnan(left_out)
    start = 0
    for weights in _without(images):
        quiet = start + np.flatnonzero(~telling[start : start + len(weights)])
        if quiet.size:
            telling[quiet] = np.isfinite(scorer(1 - weights[quiet - start]))
        start += len(weights)
    return telling
