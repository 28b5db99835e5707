"""Cells that compare decoders: the same streams by two of them, against a plain loop over both."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from compress_guard.codecs.jpeg import Jpeg
from compress_guard.records import Cell, CodecSpec, Fingerprint, Guard, Rate
from compress_guard.thresholds.keys.decoders import Decoders, with_decoders
from compress_guard.verdict.paired import drop_interval

COUNT = 24
RATE = 1.3

pytestmark = pytest.mark.usefixtures("soft")


@pytest.fixture
def make_compared(make_guard):
    """A guard of JPEG cells by these decoders."""

    def make(names=("pillow", "soft"), rates=(RATE,), limit=None, **keys: Any) -> Guard:
        guard = make_guard(("jpeg",), rates, **keys)
        cells = []
        for cell in guard.cells:
            plain, *others = with_decoders(None, (cell,), Decoders(tuple(names), 1), None, own=False)
            cells += [plain, *(replace(other, max_decoder_drop=limit) for other in others)]
        return replace(guard, cells=tuple(cells))

    return make


def test_ids_name_the_decoders_behind_the_first(make_compared):
    guard = make_compared(("pillow", "opencv", "soft"), (0.5, 1.0))
    assert [cell.name for cell in guard.cells] == [
        f"toys[jpeg-{rate}bpp{behind}]" for rate in ("0.5", "1.0") for behind in ("", "-opencv", "-soft")
    ]
    assert guard.rates("jpeg") == (0.5, 1.0)
    assert guard.points("jpeg") == (Rate(0.5), Rate(1.0))
    assert (guard.decoder, guard.cells[1].against.label) == ("pillow", "jpeg-0.5bpp")


def test_scores_and_drops_are_those_of_a_plain_loop(pictures, spectrum, make_compared, make_world, honest, soft):
    data, model = pictures(COUNT), spectrum()
    world = make_world(make_compared(limit=100.0), model, data)
    plain, other = (measured.result for measured in world.run().values())
    decoded = Jpeg().decode(honest("jpeg", data).streams(other))
    clean = model.right([image for image, _, _ in data], data)
    first = model.right(decoded, data)
    second = model.right([soft.image(image) for image in decoded], data)
    assert 100 * np.mean(first) == pytest.approx(plain.score)
    assert 100 * np.mean(second) == pytest.approx(other.score)
    assert 100 * (np.mean(clean) - np.mean(second)) == pytest.approx(other.drop)
    assert 100 * (np.mean(first) - np.mean(second)) == pytest.approx(other.decoder_drop)
    assert other.decoder_drop > 10, "the decoder is to matter in this test"
    lost = sum(one and not two for one, two in zip(first, second, strict=True))
    gained = sum(two and not one for one, two in zip(first, second, strict=True))
    interval = drop_interval(COUNT, lost, gained, 0.95)
    assert (other.decoder_drop_low, other.decoder_drop_high) == pytest.approx((interval.low, interval.high))
    levels = [(soft.image(image).int() - image.int()).abs().double() for image in decoded]
    assert other.decoder_difference_max == max(int(each.max()) for each in levels)
    assert other.decoder_difference_mean == pytest.approx(np.mean([float(each.mean()) for each in levels]))
    assert (other.decoder, other.first_decoder, other.decoder_version) == ("soft", "pillow", "soft 1")
    assert (plain.decoder, plain.first_decoder, plain.decoder_version) == ("pillow", None, Jpeg().version)
    assert (plain.decoder_drop, plain.decoder_difference_max, plain.max_decoder_drop) == (None, None, None)
    assert plain.codec_version == other.codec_version == Jpeg().version


def test_streams_are_shared_and_work_is_counted(pictures, spectrum, make_compared, make_world):
    data, model = pictures(COUNT), spectrum()
    alone = make_world(make_compared(("pillow",)), spectrum(), data, folder="other", run="alone").only().result
    world = make_world(make_compared(("pillow", "soft", "opencv")), model, data)
    plain, soft_one, opencv = (measured.result for measured in world.run().values())
    assert plain.encodes == alone.encodes > 0
    assert (soft_one.encodes, opencv.encodes) == (0, 0)
    assert (plain.predictions, soft_one.predictions, opencv.predictions) == (alone.predictions, COUNT, COUNT)
    assert plain.bpp_mean == soft_one.bpp_mean == opencv.bpp_mean == alone.bpp_mean
    assert (plain.score, plain.drop, plain.verdict) == (alone.score, alone.drop, alone.verdict)


def test_opencv_gives_the_pixels_of_pillow(pictures, spectrum, make_compared, make_world):
    world = make_world(make_compared(("pillow", "opencv"), limit=0.0), spectrum(), pictures(COUNT))
    plain, other = (measured.result for measured in world.run().values())
    assert (other.decoder_drop, other.decoder_difference_max, other.decoder_difference_mean) == (0, 0, 0)
    assert (other.score, other.psnr_mean) == (plain.score, plain.psnr_mean)


def test_a_comparison_alone_gives_the_same_result(pictures, spectrum, make_compared, make_world):
    """A cell that runs alone, as with -k soft, predicts what the first decoder gives, with the same result."""
    data, guard = pictures(COUNT), make_compared(limit=5.0)
    together = make_world(guard, spectrum(), data).run()["jpeg-1.3bpp-soft"].result
    alone = make_world(guard, spectrum(), data, folder="other", run="alone").run([1])["jpeg-1.3bpp-soft"].result
    work = ("encodes", "predictions", "seconds")
    told = [{key: value for key, value in each.as_dict().items() if key not in work} for each in (together, alone)]
    assert told[0] == told[1]
    assert alone.encodes > 0
    # Clean images, those of the control, and both decoders.
    assert alone.predictions - together.predictions == alone.predictions - COUNT
    assert alone.predictions >= 3 * COUNT


@pytest.mark.parametrize(
    ("limit", "verdict", "outcome"),
    [(100.0, "pass", "passed"), (1.0, "fail", "failed"), (None, "unjudged", "skipped")],
)
def test_the_verdict_rests_on_the_limit_between_decoders(
    limit, verdict, outcome, pictures, spectrum, make_compared, make_world
):
    guard = make_compared(limit=limit, max_drop=0.0, min_score=100.0)
    result = make_world(guard, spectrum(), pictures(96)).run([1])["jpeg-1.3bpp-soft"].result
    assert (result.verdict, result.outcome) == (verdict, outcome)
    assert (result.max_drop, result.min_score, result.max_decoder_drop) == (None, None, limit)


def test_what_a_verdict_says(pictures, spectrum, make_compared, make_world):
    guard = make_compared(limit=1.0)
    result = make_world(guard, spectrum(), pictures(96)).run([1])["jpeg-1.3bpp-soft"].result
    by_first = result.score + result.decoder_drop
    assert result.reason == (
        f"top1 fell by {result.decoder_drop:.1f} points ({by_first:.1f} to {result.score:.1f}, 95 % interval "
        f"{result.decoder_drop_low:.1f} to {result.decoder_drop_high:.1f}), allowed 1.0: jpeg at 1.3 bpp, decoded by "
        f"soft instead of pillow, 96 images"
    )


def test_an_inconclusive_comparison_is_settled_by_its_own_drop(pictures, spectrum, make_compared, make_world):
    from compress_guard.records import Policy

    for limit, outcome in ((20.0, "failed"), (50.0, "passed")):
        guard = make_compared(limit=limit, policy=Policy(on_inconclusive="point"))
        world = make_world(guard, spectrum(), pictures(12), folder=f"s{limit}")
        result = world.run([1])["jpeg-1.3bpp-soft"].result
        assert result.decoder_drop_low < limit < result.decoder_drop_high
        assert (result.verdict, result.outcome, result.settled_by) == ("inconclusive", outcome, "point")
        assert result.images_needed is None or result.images_needed > 12


def test_another_first_decoder_serves_the_plain_cells(pictures, spectrum, make_compared, make_world):
    data, model = pictures(COUNT), spectrum()
    swapped = make_world(make_compared(("soft", "pillow"), limit=50.0), model, data)
    plain, other = (measured.result for measured in swapped.run().values())
    before = make_world(make_compared(limit=50.0), spectrum(), data, folder="other", run="other").run().values()
    first, second = (measured.result for measured in before)
    assert (plain.score, other.score) == (second.score, first.score)
    assert other.decoder_drop == pytest.approx(-second.decoder_drop)
    assert (plain.decoder, plain.decoder_version, other.first_decoder) == ("soft", "soft 1", "soft")
    assert other.decoder_version == Jpeg().version


def test_a_comparison_stops_early(pictures, spectrum, make_compared, make_world):
    data = pictures(240)
    guard = make_compared(limit=1.0)
    world = make_world(guard, spectrum(), data, early_stop=True)
    plain, other = (measured.result for measured in world.run().values())
    assert other.verdict == "fail"
    assert other.stopped_early
    assert other.images_used < 240
    assert other.decoder_drop_low > 1.0
    alone = make_world(guard, spectrum(), data, early_stop=True, folder="other", run="alone")
    again = alone.run([1])["jpeg-1.3bpp-soft"].result
    assert (again.decoder_drop, again.images_used, again.verdict) == (other.decoder_drop, other.images_used, "fail")
    assert plain.images_used is not None


# Decoders at fault


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (lambda images: [image.flip(0) for image in images], "when read as BGR"),
        (lambda images: [image.flip(2) for image in images], "mirrored"),
        (lambda images: [image.roll(3, 2) for image in images], "when moved 3 pixels left"),
        (lambda images: [image[:, 1:] for image in images], "not to the"),
        (lambda images: [image.float() for image in images], "values of float32; expected a uint8 tensor (3, H, W)"),
        (lambda images: images[:-1], "images for"),
    ],
    ids=["channels", "mirror", "shift", "size", "dtype", "count"],
)
def test_a_decoder_at_fault_is_no_regression_of_the_model(
    fault, message, coloured, spectrum, make_compared, make_world, soft
):
    soft.become(fault)
    world = make_world(make_compared(limit=5.0, rates=(2.0,)), spectrum(), coloured(12))
    plain, other = (measured.result for measured in world.run().values())
    assert plain.verdict == "pass"
    assert (other.verdict, other.outcome) == ("codec_error", "failed")
    assert message in other.reason
    assert (other.score, other.decoder_drop) == (None, None)


def test_a_decoder_that_breaks_one_image_of_many(coloured, spectrum, make_compared, make_world, soft):
    """No check of a sample would find it; the other decoder of the same stream does."""
    broken = coloured(12)[5][0]

    def break_one(images):
        near = [float((image.int() - broken.int()).abs().float().mean()) < 20 for image in images]
        return [image.roll(40, 1) if hit else image for image, hit in zip(images, near, strict=True)]

    soft.become(break_one)
    world = make_world(make_compared(limit=5.0, rates=(2.0,)), spectrum(), coloured(12))
    other = world.run([1])["jpeg-2.0bpp-soft"].result
    assert other.verdict == "codec_error"
    assert other.reason.startswith("image c05 at setting ")
    assert "of jpeg: the decoder soft brings it to " in other.reason
    assert other.reason.endswith(" dB; the decoder is at fault, so the model was not judged")


def test_a_first_decoder_at_fault_is_found_by_the_comparison_alone(coloured, spectrum, make_compared, make_world, soft):
    soft.become(lambda images: [image.flip(0) for image in images])
    world = make_world(make_compared(("soft", "pillow"), limit=5.0, rates=(2.0,)), spectrum(), coloured(12))
    other = world.run([1])["jpeg-2.0bpp-pillow"].result
    assert other.verdict == "codec_error"


@pytest.mark.parametrize("order", [("pillow", "soft"), ("soft", "pillow")])
def test_images_that_a_decoder_loses_count_as_errors(order, pictures, spectrum, make_compared, make_world, soft):
    data = pictures(12, ((96, 96),))
    lost = data[3][0]

    def lose_one(images):
        from compress_guard.errors import CodecError

        if any(float((image.int() - lost.int()).abs().float().mean()) < 8 for image in images):
            raise CodecError("soft does not like this one")
        return images

    soft.become(lose_one)
    strict = make_world(make_compared(order, limit=5.0, rates=(2.0,)), spectrum(), data)
    result = strict.run([1])[f"jpeg-2.0bpp-{order[1]}"].result
    assert (result.verdict, result.errors, result.error_ids) == ("codec_error", 1, ("t03",))
    guard = make_compared(order, limit=50.0, rates=(2.0,), max_error_share=0.1)
    lenient = make_world(guard, spectrum(), data, folder="other", run="other")
    result = lenient.run([1])[f"jpeg-2.0bpp-{order[1]}"].result
    assert (result.errors, result.images_used, result.decoder_drop) == (1, 11, 0)


@pytest.mark.parametrize("order", [("pillow", "soft"), ("soft", "pillow")])
@pytest.mark.parametrize(("policy", "outcome"), [("fail", "failed"), ("skip", "skipped")])
def test_a_decoder_that_is_not_installed(order, policy, outcome, pictures, spectrum, make_compared, make_world, soft):
    from compress_guard.records import Policy

    soft.uninstall()
    guard = make_compared(order, limit=5.0, policy=Policy(on_unavailable=policy))
    results = [measured.result for measured in make_world(guard, spectrum(), pictures(12)).run().values()]
    needing = results if order[0] == "soft" else results[1:]
    for result in needing:
        assert (result.verdict, result.outcome) == ("unavailable", outcome)
        assert result.reason.startswith("the decoder soft: soft is not installed; pip install soft")
        assert not result.encodes


# Evidence of earlier runs


def test_evidence_of_an_earlier_run_is_used_again(pictures, spectrum, make_compared, make_world):
    guard = make_compared(limit=50.0, fingerprint=Fingerprint("v1"))
    data = pictures(COUNT)
    first = make_world(guard, spectrum(), data, run="one").whole()["jpeg-1.3bpp-soft"]
    model = spectrum()
    second = make_world(guard, model, data, run="two").whole()["jpeg-1.3bpp-soft"]
    assert second.predictions + second.remembered == COUNT
    assert second.predictions == 8, "the first batch is predicted again"
    for name in ("score", "decoder_drop", "decoder_drop_low", "decoder_difference_max", "decoder_difference_mean"):
        assert getattr(second, name) == getattr(first, name)


@pytest.mark.parametrize("order", [("pillow", "soft"), ("soft", "pillow")])
def test_a_decoder_that_changed_under_its_version_is_noticed(
    order, pictures, spectrum, make_compared, make_world, soft
):
    guard = make_compared(order, limit=50.0, fingerprint=Fingerprint("v1"))
    data, label = pictures(COUNT), f"jpeg-1.3bpp-{order[1]}"
    first = make_world(guard, spectrum(), data, run="one").whole()[label]
    soft.become(lambda images: images)
    second = make_world(guard, spectrum(), data, run="two").run([1])[label].result
    assert first.decoder_drop != 0
    assert (second.decoder_drop, second.decoder_difference_max, second.decoder_moved) == (0, 0, True)


def test_a_limit_that_no_score_can_miss_is_doubted(pictures, spectrum, make_compared, make_world):
    result = make_world(make_compared(limit=99.9), spectrum(), pictures(COUNT)).run([1])["jpeg-1.3bpp-soft"].result
    by_first = result.score + result.decoder_drop
    doubt = f"a max_decoder_drop at or above the top1 of {by_first:.1f} by pillow can never be exceeded; lower it"
    assert result.doubts == ((doubt,) if by_first <= 99.9 else ())


def test_cells_that_compare_count_their_limit_once():
    cell = Cell("g", CodecSpec("jpeg", "jpeg"), Rate(0.5), 3.0, 60.0, None, 1, min_clean=50.0)
    _, other = with_decoders(None, (cell,), Decoders(("pillow", "soft"), 1), None, own=False)
    assert (other.judged_limits, other.judged) == (0, False)
    assert replace(other, max_decoder_drop=1.0).judged_limits == 1
    assert other.min_clean is None
    free = replace(cell, min_clean=0.0)
    assert with_decoders(None, (free,), Decoders(("pillow", "soft"), 1), None, own=False)[1].min_clean == 0.0
