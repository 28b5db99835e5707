"""Throughput at a quality: the codec at exactly that setting, the reference at the rate that it gives."""

from __future__ import annotations

import io

import pytest
import torch
from PIL import Image

from compress_guard.engine.throughput.cells import contest_of
from compress_guard.errors import OptionError

SIDE = 96


@pytest.fixture(scope="module")
def photos():
    made = []
    for seed in range(4):
        noise = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(seed))
        smooth = torch.nn.functional.interpolate(noise, size=(SIDE, SIDE), mode="bicubic")[0]
        made.append((255 * smooth).clamp(0, 255).byte())
    return made


def mean_bpp(photos, kind, **options):
    sizes = []
    for image in photos:
        stream = io.BytesIO()
        Image.fromarray(image.permute(1, 2, 0).numpy()).save(stream, kind, **options)
        sizes.append(8 * len(stream.getvalue()) / SIDE**2)
    return sum(sizes) / len(sizes)


def test_the_codec_has_its_quality_and_the_reference_the_rate_of_that(photos):
    contest = contest_of(photos, codec="webp", quality=80, work="encode", rounds=3, device="cpu", workers=1)
    result = contest.run()
    assert result.id == "throughput[throughput-webp-q80-encode]"
    assert (result.target_bpp, result.target_quality) == (None, 80.0)
    assert result.bpp_mean == pytest.approx(mean_bpp(photos, "WEBP", quality=80, method=4))
    assert result.reference == "jpeg"
    assert result.reference_bpp == pytest.approx(result.bpp_mean, rel=0.05)
    assert "q80, 4 images of " in result.reason


def test_the_reference_itself_has_nothing_beside_it(photos):
    result = contest_of(photos, codec="jpeg", quality=75, rounds=3, device="cpu", workers=1).run()
    assert result.bpp_mean == pytest.approx(mean_bpp(photos, "JPEG", quality=75, subsampling="4:2:0", optimize=True))
    assert (result.reference, result.reference_bpp, result.ratio) == (None, None, None)


def test_a_call_times_a_rate_or_a_quality(photos):
    with pytest.raises(OptionError, match=r"^bpp is 0\.5 and quality is 75; a call times one of them$"):
        contest_of(photos, bpp=0.5, quality=75)
    with pytest.raises(OptionError, match=r"^101 is no quality of jpeg, which takes whole numbers from 1 to 100"):
        contest_of(photos, quality=101)
