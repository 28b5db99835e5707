"""Cells of one guard: each verdict through a real measurement, the work counted, and independence of order."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from compress_guard.engine.coding.watch import SAMPLED
from compress_guard.errors import CodecError, CodecUnavailable, DataError, ModelError
from compress_guard.records import Policy
from compress_guard.store import Store

VARIES = {"seconds", "encodes", "check_encodes", "predictions"}


def stable(measured):
    """Return the values of a result that must not depend on order, workers or cache."""
    values = measured.result.as_dict()
    return {key: value for key, value in values.items() if key not in VARIES}


# Verdicts


@pytest.mark.parametrize(
    ("rate", "max_drop", "min_score", "verdict", "outcome"),
    [
        (3.0, 30.0, None, "pass", "passed"),
        (0.3, 5.0, None, "fail", "failed"),
        (3.0, 2.0, None, "inconclusive", "passed"),
        (3.0, None, 60.0, "pass", "passed"),
        (0.3, None, 95.0, "fail", "failed"),
        (3.0, None, None, "unjudged", "skipped"),
    ],
)
def test_verdicts_that_rest_on_evidence(
    rate, max_drop, min_score, verdict, outcome, pictures, spectrum, make_guard, make_world
):
    guard = make_guard(("webp",), (rate,), max_drop=max_drop, min_score=min_score)
    measured = make_world(guard, spectrum(), pictures(32)).only()
    result = measured.result
    assert (result.verdict, result.outcome) == (verdict, outcome), result.reason
    assert measured.problem is None
    assert result.drop_low <= result.drop <= result.drop_high
    assert result.drop == pytest.approx(result.clean_score - result.score)
    starts = "the score of " if min_score is not None and verdict == "fail" else "top1 "
    assert result.reason.startswith(starts)
    assert f": webp at {rate:g} bpp, 32 images" in result.reason
    assert (result.score_low is None) == (min_score is None)
    assert measured.evidence.ids == measured.clean_evidence.ids
    assert result.seconds > 0


@pytest.mark.parametrize(
    ("policy", "strict", "outcome", "note"),
    [
        (Policy(), False, "skipped", "; skipped by on_unreachable: skip"),
        (Policy(), True, "failed", "; failed because the run is strict: to allow it, state on_unreachable: skip"),
        (Policy(stated=frozenset({"on_unreachable"})), True, "skipped", "; skipped by on_unreachable: skip"),
        (Policy(on_unreachable="fail"), False, "failed", "; failed by on_unreachable: fail"),
    ],
)
def test_unreachable(policy, strict, outcome, note, pictures, spectrum, make_guard, make_world):
    guard = make_guard(("jpeg",), (0.05,), policy=policy)
    result = make_world(guard, spectrum(), pictures(4), strict=strict).only().result
    assert (result.verdict, result.outcome, result.settled_by) == ("unreachable", outcome, "policy")
    assert result.reason == (
        f"jpeg cannot reach 0.05 bpp on these images: the mean goes down to {result.floor_bpp:.3f} bpp; ask for a rate "
        f"above that, larger images or another codec{note}"
    )
    assert (result.images, result.errors, result.off_target) == (4, 0, 4)


def test_unreachable_in_image_mode_says_how_many_are_stuck(pictures, spectrum, make_guard, make_world):
    guard = make_guard(("jpeg",), (0.05,), rate="image")
    result = make_world(guard, spectrum(), pictures(4)).only().result
    assert result.verdict == "unreachable"
    assert f"4 images are stuck, the highest floor is {result.floor_bpp:.3f} bpp; ask for" in result.reason


def test_unavailable(pictures, spectrum, diary, make_guard, make_world):
    diary.missing = "toy is not installed; pip install toy"
    world = make_world(make_guard(), spectrum(), pictures(4))
    measured = world.only()
    assert (measured.result.verdict, measured.result.outcome) == ("unavailable", "failed")
    assert measured.result.reason == "toy is not installed; pip install toy; failed by on_unavailable: fail"
    assert isinstance(measured.problem, CodecUnavailable)
    assert world.model.seen == []
    assert diary.encoded == []


def test_error_of_a_model_keeps_what_was_measured_before(pictures, diary, make_guard, make_world):
    def model(images):
        raise RuntimeError("CUDA out of memory")

    measured = make_world(make_guard(), model, pictures(8)).only()
    result = measured.result
    assert (result.verdict, result.outcome) == ("error", "failed")
    assert result.reason == "the model raised RuntimeError: CUDA out of memory"
    assert isinstance(measured.problem, ModelError)
    assert result.bpp_mean == pytest.approx(1.0, rel=0.05)
    assert (result.images, result.errors, result.clean_score, result.score) == (8, 0, None, None)
    assert result.predictions == 8


def test_error_of_data_names_the_sample_and_counts_it(pictures, spectrum, diary, make_guard, make_world):
    data = pictures(8)
    data[3] = "nonsense"
    measured = make_world(make_guard(), spectrum(), data).only()
    result = measured.result
    assert (result.verdict, result.outcome) == ("error", "failed")
    assert result.reason == (
        "1 of 8 images failed, allowed by max_error_share 0: 0; the first: sample 3 is a str; expected (image, target) "
        "or (image, target, id)"
    )
    assert isinstance(measured.problem, DataError)
    assert (result.images, result.errors, result.error_ids) == (8, 1, ("3",))
    assert diary.encoded == []


def test_error_of_a_label_that_the_model_does_not_know(pictures, spectrum, diary, make_guard, make_world):
    data = [(image, 9, name) for image, _, name in pictures(4)]
    result = make_world(make_guard(), spectrum(), data).only().result
    assert result.verdict == "error"
    assert "9" in result.reason


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("refuse", "toy refuses picture 2 at"),
        ("broken", "toy cannot decode picture 2"),
        ("grown", "decoded to (3, 95, 72)"),
    ],
)
def test_codec_error_names_the_image_and_counts_it(part, said, pictures, spectrum, diary, make_guard, make_world):
    setattr(diary, part, lambda picture, setting: picture == 2)
    measured = make_world(make_guard(), spectrum(), pictures(8)).only()
    result = measured.result
    assert (result.verdict, result.outcome) == ("codec_error", "failed")
    start = "1 of 8 images failed, allowed by max_error_share 0: 0; the first: image t02: "
    assert result.reason.startswith(start + said)
    assert isinstance(measured.problem, CodecError)
    assert (result.errors, result.error_ids, result.score) == (1, ("t02",), None)


# Images that fail


@pytest.mark.parametrize("part", ["data", "refuse", "broken"])
def test_the_allowed_share_of_failures_is_met_and_not_exceeded(part, pictures, spectrum, diary, make_guard, make_world):
    def measure(failed, folder):
        data = pictures(10)
        if part == "data":
            data[:failed] = ["nonsense"] * failed
        else:
            setattr(diary, part, lambda picture, setting: picture < failed)
        return make_world(make_guard(max_error_share=0.3), spectrum(), data, folder=folder).only()

    within = measure(3, "a").result
    assert within.verdict == "pass"
    assert (within.images, within.images_used, within.errors, len(within.error_ids)) == (10, 7, 3, 3)
    beyond = measure(4, "b").result
    assert beyond.verdict == ("error" if part == "data" else "codec_error")
    assert (beyond.images, beyond.images_used, beyond.errors, len(beyond.error_ids)) == (10, None, 4, 4)


def test_a_lossless_pass_reproduces_the_clean_predictions(pictures, spectrum, diary, make_guard, make_world):
    data = pictures(10)
    pixels = sum(image.shape[1] * image.shape[2] for image, _, _ in data)
    probe = make_world(make_guard(rates=(0.1,), options=(("exact", True),)), spectrum(4), data, folder="probe").only()
    rate = probe.result.floor_bpp + 8 * 40 * 10 * len(data) / pixels
    model = spectrum(4)
    guard = make_guard(rates=(rate,), options=(("exact", True),), rate_tolerance=0.1, max_drop=50.0)
    measured = make_world(guard, model, data).only()
    assert measured.evidence.to_bytes() == measured.clean_evidence.to_bytes()
    assert measured.result.drop == 0
    assert measured.result.verdict == "pass"
    clean, compressed = model.seen[:3], model.seen[-3:]
    assert all(
        a.equal(b) for one, other in zip(clean, compressed, strict=True) for a, b in zip(one, other, strict=True)
    )


def test_scores_are_paired_over_the_images_that_both_sides_have(pictures, spectrum, diary, make_guard, make_world):
    diary.broken = lambda picture, setting: picture in (1, 6)
    model = spectrum()
    measured = make_world(make_guard(max_error_share=0.5), model, pictures(10)).only()
    kept = tuple(f"t{at:02d}" for at in range(10) if at not in (1, 6))
    assert measured.evidence.ids == measured.clean_evidence.ids == kept
    right = [int(model.scores(image).argmax()) == label for image, label, name in pictures(10) if name in kept]
    assert measured.result.clean_score == pytest.approx(100 * sum(right) / 8)


def test_a_decoder_that_fails_at_one_rate_leaves_the_other_cells_alone(
    pictures, spectrum, diary, make_guard, make_world
):
    guard = make_guard(rates=(1.0, 3.0))
    low = make_world(guard, spectrum(), pictures(8), folder="probe").run()["toy-1.0bpp"].result
    settings = {setting for setting, _ in low.settings}
    diary.broken = lambda picture, setting: setting in settings
    runs = [make_world(guard, spectrum(), pictures(8), folder=f"{order}").run(order) for order in ((0, 1), (1, 0))]
    for found in runs:
        assert found["toy-1.0bpp"].result.verdict == "codec_error"
        assert found["toy-3.0bpp"].result.verdict == "pass"
        assert found["toy-3.0bpp"].result.errors == 0
    assert {label: stable(one) for label, one in runs[0].items()} == {
        label: stable(one) for label, one in runs[1].items()
    }


def test_every_image_failing_is_an_error_and_no_crash(pictures, spectrum, diary, make_guard, make_world):
    diary.refuse = lambda picture, setting: True
    result = make_world(make_guard(max_error_share=0.99), spectrum(), pictures(4)).only().result
    assert result.verdict == "codec_error"
    assert (result.errors, result.bpp_mean, result.bpp_pooled) == (4, None, None)


# Work


def test_clean_predictions_are_made_once_for_all_cells(pictures, spectrum, diary, make_guard, make_world):
    world = make_world(make_guard(("toy", "webp"), (1.0, 2.0)), spectrum(4), pictures(10))
    found = world.run()
    assert [measured.result.predictions for measured in found.values()] == [38, 10, 10, 10]
    assert len(world.model.images_seen) == world.subject.predictions == 68


def test_the_encodes_of_the_cells_add_up_to_the_encoders_calls(pictures, spectrum, diary, make_guard, make_world):
    guard, data = make_guard(rates=(1.0, 2.0, 3.0)), pictures(10)
    total = sum(image.shape[1] * image.shape[2] for image, _, _ in data)
    found = make_world(guard, spectrum(), data).run()
    assert sum(one.result.encodes for one in found.values()) == pytest.approx(diary.pixels / total)
    assert len(set(diary.encoded)) == len(diary.encoded)
    made = len(diary.encoded)
    again = make_world(guard, spectrum(), data).run()
    assert len(diary.encoded) == made
    assert [one.result.encodes for one in again.values()] == [0, 0, 0]


def test_streams_that_the_store_forgets_are_counted_when_made_again(
    pictures, spectrum, diary, make_guard, make_world, monkeypatch
):
    guard, data = make_guard(rates=(1.0, 2.0)), pictures(10)
    total = sum(image.shape[1] * image.shape[2] for image, _, _ in data)
    kept = make_world(guard, spectrum(), data, folder="kept").run()
    diary.encoded.clear()
    monkeypatch.setattr(Store, "put_all", lambda self, entries, kind="streams": None)
    found = make_world(guard, spectrum(), data, folder="forgetful").run()
    assert sum(one.result.encodes for one in found.values()) == pytest.approx(diary.pixels / total)
    assert {label: stable(one) for label, one in found.items()} == {label: stable(one) for label, one in kept.items()}


def test_every_image_is_encoded_decoded_and_predicted_once_where_one_setting_fits(
    pictures, spectrum, diary, make_guard, make_world
):
    world = make_world(make_guard(), spectrum(), pictures(12))
    result = world.only().result
    again = sorted(diary.decoded)
    for picture in range(12):
        again.remove(picture)
    assert len(set(again)) == len(again) == result.checked == SAMPLED
    assert result.predictions == 44  # clean, through a lossless codec, 8 among other neighbours, compressed
    assert result.encodes < 6


# Independence


@pytest.fixture
def reference(pictures, spectrum, make_guard, make_world):
    """Return a function that runs a guard of four cells, and its results in the file's order on one worker."""
    guard = make_guard(("jpeg", "webp"), (1.0, 2.0), max_drop=10.0, min_score=50.0)

    def run(order=None, cells=None, **settings):
        world = make_world(guard, spectrum(), pictures(16), **settings)
        return {label: stable(one) for label, one in world.run(order).items()}

    return run, run(folder="reference")


