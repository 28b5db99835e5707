"""Rate plans on real photographs, with real encoders; skipped where there are none.

They are in COMPRESS_GUARD_PHOTOS, or else in the folder shared/data beside the checkout.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.rates.reached import held
from compress_guard.rate import plan
from compress_guard.records import ImageInfo, PlannedRate
from compress_guard.registry import CODECS

pytestmark = pytest.mark.photos


Encode = Callable[[Sequence[tuple[int, float]]], list[int]]


def load(folder: str, limit: int | None = None) -> tuple[list[ImageInfo], list[Any]]:
    """The photographs of a folder as infos and uint8 RGB tensors (3, H, W), in order of name."""
    from PIL import Image

    from compress_guard.codecs.pixels import to_rgb

    home = Path(os.environ.get("COMPRESS_GUARD_PHOTOS") or Path(__file__).parents[3] / "shared" / "data")
    paths = sorted(path for path in (home / folder).glob("*") if path.suffix.lower() in (".png", ".jpg", ".jpeg"))
    if not paths:
        pytest.skip(
            f"no photographs in {home / folder}; set COMPRESS_GUARD_PHOTOS to a folder in which {folder}/ has PNG or "
            "JPEG files"
        )
    images = []
    for path in paths[:limit]:
        with Image.open(path) as image:
            images.append(to_rgb(image))
    infos = [
        ImageInfo(path.name, image.shape[1] * image.shape[2]) for path, image in zip(paths[:limit], images, strict=True)
    ]
    return infos, images


@pytest.fixture(scope="module")
def photos() -> list[Any]:
    """Fifteen photographs, cropped to 384 x 384."""
    return [image[:, :384, :384] for image in load("gb82", 15)[1]]


@pytest.fixture(scope="module")
def lengths() -> Callable[[str, str], tuple[list[ImageInfo], tuple[float, ...], Encode]]:
    """Infos, ladder and encoder of a folder and a codec; each stream is made once, whatever asks for it again."""
    folders: dict[str, tuple[list[ImageInfo], list[Any]]] = {}
    known: dict[tuple[str, str, int, float], int] = {}

    def of(folder: str, name: str) -> tuple[list[ImageInfo], tuple[float, ...], Encode]:
        if folder not in folders:
            folders[folder] = load(folder)
        infos, images = folders[folder]
        codec = CODECS.resolve(name)()

        def encode(requests: Sequence[tuple[int, float]]) -> list[int]:
            new = [one for one in requests if (folder, name, *one) not in known]
            streams = codec.encode([images[at] for at, _ in new], [setting for _, setting in new], workers=2)
            known.update(((folder, name, *one), len(stream)) for one, stream in zip(new, streams, strict=True))
            return [known[folder, name, at, setting] for at, setting in requests]

        return infos, codec.ladder, encode

    return of


@pytest.mark.parametrize("name", ["jpeg", "webp"])
@pytest.mark.parametrize("mode", ["dataset", "image"])
def test_photographs_reach_their_rates(photos: list[Any], name: str, mode: Any) -> None:
    codec = CODECS.resolve(name)()
    infos = [ImageInfo(str(i), image.shape[1] * image.shape[2]) for i, image in enumerate(photos)]

    def encode(requests: Sequence[tuple[int, float]]) -> list[int]:
        streams = codec.encode([photos[i] for i, _ in requests], [setting for _, setting in requests], workers=2)
        return [len(stream) for stream in streams]

    tolerance = 0.02 if mode == "dataset" else 0.05
    targets = (0.5, 1.0)
    planned = plan(infos, codec.ladder, targets, mode=mode, tolerance=tolerance, seed=0, encode=encode)
    for rate in planned.rates:
        if mode == "dataset":
            assert abs(rate.bpp_mean / rate.target - 1) <= tolerance
            places = sorted(codec.ladder.index(setting) for setting in rate.setting_counts)
            assert places[-1] - places[0] <= 1
            continue
        for i, (setting, bpp) in enumerate(zip(rate.settings, rate.bpp, strict=True)):
            if abs(bpp / rate.target - 1) > tolerance:
                place = codec.ladder.index(setting)
                near = [codec.ladder[j] for j in (place - 1, place + 1) if 0 <= j < len(codec.ladder)]
                others = np.array(encode([(i, one) for one in near])) * 8 / infos[i].pixels
                assert abs(np.log(bpp / rate.target)) <= np.abs(np.log(others / rate.target)).min()


FIVE = (0.25, 0.5, 0.75, 1.0, 2.0)
FOUR = ("jpeg", "webp", "avif", "jp2")


@pytest.mark.slow
@pytest.mark.parametrize(("folder", "bar"), [("gb82", 2.0), ("imagenet200", 1.4)])
def test_dataset_mode_codes_little_more_than_it_keeps(lengths: Any, folder: str, bar: float) -> None:
    """Encodes per image and rate, the kept one included, for every codec."""
    for name in FOUR:
        infos, ladder, encode = lengths(folder, name)
        planned = plan(infos, ladder, FIVE, mode="dataset", tolerance=0.02, seed=0, encode=encode)
        assert np.mean([rate.encodes for rate in planned.rates]) <= bar, name
        for rate in planned.rates:
            assert abs(rate.bpp_mean / rate.target - 1) <= 0.02, f"{name} at {rate.target}"
            assert adjacent(rate, ladder, infos, encode), f"{name} at {rate.target}"


def adjacent(rate: PlannedRate, ladder: Sequence[float], infos: Sequence[ImageInfo], encode: Encode) -> bool:
    """Return True if at most two settings are used, with no setting between them whose mean rate is between theirs."""
    places = sorted(ladder.index(setting) for setting in rate.setting_counts)
    if len(places) > 2:
        return False

    def mean(place: int) -> float:
        lengths = encode([(at, ladder[place]) for at in range(len(infos))])
        return float(np.mean([8 * length / info.pixels for length, info in zip(lengths, infos, strict=True)]))

    between = range(places[0] + 1, places[-1])
    low, high = sorted((mean(places[0]), mean(places[-1]))) if between else (0.0, 0.0)
    return not any(low < mean(place) < high for place in between)


@pytest.mark.slow
@pytest.mark.parametrize("folder", ["gb82", "imagenet200"])
def test_image_mode_codes_each_image_less_than_twice(lengths: Any, folder: str) -> None:
    costs = {}
    for name in FOUR:
        infos, ladder, encode = lengths(folder, name)
        planned = plan(infos, ladder, FIVE, mode="image", tolerance=0.05, seed=0, encode=encode)
        costs[name] = np.mean([rate.encodes for rate in planned.rates])
        for rate in planned.rates:
            assert held(rate, ladder, infos, encode) == len(infos), f"{name} at {rate.target}"
    assert np.mean(list(costs.values())) <= 1.8, costs
    assert max(costs.values()) <= 2.1, costs


def test_a_jpeg_search_of_photographs_is_thrifty(lengths: Any) -> None:
    """The quick part of the two above."""
    infos, ladder, encode = lengths("gb82", "jpeg")
    for mode, tolerance, bar in (("dataset", 0.02, 1.7), ("image", 0.05, 1.9)):
        planned = plan(infos, ladder, FIVE, mode=mode, tolerance=tolerance, seed=0, encode=encode)
        assert np.mean([rate.encodes for rate in planned.rates]) <= bar, mode
