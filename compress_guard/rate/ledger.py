"""The ledger of a rate search: every stream length that was requested, and the encodes it took."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from compress_guard.records import ImageInfo, seeded_fraction

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]
Encode: TypeAlias = Callable[[Sequence[tuple[int, float]]], Sequence[int | None]]
"""(image index, setting) requests to stream lengths in bytes, None for an image that cannot be coded."""
HEAVY: Final = 2.0
"""Multiple of the median number of pixels above which an image is too costly to learn from first."""
LOW_END: Final = 6
"""Number of steps at the low end where a higher setting can give smaller files (AVIF, JPEG qualities 1 and 2)."""
SURVEYORS: Final = 3
"""Number of images that are coded at all of these steps to see their order."""


class Ledger:
    """The known stream lengths of a set of images; each (image, step of the ladder) is requested once.

    Images stand in the order of their seeded hash, called rank, so that nothing depends on the order of the data. A
    step is an index into the ladder.
    """

    def __init__(self, images: Sequence[ImageInfo], ladder: Sequence[float], seed: int, encode: Encode) -> None:
        fractions = [seeded_fraction(seed, image.id) for image in images]
        self.index: Final = sorted(range(len(images)), key=lambda i: (fractions[i], images[i].id))
        """Data index of each rank."""
        self.fractions: Final[Floats] = np.array([fractions[i] for i in self.index])
        self.pixels: Final[Floats] = np.array([images[i].pixels for i in self.index], dtype=np.float64)
        self.light_first: Final[Ints] = np.argsort(self.pixels > HEAVY * np.median(self.pixels), kind="stable")
        """Ranks in the order to learn from; an image far larger than most costs as much as many, so it comes last."""
        self.light: Final = int(np.sum(self.pixels <= HEAVY * np.median(self.pixels)))
        """Number of ranks at the front of `light_first` that are not such large images."""
        self.ladder: Final = tuple(float(setting) for setting in ladder)
        self.alive: Final[Flags] = np.ones(len(images), dtype=np.bool_)
        """False for images that turned out not to be codable."""
        self.count: Final[Ints] = np.zeros(len(images), dtype=np.int64)
        """Number of measured steps per rank."""
        self.steps: Ints = np.zeros((len(images), 8), dtype=np.int64)
        self.logs: Floats = np.zeros((len(images), 8))
        """Natural log of bpp at `steps`; the first `count` columns of a row are filled."""
        self._lengths: Final[list[dict[int, int]]] = [{} for _ in images]
        self._spent: Final[dict[float, float]] = {}
        self._encode: Final = encode

    @property
    def living(self) -> Ints:
        """Ranks of the images that can be coded, as far as is known."""
        return np.flatnonzero(self.alive)

    def knows(self, rank: int, step: int) -> bool:
        return step in self._lengths[rank]

    def length(self, rank: int, step: int) -> int:
        """Return the bytes of a stream that was requested."""
        return self._lengths[rank][step]

    def bpp(self, rank: int, step: int) -> float:
        """Return 8 x bytes / pixels of a stream that was requested."""
        return 8.0 * self._lengths[rank][step] / float(self.pixels[rank])

    def encodes(self, target: float) -> float:
        """Return the pixels of all requests for a target rate, divided by the pixels of all images."""
        return self._spent.get(target, 0.0) / float(self.pixels.sum())

    def ask(self, target: float, wanted: Iterable[tuple[int, int]]) -> None:
        """Request the new ones among these (rank, step) streams for a target rate, in one batch."""
        requests = sorted(
            {(rank, step) for rank, step in wanted if self.alive[rank] and step not in self._lengths[rank]}
        )
        if not requests:
            return
        answers = self._encode([(self.index[rank], self.ladder[step]) for rank, step in requests])
        if len(answers) != len(requests):
            raise ValueError(f"encode gave {len(answers)} lengths for {len(requests)} requests")
        for (rank, step), length in zip(requests, answers, strict=True):
            self._spent[target] = self._spent.get(target, 0.0) + float(self.pixels[rank])
            if length is None:
                self.alive[rank] = False
            elif self.alive[rank]:
                self._note(rank, step, length)

    def survey(self, target: float) -> None:
        """Code a few images at every step of the low end, where sizes need not rise with the setting."""
        steps = range(min(LOW_END, len(self.ladder) - 1) + 1)
        self.ask(target, [(int(rank), step) for rank in self.light_first[:SURVEYORS] for step in steps])

    def _note(self, rank: int, step: int, length: int) -> None:
        self._lengths[rank][step] = length
        column = int(self.count[rank])
        if column == self.steps.shape[1]:
            self.steps = np.pad(self.steps, ((0, 0), (0, column)))
            self.logs = np.pad(self.logs, ((0, 0), (0, column)))
        self.steps[rank, column] = step
        self.logs[rank, column] = np.log(8.0 * max(length, 1) / self.pixels[rank])
        self.count[rank] = column + 1