@pytest.mark.parametrize("order", [(3, 2, 1, 0), (2, 0, 3, 1), (3,), (1, 2)])
def test_results_do_not_depend_on_the_order_or_choice_of_cells(reference, order):
    run, expected = reference
    found = run(order, folder="fresh")
    assert len(found) == len(order)
    assert found == {label: expected[label] for label in found}


def test_results_do_not_depend_on_workers_or_the_cache(reference):
    run, expected = reference
    assert run(folder="four", workers=4) == expected
    assert run(folder="reference") == expected
    assert run(folder="reference", workers=4) == expected


def test_the_plan_is_made_once_for_all_rates_of_the_file(pictures, spectrum, diary, make_guard, make_world):
    guard, data = make_guard(rates=(1.0, 2.0, 3.0)), pictures(8)
    worlds = [make_world(guard, spectrum(), data, folder=f"{at}") for at in range(3)]
    encoded = []
    for at, world in enumerate(worlds):
        diary.encoded.clear()
        world.run((at,))
        encoded.append(sorted(diary.encoded))
        world.run()
        assert sorted(diary.encoded) == encoded[-1]
    assert encoded[0] == encoded[1] == encoded[2]


def test_results_depend_on_the_seed_and_record_it(pictures, spectrum, make_guard, make_world):
    found = [
        make_world(make_guard(("webp",), (1.0,)), spectrum(), pictures(24), seed=seed, limit=8).only().result
        for seed in (0, 1, 0)
    ]
    assert [result.seed for result in found] == [0, 1, 0]
    assert found[0].bpp_mean == found[2].bpp_mean != found[1].bpp_mean


