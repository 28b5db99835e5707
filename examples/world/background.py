"""Backgrounds with the 1/f amplitude spectrum of natural images (Field 1987, doi:10.1364/JOSAA.4.002379)."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]


@cache
def _log_frequency(size: int) -> NDArray[np.float64]:
    """Return the log frequency in cycles per image of each coefficient of a real FFT, (size, size // 2 + 1)."""
    down = np.fft.fftfreq(size, 1 / size)[:, None]
    across = np.fft.rfftfreq(size, 1 / size)[None, :]
    radius = np.hypot(down, across)
    radius[0, 0] = 1
    result: NDArray[np.float64] = np.log(radius)
    return result


def fractal(rng: np.random.Generator, size: int, exponent: float) -> Field:
    """Draw a field (size, size) with amplitude spectrum f ** -exponent, mean 0, standard deviation 1."""
    frequencies = _log_frequency(size)
    white = rng.standard_normal((2, *frequencies.shape), dtype=np.float32)
    spectrum = (white[0] + 1j * white[1]) * np.exp(-exponent * frequencies)
    spectrum[0, 0] = 0
    # In double precision whatever the numpy: numpy 1 has no single precision FFT.
    field = np.fft.irfft2(spectrum.astype(np.complex128), s=(size, size))
    result: Field = (field / field.std()).astype(np.float32)
    return result


def tiled_up(field: Field, factor: int) -> Field:
    """Enlarge a periodic field (S, S) by linear interpolation to (S * factor, S * factor)."""
    steps = (np.arange(factor, dtype=np.float32) / np.float32(factor))[None, :, None]
    rows = field[:, None, :] * (1 - steps) + np.roll(field, -1, axis=0)[:, None, :] * steps
    tall = rows.reshape(-1, field.shape[1]).T
    columns = tall[:, None, :] * (1 - steps) + np.roll(tall, -1, axis=0)[:, None, :] * steps
    result: Field = np.ascontiguousarray(columns.reshape(-1, tall.shape[1]).T)
    return result


def backdrop(rng: np.random.Generator, size: int) -> Field:
    """Draw a background (size, size, 3) in levels: two materials that blend, with fractal light on them."""
    blend = 1 / (1 + np.exp(-2 * tiled_up(fractal(rng, size // 4, 1.8), 4)))
    detail = fractal(rng, size, float(rng.uniform(1.3, 1.7))) * np.float32(rng.uniform(6, 15))
    lightness = rng.uniform(80, 175)
    first, second = (lightness + rng.uniform(-25, 25) + rng.normal(0, 16, 3) for _ in range(2))
    colour = first.astype(np.float32) + blend[:, :, None] * (second - first).astype(np.float32)
    colour += detail[:, :, None]
    result: Field = colour.astype(np.float32, copy=False)
    return result
