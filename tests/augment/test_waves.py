"""The cosine transform."""

from __future__ import annotations

import numpy as np
import pytest

from compress_guard.augment.waves import BLOCK, cosines


@pytest.mark.parametrize("size", [1, 3, 4, BLOCK])
def test_waves_are_orthonormal_and_the_first_is_the_mean(size):
    waves = cosines(size)
    np.testing.assert_allclose(waves @ waves.T, np.eye(size), atol=1e-12)
    np.testing.assert_allclose(waves[0], size**-0.5)


@pytest.mark.parametrize("size", [3, 4, BLOCK])
def test_a_wave_changes_its_sign_as_often_as_its_number_says(size):
    for number, wave in enumerate(cosines(size)):
        signs = np.sign(wave[np.abs(wave) > 1e-9])
        assert (np.diff(signs) != 0).sum() == number