# Limits


def test_each_codec_has_its_limit_and_the_command_line_another(pictures, spectrum, diary, make_guard, make_world):
    guard, data = make_guard(("toy", "webp"), limits={"toy": 5}), pictures(12)
    found = make_world(guard, spectrum(), data).run()
    assert [one.result.images for one in found.values()] == [5, 12]
    assert set(found["toy-1.0bpp"].evidence.ids) < set(found["webp-1.0bpp"].evidence.ids)
    found = make_world(guard, spectrum(), data, limit=8).run()
    assert [one.result.images for one in found.values()] == [5, 8]
    assert [one.result.limit for one in found.values()] == [5, 8]


# Other tasks


@pytest.fixture
def squares():
    """Return a segmentation model, and (image, labels, id) of scenes with one bright square each."""
    import torch

    def scene(index):
        noise = torch.Generator().manual_seed(index)
        labels = torch.zeros(72, 88, dtype=torch.int64)
        labels[10 + 3 * index : 50, 20:60] = 1
        labels[:4] = 255
        image = (60 + 120 * (labels == 1).float() + 20 * torch.randn(72, 88, generator=noise)).clamp(0, 255)
        return image.to(torch.uint8).expand(3, -1, -1).contiguous(), labels, f"s{index}"

    def model(images):
        return [(image.float().mean(0) > 120).long() for image in images]

    return model, [scene(index) for index in range(8)]


