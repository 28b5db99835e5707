"""A model that knows nothing is an error before any image is coded for it, for every task and every way in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import compress_guard
from compress_guard.errors import ModelError

RATES = (2.0, 3.0)
EXACT = (("exact", True),)
"""Options of a codec that loses nothing, so that a model may go by a pixel."""
SIDE, STEP = 32, 97
WRONG = (1, 0, 3, 2)
"""The head of a model whose classes stand in another order than the data's."""


def flat(count):
    """Return plain images, light and dark, whose value encodes their number; with their ids."""
    import torch

    values = [(STEP * number + 128) % 256 for number in range(count)]
    return [
        (torch.full((3, SIDE, SIDE), value, dtype=torch.uint8), f"flat-{number:03d}")
        for number, value in enumerate(values)
    ]


def number_of(image):
    """The number of a plain image."""
    return (int(image[0, 0, 0]) - 128) * pow(STEP, -1, 256) % 256


class Oracle:
    """Answers by the number of a plain image; it keeps how many images it was asked for."""

    batch_size = 16

    def __init__(self, answer):
        self.answer, self.asked = answer, 0

    def __call__(self, images):
        self.asked += len(images)
        return [self.answer(number_of(image), tuple(image.shape[-2:])) for image in images]


def one_hot(label, classes):
    import torch

    return torch.nn.functional.one_hot(torch.tensor(label), classes).float()


def with_floor(guard, floor):
    return replace(guard, cells=tuple(replace(cell, min_clean=floor) for cell in guard.cells))


@pytest.fixture
def classified(make_guard, make_world, diary):
    """A world of `answers` to images of these labels; the answer of an image hangs on its number alone."""

    def make(answers, labels, classes, floor=None, max_drop=60.0, rates=RATES, metric="top1", **settings):
        data = [(image, int(label), name) for (image, name), label in zip(flat(len(labels)), labels, strict=True)]
        model = Oracle(lambda number, _: one_hot(int(answers[number]), classes))
        guard = make_guard(rates=rates, max_drop=max_drop, metric=metric, options=EXACT)
        return make_world(with_floor(guard, floor), model, data, **settings)

    return make


# Classification


def test_labels_that_are_one_off_are_an_error_that_says_which_labels_both_sides_have(classified):
    numbers = np.arange(100)
    world = classified(numbers % 80, 1 + numbers % 90, 91)
    first, second = world.run().values()
    assert (first.result.verdict, first.result.outcome, first.result.settled_by) == ("error", "failed", "policy")
    assert (first.result.clean_score, first.result.score, first.result.drop) == (0.0, None, None)
    assert first.result.reason == (
        "clean top1 0.0 on 100 images; the model answered labels 0 to 79, the truth has 1 to 90: the model knows "
        "nothing that a codec could take from it (Cohen's kappa -0.012, 95 % interval -0.013 to -0.010, expected above "
        "0); check label offsets, class order, channel order, preprocessing and weights, or give min_clean: 0 if this "
        "is meant"
    )
    assert isinstance(first.problem, ModelError)
    assert (second.result.verdict, second.result.reason) == ("error", first.result.reason)
    # The clean images, the lossless control, its two whole batches among other neighbours, and one batch for the
    # sentence; nothing that a codec made.
    assert world.model.asked == 100 + 16 + 16 + 4 + 2 * 16 + 16
    assert second.result.predictions == 0


def test_the_order_of_classes_counts(spectrum, pictures, make_guard, make_world):
    world = make_world(make_guard(("webp",), max_drop=5.0), spectrum(head=WRONG), pictures(40))
    result = world.only().result
    assert (result.verdict, result.clean_score) == ("error", 0.0)
    assert "the model answered labels 0 to 3, the truth has 0 to 3" in result.reason


