"""Fine textures that differ in structure alone: equal spatial frequency, equal root mean square, any colour.

A model that is to tell them apart must see the fine structure itself, which is what strong compression removes first.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]
Texture = Callable[[Field, Field, float, np.random.Generator], Field]

GRAIN_WAVES = 7


def stripes(u: Field, v: Field, period: float, rng: np.random.Generator) -> Field:
    """Return one plane wave along u."""
    phase = np.float32(rng.uniform(0, 2 * np.pi))
    result: Field = np.float32(np.sqrt(2)) * np.sin(np.float32(2 * np.pi / period) * u + phase)
    return result


def checks(u: Field, v: Field, period: float, rng: np.random.Generator) -> Field:
    """Return the product of two crossed waves; its four spectral lines lie at the frequency of the stripes."""
    wave = np.float32(2 * np.pi / (period * np.sqrt(2)))
    first, second = rng.uniform(0, 2 * np.pi, 2).astype(np.float32)
    result: Field = np.float32(2) * np.sin(wave * u + first) * np.sin(wave * v + second)
    return result


def grain(u: Field, v: Field, period: float, rng: np.random.Generator) -> Field:
    """Return an irregular speckle: plane waves of one frequency in spread directions."""
    directions = (np.arange(GRAIN_WAVES) + rng.uniform(-0.3, 0.3, GRAIN_WAVES)) * (np.pi / GRAIN_WAVES)
    phases = rng.uniform(0, 2 * np.pi, GRAIN_WAVES)
    wave = 2 * np.pi / period
    result = np.zeros_like(u)
    for direction, phase in zip(directions, phases, strict=True):
        along_u, along_v = np.float32(wave * np.cos(direction)), np.float32(wave * np.sin(direction))
        result += np.sin(along_u * u + along_v * v + np.float32(phase))
    result *= np.float32(np.sqrt(2 / GRAIN_WAVES))
    return result


TEXTURES: dict[str, Texture] = {"stripes": stripes, "checks": checks, "grain": grain}
