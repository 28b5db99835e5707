"""Slices of a cell: what they lost, what they are judged at, and when one of them fails the cell."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compress_guard.engine.cells.slices import (
    cell_confidence,
    judge_slices,
    judged_slices,
    slice_values,
    with_slices,
)
from compress_guard.errors import DataError
from compress_guard.records import (
    Cell,
    CodecSpec,
    Evidence,
    Guard,
    Interval,
    Judgement,
    Rate,
    SliceLimit,
    SliceResult,
    Slicing,
)
from compress_guard.registry import TASKS
from compress_guard.verdict import judge

CELL = Cell("g", CodecSpec("jpeg", "jpeg"), Rate(0.25), 5.0, None, None, 1)
TOP1 = TASKS.resolve("classification")()


def guard(*names, task="classification", metric="top1", by="label", confidence=0.95):
    slicings = tuple(Slicing(name, by) for name in names)
    return Guard("g", task, metric, "", "", (CELL,), slicings=slicings, confidence=confidence)


def limited(*limits):
    return replace(CELL, slice_limits=tuple(SliceLimit(*one) for one in limits))


def flags(right, start=0):
    """Return evidence of images that are right (1) or wrong (0), named by their number."""
    items = tuple({"top1": np.uint8(one), "top5": np.uint8(1)} for one in right)
    return Evidence(tuple(f"i{at + start:03d}" for at in range(len(items))), items)


def by_value(values, name="s"):
    return {f"i{at:03d}": {name: (value,) if isinstance(value, str) else value} for at, value in enumerate(values)}


def results(found):
    return {(one.slicing, one.value): one for one in found}


DAY_AND_NIGHT = by_value(["day"] * 30 + ["night"] * 20)
CLEAN, AT_NIGHT_BLIND = flags([1] * 50), flags([1] * 30 + [0] * 20)


# What is judged, and at what


def test_slices_are_scored_on_their_own_images():
    found = results(judge_slices(guard("s"), CELL, TOP1, DAY_AND_NIGHT, CLEAN, AT_NIGHT_BLIND, 0))
    day, night = found["s", "day"], found["s", "night"]
    assert (day.images, day.clean_score, day.score, day.drop) == (30, 100, 100, 0)
    assert (night.images, night.clean_score, night.score, night.drop) == (20, 100, 0, 100)
    for one in (day, night):
        assert (one.verdict, one.max_drop, one.confidence) == ("unjudged", None, 0.95)
        assert one.drop_low <= one.drop <= one.drop_high


def test_a_slice_of_all_images_is_the_cell():
    slices = by_value(["all"] * 50)
    (found,) = judge_slices(guard("s"), CELL, TOP1, slices, CLEAN, AT_NIGHT_BLIND, 0)
    scorers = (TOP1.scorer("top1", side.items) for side in (CLEAN, AT_NIGHT_BLIND))
    whole = judge(*scorers, metric="top1", max_drop=None, min_score=None, confidence=0.95, seed=0, images=50)
    assert Interval(found.drop, found.drop_low, found.drop_high) == whole.drop


def test_an_image_may_be_in_several_slices_of_one_slicing_or_in_none():
    slices = by_value([("a", "b"), ("a",), (), ("b",)])
    found = results(judge_slices(guard("s"), CELL, TOP1, slices, flags([1, 1, 1, 1]), flags([0, 1, 0, 1]), 0))
    assert {value: (one.images, one.drop) for (_, value), one in found.items()} == {"a": (2, 50), "b": (2, 50)}


def test_without_limits_of_slices_nothing_changes():
    cell = Judgement(90.0, 80.0, Interval(10, 5, 15), None, "pass", "fine")
    found = judge_slices(guard("s"), CELL, TOP1, DAY_AND_NIGHT, CLEAN, AT_NIGHT_BLIND, 0)
    assert judged_slices(CELL, DAY_AND_NIGHT) == 0
    assert cell_confidence(guard("s", confidence=0.95), 0) == 0.95
    assert with_slices(cell, found) is cell
    assert with_slices(cell, ()) is cell
    assert judge_slices(guard(), CELL, TOP1, {name: {} for name in CLEAN.ids}, CLEAN, AT_NIGHT_BLIND, 0) == ()


@pytest.mark.parametrize(("limits", "judged"), [
    ([], 0),
    ([("s", None, 5)], 3),
    ([("s", "day", 5)], 1),
    ([("s", "day", 5), ("s", "night", 5)], 2),
    ([("s", "day", 5), ("s", None, 9)], 3),
    ([("s", "knight", 5)], 0),
    ([("s", None, 5), ("t", "1", 5)], 4),
    ([("t", None, 5)], 2),
])  # fmt: skip
def test_slices_with_a_limit_that_occur_share_the_error_with_their_cell(limits, judged):
    slices = {
        f"i{at:03d}": {"s": (("day", "night", "dusk")[at % 3],), "t": (str(at % 2),) if at > 3 else ()}
        for at in range(12)
    }
    cell, asked = limited(*limits), guard("s", "t", confidence=0.9)
    assert judged_slices(cell, slices) == judged
    assert cell_confidence(asked, judged) == pytest.approx(1 - 0.1 / (judged + 1))
    # Which images come to be used has no say in that
    for used in (range(12), range(2)):
        clean = Evidence(
            *zip(*[(f"i{at:03d}", {"top1": np.uint8(1), "top5": np.uint8(1)}) for at in used], strict=True)
        )
        for one in judge_slices(asked, cell, TOP1, slices, clean, clean, 0):
            share = judged + 1 if one.max_drop is not None else 1
            assert one.confidence == pytest.approx(1 - 0.1 / share)


def test_a_named_slice_has_its_own_limit_and_the_others_that_of_all():
    cell = limited(("s", None, 9), ("s", "night", 2), ("t", None, 50))
    found = results(judge_slices(guard("s"), cell, TOP1, DAY_AND_NIGHT, CLEAN, CLEAN, 0))
    assert {value: one.max_drop for (_, value), one in found.items()} == {"day": 9, "night": 2}


def test_a_limit_for_a_slice_that_does_not_occur_shows_with_no_images():
    cell = limited(("s", "knight", 5))
    found = results(judge_slices(guard("s"), cell, TOP1, DAY_AND_NIGHT, CLEAN, AT_NIGHT_BLIND, 0))
    assert found["s", "knight"] == SliceResult("s", "knight", 0, 0.95, "unjudged", max_drop=5)
    assert found["s", "night"].max_drop is None


def test_a_slice_none_of_whose_images_were_used_is_not_judged_but_counts():
    cell = limited(("s", None, 5))
    used = [f"i{at:03d}" for at in range(30)]
    clean, compressed = CLEAN.select(used), AT_NIGHT_BLIND.select(used)
    found = results(judge_slices(guard("s"), cell, TOP1, DAY_AND_NIGHT, clean, compressed, 0))
    assert found["s", "night"] == SliceResult("s", "night", 0, pytest.approx(1 - 0.05 / 3), "unjudged", max_drop=5)
    assert found["s", "day"].verdict != "unjudged"


def test_the_clean_side_may_have_images_that_were_lost_on_the_other():
    used = AT_NIGHT_BLIND.ids[:40]
    found = results(judge_slices(guard("s"), CELL, TOP1, DAY_AND_NIGHT, CLEAN, AT_NIGHT_BLIND.select(used), 0))
    assert (found["s", "day"].images, found["s", "night"].images) == (30, 10)


# Order


def test_slices_come_by_slicing_with_numbers_by_their_size():
    values = ["10", "9", "night", "-1", "2.5", "day", "1e1", "nan"]
    slices = {f"i{at:03d}": {"b": (value,), "a": ("x",)} for at, value in enumerate(values)}
    clean = flags([1] * len(values))
    found = judge_slices(guard("b", "a"), CELL, TOP1, slices, clean, clean, 0)
    order = ("-1", "2.5", "9", "10", "1e1", "day", "nan", "night")
    assert [(one.slicing, one.value) for one in found] == [*[("b", value) for value in order], ("a", "x")]
    assert slice_values(slices) == {"a": ("x",), "b": order}


@pytest.mark.parametrize(("task", "metric"), [("classification", "top1"), ("segmentation", "miou")])
def test_the_order_of_the_images_makes_no_difference(task, metric):
    judged, generator = TASKS.resolve(task)(), np.random.default_rng(0)
    names = [f"i{at:03d}" for at in generator.permutation(24)]
    slices = {name: {"s": (("a", "b")[at % 2],)} for at, name in enumerate(names)}

    def evidence(errors):
        made = []
        for _ in names:
            if task == "classification":
                made.append({"top1": np.uint8(generator.random() > errors), "top5": np.uint8(1)})
            else:
                truth = generator.integers(0, 3, (6, 6))
                wrong = generator.random((6, 6)) < errors
                target = judged.target(truth, (6, 6))
                prediction = judged.prediction(np.where(wrong, 0, truth), (6, 6))
                made.append(judged.evidence(prediction, target, (6, 6)))
        return Evidence(tuple(names), tuple(made))

    clean, compressed = evidence(0.1), evidence(0.5)
    cell, asked = limited(("s", None, 20)), guard("s", task=task, metric=metric)
    found = judge_slices(asked, cell, judged, slices, clean, compressed, 3)
    assert all(one.drop is not None and one.drop_low < one.drop_high for one in found)
    for _ in range(3):
        order = list(generator.permutation(names))
        shuffled = {name: slices[name] for name in generator.permutation(names)}
        again = judge_slices(asked, cell, judged, shuffled, clean.select(order), compressed.select(order), 3)
        assert again == found


def test_too_many_slices_are_refused():
    hundred = by_value([str(at) for at in range(100)])
    assert len(slice_values(hundred)["s"]) == 100
    message = (
        "^slices s: the images fall into 101 slices; expected at most 100; put them into groups with a factory "
        "package.module:callable$"
    )
    with pytest.raises(DataError, match=message):
        slice_values(by_value([str(at) for at in range(101)]))


# What they decide


def result(verdict, value="night", drop=12.1, low=8.0, high=16.5, limit=5.0):
    return SliceResult("weather", value, 40, 0.975, verdict, 80.0, 80.0 - drop, drop, low, high, limit)


JUDGEMENT = Judgement(90.0, 88.0, Interval(2, 1, 3), None, "pass", "top1 fell by 2.0 points")


def test_a_failed_slice_fails_the_cell_and_is_named():
    found = with_slices(JUDGEMENT, [result("pass"), result("fail"), result("fail", "fog", 9.0, 6.0, 12.0)])
    assert found == replace(
        JUDGEMENT,
        verdict="fail",
        reason="slice weather=night fell by 12.1 points (80.0 to 67.9, 97.5 % interval 8.0 to 16.5), allowed 5.0; "
        "slice weather=fog fell by 9.0 points (80.0 to 71.0, 97.5 % interval 6.0 to 12.0), allowed 5.0; "
        "top1 fell by 2.0 points",
    )


def test_the_reason_begins_with_a_cell_that_failed_by_itself():
    found = with_slices(replace(JUDGEMENT, verdict="fail"), [result("fail")])
    assert found.reason.startswith("top1 fell by 2.0 points; slice weather=night fell by 12.1 points")


@pytest.mark.parametrize("verdict", ["pass", "fail", "inconclusive", "unjudged"])
def test_slices_that_did_not_fail_change_nothing(verdict):
    judgement = replace(JUDGEMENT, verdict=verdict)
    assert with_slices(judgement, [result("inconclusive"), result("pass"), result("unjudged")]) is judgement
    assert with_slices(judgement, [result("fail")]).verdict == "fail"


def test_a_cell_without_a_score_stays_an_error():
    judgement = Judgement(None, None, None, None, "error", "top1 is undefined")
    assert with_slices(judgement, [result("fail")]) is judgement


@settings(deadline=None, max_examples=25)
@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.sampled_from("abc")), min_size=1, max_size=60),
       st.floats(0, 60), st.sampled_from([0.8, 0.95, 0.99]))  # fmt: skip
def test_a_slice_decides_only_by_its_whole_interval(images, limit, confidence):
    clean, compressed = (flags([one[side] for one in images]) for side in (0, 1))
    slices = by_value([one[2] for one in images])
    cell = limited(("s", None, limit))
    asked = guard("s", confidence=confidence)
    found = judge_slices(asked, cell, TOP1, slices, clean, compressed, 0)
    assert sum(one.images for one in found) == len(images)
    for one in found:
        ids = [name for name in clean.ids if slices[name]["s"] == (one.value,)]
        sides = [TOP1.scorer("top1", side.select(ids).items) for side in (clean, compressed)]
        alone = judge(
            *sides, metric="top1", max_drop=limit, min_score=None, seed=0, images=len(ids),
            confidence=1 - (1 - confidence) / (len({image[2] for image in images}) + 1),
        )  # fmt: skip
        assert Interval(one.drop, one.drop_low, one.drop_high) == alone.drop
        assert one.verdict == ("fail" if one.drop_low > limit else "pass" if one.drop_high <= limit else "inconclusive")
    wholly_above = any(one.drop_low > limit for one in found)
    assert with_slices(JUDGEMENT, found).verdict == ("fail" if wholly_above else "pass")


# Object sizes


def scenes(found):
    """Return detections of a small and a large box in each image, except for the last, which has only a large one."""
    task = TASKS.resolve("detection")()
    boxes, items = np.array([[0.0, 0, 20, 20], [50.0, 50, 200, 200]]), []
    for at, seen in enumerate(found):
        there = [1] if at == len(found) - 1 else [0, 1]
        target = task.target({"boxes": boxes[there], "labels": np.array(there) * 0}, (300, 300))
        scores = np.linspace(0.9, 0.8, len(seen)).astype(np.float32)
        prediction = {"boxes": boxes[seen], "scores": scores, "labels": np.zeros(len(seen), dtype=np.int64)}
        items.append(task.evidence(task.prediction(prediction, (300, 300)), target, (300, 300)))
    return Evidence(tuple(f"i{at:03d}" for at in range(len(items))), tuple(items))


def test_object_sizes_are_scored_by_their_metrics_over_all_images():
    task, sizes = TASKS.resolve("detection")(), Slicing("size", "object_size")
    asked = replace(guard(task="detection", metric="map_50"), slicings=(sizes,))
    clean, compressed = scenes([[0, 1]] * 7 + [[1]]), scenes([[1]] * 8)
    slices = {name: {"size": ("small", "large")} for name in clean.ids[:7]} | {"i007": {"size": ("large",)}}
    cell = replace(CELL, slice_limits=(SliceLimit("size", "small", 20), SliceLimit("size", "medium", 20)))
    found = judge_slices(asked, cell, task, slices, clean, compressed, 0)
    assert [one.value for one in found] == ["small", "medium", "large"]
    small, medium, large = found
    assert judged_slices(cell, slices) == 1
    assert (small.images, large.images) == (8, 8)
    assert medium == SliceResult("size", "medium", 0, 0.975, "unjudged", max_drop=20)
    assert (large.clean_score, large.score, large.drop, large.verdict) == pytest.approx((100, 100, 0, "unjudged"))
    assert (small.clean_score, small.score, small.verdict) == (pytest.approx(100), 0, "fail")
    sides = [task.scorer("map_small", side.items) for side in (clean, compressed)]
    alone = judge(*sides, metric="", max_drop=20, min_score=None, confidence=0.975, seed=0, images=8)
    assert Interval(small.drop, small.drop_low, small.drop_high) == alone.drop


def test_a_score_that_is_undefined_is_not_judged():
    task, sizes = TASKS.resolve("detection")(), Slicing("size", "object_size")
    asked = replace(guard(task="detection", metric="map"), slicings=(sizes,))
    alone = scenes([[1]])
    cell = replace(CELL, slice_limits=(SliceLimit("size", None, 20),))
    (small,) = judge_slices(asked, cell, task, {"i000": {"size": ("small",)}}, alone, alone, 0)
    assert small == SliceResult("size", "small", 1, 0.975, "unjudged", max_drop=20)


def test_a_size_without_objects_among_the_images_used_has_no_score():
    task, sizes = TASKS.resolve("detection")(), Slicing("size", "object_size")
    asked = replace(guard(task="detection", metric="map"), slicings=(sizes,))
    both = scenes([[0, 1]] * 3 + [[1]])
    slices = {name: {"size": ("small", "large")} for name in both.ids[:3]} | {"i003": {"size": ("large",)}}
    cell = replace(CELL, slice_limits=(SliceLimit("size", None, 20),))
    alone = both.select(["i003"])
    small, large = judge_slices(asked, cell, task, slices, alone, alone, 0)
    assert small == SliceResult("size", "small", 0, pytest.approx(1 - 0.05 / 3), "unjudged", max_drop=20)
    assert (large.value, large.images, large.score) == ("large", 1, pytest.approx(100))
