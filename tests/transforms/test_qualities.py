"""Training transforms at qualities: the pixels of a plain loop, one encode each, and settings as they are drawn."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
import torch
from PIL import Image

from compress_guard.augment.settings import DrawnSettings
from compress_guard.codecs.avif import Avif
from compress_guard.codecs.jpeg import Jpeg
from compress_guard.codecs.neural.codec import Neural
from compress_guard.codecs.webp import WebP
from compress_guard.errors import OptionError
from compress_guard.transforms import RandomBatchCompression, RandomCompression

EXPECTED = "expected a setting of the codec, a pair (low, high) or a list of settings"


@pytest.fixture
def photo():
    noise = torch.rand(1, 3, 12, 14, generator=torch.Generator().manual_seed(0))
    smooth = torch.nn.functional.interpolate(noise, size=(72, 80), mode="bicubic")[0]
    return (255 * smooth).clamp(0, 255).byte()


def plain(image, quality, kind="JPEG", **options):
    stream = io.BytesIO()
    Image.fromarray(image.permute(1, 2, 0).numpy()).save(stream, kind, quality=quality, **options)
    return torch.from_numpy(np.array(Image.open(stream).convert("RGB"))).permute(2, 0, 1)


def pil(image):
    return Image.fromarray(image.permute(1, 2, 0).numpy())


@pytest.mark.parametrize("quality", [75, 30.0])
def test_pixels_are_those_of_a_plain_loop(photo, quality):
    transform = RandomCompression("jpeg", quality=quality)
    expected = plain(photo, int(quality))
    assert torch.equal(transform(photo), expected)
    assert torch.equal(torch.from_numpy(np.array(transform(pil(photo)))).permute(2, 0, 1), expected)
    assert torch.equal(RandomBatchCompression("jpeg", quality=quality)([photo])[0], expected)


def test_each_codec_may_have_its_own_quality(photo):
    transform = RandomCompression(["jpeg", "webp"], quality={"jpeg": 75, "webp": 80})
    torch.manual_seed(0)
    made = [transform(photo) for _ in range(16)]
    expected = [plain(photo, 75), plain(photo, 80, "WEBP", method=4)]
    seen = {index for image in made for index, each in enumerate(expected) if torch.equal(image, each)}
    assert seen == {0, 1}
    assert all(any(torch.equal(image, each) for each in expected) for image in made)


def test_a_codec_outside_the_table_is_coded_once_and_learns_nothing(photo, monkeypatch):
    seen = []
    encode = Jpeg._write
    monkeypatch.setattr(Jpeg, "_write", lambda self, *given: seen.append(given[-1]) or encode(self, *given))
    passing = Jpeg._passing
    monkeypatch.setattr(Jpeg, "_passing", lambda self, *given: seen.append(given[-1]) or passing(self, *given))
    transform = RandomCompression({"jpeg": {"restart": 7}}, quality=[60, 70])
    torch.manual_seed(1)
    for _ in range(12):
        transform(photo)
    assert len(seen) == 12
    assert set(seen) == {60.0, 70.0}


def test_an_image_that_is_not_drawn_stays_clean(photo):
    assert torch.equal(RandomCompression("jpeg", quality=5, p=0.0)(photo), photo)


@pytest.mark.parametrize(
    ("codec", "quality", "count"),
    [(Jpeg(), (70, 79), 10), (Avif(), (0, 100), 101), (Neural(), (10, 12), 3), (WebP(sharp_yuv=True), (80, 84), 5)],
)
def test_whole_settings_are_drawn_equally_often_both_ends_included(codec, quality, count):
    drawn = DrawnSettings.of("it", codec, quality)
    chances = [(number + 0.5) / (10 * count) for number in range(10 * count)]
    settings = [drawn.at(chance) for chance in chances]
    assert settings == [float(quality[0] + number // 10) for number in range(10 * count)]
    assert (drawn.at(0.0), drawn.at(1.0)) == (quality[0], quality[1])


def test_a_codec_that_takes_fractions_gets_them():
    drawn = DrawnSettings.of("webp", WebP(), (50, 80))
    assert [drawn.at(chance) for chance in (0.0, 0.25, 1.0)] == [50.0, 57.5, 80.0]


def test_a_pair_of_one_number_is_this_number():
    assert DrawnSettings.of("webp", WebP(), (50.5, 50.5)).at(0.7) == 50.5


@pytest.mark.parametrize("kind", [RandomCompression, RandomBatchCompression])
@pytest.mark.parametrize(
    ("quality", "message"),
    [
        (101, "101 is no quality of jpeg, which takes whole numbers from 1 to 100"),
        ((0, 90), "0 is no quality of jpeg, which takes whole numbers from 1 to 100"),
        ([75, 60.5], "60.5 is no quality of jpeg, which takes whole numbers from 1 to 100"),
        ((90, 60), f"quality of jpeg is (90, 60); {EXPECTED}: a tuple is a pair, its lower end first"),
        ((60,), f"quality of jpeg is (60,); {EXPECTED}: a tuple is a pair, its lower end first"),
        ([], f"quality of jpeg is []; {EXPECTED}"),
        (True, f"quality of jpeg is True; {EXPECTED}"),
        ("75", f"quality of jpeg is '75'; {EXPECTED}"),
        (float("nan"), f"quality of jpeg is nan; {EXPECTED}"),
        ({"jpg": 75}, "quality names jpg; expected jpeg"),
        ({}, "quality names no codec; expected jpeg"),
    ],
)
def test_qualities_without_sense(kind, quality, message):
    with pytest.raises(OptionError, match=f"^{re.escape(message)}$"):
        kind("jpeg", quality=quality)


@pytest.mark.parametrize("kind", [RandomCompression, RandomBatchCompression])
def test_rates_and_qualities_exclude_each_other(kind):
    with pytest.raises(OptionError, match=r"^bpp is 0\.5 and quality is 75; give one of them$"):
        kind("jpeg", bpp=0.5, quality=75)
    assert kind("jpeg", bpp=None, quality=75).bpp is None
    assert kind("jpeg").bpp == (0.1, 2.0)