def test_a_constant_answer_is_an_error_on_an_imbalanced_set(classified):
    result = classified(np.zeros(100), [0] * 95 + [1] * 5, 2).run()["toy-2.0bpp"].result
    assert (result.verdict, result.clean_score) == ("error", 95.0)
    assert "the model answered label 0 alone, the truth has 0 to 1" in result.reason
    assert "(Cohen's kappa 0.000, 95 % interval 0.000 to 0.000, expected above 0)" in result.reason


@pytest.mark.parametrize("found", [2, 4])
def test_a_detector_of_rare_defects_is_not(found, classified):
    answers = np.zeros(100)
    answers[95 : 95 + found] = 1
    result = classified(answers, [0] * 95 + [1] * 5, 2).run()["toy-3.0bpp"].result
    assert result.verdict != "error", result.reason
    assert result.clean_remark is None


def test_one_rare_defect_of_five_is_no_error_and_leaves_it_open(classified):
    answers = np.zeros(100)
    answers[95] = 1
    result = classified(answers, [0] * 95 + [1] * 5, 2).run()["toy-3.0bpp"].result
    assert result.verdict == "pass"
    assert result.clean_remark == (
        "the clean answers (top1 96.0 on 100 images) could not be told from those of a model that knows nothing "
        "(Cohen's kappa 0.322, 95 % interval -0.156 to 0.801, expected above 0); set min_clean"
    )


