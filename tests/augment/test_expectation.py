"""Bits that are expected of coefficients among known surroundings."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from compress_guard.augment import expectation
from compress_guard.augment.expectation import STEPS, bits


@given(width=st.floats(0.05, 40))
def test_the_probabilities_of_all_values_of_a_coefficient_add_up_to_one(width):
    sizes = torch.arange(0, 3000, dtype=torch.float64)
    cost = expectation._cost(sizes.clone(), torch.full_like(sizes, width))
    kept = cost < expectation._MOST
    share = torch.exp2(-cost[kept])
    total = float(share[0] + 2 * share[1:].sum())
    # What is cut off is rarer than one in a million.
    assert total == pytest.approx(1, abs=2e-4)


def test_a_flat_image_takes_next_to_nothing_and_noise_much():
    flat = torch.full((3, 64, 64), 90, dtype=torch.uint8)
    rng = np.random.default_rng(0)
    noise = torch.from_numpy(rng.integers(0, 256, (3, 64, 64), dtype=np.uint8))
    assert max(bits(flat)) < -10
    # Uniform noise of 256 levels, of which a step of 8 tells 32: 5 bits for each of three colours.
    assert 2 ** bits(noise)[0] == pytest.approx(15, rel=0.1)


def test_wider_steps_take_fewer_bits(scenes):
    for image in scenes[:4]:
        found = bits(image)
        assert len(found) == len(STEPS)
        assert found == sorted(found, reverse=True)


@settings(max_examples=30, deadline=None)
@given(height=st.integers(1, 40), width=st.integers(1, 40), seed=st.integers(0, 9))
def test_an_image_on_its_side_takes_the_same_bits(grain, height, width, seed):
    image = grain(height, width, seed)
    assert bits(image) == pytest.approx(bits(image.transpose(1, 2)), abs=1e-3)
