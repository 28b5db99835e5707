"""Strategies for tests of others: what they draw is what the package takes."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest
import torch
from hypothesis import HealthCheck, find, given
from hypothesis import settings as limits
from hypothesis import strategies as st

from compress_guard import compress, strategies
from compress_guard.codecs.jpeg import Jpeg
from compress_guard.errors import OptionError
from compress_guard.registry import CODECS


@given(strategies.images(2, 40))
def test_images_are_what_codecs_and_models_take(image):
    assert (image.dtype, image.ndim, image.shape[0]) == (torch.uint8, 3, 3)
    assert all(2 <= side <= 40 for side in image.shape[1:])


@limits(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(strategies.images(8, 24), strategies.settings("jpeg"))
def test_each_image_can_be_coded_at_each_setting(image, setting):
    made = compress([image], codec="jpeg", quality=setting)
    assert made.images[0].shape == image.shape
    assert list(made.settings) == [setting]


def test_a_failing_image_shrinks_to_the_smallest_of_the_first_look():
    image = find(strategies.images(3, 64), lambda image: True)
    assert image.shape == (3, 3, 3)
    assert len(image.flatten(1).unique(dim=1)[0]) == 1


@pytest.mark.parametrize("look", ["flat", "gradient", "smooth", "edges", "noise"])
def test_each_look_has_images_that_differ(look):
    seen = []
    find(strategies.images(16, 16, (look,)), lambda image: seen.append(image) or len(seen) > 5)
    assert any(not torch.equal(image, seen[0]) for image in seen)


@given(strategies.rates(0.25, 0.5), strategies.rates())
def test_rates_lie_in_their_range(narrow, usual):
    assert 0.25 <= narrow <= 0.5
    assert 0.1 <= usual <= 2


def test_codecs_are_those_that_work_here_with_those_of_others(monkeypatch):
    class Mine(Jpeg):
        pass

    monkeypatch.setitem(CODECS._targets, "mine", "nowhere:mine")
    monkeypatch.setitem(CODECS._found, "mine", Mine)
    assert find(strategies.codecs(), "mine".__eq__) == "mine"
    names = strategies._working()
    assert {"jpeg", "mine", "webp"} <= set(names)
    assert "command" not in names
    assert "pipeline" not in names


def test_settings_are_those_of_the_ladder():
    drawn = set()

    @limits(database=None)
    @given(st.data())
    def draw(data):
        drawn.add(data.draw(strategies.settings(Jpeg())))

    draw()
    assert drawn <= {float(setting) for setting in Jpeg().ladder}
    assert len(drawn) > 10


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: strategies.images(0), "sides are 0 to 64 pixels; expected whole numbers from 1 to 4096"),
        (lambda: strategies.images(9, 8), "sides are 9 to 8 pixels; expected whole numbers from 1 to 4096"),
        (
            lambda: strategies.images(looks=("odd",)),
            "looks are ('odd',); expected some of flat, gradient, smooth, edges, noise",
        ),
        (lambda: strategies.rates(0.001), "rates are 0.001 to 2.0 bpp; expected a range within 0.02 to 8"),
    ],
)
def test_arguments_that_make_no_sense(make, message):
    with pytest.raises(OptionError) as caught:
        make()
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "make", [strategies.images, strategies.rates, strategies.codecs, lambda: strategies.settings("jpeg")]
)
def test_without_hypothesis_the_extra_is_named(make, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError) as caught:
        make()
    assert str(caught.value) == (
        "compress_guard.strategies needs hypothesis, which is not installed; pip install 'compress-guard[strategies]'"
    )


def test_hypothesis_is_imported_on_first_use():
    code = "import sys, compress_guard.strategies; print('hypothesis' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "False"
