"""Mishaps that strike every image alike: each is told from the picture, and nothing honest is taken for one."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from compress_guard.codecs.pictures.mishaps import FURTHEST, WINDOW, fits, remedies


def scene(height, width, seed=0):
    """A picture of coloured blotches, on which no two pixels, sides or channels are alike."""
    noise = torch.Generator().manual_seed(seed)
    blotches = torch.rand(1, 3, 7, 9, generator=noise)
    picture = torch.nn.functional.interpolate(blotches, size=(height, width), mode="bicubic", align_corners=False)[0]
    picture = 255 * picture + 12 * torch.randn(3, height, width, generator=noise)
    return picture.clamp(0, 255).to(torch.uint8)


def border(image, down, right):
    """The picture moved by so many pixels; what comes in repeats the edge."""
    height, width = image.shape[-2:]
    rows, columns = torch.arange(height) - down, torch.arange(width) - right
    return image[:, rows.clamp(0, height - 1)][:, :, columns.clamp(0, width - 1)]


def best(decoded, source):
    """The remedy that gains most, and how much."""
    found = fits(decoded, source)
    gains = np.nan_to_num(found.after - found.before, nan=-np.inf)
    at = int(np.argmax(gains))
    return remedies()[at], float(gains[at])


def scaled(image, factor, summand):
    return (image.float() * factor + summand).round().clamp(0, 255).to(torch.uint8)


MISHAPS = {
    "read as BGR": lambda image: image.flip(0),
    "read as GRB": lambda image: image[[1, 0, 2]],
    "read as BRG": lambda image: image[[1, 2, 0]],
    "mirrored left to right": lambda image: image.flip(2),
    "mirrored top to bottom": lambda image: image.flip(1),
    "turned by 180 degrees": lambda image: image.flip(1, 2),
    "turned by 180 degrees and read as BGR": lambda image: image.flip(0, 1, 2),
    "moved 1 pixel left": lambda image: border(image, 0, 1),
    "moved 1 pixel down": lambda image: border(image, -1, 0),
    "moved 2 pixels up and 1 pixel right": lambda image: torch.roll(image, (2, -1), (1, 2)),
    "moved 16 pixels right": lambda image: torch.roll(image, -16, 2),
    "inverted": lambda image: 255 - image,
    "stretched from 16-235 to 0-255": lambda image: scaled(image, 219 / 255, 16),
    "squeezed from 0-255 into 16-235": lambda image: scaled(scaled(image, 219 / 255, 16), 1, 0),
}


@pytest.mark.parametrize("size", [(64, 96), (97, 71), (WINDOW + 31, WINDOW + 8)])
@pytest.mark.parametrize("remedy", [name for name in MISHAPS if not name.startswith("squeezed")])
def test_a_mishap_is_named_by_what_undoes_it(remedy, size):
    source = scene(*size)
    found, gain = best(MISHAPS[remedy](source), source)
    assert found == remedy
    assert gain > 10


def test_full_range_taken_for_limited_is_named_too():
    source = scaled(scene(64, 96), 219 / 255, 16)
    decoded = scaled(source, 255 / 219, -16 * 255 / 219)
    assert best(decoded, source)[0] == "squeezed from 0-255 into 16-235"


@pytest.mark.parametrize(
    ("change", "remedy"),
    [
        (lambda image: image.rot90(1, (1, 2)), "turned by 90 degrees to the right"),
        (lambda image: image.rot90(-1, (1, 2)), "turned by 90 degrees to the left"),
        (lambda image: image.transpose(1, 2), "mirrored along the diagonal"),
        (lambda image: image.transpose(1, 2).flip(1, 2), "mirrored along the other diagonal"),
    ],
)
def test_a_square_may_be_turned_by_quarters(change, remedy):
    source = scene(80, 80)
    assert best(change(source), source)[0] == remedy


def test_each_remedy_has_a_name_of_its_own_and_a_pair_of_levels():
    names = [name for name in remedies() if name]
    assert len(names) == len(set(names)) == 8 * 6 - 1 + 3 + (2 * FURTHEST + 1) ** 2 - 1
    found = fits(scene(64, 96), scene(64, 96))
    assert len(found.before) == len(found.after) == len(remedies())


def test_an_exact_picture_gains_nothing():
    for size in ((64, 64), (1, 500), (500, 1), (300, 17)):
        source = scene(*size)
        assert best(source, source)[1] <= 0


def test_levels_are_what_plain_arithmetic_says():
    source, decoded = scene(40, 56, 1), scene(40, 56, 2)
    found = fits(decoded, source)
    at = {name: number for number, name in enumerate(remedies())}
    one, other = decoded.double(), source.double()

    def level(first, second):
        return 10 * np.log10(255**2 / float(((first - second) ** 2).mean()))

    assert found.after[at["read as GBR"]] == pytest.approx(level(one[[1, 2, 0]], other))
    assert found.before[at["inverted"]] == pytest.approx(level(one, other))
    assert found.after[at["inverted"]] == pytest.approx(level(255 - one, other))
    assert found.flat == pytest.approx(level(other.mean((1, 2), keepdim=True).expand_as(other), other))
    grey, wanted = one.mean(0), other.mean(0)
    name = "moved 3 pixels up and 2 pixels left"
    assert found.after[at[name]] == pytest.approx(level(grey[3:, 2:], wanted[:-3, :-2]))
    difference = grey - wanted
    difference = difference - difference.mean()
    parts = [float((difference[rows, columns] ** 2).mean()) for rows, columns in (np.s_[3:, 2:], np.s_[:-3, :-2])]
    assert found.before[at[name]] == pytest.approx(10 * np.log10(255**2 / min(parts)))


def test_small_pictures_tell_nothing():
    assert fits(scene(15, 17), scene(15, 17)) is None
    assert fits(scene(16, 16), scene(16, 16)) is not None


@pytest.mark.parametrize("size", [(1, 500), (500, 1), (2, 200)])
def test_strips_can_be_mirrored_and_moved_along_themselves(size):
    source = scene(*size)
    axis = 1 if size[0] > size[1] else 2
    assert best(source.flip(axis), source)[1] > 3
    assert best(torch.roll(source, 2, axis), source)[0].startswith("moved 2 pixels ")


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 40), st.integers(1, 40), st.sampled_from([0, 1, 4, 60]))
def test_noise_on_a_picture_is_no_mishap(seed, height, width, levels):
    generator = torch.Generator().manual_seed(seed)
    source = torch.randint(0, 256, (3, height, width), generator=generator, dtype=torch.uint8)
    decoded = source + levels * torch.randn(source.shape, generator=generator)
    found = fits(decoded.clamp(0, 255).to(torch.uint8), source)
    assert found is None or float(np.nanmax(found.after - found.before)) < 2
