"""Training with codecs that keep metadata: what a picture carries counts in the rate that was drawn."""

from __future__ import annotations

import pytest
from PIL import Image

from compress_guard.augment.aim import entry
from compress_guard.augment.roundtrip import RateRange, RoundTrip
from compress_guard.codecs.jpeg import Jpeg
from compress_guard.codecs.pillow import PillowCodec


@pytest.mark.parametrize("chance", [0.0, 0.3, 1.0])
def test_the_pixels_get_what_metadata_leave_of_the_drawn_rate(chance) -> None:
    rates = RateRange(0.2, 2.0)
    assert rates.beside(0.1).at(chance) == pytest.approx(rates.at(chance) - 0.1)
    assert RateRange(0.5, 0.5, [0.5]).beside(0.2).at(chance) == pytest.approx(0.3)
    assert rates.beside(0.0) is rates


def test_metadata_beyond_the_range_leave_next_to_nothing() -> None:
    assert 0 < RateRange(0.2, 2.0).beside(3.0).at(0.5) < 1e-3


def test_the_reach_of_a_codec_is_that_of_its_pixels() -> None:
    rates = RateRange(0.2, 2.0).beside(0.5)
    assert rates.at(0.0, (0.1, 1.0)) == pytest.approx(0.1)
    assert rates.at(1.0, (0.1, 1.0)) == pytest.approx(1.0)


def test_the_option_has_no_entry_of_its_own_in_the_table() -> None:
    assert entry(Jpeg(metadata="keep")) == entry(Jpeg()) == "jpeg"


@pytest.mark.parametrize("options", [{}, {"optimize": False}], ids=["table", "learning"])
def test_a_picture_with_a_profile_is_coded_at_a_lower_setting(options, monkeypatch) -> None:
    noise = Image.effect_noise((160, 120), 60).convert("RGB")
    planted = noise.copy()
    planted.info["icc_profile"] = bytes(2000)
    asked = []
    write = PillowCodec._encode_picture

    def encode_picture(self, at, count, image, setting, *metadata):
        asked.append(setting)
        return write(self, at, count, image, setting, *metadata)

    def passed(self, image, setting):
        asked.append(setting)
        return image

    monkeypatch.setattr(PillowCodec, "_encode_picture", encode_picture)
    monkeypatch.setattr(PillowCodec, "passed", passed)
    last = []
    for picture, metadata in ((noise, "keep"), (planted, "keep"), (planted, "strip")):
        trip = RoundTrip(Jpeg(metadata=metadata, **options))
        trip.picture(picture, RateRange(2.0, 2.0), 0.5)
        last.append(asked[-1])
    assert last[1] < last[0] == last[2]
