"""Rate plans on real photographs, with real encoders; skipped where there are none."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compress_guard.rate import plan
from compress_guard.records import ImageInfo
from compress_guard.registry import CODECS

pytestmark = pytest.mark.photos


@pytest.fixture(scope="module")
def photos() -> list[Any]:
    """Fifteen photographs as uint8 RGB tensors, cropped to 384 x 384.

    They are in COMPRESS_GUARD_PHOTOS, or else in the folder shared/data beside the checkout.
    """
    from PIL import Image

    from compress_guard.codecs.pixels import to_rgb

    home = Path(os.environ.get("COMPRESS_GUARD_PHOTOS") or Path(__file__).parents[3] / "shared" / "data")
    paths = sorted((home / "gb82").glob("*.png"))[:15]
    if not paths:
        pytest.skip(
            f"no photographs in {home / 'gb82'}; set COMPRESS_GUARD_PHOTOS to a folder in which gb82/ has PNG files"
        )
    images = []
    for path in paths:
        with Image.open(path) as image:
            images.append(to_rgb(image)[:, :384, :384])
    return images


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
