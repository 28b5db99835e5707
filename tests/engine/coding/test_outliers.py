"""Outliers: an image that came back far worse than the others is named, one that is hard to code is not."""

from __future__ import annotations

import random

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from compress_guard.codecs.pictures.fidelity import coarse_psnr, psnr
from compress_guard.engine.coding.outliers import FEWEST, LEAST_DB, LEAST_GAIN_DB, Fidelity, Spread
from compress_guard.records import JUDGED
from compress_guard.registry import CODECS


def images(psnr, coarse):
    return [Fidelity(f"i{at}", *pair) for at, pair in enumerate(zip(psnr, coarse, strict=True))]


def spread_of(count, seed=0, gain=8.0, sigma=2.5):
    """Photographs of very different detail, coded about equally well for that."""
    draw = random.Random(seed)
    coarse = [draw.uniform(20, 38) for _ in range(count)]
    return images([level + draw.gauss(gain, sigma) for level in coarse], coarse)


def test_mean_and_median_are_of_the_psnr():
    found = Spread.of(images([30.0, 32.0, 40.0], [20.0, 20.0, 20.0]))
    assert (found.mean, found.median, found.outliers) == (34.0, 32.0, ())


@pytest.mark.parametrize("count", [5, 25, 200])
def test_a_spread_of_content_is_no_outlier(count):
    assert not any(Spread.of(spread_of(count, seed)).outliers for seed in range(50))


@pytest.mark.parametrize("count", [25, 200])
def test_a_destroyed_image_is_named_whatever_its_content(count):
    for seed in range(50):
        found = spread_of(count, seed)
        found[seed % count] = Fidelity("bad", 8.0, found[seed % count].coarse)
        assert Spread.of(found).outliers == (("bad", 8.0),)


def test_several_are_named_the_worst_first():
    found = spread_of(20)
    for at, level in ((3, 7.0), (11, 5.0), (17, 6.0)):
        found[at] = Fidelity(f"bad{at}", level, found[at].coarse)
    assert Spread.of(found).outliers == (("bad11", 5.0), ("bad17", 6.0), ("bad3", 7.0))


def test_too_few_images_have_no_neighbours():
    alike = [Fidelity(f"i{at}", 35.0, 25.0) for at in range(FEWEST - 2)]
    bad = Fidelity("bad", 5.0, 25.0)
    assert Spread.of([*alike, bad]).outliers == ()
    assert Spread.of([*alike, alike[0], bad]).outliers == (("bad", 5.0),)


def test_images_that_are_all_alike_need_a_clear_distance():
    alike = [Fidelity(f"i{at}", 35.0, 25.0) for at in range(20)]
    assert Spread.of([*alike, Fidelity("near", 35.0 - LEAST_GAIN_DB, 25.0)]).outliers == ()
    assert Spread.of([*alike, Fidelity("far", 34.9 - LEAST_GAIN_DB, 25.0)]).outliers != ()
    # A picture with less to gain, yet of a PSNR like theirs.
    assert Spread.of([*alike, Fidelity("flatter", 35.0 - LEAST_DB, 50.0)]).outliers == ()


def test_a_flat_image_which_has_nothing_to_gain_is_none():
    assert Spread.of([*spread_of(20), Fidelity("flat", 45.0, 100.0)]).outliers == ()


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 100)), min_size=1, max_size=30))
def test_outliers_are_a_minority_below_the_median(pairs):
    found = Spread.of(images(*zip(*pairs, strict=True)))
    assert len(found.outliers) <= len(pairs) / 2
    assert all(level < found.median for _, level in found.outliers)
    assert min(one for one, _ in pairs) - 1e-9 <= found.mean <= max(one for one, _ in pairs) + 1e-9


# In a cell


@pytest.fixture
def spoil(diary, monkeypatch):
    """Lets the codec `toy` decode some pictures, by their number, to something else, and always to the same."""
    toy = type(CODECS.resolve("toy")())

    def plant(change, *pictures):
        def decode(self, streams, workers=1):
            images = toy.decode(self, streams, workers)
            return [
                change(image) if stream[5] in pictures else image for image, stream in zip(images, streams, strict=True)
            ]

        spoiled = type("Spoiled", (toy,), {"decode": decode})
        monkeypatch.setitem(CODECS._found, "toy", lambda **options: spoiled(diary, **options))

    return plant


@pytest.mark.parametrize("rate", ["dataset", "image"])
@pytest.mark.parametrize(
    "change",
    [lambda image: torch.roll(image, (5, 7), (1, 2)), lambda image: image.flip(2), lambda image: image * 0],
    ids=["shifted", "flipped", "black"],
)
def test_a_cell_names_the_image_that_its_codec_destroyed(
    change, rate, spoil, pictures, spectrum, make_guard, make_world
):
    guard, data = make_guard(rates=(3.2,), rate=rate), pictures(16)
    clean = make_world(guard, spectrum(), data).only().result
    spoil(change, 5)
    result = make_world(guard, spectrum(), data).only().result
    assert (clean.outlier_count, clean.outliers) == (0, ())
    assert result.outlier_count == 1
    ((name, level),) = result.outliers
    assert name == "t05"
    assert level < result.psnr_median - LEAST_DB
    assert result.psnr_mean < clean.psnr_mean
    # An outlier is told, and changes no verdict.
    assert result.verdict in JUDGED


def test_a_cell_counts_all_outliers_and_names_five(spoil, pictures, spectrum, make_guard, make_world):
    spoil(lambda image: image * 0, *range(7))
    result = make_world(make_guard(rates=(2.0,)), spectrum(), pictures(24)).only().result
    assert (result.outlier_count, len(result.outliers)) == (7, 5)


@pytest.mark.parametrize("codec", ["jpeg", "webp"])
def test_psnr_is_that_of_what_the_model_saw(codec, pictures, spectrum, make_guard, make_world):
    model, data = spectrum(), pictures(12)
    result = make_world(make_guard((codec,), (1.0,)), model, data).only().result
    levels = []
    for shown, (source, _, _) in zip(model.images_seen[-12:], data, strict=True):
        error = (shown.double() - source.double()).square().mean()
        levels.append(float(10 * torch.log10(255**2 / error)))
    assert result.psnr_mean == pytest.approx(sum(levels) / 12)
    assert result.psnr_median == pytest.approx((sorted(levels)[5] + sorted(levels)[6]) / 2)
    assert (result.outlier_count, result.outliers) == (0, ())


def test_a_lossless_codec_counts_as_100_db(diary, pictures, spectrum, make_guard, make_world):
    guard = make_guard(rates=(8.0,), options=(("exact", True),))
    result = make_world(guard, spectrum(), pictures(6)).only().result
    assert (result.psnr_mean, result.outlier_count) == (100.0, 0)


def test_a_flat_picture_and_one_of_noise_are_no_outliers_among_others(pictures):
    noise = torch.Generator().manual_seed(0)
    flat = torch.full((3, 96, 96), 90, dtype=torch.uint8)
    busy = torch.randint(0, 256, (1, 96, 96), generator=noise, dtype=torch.uint8).repeat(3, 1, 1)
    sources = [*(image for image, _, _ in pictures(10)), flat, busy]
    for name in ("jpeg", "webp"):
        codec = CODECS.resolve(name)()
        for setting in codec.ladder[10::20]:
            decoded = codec.decode(codec.encode(sources, [setting] * len(sources)))
            found = [
                Fidelity(str(at), psnr(image, source), coarse_psnr(source))
                for at, (image, source) in enumerate(zip(decoded, sources, strict=True))
            ]
            assert Spread.of(found).outliers == ()