@pytest.mark.parametrize("early", [False, True])
def test_answers_by_chance_are_noted(early, classified):
    """Each class gets each answer equally often, as of a model that goes by another channel."""
    numbers = np.arange(72)
    world = classified(numbers // 3 % 3, numbers % 3, 3, early_stop=early)
    results = [measured.result for measured in world.run().values()]
    assert {result.clean_remark for result in results} == {
        "the clean answers (top1 33.3 on 72 images) could not be told from those of a model that knows nothing "
        "(Cohen's kappa 0.000, 95 % interval -0.163 to 0.163, expected above 0); set min_clean"
    }
    assert {result.verdict for result in results} <= {"pass", "inconclusive"}
    floored = classified(numbers // 3 % 3, numbers % 3, 3, floor=5.0).run()["toy-3.0bpp"].result
    assert floored.clean_remark is None


def test_the_metric_does_not_matter(classified):
    numbers = np.arange(60)
    result = classified(numbers % 6, 1 + numbers % 6, 8, metric="top5").run()["toy-2.0bpp"].result
    assert result.verdict == "error"
    assert result.reason.startswith("clean top5 ")


def test_min_clean_0_switches_it_off_and_a_number_judges_instead(classified):
    numbers = np.arange(60)
    meant = classified(numbers % 6, 1 + numbers % 6, 7, floor=0.0).run()["toy-3.0bpp"].result
    assert (meant.verdict, meant.outcome, meant.clean_score) == ("pass", "passed", 0.0)
    judged = classified(numbers % 6, 1 + numbers % 6, 7, floor=20.0).run()["toy-3.0bpp"].result
    assert (judged.verdict, judged.clean_high < 20) == ("fail", True)


def test_few_images_cannot_tell_and_that_is_noted(classified):
    few = classified(np.arange(35) % 4, 1 + np.arange(35) % 4, 5).run()["toy-2.0bpp"].result
    assert (few.verdict != "error", few.clean_remark) == (True, "there are 35 images, and it takes 36")
    rare = classified(np.zeros(40), [0] * 37 + [1] * 3, 2).run()["toy-2.0bpp"].result
    assert rare.clean_remark == "3 of 40 images have anything but the commonest class, and it takes 5"
    assert classified(np.arange(36) % 4, 1 + np.arange(36) % 4, 5).run()["toy-2.0bpp"].result.verdict == "error"


def test_guards_of_one_model_share_the_look(classified):
    from compress_guard.engine.cells.guard_bench import Bench

    world = classified(np.zeros(40), np.arange(40) % 4, 4, rates=(2.0,))
    assert world.only().result.verdict == "error"
    asked = world.model.asked
    other = Bench(replace(world.guard, name="other"), world.subject, world.settings)
    assert other.measure(world.guard.cells[0], "other").result.verdict == "error"
    assert world.model.asked == asked


# Stopping early


def test_a_run_that_stops_early_knows_after_a_few_batches_that_a_model_is_good(classified):
    labels = np.arange(200) % 4
    world = classified(labels, labels, 4, rates=(3.0,), early_stop=True)
    result = world.only().result
    assert (result.verdict, result.stopped_early) == ("pass", True)
    # The first batch is clear enough; of the clean images those are predicted that the verdict rests on, and no more.
    assert result.predictions == 16 + 16 + 2 * result.images_used  # with both controls
    assert world.model.asked == result.predictions


def test_a_run_that_stops_early_refuses_a_model_by_all_its_clean_images(classified):
    answers, labels = np.arange(200) % 4, 1 + np.arange(200) % 4
    world = classified(answers, labels, 5, early_stop=True)
    results = [measured.result for measured in world.run(order=(1, 0)).values()]
    assert [result.verdict for result in results] == ["error", "error"]
    assert all(result.reason.startswith("clean top1 0.0 on 200 images; ") for result in results)
    assert world.model.asked == 200 + 16 + 16 + 16


# Segmentation and detection


def segmented(answer, truth, images=40):
    """Data whose label maps are `truth` of an image's number and size, and a model that gives `answer`."""
    import torch

    data = [(image, truth(number, tuple(image.shape[-2:])), name) for number, (image, name) in enumerate(flat(images))]
    return Oracle(lambda number, size: torch.from_numpy(answer(number, size))), data


def halves(number, size):
    """The upper part of an image is class 1 or 2, the rest background."""
    labels = np.zeros(size, dtype=np.int64)
    labels[: size[0] // 4] = 1 + number % 2
    return labels


def plain(label):
    return lambda number, size: np.full(size, label, dtype=np.int64)


def shuffled(number, size):
    return (halves(number, size) + 1) % 3


@pytest.mark.parametrize("metric", ["miou", "pixel_accuracy"])
@pytest.mark.parametrize(
    ("answer", "sides"),
    [
        (plain(0), "the model answered label 0 alone, the truth has 0 to 2"),
        (plain(2), "the model answered label 2 alone, the truth has 0 to 2"),
        (plain(7), "the model answered label 7 alone, the truth has 0 to 2"),
        (shuffled, "the model answered labels 0 to 2, the truth has 0 to 2"),
    ],
)
def test_maps_no_better_than_a_constant_one_are_an_error(
    answer, sides, metric, pictures, make_guard, make_world, diary
):
    model, data = segmented(answer, halves)
    guard = make_guard(rates=(2.0,), task="segmentation", options=EXACT, metric=metric, max_drop=5.0)
    result = make_world(guard, model, data).only().result
    assert result.verdict == "error"
    assert result.reason.startswith(f"clean {metric} ")
    assert f" on 40 images; {sides}: " in result.reason
    assert "(mIoU beyond that of the best constant map " in result.reason


def test_maps_that_find_something_are_judged(make_guard, make_world, diary):
    def some(number, size):
        labels = halves(number, size)
        labels[:, : size[1] // 2] = 0
        return labels

    model, data = segmented(some, halves)
    guard = make_guard(rates=(3.0,), task="segmentation", options=EXACT, metric="miou", max_drop=15.0)
    result = make_world(guard, model, data).only().result
    assert (result.verdict, result.clean_remark) == ("pass", None)


def test_maps_that_may_be_no_better_than_a_constant_one_are_noted(make_guard, make_world, diary):
    model, data = segmented(lambda number, size: (halves if number == 0 else plain(0))(number, size), halves)
    guard = make_guard(rates=(3.0,), task="segmentation", options=EXACT, metric="miou", max_drop=15.0)
    result = make_world(guard, model, data).only().result
    assert result.verdict != "error"
    assert result.clean_remark.startswith("the clean answers (miou 26.8 on 40 images) could not be told from those of ")
    assert "(mIoU beyond that of the best constant map 1.82 points, 95 % interval -6.49 to 10.35" in result.clean_remark


def test_boxes_that_find_next_to_nothing_are_noted(make_guard, make_world, diary):
    model, data = detected((BOX, [1]), (BOX, [1]))
    nothing = {"boxes": np.zeros((0, 4)), "scores": np.zeros(0, dtype=np.float32), "labels": np.zeros(0, np.int64)}
    answer = model.answer
    model.answer = lambda number, size: answer(number, size) if number == 0 else nothing
    guard = make_guard(rates=(3.0,), task="detection", options=EXACT, metric="map_50", max_drop=5.0)
    result = make_world(guard, model, data).only().result
    assert result.verdict != "error"
    assert result.clean_remark.startswith(
        "the clean answers (map_50 3.0 on 40 images) could not be told from those of "
    )
    assert ", expected 0.5 or more); set min_clean" in result.clean_remark


def detected(truth, answer, images=40):
    """Data with these boxes and labels in every image, and a model that finds those of `answer`."""
    boxes, labels = truth
    target = {"boxes": np.array(boxes, dtype=float).reshape(-1, 4), "labels": np.array(labels, dtype=np.int64)}
    found, named = answer

    def predicted(number, size):
        return {
            "boxes": np.array(found, dtype=float).reshape(-1, 4),
            "scores": np.ones(len(found), dtype=np.float32),
            "labels": np.array(named, dtype=np.int64),
        }

    return Oracle(predicted), [(image, target, name) for image, name in flat(images)]


BOX = [[2, 1, 28, 24]]


@pytest.mark.parametrize(
    ("truth", "answer", "sides"),
    [
        (
            (BOX, [1]),
            ([[0.1, 0.1, 0.6, 0.7]], [1]),
            "the model answered label 1 alone, the truth has label 1 alone; "
            "boxes of the model lie in 0.1 to 0.7: expected pixels",
        ),
        (
            (BOX, [1]),
            ([[60, 50, 380, 340]], [1]),
            "the model answered label 1 alone, the truth has label 1 alone; "
            "boxes of the model lie in 50 to 380: expected pixels of images of up to 32",
        ),
        ((BOX * 2, [1, 3]), (BOX * 2, [0, 2]), "the model answered labels 0 to 2, the truth has 1 to 3"),
        ((BOX, [1]), ([], []), "the model found nothing, the truth has label 1 alone"),
    ],
)
@pytest.mark.parametrize("metric", ["map", "map_50"])
def test_boxes_that_find_nothing_are_an_error(truth, answer, sides, metric, make_guard, make_world, diary):
    model, data = detected(truth, answer)
    guard = make_guard(rates=(2.0,), task="detection", options=EXACT, metric=metric, max_drop=5.0)
    result = make_world(guard, model, data).only().result
    assert result.verdict == "error"
    assert result.reason == (
        f"clean {metric} 0.0 on 40 images; {sides}: the model knows nothing that a codec could take from it (mAP 0.00 "
        "points, 95 % interval 0.00 to 0.00, expected 0.5 or more); check box coordinates (x1, y1, x2, y2 in pixels of "
        "the image), label offsets, class order, channel order, preprocessing and weights, or give min_clean: 0 if "
        "this is meant"
    )


def test_one_class_of_objects_is_no_doubt(make_guard, make_world, diary):
    model, data = detected((BOX, [1]), (BOX, [1]))
    guard = make_guard(rates=(3.0,), task="detection", options=EXACT, metric="map", max_drop=5.0)
    result = make_world(guard, model, data, strict=True).only().result
    assert (result.verdict, result.outcome, result.doubts) == ("inconclusive", "passed", ())
    assert result.clean_remark is None


# Other ways in


def test_measure_raises_it(pictures, spectrum):
    with pytest.raises(ModelError, match=r"^clean top1 0\.0 on 40 images; the model answered labels 0 to 3, the truth"):
        compress_guard.measure(
            spectrum(head=WRONG), pictures(40), task="classification", codec="webp", device="cpu", workers=1
        )
