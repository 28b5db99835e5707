"""The difference of two images."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from compress_guard.codecs.pictures.fidelity import EXACT_PSNR, Difference, coarse_psnr, psnr


@st.composite
def two_images(draw):
    shape = (3, draw(st.integers(1, 40)), draw(st.integers(1, 40)))
    noise = torch.Generator().manual_seed(draw(st.integers(0, 999)))
    one = torch.randint(0, 256, shape, generator=noise, dtype=torch.uint8)
    delta = torch.randint(-draw(st.integers(0, 255)), 2, shape, generator=noise)
    return one, (one + delta).clamp(0, 255).to(torch.uint8)


@settings(deadline=None)
@given(two_images())
def test_a_difference_is_what_floats_say(pair):
    one, other = pair
    found, delta = Difference.between(one, other), one.double() - other.double()
    assert found.differing == int((delta != 0).any(0).sum())
    assert found.pixels == one.shape[1] * one.shape[2]
    assert found.largest == int(delta.abs().max())
    luma = 0.299 * delta[0] + 0.587 * delta[1] + 0.114 * delta[2]
    assert found.luma == pytest.approx(float(luma.abs().mean()))
    error = float(delta.square().mean())
    assert found.psnr == (pytest.approx(10 * math.log10(255**2 / error)) if error else EXACT_PSNR)
    assert found.psnr == psnr(one, other)
    assert Difference.between(other, one) == found


@settings(deadline=None)
@given(two_images())
def test_block_means_are_as_far_away_as_a_loop_says(pair):
    image, (height, width) = pair[0], pair[0].shape[1:]
    rows, columns = min(8, height), min(8, width)
    errors = [
        (block - block.mean()).square()
        for plane in image.double()
        for top in range(0, height - rows + 1, rows)
        for left in range(0, width - columns + 1, columns)
        for block in [plane[top : top + rows, left : left + columns]]
    ]
    error = float(torch.stack(errors).mean())
    expected = min(EXACT_PSNR, 10 * math.log10(255**2 / error)) if error > 1e-9 else EXACT_PSNR
    assert coarse_psnr(image) == pytest.approx(expected, abs=1e-3)


def test_equal_images_and_flat_ones_are_exact():
    image = torch.full((3, 20, 30), 77, dtype=torch.uint8)
    assert Difference.between(image, image.clone()) == Difference(0, 600, 0, 0.0, EXACT_PSNR)
    assert psnr(image, image) == coarse_psnr(image) == EXACT_PSNR


def test_large_images_are_compared_in_parts_to_the_same_figures():
    noise = torch.Generator().manual_seed(0)
    one = torch.randint(0, 256, (3, 96, 96), generator=noise, dtype=torch.uint8)
    other = torch.randint(0, 256, (3, 96, 96), generator=noise, dtype=torch.uint8)
    tall = [image.repeat(1, 24, 1) for image in (one, other)]
    small, large = Difference.between(one, other), Difference.between(*tall)
    assert (large.differing, large.pixels) == (24 * small.differing, 24 * small.pixels)
    assert (large.largest, large.luma, large.psnr) == (small.largest, pytest.approx(small.luma), small.psnr)
    assert coarse_psnr(tall[0]) == coarse_psnr(one)


def test_levels_do_not_wrap_around():
    black, white = torch.zeros(3, 4, 4, dtype=torch.uint8), torch.full((3, 4, 4), 255, dtype=torch.uint8)
    assert Difference.between(black, white) == Difference(16, 16, 255, 255.0, 0.0)
