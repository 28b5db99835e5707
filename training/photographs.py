"""Crops of photographs for training, and the photographs that training never sees."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

HELD_OUT = {
    "gb82": ("baby", "city", "flowers", "night", "sand"),
    "clic2025": ("097cb426", "11f2b039", "2c1f8454", "d79d465a"),
}
"""Beginnings of the names of what is kept for evaluation."""

_SCALES = {
    "gb82": ((1.0, 0.6), (0.7, 0.25), (0.5, 0.15)),
    "clic2025": ((1.0, 0.15), (0.6, 0.25), (0.4, 0.4), (0.28, 0.2)),
}
_SHARES = {"gb82": 0.35, "clic2025": 0.65}


def files(root: Path, held_out: bool) -> dict[str, list[Path]]:
    """Return the PNG files of each set under `root`: the held-out files, or the others."""
    return {
        name: [path for path in sorted((root / name).glob("*.png")) if path.name.startswith(starts) == held_out]
        for name, starts in HELD_OUT.items()
    }


@dataclass(frozen=True, slots=True)
class Crops:
    """Photographs at several scales; a batch is a function of the seed and the step alone."""

    sets: Sequence[tuple[float, Sequence[tuple[float, Sequence[NDArray[np.uint8]]]]]]

    @classmethod
    def loaded(cls, root: Path) -> "Crops":
        """Read and scale down all photographs that are not held out; needs about 1 GB."""
        sets = []
        for name, paths in files(root, held_out=False).items():
            scaled: list[tuple[float, list[NDArray[np.uint8]]]] = [(share, []) for _, share in _SCALES[name]]
            for path in paths:
                picture = Image.open(path).convert("RGB")
                for (scale, _), (_, into) in zip(_SCALES[name], scaled, strict=True):
                    size = (round(picture.width * scale), round(picture.height * scale))
                    into.append(np.asarray(picture if scale == 1 else picture.resize(size, Image.Resampling.LANCZOS)))
            sets.append((_SHARES[name], scaled))
        return cls(sets)

    def batch(self, seed: int, step: int, count: int, side: int) -> torch.Tensor:
        """Return crops, uint8 (count, 3, side, side), turned and flipped at random."""
        rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, step])))
        crops = np.empty((count, side, side, 3), np.uint8)
        for slot in range(count):
            _, scaled = self.sets[_drawn(rng, [share for share, _ in self.sets])]
            _, pictures = scaled[_drawn(rng, [share for share, _ in scaled])]
            picture = pictures[int(rng.integers(len(pictures)))]
            top, left = (int(rng.integers(0, length - side + 1)) for length in picture.shape[:2])
            crop = picture[top : top + side, left : left + side]
            crop = np.rot90(crop, int(rng.integers(4)))
            crops[slot] = crop[:, ::-1] if rng.integers(2) else crop
        return torch.from_numpy(crops).permute(0, 3, 1, 2)


def _drawn(rng: np.random.Generator, shares: Sequence[float]) -> int:
    return int(rng.choice(len(shares), p=np.asarray(shares) / sum(shares)))
