"""Qualities in Python: `measure` and `compress` against plain loops of Pillow, and what makes no sense."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
import torch
from PIL import Image

import compress_guard
from compress_guard.errors import OptionError

ASKED = {"task": "classification", "device": "cpu", "workers": 1}
PLAIN = {
    "jpeg": {"format": "JPEG", "subsampling": "4:2:0", "optimize": True},
    "webp": {"format": "WEBP", "method": 4},
    "avif": {"format": "AVIF", "subsampling": "4:2:0", "speed": 9, "max_threads": 1},
}
"""Arguments of Image.save for the defaults of each codec."""
POINTS = [("jpeg", 75), ("jpeg", 30), ("webp", 80), ("webp", 33.3), ("avif", 50), ("avif", 61)]


def plain(codec, image, quality):
    """Return the file and the pixels of an image, by Pillow alone."""
    stream = io.BytesIO()
    Image.fromarray(image.permute(1, 2, 0).numpy()).save(stream, quality=quality, **PLAIN[codec])
    decoded = Image.open(io.BytesIO(stream.getvalue())).convert("RGB")
    return stream.getvalue(), torch.from_numpy(np.array(decoded)).permute(2, 0, 1)


@pytest.mark.parametrize(("codec", "quality"), POINTS)
def test_files_and_pixels_are_those_of_a_plain_loop(pictures, codec, quality):
    images = [image for image, _, _ in pictures(4)]
    coded = compress_guard.compress(images, codec=codec, quality=quality)
    expected = [plain(codec, image, quality) for image in images]
    assert coded.streams == [stream for stream, _ in expected]
    for decoded, (_, pixels) in zip(coded.images, expected, strict=True):
        assert torch.equal(decoded, pixels)
    assert coded.settings == [quality] * 4
    assert coded.bpp == [
        8 * len(stream) / image[0].numel() for image, (stream, _) in zip(images, expected, strict=True)
    ]


@pytest.mark.parametrize(("codec", "quality"), POINTS)
def test_scores_and_rates_are_those_of_a_plain_loop(pictures, spectrum, codec, quality):
    data = pictures(12)
    result = compress_guard.measure(spectrum(), data, codec=codec, quality=quality, max_drop=50, **ASKED)
    bits, right = [], []
    for image, label, _ in data:
        stream, pixels = plain(codec, image, quality)
        bits.append(8 * len(stream) / image[0].numel())
        right.append(int(spectrum()([pixels])[0].argmax()) == label)
    assert result.bpp_mean == pytest.approx(sum(bits) / len(bits), rel=1e-12)
    assert result.score == pytest.approx(100 * sum(right) / len(right))
    assert result.settings == ((float(quality), 12),)
    assert (result.target_bpp, result.target_quality, result.encodes) == (None, float(quality), 1.0)
    assert result.id == f"measure[{codec}-q{quality:g}]"


def test_each_image_is_coded_once_and_not_at_all_the_second_time(pictures, spectrum, diary, tmp_path):
    for encodes in (1.0, 0.0):
        result = compress_guard.measure(
            spectrum(), pictures(8), codec="toy", quality=2.0, cache=tmp_path / "kept", **ASKED
        )
        assert result.encodes == encodes
    assert len(diary.encoded) == 8
    diary.encoded.clear()
    compress_guard.compress([image for image, _, _ in pictures(8)], codec="toy", quality=2.0)
    assert len(diary.encoded) == 8


def test_a_list_is_a_list_of_results_in_its_order(pictures, spectrum):
    results = compress_guard.measure(spectrum(), pictures(8), codec="webp", quality=[80, 20], **ASKED)
    assert [result.target_quality for result in results] == [80.0, 20.0]
    (only,) = compress_guard.measure(spectrum(), pictures(8), codec="webp", quality=(80,), **ASKED)
    assert only.target_quality == 80.0


def test_rates_that_are_stated_come_first(pictures, spectrum):
    results = compress_guard.measure(spectrum(), pictures(8), codec="webp", bpp=1.0, quality=80, **ASKED)
    assert [(result.target_bpp, result.target_quality) for result in results] == [(1.0, None), (None, 80.0)]
    images = [image for image, _, _ in pictures(4)]
    both = compress_guard.compress(images, bpp=[1.0], quality=[75, 30])
    assert [coded.settings for coded in both[1:]] == [[75.0] * 4, [30.0] * 4]
    assert both[0].streams == compress_guard.compress(images, bpp=1.0).streams


def test_the_rate_by_default_does_not_hold_beside_a_quality(pictures, spectrum):
    for bpp in ({}, {"bpp": None}):
        result = compress_guard.measure(spectrum(), pictures(8), codec="webp", quality=80, **ASKED, **bpp)
        assert (result.target_bpp, result.rate, result.rate_tolerance, result.off_target) == (None,) * 4
    assert compress_guard.measure(spectrum(), pictures(8), codec="webp", **ASKED).target_bpp == 0.25


@pytest.mark.parametrize(
    ("codec", "quality", "message"),
    [
        ("jpeg", 101, "101 is no quality of jpeg, which takes whole numbers from 1 to 100; use one of these"),
        ("jpeg", 75.5, "75.5 is no quality of jpeg, which takes whole numbers from 1 to 100; use one of these"),
        (
            "jpeg",
            0.5,
            "0.5 is no quality of jpeg, which takes whole numbers from 1 to 100; use one of these, or give it as a "
            "rate by bpp",
        ),
        ("webp", -1, "-1 is no quality of webp, which takes numbers from 0 to 100; use one of these"),
        ("jpeg", [], "quality is an empty list; give at least one quality"),
        ("jpeg", [75, 75.0], "quality 75.0 is given twice in quality; keep one of them"),
        ("jpeg", True, "quality is True; expected a setting on the codec's own scale, a number"),
        ("jpeg", "75", "quality is '75'; expected a setting on the codec's own scale, a number"),
        ("jpeg", float("nan"), "quality is nan; expected a setting on the codec's own scale, a number"),
        ("jpeg", float("inf"), "quality is inf; expected a setting on the codec's own scale, a number"),
        ("jpeg", [[75]], "quality is [75]; expected a setting on the codec's own scale, a number"),
        ("jpeg", {75}, "quality is {75}; expected a setting on the codec's own scale, a number"),
        ("toy", 77, "77 is no quality of toy, which takes "),
    ],
)
def test_qualities_without_sense(pictures, spectrum, diary, codec, quality, message):
    start = f"^{re.escape(message)}" + ("" if codec == "toy" else "$")
    with pytest.raises(OptionError, match=start):
        compress_guard.measure(spectrum(), pictures(2), codec=codec, quality=quality, **ASKED)
    with pytest.raises(OptionError, match=start):
        compress_guard.compress([image for image, _, _ in pictures(2)], codec=codec, quality=quality)


def test_neither_a_rate_nor_a_quality(pictures, spectrum):
    with pytest.raises(OptionError, match=r"^bpp is None; expected a rate in bits per pixel"):
        compress_guard.measure(spectrum(), pictures(2), bpp=None, **ASKED)
    with pytest.raises(OptionError, match=r"^bpp is None; expected a rate in bits per pixel"):
        compress_guard.compress([image for image, _, _ in pictures(2)], bpp=None)