def test_segmentation_through_a_real_codec(squares, make_guard, make_world):
    guard = make_guard(("webp",), (0.3, 3.0), task="segmentation", metric="miou", max_drop=20.0)
    found = make_world(guard, *squares).run()
    high, low = found["webp-3.0bpp"].result, found["webp-0.3bpp"].result
    assert high.verdict == "pass"
    assert high.drop_low <= high.drop <= high.drop_high
    assert abs(high.drop) < abs(low.drop) + 5
    assert (high.metric, high.task) == ("miou", "segmentation")


def test_the_bootstrap_has_the_seed_of_the_run(squares, make_guard, make_world):
    # Beyond the codec's reach every image gets its finest setting, whatever the seed chooses of pilots and mixes.
    guard = make_guard(("webp",), (8.0,), task="segmentation", metric="miou")
    first, other, again = (make_world(guard, *squares, seed=seed).only().result for seed in (0, 1, 0))
    assert first.settings == other.settings
    assert first.drop != 0
    assert (first.clean_score, first.score, first.drop) == (other.clean_score, other.score, other.drop)
    ends = [(result.drop_low, result.drop_high) for result in (first, other, again)]
    assert ends[0] == ends[2] != ends[1]


def test_detection_through_a_real_codec(make_guard, make_world):
    import torch

    def scene(index):
        image = torch.full((3, 80, 96), 40, dtype=torch.uint8)
        left, top = 5 + 4 * index, 8 + 3 * index
        image[:, top : top + 24, left : left + 30] = 200
        box = [[float(left), float(top), left + 30.0, top + 24.0]]
        return image, {"boxes": torch.tensor(box), "labels": torch.tensor([1])}, f"d{index}"

    def model(images):
        answers = []
        for image in images:
            rows, columns = torch.where(image.float().mean(0) > 120)
            box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
            answers.append(
                {
                    "boxes": torch.tensor([[float(side) for side in box]]),
                    "scores": torch.tensor([0.9]),
                    "labels": torch.tensor([1]),
                }
            )
        return answers

    guard = make_guard(("jpeg",), (1.0,), task="detection", metric="map", max_drop=70.0)
    result = make_world(guard, model, [scene(index) for index in range(6)]).only().result
    assert result.clean_score == pytest.approx(100)
    assert result.verdict == "pass", result.reason


