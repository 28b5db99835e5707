"""Several rates in one call of `measure` and `compress`, and one image alone."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pytest
import torch
from PIL import Image

import compress_guard
from compress_guard.engine.keyword_guard import one_cell_guard
from compress_guard.errors import CodecError, DataError, OptionError

RATES = [1.0, 0.4, 2.0]
ASKED = {"task": "classification", "codec": "toy", "device": "cpu", "workers": 1}
VARIES = {"seconds", "encodes", "predictions", "check_encodes", "id"}


def values(result):
    return {key: value for key, value in result.as_dict().items() if key not in VARIES}


def test_each_rate_is_measured_as_if_it_were_alone_in_the_order_asked_for(pictures, spectrum):
    asked = {**ASKED, "codec": "webp"}
    several = compress_guard.measure(spectrum(), pictures(8), bpp=RATES, max_drop=50, **asked)
    alone = [compress_guard.measure(spectrum(), pictures(8), bpp=rate, max_drop=50, **asked) for rate in RATES]
    assert [result.target_bpp for result in several] == RATES
    assert len({result.id for result in several}) == len(RATES)
    for one, other in zip(several, alone, strict=True):
        assert one.bpp_mean == pytest.approx(one.target_bpp, rel=0.05)
        assert (one.verdict, one.clean_score, one.max_drop) == (other.verdict, other.clean_score, 50)


def test_one_search_serves_all_rates_and_clean_images_are_predicted_once(pictures, spectrum, diary):
    model = spectrum()
    results = compress_guard.measure(model, pictures(8), bpp=RATES, **ASKED)
    together, shown = len(diary.encoded), len(model.images_seen)
    assert max(Counter(diary.encoded).values()) == 1
    assert sum(result.predictions for result in results) == shown
    # Clean, lossless, among other neighbours and at the end once, and each rate: 7 passes where three calls take 15.
    assert shown == 7 * 8
    diary.encoded.clear()
    for rate in RATES:
        compress_guard.measure(spectrum(), pictures(8), bpp=rate, **ASKED)
    assert together < len(diary.encoded)


def test_a_list_of_one_is_a_list(pictures, spectrum):
    (only,) = compress_guard.measure(spectrum(), pictures(8), bpp=[1.0], **ASKED | {"codec": "webp"})
    assert values(only) == values(compress_guard.measure(spectrum(), pictures(8), bpp=1.0, **ASKED | {"codec": "webp"}))


@pytest.mark.parametrize("rates", [(1.0, 2.0), np.array([1.0, 2.0]), torch.tensor([1.0, 2.0]), iter([1.0, 2.0])])
def test_any_sequence_of_rates_will_do(pictures, rates):
    images = [image for image, _, _ in pictures(2)]
    assert len(compress_guard.compress(images, bpp=rates)) == 2


@pytest.mark.parametrize(
    ("bpp", "message"),
    [
        ([], "bpp is an empty list; give at least one rate"),
        ([0.5, 1, 0.50], "rate 0.5 bpp is given twice in bpp; keep one of them"),
        ([1, 1.0], "rate 1.0 bpp is given twice in bpp; keep one of them"),
        ([0.5, 20], "rate 20 bpp is outside 0.02 to 8; use a rate in that range, or did you mean quality=20?"),
        (["0.5"], "bpp is '0.5'; expected a rate in bits per pixel, a number in 0.02 to 8"),
        ("0.5", "bpp is '0.5'; expected a rate in bits per pixel, a number in 0.02 to 8"),
        ([[0.5]], "bpp is [0.5]; expected a rate in bits per pixel, a number in 0.02 to 8"),
        (None, "bpp is None; expected a rate in bits per pixel, a number in 0.02 to 8"),
        ({0.5, 1.0}, "bpp is {0.5, 1.0}; expected a rate in bits per pixel, a number in 0.02 to 8"),
    ],
)
def test_lists_without_sense(pictures, spectrum, bpp, message):
    with pytest.raises(OptionError, match=f"^{re.escape(message)}$"):
        compress_guard.measure(spectrum(), pictures(2), bpp=bpp, **ASKED | {"codec": "webp"})
    with pytest.raises(OptionError, match=f"^{re.escape(message)}$"):
        compress_guard.compress([image for image, _, _ in pictures(2)], bpp=bpp)


def test_a_rate_that_cannot_be_measured_raises_as_one_alone_does(pictures, spectrum, diary):
    diary.broken = lambda picture, setting: picture == 1
    with pytest.raises(CodecError, match="^1 of 8 images failed"):
        compress_guard.measure(spectrum(), pictures(8), bpp=RATES, **ASKED)


def same(one, other):
    assert (one.streams, one.bpp, one.settings, one.bits) == (other.streams, other.bpp, other.settings, other.bits)
    assert all(a.equal(b) for a, b in zip(one.images, other.images, strict=True))


@pytest.mark.parametrize("rate", ["image", "dataset"])
def test_compress_gives_a_batch_for_each_rate(pictures, rate):
    images = [image for image, _, _ in pictures(6)]
    several = compress_guard.compress(images, codec="webp", bpp=[2.0, 0.5], rate=rate, tolerance=0.1)
    assert [sum(one.bpp) / 6 for one in several] == pytest.approx([2.0, 0.5], rel=0.1)
    assert all(len(one.images) == 6 for one in several)
    (only,) = compress_guard.compress(images, codec="webp", bpp=[2.0], rate=rate)
    same(only, compress_guard.compress(images, codec="webp", bpp=2.0, rate=rate))


def test_compress_searches_once(pictures, diary):
    images = [image for image, _, _ in pictures(6)]
    several = compress_guard.compress(images, codec="toy", bpp=RATES)
    together = list(diary.encoded)
    assert max(Counter(together).values()) == 1
    assert [len(one.streams) for one in several] == [6, 6, 6]
    diary.encoded.clear()
    for rate in RATES:
        compress_guard.compress(images, codec="toy", bpp=rate)
    assert len(together) < len(diary.encoded)


def test_one_image_is_a_batch_of_one(pictures):
    ((image, _, _),) = pictures(1)
    expected = compress_guard.compress([image], bpp=2.0)
    assert len(expected.images) == 1
    pil = Image.fromarray(image.permute(1, 2, 0).numpy())
    for alone in (image, pil, image[None]):
        same(compress_guard.compress(alone, bpp=2.0), expected)
    same(compress_guard.compress(image, bpp=[2.0])[0], expected)
    grey = compress_guard.compress(image[:1], bpp=2.0)
    assert grey.images[0].shape == image.shape


def test_no_images_are_refused_for_several_rates_too():
    with pytest.raises(OptionError, match="^images is an empty batch; expected at least one image to compress$"):
        compress_guard.compress([], bpp=[1.0, 2.0])


@pytest.mark.parametrize(
    ("alone", "found"),
    [
        (torch.zeros(8, 8, dtype=torch.uint8), "a tensor of shape (8, 8) and dtype uint8"),
        (torch.zeros(3, 8, 8), "a tensor of shape (3, 8, 8) and dtype float32"),
        (torch.zeros(2, 1, 3, 8, 8, dtype=torch.uint8), "a tensor of shape (2, 1, 3, 8, 8) and dtype uint8"),
    ],
)
def test_a_tensor_that_is_no_image_is_named_as_a_whole(alone, found):
    with pytest.raises(DataError, match=f"^image is {re.escape(found)}; "):
        compress_guard.compress(alone)


def test_whoever_takes_one_rate_refuses_a_list():
    message = "bpp is [0.5, 1.0]; expected a rate in bits per pixel, a number in 0.02 to 8"
    with pytest.raises(OptionError, match=f"^{re.escape(message)}$"):
        one_cell_guard("speed", task="classification", codec="jpeg", bpp=[0.5, 1.0])
