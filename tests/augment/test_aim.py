"""The choice of a setting that brings an image to a rate: by stored knowledge of a codec, and by new learning."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compress_guard.augment.activity import LOOKS, QUICK, of_tensor
from compress_guard.augment.aim import TABLE, Learning, Learnt, aim_of, entry, table
from compress_guard.codecs.jpeg import Jpeg
from compress_guard.codecs.neural.codec import Neural
from compress_guard.registry import CODECS
from training.rates import CODECS as LEARNT

PIXELS = 256 * 256
WITHOUT = {"command", "zoo", "compressai", "pipeline"}
"""Codecs of whose rates nobody can know before they are there: a program or weights of the user's, and the zoo, whose
few levels are learnt in no time."""


def unasked(setting):
    raise AssertionError("what was learnt is not measured")


def built(name):
    kind, *options = name.split(" ")
    return CODECS.resolve(kind)(**dict(one.split("=") for one in options))


@pytest.mark.parametrize("name", table())
def test_an_entry_of_the_table_is_of_the_codec_that_it_names(name, scenes):
    codec = built(name)
    assert entry(codec) == name
    known = table()[name]
    assert known["settings"] == sorted(set(known["settings"]))
    assert set(known["settings"]) <= set(codec.ladder)
    assert (known["settings"][0], known["settings"][-1]) == (codec.ladder[0], codec.ladder[-1])
    aim = aim_of(codec)
    assert isinstance(aim, Learnt)
    assert aim.features == LEARNT[name][0]
    assert aim.weights.shape == (len(known["settings"]), aim.features)
    assert np.isfinite(aim.weights).all()
    features = of_tensor(scenes[0], aim.features)
    low, high = aim.reach(features, PIXELS)
    assert 0 < low < 0.3
    assert high > 1.5
    for position, bpp in zip(aim.knots, aim.curve(features, PIXELS), strict=True):
        found = codec.ladder.index(aim.setting(features, PIXELS, bpp, unasked))
        # Where a curve does not rise between two knots, either will do.
        assert found == position or aim.curve(features, PIXELS)[np.searchsorted(aim.knots, found)] == bpp


def test_every_codec_that_comes_with_the_package_is_in_the_table_or_is_meant_not_to_be():
    assert {name.split(" ")[0] for name in table()} == set(CODECS) - WITHOUT
    assert set(table()) == set(LEARNT)


def test_a_codec_is_named_by_its_options_that_are_not_the_default():
    assert entry(Jpeg()) == "jpeg"
    assert entry(Jpeg(subsampling="4:2:0")) == "jpeg"
    assert entry(Jpeg(subsampling="4:4:4")) == "jpeg subsampling=4:4:4"
    assert entry(Jpeg(subsampling="4:4:4", progressive=True)) == "jpeg subsampling=4:4:4 progressive=True"


def test_how_bits_are_counted_and_where_a_codec_works_make_no_difference():
    assert entry(Neural(bits="estimated").on("cuda:1")) == "neural"


def test_a_codec_of_other_options_or_another_ladder_is_learnt():
    assert isinstance(aim_of(Jpeg(progressive=True)), Learning)
    known = table()["jpeg"]
    assert Learnt.of(known, [quality for quality in Jpeg().ladder if quality != known["settings"][3]]) is None


def test_a_table_of_other_features_is_refused():
    known = {"header": 0, "settings": [1.0], "weights": [[1.0] * (QUICK + 1)]}
    assert QUICK + 1 not in LOOKS
    message = f"{TABLE} is of other features than these; run python -m training.rates"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        Learnt.of(known, [1.0, 2.0])


@st.composite
def aims(draw):
    """A codec of which something was learnt, and the features and size of an image."""
    steps = draw(st.integers(2, 60))
    ladder = np.cumsum(draw(st.lists(st.floats(0.01, 4), min_size=steps, max_size=steps)))
    inner = draw(st.sets(st.integers(0, steps - 1), max_size=8))
    knots = np.array(sorted({0, steps - 1, *inner}), np.float64)
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    weights = rng.normal(0, 0.2, (len(knots), QUICK))
    weights[:, -1] = np.linspace(-4, 3, len(knots)) + rng.normal(0, draw(st.sampled_from([0.0, 1.0, 4.0])), len(knots))
    features = np.append(rng.normal(0, 1, QUICK - 1), 1).astype(np.float32)
    return Learnt(float(draw(st.integers(0, 400))), ladder, knots, weights), features, draw(st.integers(1, 10**6))


@settings(deadline=None)
@given(known=aims(), bpp=st.lists(st.floats(0.02, 8), min_size=2, max_size=20))
def test_a_higher_rate_never_takes_a_lower_setting(known, bpp):
    aim, features, pixels = known
    found = [aim.setting(features, pixels, one, unasked) for one in sorted(bpp)]
    assert found == sorted(found)
    assert set(found) <= set(aim.ladder.tolist())


@settings(deadline=None)
@given(known=aims(), beyond=st.floats(1.001, 50))
def test_what_lies_beyond_reach_takes_the_end_of_the_ladder(known, beyond):
    aim, features, pixels = known
    low, high = aim.reach(features, pixels)
    assert low <= high
    assert aim.setting(features, pixels, low / beyond, unasked) == aim.ladder[0]
    assert aim.setting(features, pixels, high * beyond, unasked) == aim.ladder[-1]


@settings(deadline=None)
@given(known=aims())
def test_no_image_takes_less_than_the_header(known):
    aim, features, pixels = known
    curve = aim.curve(features, pixels)
    assert (np.diff(curve) >= 0).all()
    assert curve[0] > 8 * aim.header / pixels


def test_between_two_knots_the_nearest_step_of_the_ladder_is_taken():
    """On a ladder of eleven steps, an octave each."""
    weights = np.zeros((2, QUICK))
    weights[:, -1] = (-5, 5)
    aim = Learnt(0.0, np.arange(11.0), np.array([0.0, 10.0]), weights)
    flat = np.eye(QUICK)[-1].astype(np.float32)
    found = [aim.setting(flat, PIXELS, 2.0**octave, unasked) for octave in (-1.4, -0.6, 0.0, 0.4, 0.6, 2.9)]
    assert found == [4.0, 4.0, 5.0, 5.0, 6.0, 8.0]


class Made:
    """A codec's rates for images that differ by one feature: 2 ** (steps of the ladder / 20 + that feature)."""

    ladder = tuple(float(step) for step in range(1, 161))

    def __init__(self):
        self.asked = 0

    @staticmethod
    def image(seed):
        rng = np.random.default_rng(seed)
        busy = rng.uniform(-1, 1)
        return np.array([0, 1, *np.linspace(0, -8, 11) + busy, 1], np.float32), busy

    def rate(self, setting, busy):
        self.asked += 1
        return 2 ** (self.ladder.index(setting) / 20 - 5 + busy)


