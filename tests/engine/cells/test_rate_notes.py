"""The rate in a result: over the images used, with its tolerance, and over the images that were surveyed."""

from __future__ import annotations

import struct
import zlib
from statistics import fmean, stdev

import numpy as np
import pytest
import torch

from compress_guard.engine.cells import cell_pass
from compress_guard.engine.images import reader
from compress_guard.engine.images.survey import passes
from compress_guard.report import plain
from compress_guard.report.notes.lines import notes
from compress_guard.store import Store

# Images that are lost


@pytest.fixture
def batches(monkeypatch):
    """Return the list that every batch is added to when the bench has coded it."""
    right, made = cell_pass.coded_batch, []

    def coded_batch(*arguments):
        made.append(right(*arguments))
        return made[-1]

    monkeypatch.setattr(cell_pass, "coded_batch", coded_batch)
    return made


@pytest.mark.parametrize("part", ["refuse", "broken", "grown"])
def test_the_rate_of_a_result_is_that_of_the_images_used(
    part, pictures, spectrum, diary, make_guard, make_world, batches
):
    data = pictures(10)
    setattr(diary, part, lambda picture, setting: picture in (1, 6))
    result = make_world(make_guard(max_error_share=0.5), spectrum(4), data).only().result
    size = {name: image[0].numel() for image, _, name in data}
    used = {name: bpp for batch in batches for name, bpp in zip(batch.ids, batch.bpp, strict=True)}
    assert sorted(used) == [f"t{at:02d}" for at in range(10) if at not in (1, 6)]
    assert (result.images_used, result.errors) == (8, 2)
    assert result.bpp_mean == pytest.approx(fmean(used.values()))
    assert result.bpp_se == pytest.approx(stdev(used.values()) / 8**0.5)
    assert result.bpp_pooled == pytest.approx(
        sum(bpp * size[name] for name, bpp in used.items()) / sum(size[name] for name in used)
    )
    assert sum(count for _, count in result.settings) == 8


def test_images_that_a_decoder_loses_cost_what_they_cost(pictures, spectrum, diary, make_guard, make_world):
    guard, data = make_guard(max_error_share=0.5), pictures(10)
    whole = make_world(guard, spectrum(), data, folder="whole").only().result
    diary.broken = lambda picture, setting: picture in (1, 6)
    torn = make_world(guard, spectrum(), data, folder="torn").only().result
    assert torn.encodes == whole.encodes
    assert torn.bpp_mean != whole.bpp_mean


# Rates that are missed


def test_a_rate_that_few_images_cannot_mix_is_recorded_and_said(pictures, spectrum, make_guard, make_world):
    guard = make_guard(("webp",), (1.0,), rate_tolerance=0.0001)
    result = make_world(guard, spectrum(), pictures(2)).only().result
    miss = result.bpp_mean / 1.0 - 1
    assert result.verdict in ("pass", "fail", "inconclusive")
    assert result.rate_tolerance == 0.0001 < abs(miss)
    assert (
        f"toys: webp at 1 bpp has a mean of {result.bpp_mean:.3g} ({100 * miss:+.1f} %), tolerance 0.01 %: too few "
        "images to mix two settings finely"
    ) in plain(notes([result]))


def test_a_rate_that_is_met_needs_no_word(pictures, spectrum, make_guard, make_world):
    result = make_world(make_guard(("webp",), (1.0,)), spectrum(), pictures(16)).only().result
    assert result.rate_tolerance == 0.02 >= abs(result.bpp_mean - 1)
    assert "mean of" not in plain(notes([result]))


# Images that change


class Flipping:
    """Flips a picture now and then, by a seeded coin, when it is read; the pixel with its number stays in place."""

    def __init__(self, rows):
        self.rows, self.coins, self.first = rows, torch.Generator().manual_seed(0), {}

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, index):
        image, label, name = self.rows[index]
        if torch.rand(1, generator=self.coins) < 0.05:
            image = image.flip(-1)
            image[0, 0, 0] = index
        self.first.setdefault(index, image)
        return image, label, name


def test_a_data_set_that_flips_at_random_is_an_error_and_spoils_no_store(
    pictures, spectrum, diary, make_guard, make_world, monkeypatch
):
    right, stored = Store._put, []

    def put(self, outer, name, payload, kind):
        stored.extend([payload] if kind == "streams" else [])
        return right(self, outer, name, payload, kind)

    monkeypatch.setattr(Store, "_put", put)
    monkeypatch.setattr(reader, "KEPT_BYTES", 0)
    # As where the second look at a few images happens to find them as they were.
    monkeypatch.setattr(passes, "read_again", lambda *arguments: 0)
    # One size, so that nothing but the pixels tells.
    data = Flipping(pictures(40, ((96, 96),)))
    world = make_world(make_guard(rates=(8.0, 12.0), options=(("exact", True),)), spectrum(), data)
    for measured in world.run().values():
        result = measured.result
        assert (result.verdict, result.outcome, result.score) == ("error", "failed", None)
        assert "gives different pixels each time it is read; expected the same image every time" in result.reason
    assert stored
    for stream in stored:
        number = struct.unpack("<BHHB", stream[:6])[3]
        pixels = np.frombuffer(zlib.decompressobj().decompress(stream[6:]), dtype=np.uint8).reshape(3, 96, 96)
        assert np.array_equal(pixels, data.first[number].numpy())
