"""Cells that compare decoders beside what else a guard may have: groups, slices, qualities."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from compress_guard.codecs.jpeg import Jpeg
from compress_guard.records import Cell, CodecSpec, Grouping, Guard, OperatingPoint, Quality, Rate, SliceLimit, Slicing
from compress_guard.thresholds.keys.decoders import Decoders, with_decoders
from compress_guard.verdict.grouped import clustered
from compress_guard.verdict.grouped.groups import Groups
from compress_guard.verdict.paired import drop_interval

COUNT = 24

pytestmark = pytest.mark.usefixtures("soft")


def guard_at(point: OperatingPoint, limit: float | None = None, slices=(), **keys) -> Guard:
    cell = Cell("toys", CodecSpec("jpeg", "jpeg"), point, 100.0, None, None, 1, slice_limits=tuple(slices))
    plain, other = with_decoders(None, (cell,), Decoders(("pillow", "soft"), 1), None, own=False)
    cells = (plain, replace(other, max_decoder_drop=limit))
    return Guard("toys", "classification", "top1", "m:model", "m:data", cells, **keys)


def right(evidence) -> Any:
    return np.array([item["predicted"] == item["target"] for item in evidence.items])


def by_quarter(target, image_id):
    """Put textures 0 to 3, 4 to 7 and so on together."""
    return str(int(image_id[1:]) // 4)


def test_the_interval_between_decoders_resamples_groups(make_world, pictures, spectrum):
    data = pictures(COUNT)
    guard = guard_at(Rate(1.3), limit=20.0)
    grouped = replace(guard, groups=Grouping("quarters", by_quarter))
    cells = make_world(grouped, spectrum(), data).run()
    first, other = cells["jpeg-1.3bpp"], cells["jpeg-1.3bpp-soft"]
    alone = make_world(guard, spectrum(), data, folder="other", run="alone").run()["jpeg-1.3bpp-soft"].result
    groups = Groups.of([at // 4 for at in range(COUNT)])
    between = clustered.drop_interval(right(first.evidence), right(other.evidence), groups, 0.95)
    result = other.result
    assert result.decoder_drop > 10, "the decoder is to matter in this test"
    assert (result.decoder_drop, result.decoder_drop_low, result.decoder_drop_high) == pytest.approx(
        (between.value, between.low, between.high)
    )
    from_clean = clustered.drop_interval(right(other.clean_evidence), right(other.evidence), groups, 0.95)
    assert (result.drop, result.drop_low, result.drop_high) == pytest.approx(
        (from_clean.value, from_clean.low, from_clean.high)
    )
    effect = clustered.drop_effect(right(first.evidence), right(other.evidence), groups)
    assert result.design_effect == pytest.approx(effect), "the design effect is that of the drop which is judged"
    assert (result.groups, alone.groups, alone.decoder_drop) == (6, None, result.decoder_drop)
    assert result.decoder_drop_low < alone.decoder_drop_low
    assert ": jpeg at 1.3 bpp, decoded by soft instead of pillow, 24 images in 6 groups" in result.reason


def test_early_stop_between_decoders_counts_groups(make_world, pictures, spectrum):
    guard = guard_at(
        Rate(1.3), limit=1.0, groups=Grouping("pairs", lambda target, image_id: str(int(image_id[1:]) // 2))
    )
    world = make_world(guard, spectrum(), pictures(240), early_stop=True)
    result = world.run([1])["jpeg-1.3bpp-soft"].result
    assert (result.verdict, result.stopped_early) == ("fail", True)
    assert result.images_used == 2 * result.groups < 240
    assert result.decoder_drop_low > 1.0


def test_slices_of_a_cell_by_another_decoder_are_those_of_its_own_drop(make_world, pictures, spectrum):
    """Slices tell which images lose by this decoder from the clean ones; the first decoder's cell judges them."""
    guard = guard_at(
        Rate(1.3), limit=100.0, slices=[SliceLimit("class", None, 100.0)], slicings=(Slicing("class", "label"),)
    )
    data = pictures(COUNT)
    cells = make_world(guard, spectrum(), data).run()
    first, other = cells["jpeg-1.3bpp"], cells["jpeg-1.3bpp-soft"]
    assert {one.max_drop for one in first.result.slices} == {100.0}
    clean, decoded = right(other.clean_evidence), right(other.evidence)
    labels = np.array([label for _, label, _ in data])
    assert [one.value for one in other.result.slices] == ["0", "1", "2", "3"]
    for one in other.result.slices:
        part = labels == int(one.value)
        assert (one.images, one.verdict, one.max_drop) == (COUNT // 4, "unjudged", None)
        assert one.score == pytest.approx(100 * decoded[part].mean())
        assert one.drop == pytest.approx(100 * (clean[part].mean() - decoded[part].mean()))
    assert len({one.drop for one in other.result.slices}) > 1, "this decoder takes more of some classes than of others"
    assert other.result.verdict == "pass"
    # Slices without limits take nothing from the confidence between decoders.
    assert (other.result.confidence, first.result.confidence) == (0.95, pytest.approx(1 - 0.05 / 5))


def test_a_quality_by_two_decoders_is_what_a_plain_loop_gives(make_world, pictures, spectrum, soft):
    data, model = pictures(COUNT), spectrum()
    cells = make_world(guard_at(Quality(30.0), limit=100.0), model, data).run()
    plain, other = cells["jpeg-q30"].result, cells["jpeg-q30-soft"].result
    streams = Jpeg().encode([image for image, _, _ in data], [30.0] * COUNT)
    decoded = Jpeg().decode(streams)

    one, two = (model.right(images, data) for images in (decoded, [soft.image(image) for image in decoded]))
    assert plain.score == pytest.approx(100 * one.mean())
    assert other.score == pytest.approx(100 * two.mean())
    interval = drop_interval(COUNT, int((one & ~two).sum()), int((two & ~one).sum()), 0.95)
    assert (other.decoder_drop, other.decoder_drop_low, other.decoder_drop_high) == pytest.approx(
        (interval.value, interval.low, interval.high)
    )
    bpp = [
        8 * len(stream) / (image.shape[-2] * image.shape[-1])
        for stream, (image, _, _) in zip(streams, data, strict=True)
    ]
    assert other.bpp_mean == plain.bpp_mean == pytest.approx(np.mean(bpp), rel=1e-12)
    assert (other.target_quality, other.target_bpp, other.settings) == (30.0, None, ((30.0, COUNT),))
    assert (plain.encodes, other.encodes, other.predictions) == (pytest.approx(1.0, abs=1e-12), 0, COUNT)
    assert other.reason.endswith(": jpeg at quality 30, decoded by soft instead of pillow, 24 images")


def test_identical_pixels_are_named_and_judged_by_their_interval(make_world, pictures, spectrum, soft):
    """No difference on 24 images leaves room for one among others, so that the cell is not decided at 2 points."""
    soft.become(lambda images: images)
    result = make_world(guard_at(Quality(30.0), limit=2.0), spectrum(), pictures(COUNT)).run()["jpeg-q30-soft"].result
    interval = drop_interval(COUNT, 0, 0, 0.95)
    assert (result.decoder_difference_max, result.decoder_drop, result.verdict) == (0, 0.0, "inconclusive")
    assert (result.decoder_drop_low, result.decoder_drop_high) == pytest.approx((interval.low, interval.high))
    assert ": jpeg at quality 30, decoded by soft instead of pillow to identical pixels, 24 images" in result.reason
    assert (
        make_world(guard_at(Quality(30.0), limit=20.0), spectrum(), pictures(COUNT), folder="wide", run="wide")
        .run()["jpeg-q30-soft"]
        .result.verdict
        == "pass"
    )
