"""Near-equal neighbours: frames of a video are told from photographs, by a hash that is made here in plain Python."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from compress_guard.engine.images.together.neighbours import difference_hash, near_equal


def scene(seed, size=(144, 180)):
    """Make a smooth random picture, uint8 (3, H, W)."""
    noise = torch.rand(1, 3, 7, 9, generator=torch.Generator().manual_seed(seed))
    return (255 * torch.nn.functional.interpolate(noise, size=size, mode="bicubic").clamp(0, 1))[0].to(torch.uint8)


def test_the_hash_is_the_signs_of_differences_of_block_means():
    image = scene(1, (64, 72))
    grey = image.numpy().astype(float).mean(axis=0)
    means = [[grey[8 * y : 8 * y + 8, 8 * x : 8 * x + 8].mean() for x in range(9)] for y in range(8)]
    signs = [means[y][x + 1] > means[y][x] for y in range(8) for x in range(8)]
    assert difference_hash(image) == sum(2**at for at, sign in enumerate(signs) if sign)


@pytest.mark.parametrize("change", [
    lambda image: (image.float() + 8 * torch.randn(image.shape)).clamp(0, 255).to(torch.uint8),
    lambda image: torch.roll(image, 3, dims=2),
    lambda image: (image.float() * 0.8).to(torch.uint8),
    lambda image: torch.nn.functional.interpolate(image[None].float(), scale_factor=0.7)[0].to(torch.uint8),
])  # fmt: skip
def test_noise_small_motion_light_and_scale_leave_images_near(change):
    torch.manual_seed(0)
    images = [scene(3), change(scene(3))]
    assert near_equal([difference_hash(image) for image in images]) == 1


def test_different_pictures_are_not_near():
    assert near_equal([difference_hash(scene(seed)) for seed in range(100)]) == 0


@pytest.mark.parametrize("image", [
    torch.full((3, 64, 64), 90, dtype=torch.uint8),
    torch.randint(89, 92, (3, 64, 64), dtype=torch.uint8),
    torch.randint(0, 255, (3, 7, 64), dtype=torch.uint8),
    torch.randint(0, 255, (3, 64, 8), dtype=torch.uint8),
])  # fmt: skip
def test_flat_and_tiny_images_have_no_hash_and_no_likeness(image):
    assert difference_hash(image) is None
    assert near_equal([None, None, None]) == 0


def test_only_neighbours_of_other_groups_count():
    hashes = [0, 0, 0, 2**60 - 1, 0]
    assert near_equal(hashes) == 2
    assert near_equal(hashes, "aabbb") == 1
    assert near_equal(hashes, "aaaaa") == 0
    assert near_equal([5]) == near_equal([]) == 0


def test_hashes_do_not_depend_on_the_memory_of_the_image():
    image = scene(5)
    turned = torch.from_numpy(np.ascontiguousarray(image.permute(1, 2, 0).numpy())).permute(2, 0, 1)
    assert difference_hash(turned) == difference_hash(image)
