"""A look at an image: the same features of the same pixels, and what they tell apart."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from compress_guard.augment import activity
from compress_guard.augment.activity import CLOSE, LOOKS, QUICK, THOROUGH, of_pil, of_tensor
from compress_guard.codecs.pixels import to_pil

SIDE = st.one_of(st.integers(1, 20), st.integers(21, 90))


@pytest.mark.parametrize("look", LOOKS)
@settings(max_examples=60, deadline=None)
@given(height=SIDE, width=SIDE, seed=st.integers(0, 99))
@example(height=1, width=1, seed=0)
@example(height=16, width=16, seed=0)
@example(height=15, width=200, seed=1)
@example(height=301, width=17, seed=2)
@example(height=331, width=517, seed=3)
def test_a_pil_image_has_the_features_of_its_pixels_in_a_tensor(grain, look, height, width, seed):
    image = grain(height, width, seed)
    found = of_tensor(image, look)
    assert found.shape == (look,)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    assert found[-1] == 1
    assert np.array_equal(of_pil(to_pil(image), look), found)


@pytest.mark.parametrize("look", LOOKS)
def test_any_memory_layout_is_the_same_image(grain, look):
    for side in (9, 60):
        image = grain(side, side + 13)
        strided = image.permute(1, 2, 0).contiguous().permute(2, 0, 1)
        assert not strided.is_contiguous()
        assert np.array_equal(of_tensor(strided, look), of_tensor(image, look))


@pytest.mark.parametrize("look", [QUICK, CLOSE])
def test_of_an_image_of_less_than_two_blocks_the_last_row_and_column_are_repeated(grain, look):
    for height, width in ((1, 1), (3, 7), (15, 30), (40, 9)):
        image = grain(height, width)
        wide = (0, max(0, 16 - width), 0, max(0, 16 - height))
        padded = torch.nn.functional.pad(image[None].float(), wide, mode="replicate")[0].to(torch.uint8)
        assert np.array_equal(of_tensor(image, look)[1:], of_tensor(padded, look)[1:])
        assert of_tensor(image, look)[0] == np.float32(np.log2(height * width) - 17)


@pytest.mark.parametrize("shape", [(1, 1), (5, 40), (16, 16), (17, 23), (64, 64), (300, 17), (400, 900)])
@pytest.mark.parametrize("look", [QUICK, CLOSE])
def test_rows_of_blocks_lie_inside_the_image_with_their_surroundings(look, shape):
    height, width = (max(16, side) for side in shape)
    windows, every = activity._windows(height, width, look)
    assert windows
    for left, top, right, bottom in windows:
        assert 0 <= left < right <= width
        assert 0 <= top < bottom <= height
        assert bottom - top == 9
        assert (right - left) % 8 == 1
    assert every >= 1
    assert len({right - left for left, _, right, _ in windows}) == 1
    assert len({top for _, top, _, _ in windows}) == len(windows)


@pytest.mark.parametrize("look", [QUICK, CLOSE])
def test_a_look_at_a_large_image_costs_no_more_than_at_a_small_one(look):
    """Blocks that count: 6 rows and about 150, 24 and about 720, whatever the size."""
    for height, width in ((600, 800), (3000, 4000), (6000, 9000)):
        windows, every = activity._windows(height, width, look)
        blocks = sum(-(-(right - left - 1) // 8 // every) for left, _, right, _ in windows)
        assert len(windows) == {QUICK: 6, CLOSE: 24}[look]
        assert blocks == pytest.approx({QUICK: 150, CLOSE: 720}[look], rel=0.2)


def test_a_thorough_look_begins_with_all_that_a_close_one_sees(scenes):
    thorough, close, quick = (of_tensor(scenes[0], look) for look in (THOROUGH, CLOSE, QUICK))
    assert np.array_equal(thorough[: CLOSE - 1], close[:-1])
    assert thorough[0] == quick[0] == np.float32(np.log2(256 * 256) - 17)


@pytest.mark.parametrize("look", LOOKS)
def test_grain_raises_every_count_of_coefficients(scenes, look):
    rng = torch.Generator().manual_seed(0)
    for image in scenes[:4]:
        noisy = (image + 25 * torch.randn(image.shape, generator=rng)).clamp(0, 255).to(torch.uint8)
        counts = slice(5, 10)  # coefficients above a quarter of JPEG's steps and more
        assert (of_tensor(noisy, look)[counts] > of_tensor(image, look)[counts]).all()


def test_a_flat_image_has_nothing_above_any_threshold_but_its_size():
    for value in (0, 77, 255):
        flat = torch.full((3, 64, 64), value, dtype=torch.uint8)
        quick = of_tensor(flat, QUICK)
        # Rounding leaves a coefficient of some 1e-5 of a step where there should be none.
        assert len(set(quick[3:13].tolist())) == 1
        assert abs(quick[1]) < 1e-3


def test_what_its_neighbours_foretell_of_a_block_is_not_left():
    """Stripes that go on from the line above are foretold wholly; the same values without order are not."""
    rng = np.random.default_rng(0)
    ordered = rng.integers(0, 256, (1, 96)).repeat(96, 0)
    stripes, shuffled = (
        torch.from_numpy(np.stack([values] * 3).astype(np.uint8)) for values in (ordered, rng.permuted(ordered, axis=1))
    )
    left = slice(20, 29)  # coefficients of 1, 2, 4 up to 256 levels
    for image in (stripes, stripes.transpose(1, 2)):
        assert np.ptp(of_tensor(image, CLOSE)[left]) == 0
    assert of_tensor(shuffled, CLOSE)[left.start] > of_tensor(stripes, CLOSE)[left.start] + 8


@settings(deadline=None)
@given(
    values=st.lists(st.floats(2**-10, 2**12, width=32), min_size=1, max_size=40),
    lowest=st.integers(-6, 2),
    count=st.integers(1, 9),
)
def test_counts_are_of_what_is_at_least_a_power_of_two(values, lowest, count):
    sizes = np.array(values, np.float32)[:, None]
    expected = [np.log2(((sizes >= 2.0 ** (lowest + step)).sum() + 0.5) / len(sizes)) for step in range(count)]
    assert activity._above(sizes, lowest, count) == pytest.approx(expected)
    assert activity._above(-sizes, lowest, count) == pytest.approx(expected)