def taught(images, bpp=0.5):
    """Return the distance of images from their rate, in octaves, and the measurements of each."""
    made, aim = Made(), Learning(Made.ladder)
    misses, asked = [], []
    for seed in range(images):
        features, busy = made.image(seed)
        before = made.asked
        setting = aim.setting(features, PIXELS, bpp, lambda setting, busy=busy: made.rate(setting, busy))  # type: ignore[misc]  # its default binds the value of the loop
        asked.append(made.asked - before)
        found = 2 ** (Made.ladder.index(setting) / 20 - 5 + busy)
        aim.saw(features, setting, found)
        misses.append(abs(math.log2(found / bpp)))
    return misses, asked


def test_the_first_eight_images_are_searched_and_no_later_one():
    _, asked = taught(30)
    assert max(asked[:8]) == 6
    assert min(asked[:8]) > 1
    assert asked[8:] == [0] * 22


def test_what_is_learnt_of_the_first_images_holds_for_the_others():
    """In octaves, of which a step of this ladder is a twentieth: 0.064 after six probes, then half a step."""
    misses, _ = taught(60)
    assert max(misses[:8]) <= 0.1
    assert max(misses[8:]) <= 0.05


def test_learning_hangs_on_nothing_but_the_images():
    assert taught(20) == taught(20)


def test_a_ladder_of_one_setting_is_learnt_too():
    aim = Learning([7.0])
    features, _ = Made.image(0)
    for _ in range(12):
        assert aim.setting(features, PIXELS, 1.0, lambda setting: 0.3) == 7.0
        aim.saw(features, 7.0, 0.3)
    assert aim.reach(features, PIXELS) == (0.0, math.inf)
