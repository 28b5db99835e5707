"""A made-up codec whose every stream length is known, for rate plans to be held against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from compress_guard.rate import plan
from compress_guard.records import ImageInfo, RateMode, RatePlan, seeded_fraction


@dataclass
class Bench:
    """Images, a ladder and a table (images, steps) of stream lengths; it counts what is asked of it."""

    table: np.ndarray
    pixels: np.ndarray
    ladder: tuple[float, ...]
    broken: frozenset[int] = frozenset()
    names: tuple[str, ...] = ()
    asked: list[tuple[int, float]] = field(default_factory=list)

    @classmethod
    def make(
        cls,
        images: int,
        steps: int,
        seed: int,
        *,
        low: float = 0.06,
        high: float = 5.0,
        spread: float = 0.5,
        noise: float = 0.005,
        plateaus: float = 0.0,
        dip: int = 0,
        sizes: tuple[int, int] = (40_000, 300_000),
        broken: Sequence[int] = (),
    ) -> Bench:
        """Log size close to a bent line along the ladder, with an offset and a slope of its own for every image.

        `noise` is a step's own scatter per image, `plateaus` the share of steps that change nothing, `dip` the number
        of steps at the low end that run the wrong way.
        """
        rng = np.random.default_rng(seed)
        x = np.linspace(0.0, 1.0, steps) if steps > 1 else np.zeros(1)
        bent = x + 0.15 * np.sin(np.pi * x) * rng.uniform(-1, 1)
        stay = rng.random(steps) < plateaus
        stay[0] = False
        source = np.maximum.accumulate(np.where(stay, 0, np.arange(steps)))
        if dip:
            source[: dip + 1] = source[: dip + 1][::-1]
        curve = np.log(low) + np.log(high / low) * bent
        offset = spread * rng.normal(size=(images, 1))
        slope = 0.15 * spread * rng.normal(size=(images, 1))
        log_bpp = curve + offset + slope * (x - 0.3) * 4 + noise * rng.normal(size=(images, steps))
        pixels = np.exp(rng.uniform(*np.log(sizes), size=images)).astype(np.int64)
        table = np.maximum(1, np.rint(np.exp(log_bpp[:, source]) * pixels[:, None] / 8)).astype(np.int64)
        return cls(table, pixels, tuple(float(i) for i in range(1, steps + 1)), frozenset(broken))

    @property
    def infos(self) -> list[ImageInfo]:
        names = self.names or tuple(f"image-{i}" for i in range(len(self.pixels)))
        return [ImageInfo(name, int(pixels)) for name, pixels in zip(names, self.pixels, strict=True)]

    @property
    def bpp(self) -> np.ndarray:
        return 8.0 * self.table / self.pixels[:, None]

    @property
    def codable(self) -> list[int]:
        return [i for i in range(len(self.pixels)) if i not in self.broken]

    @property
    def means(self) -> np.ndarray:
        return self.bpp[self.codable].mean(axis=0)

    def encode(self, requests: Sequence[tuple[int, float]]) -> list[int | None]:
        self.asked.extend(requests)
        return [
            None if image in self.broken else int(self.table[image, self.ladder.index(setting)])
            for image, setting in requests
        ]

    def plan(
        self, targets: Sequence[float], mode: RateMode, *, tolerance: float | None = None, seed: int = 0
    ) -> RatePlan:
        self.asked.clear()
        if tolerance is None:
            tolerance = 0.02 if mode == "dataset" else 0.05
        return plan(self.infos, self.ladder, targets, mode=mode, tolerance=tolerance, seed=seed, encode=self.encode)

    def mixes(self, lower: int, upper: int, seed: int = 0) -> list[float]:
        """The mean bpp of every mix that a hash threshold can make of two steps."""
        order = sorted(self.codable, key=lambda i: seeded_fraction(seed, self.infos[i].id))
        columns = self.bpp[order]
        return [float(np.concatenate((columns[:k, upper], columns[k:, lower])).mean()) for k in range(len(order) + 1)]

    def step(self, setting: float) -> int:
        return self.ladder.index(setting)


@pytest.fixture(scope="session")
def bench() -> type[Bench]:
    return Bench
