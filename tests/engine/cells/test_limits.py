"""Limits that cannot be missed: told with the result, and a failure where the run is strict."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import compress_guard
from compress_guard.records import SliceLimit, Slicing
from tests.engine.prediction.test_knowledge_check import EXACT, Oracle, flat, one_hot, plain, segmented, with_floor

EXCEEDED = ("a max_drop at or above the clean top1 of 50.0 can never be exceeded; lower it, or set min_score",)
STRICT = "; failed because the run is strict: "


@pytest.fixture
def half(make_guard, make_world, diary):
    """Return a function that measures a model that is right on half of 40 images, clean or not."""

    def run(floor=None, slices=(), strict=True, metric="top1", classes=4, **limits):
        guard = with_floor(make_guard(rates=(3.0,), metric=metric, options=EXACT, **limits), floor)
        if slices:
            limit = tuple(SliceLimit("class", value, most) for value, most in slices)
            cells = tuple(replace(cell, slice_limits=limit) for cell in guard.cells)
            guard = replace(guard, cells=cells, slicings=(Slicing("class", "label"),))
        # An even number and the odd one after it share a label of their own, and only the even one is right.
        data = [(image, number // 2 % 4, name) for number, (image, name) in enumerate(flat(40))]
        model = Oracle(lambda number, _: one_hot((number // 2 + number % 2) % 4, classes))
        return make_world(guard, model, data, strict=strict).only().result

    return run


def outcome(result):
    return result.verdict, result.outcome, result.settled_by


def test_a_max_drop_at_or_above_the_clean_score_fails_in_a_strict_run_alone(half):
    lax, strict = half(strict=False, max_drop=60.0), half(max_drop=60.0)
    assert lax.clean_score == strict.clean_score == 50.0
    assert (outcome(lax), lax.doubts) == (("pass", "passed", "interval"), EXCEEDED)
    assert (outcome(strict), strict.doubts) == (("pass", "failed", "policy"), EXCEEDED)
    assert strict.reason.endswith(STRICT + EXCEEDED[0])


@pytest.mark.parametrize(
    "limits",
    [
        {"max_drop": 49.9},
        {"max_drop": 60.0, "min_score": 20.0},
        {"max_drop": 100.0},
        {"max_drop": None, "min_score": 20.0},
        {"max_drop": 60.0, "slices": ((None, 30.0),)},
        {"max_drop": None, "floor": 20.0},
    ],
)
def test_a_limit_that_can_be_missed_is_fine_and_so_is_one_that_allows_everything_on_purpose(half, limits):
    result = half(**limits)
    assert (result.doubts, result.outcome) == ((), "passed"), result.reason


UNREACHED = (
    "no image is in a slice with a limit, so that no limit of a slice can be exceeded; check the slices and the names "
    "of their limits, or set min_score",
)
HELD = (
    "no slice that holds images has a clean score above its max_drop, so that no limit of a slice can be exceeded; "
    "lower them, or set min_score",
)


@pytest.mark.parametrize(
    ("max_drop", "slices", "said"),
    [
        (100.0, (("17", 5.0),), UNREACHED),
        (None, (("17", 5.0),), UNREACHED),
        (60.0, (("17", 5.0),), EXCEEDED),
        (100.0, ((None, 99.0),), HELD),
        (100.0, ((None, 50.0),), HELD),
        (None, (("2", 50.0),), HELD),
        (60.0, ((None, 50.0),), EXCEEDED),
        (100.0, (("17", 5.0), ("2", 99.0)), HELD),
        (100.0, (("17", 5.0), ("2", 49.9)), ()),
        (100.0, ((None, 49.9),), ()),
        (100.0, ((None, 100.0),), ()),
        (49.9, (("17", 5.0),), ()),
    ],
)
def test_a_limit_of_a_slice_counts_where_the_slice_has_images_and_more_to_lose(max_drop, slices, said, half):
    """Each of the four classes has ten images, and half of them are right."""
    result = half(max_drop=max_drop, slices=slices)
    assert (result.doubts, result.outcome) == (said, "failed" if said else result.outcome)
    assert (result.settled_by == "policy") == bool(said)


def test_a_slicer_that_puts_no_image_anywhere_leaves_nothing_to_miss(make_guard, make_world, diary):
    guard = make_guard(rates=(3.0,), max_drop=100.0, options=EXACT)
    limit = (SliceLimit("class", None, 5.0),)
    cells = tuple(replace(cell, slice_limits=limit) for cell in guard.cells)
    guard = replace(guard, cells=cells, slicings=(Slicing("class", f"{__name__}:nowhere"),))
    data = [(image, number % 4, name) for number, (image, name) in enumerate(flat(40))]
    model = Oracle(lambda number, _: one_hot(number % 4, 4))
    result = make_world(guard, model, data, strict=True).only().result
    assert (result.doubts, result.outcome, result.slices) == (UNREACHED, "failed", ())


def nowhere(target, name):
    """Return no slices."""
    return


@pytest.mark.parametrize(
    "limits",
    [{"max_drop": 50.0}, {"max_drop": 60.0, "min_score": 0.0}, {"max_drop": 60.0, "floor": 20.0}],
)
def test_what_stands_beside_it_has_to_be_missable_by_compression(half, limits):
    result = half(**limits)
    assert (result.doubts, result.outcome) == (EXCEEDED, "failed")


def test_a_floor_of_zero_alone_can_never_be_missed(half):
    result = half(max_drop=None, min_score=0.0)
    assert (result.verdict, result.outcome) == ("pass", "failed")
    assert result.doubts == ("a min_score of 0 can never be missed; raise it, or set max_drop",)


@pytest.mark.parametrize(("classes", "told"), [(4, True), (5, True), (6, False)])
def test_top5_of_five_scores_can_never_miss_anything(half, classes, told):
    result = half(metric="top5", classes=classes, max_drop=5.0, strict=False)
    text = f"top5 of {classes} scores is 100 whatever the model answers, so that no limit can be missed; use another "
    text += "metric"
    assert result.doubts == ((text,) if told else ())
    strict = half(metric="top5", classes=classes, max_drop=15.0)
    assert (strict.outcome == "failed") == told


ONE = (
    "all 12 images have class 0 and no other in their truth, so that one constant answer is right everywhere and no "
    "limit means much; check the targets (masks of 0 and 255 have one class, since 255 does not count), or give "
    "min_clean: 0 if this is meant"
)


def masks(number, size):
    """Return masks with foreground as 255, as drawing programs have it."""
    labels = np.zeros(size, dtype=np.int64)
    labels[: size[0] // 2] = 255
    return labels


@pytest.fixture
def masked(make_guard, make_world, diary):
    def run(floor=None, early=False):
        model, data = segmented(plain(0), masks, images=12)
        guard = with_floor(
            make_guard(rates=(3.0,), task="segmentation", options=EXACT, metric="miou", max_drop=50.0), floor
        )
        return make_world(guard, model, data, strict=True, early_stop=early).only().result

    return run


@pytest.mark.parametrize("early", [False, True])
def test_masks_of_0_and_255_have_one_class(masked, early):
    result = masked(early=early)
    assert (result.clean_score, result.outcome, result.settled_by) == (100.0, "failed", "policy")
    assert result.doubts == (ONE,)
    assert result.reason.endswith(STRICT + ONE)
    assert result.clean_remark is None  # the doubt says it


def test_one_class_may_be_meant(masked):
    assert masked(floor=0.0).outcome == "passed"
    assert masked(floor=50.0).doubts == (ONE,)


def test_one_class_of_labels_is_told_too(make_guard, make_world, diary):
    model = Oracle(lambda number, _: one_hot(2, 4))
    data = [(image, 2, name) for image, name in flat(12)]
    result = make_world(make_guard(rates=(3.0,), max_drop=50.0, options=EXACT), model, data).only().result
    assert result.doubts == (
        "all 12 images have class 2 and no other in their truth, so that one constant answer is right everywhere and "
        "no limit means much; check the targets, or give min_clean: 0 if this is meant",
    )


# Points, not shares


def measured(pictures, spectrum, **limits):
    return compress_guard.measure(
        spectrum(), pictures(12), task="classification", codec="webp", bpp=3.0, device="cpu", workers=1, **limits
    )


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ({"max_drop": 0.05}, "max_drop is 0.05 points and looks like a share: write 5 for 5 points"),
        ({"min_score": 0.6}, "min_score is 0.6 points and looks like a share: write 60 for 60 points"),
        ({"min_clean": 0.5}, "min_clean is 0.5 points and looks like a share: write 50 for 50 points"),
    ],
)
def test_measure_warns_of_a_share(limits, said, pictures, spectrum):
    with pytest.warns(UserWarning, match=f"^{said.replace('?', '[?]')}$") as caught:
        result = measured(pictures, spectrum, **limits)
    assert result.doubts == (said,)
    assert [one.filename for one in caught] == [__file__]


def test_measure_warns_once_of_each_doubt(pictures, spectrum):
    with pytest.warns(UserWarning, match="^") as caught:
        results = compress_guard.measure(
            spectrum(),
            pictures(12),
            task="classification",
            codec="webp",
            bpp=[2.0, 3.0],
            device="cpu",
            workers=1,
            metric="top5",
            max_drop=0.1,
        )
    texts = [
        "max_drop is 0.1 points and looks like a share: write 10 for 10 points",
        "top5 of 4 scores is 100 whatever the model answers, so that no limit can be missed; use another metric",
    ]
    assert [str(one.message) for one in caught] == texts
    assert [one.filename for one in caught] == [__file__] * 2
    assert [list(result.doubts) for result in results] == [texts] * 2


def test_measure_warns_of_a_floor_of_zero(pictures, spectrum):
    said = "a min_score of 0 can never be missed; raise it, or set max_drop"
    with pytest.warns(UserWarning, match=f"^{said}$") as caught:
        result = measured(pictures, spectrum, min_score=0)
    assert (result.doubts, len(caught)) == ((said,), 1)


@pytest.mark.parametrize(
    "limits", [{"max_drop": 0.2}, {"max_drop": 0}, {"min_score": 1}, {"max_drop": 5, "min_clean": 0}, {}]
)
def test_measure_says_nothing_of_points(limits, pictures, spectrum):
    assert measured(pictures, spectrum, **limits).doubts == ()