def test_progress_tells_of_coding_and_both_predictions(pictures, spectrum, diary, make_guard, make_world):
    told = {}
    world = make_world(make_guard(), spectrum(4), pictures(10))
    cell = world.guard.cells[0]
    world.bench.measure(cell, cell.name, lambda what, done, total: told.setdefault(what, []).append((done, total)))
    assert list(told) == [
        "coding toys with toy",
        "predicting toys clean",
        "predicting toys after a lossless codec",
        "predicting toys[toy-1.0bpp]",
    ]
    assert told["predicting toys clean"] == told["predicting toys[toy-1.0bpp]"] == [(4, 10), (8, 10), (10, 10)]
    assert told["coding toys with toy"][-1] == (len(diary.encoded), 0)


def test_the_blank_of_a_result_says_what_was_asked(pictures, spectrum, diary, make_guard, make_world):
    guard = replace(make_guard(max_drop=7.0, min_score=20.0, confidence=0.9), rate="image")
    result = make_world(guard, spectrum(), pictures(4), seed=5).only().result
    asked = (result.id, result.guard, result.codec, result.target_bpp, result.rate, result.max_drop, result.min_score)
    assert asked == ("toys[toy-1.0bpp]", "toys", "toy", 1.0, "image", 7.0, 20.0)
    assert (result.seed, result.confidence, result.device, result.codec_version) == (5, 0.9, "cpu", "1")
    assert re.search(r"90 % interval", result.reason)
