from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compress_guard.records import Share
from compress_guard.verdict.recovery import judge_recovery, share
from compress_guard.verdict.resampling import Remembered


@dataclass
class Mean:
    """The weighted mean of one value per image, in points; NaN where only images without a value are drawn."""

    values: np.ndarray
    calls: list[int] = field(default_factory=list)
    flags = None

    def __call__(self, weights):
        self.calls.append(len(weights))
        there = ~np.isnan(self.values)
        total = weights[:, there].sum(axis=1)
        return np.divide(
            weights[:, there] @ self.values[there], total, out=np.full(len(weights), np.nan), where=total > 0
        )


def evidence(images=60, back=0.6, drop=20.0, seed=1, spread=5.0):
    """Values of finetuned, compressed and whole: each image loses about `drop` and gets `back` of it."""
    generator = np.random.default_rng(seed)
    whole = generator.uniform(60, 95, images)
    lost = drop + generator.normal(0, spread, images)
    return whole - (1 - back) * lost + generator.normal(0, spread, images), whole - lost, whole


def of(finetuned, compressed, whole, seed=0, confidence=0.95):
    sides = [[Mean(values) for values in np.atleast_2d(side)] for side in (finetuned, compressed, whole)]
    return share(*sides, len(np.atleast_2d(whole)[0]), seed, confidence)  # type: ignore[call-arg]  # mypy cannot count what a star brings


def fieller(finetuned, compressed, whole, t):
    """Fieller's interval of a ratio of two means in closed form."""
    above, below = finetuned - compressed, whole - compressed
    covariance = np.cov(above, below) / len(above)
    a = below.mean() ** 2 - t**2 * covariance[1, 1]
    b = above.mean() * below.mean() - t**2 * covariance[0, 1]
    c = above.mean() ** 2 - t**2 * covariance[0, 0]
    root = np.sqrt(b**2 - a * c)
    return (b - root) / a, (b + root) / a


@pytest.mark.parametrize("spread", [5.0, 40.0])
def test_the_interval_of_means_over_many_images_is_that_of_fieller(spread):
    sides = evidence(images=1500, spread=spread)
    found = of(*sides)
    low, high = fieller(*sides, t=1.96)  # type: ignore[misc]  # mypy cannot count what a star brings
    assert found.value == pytest.approx((sides[0] - sides[1]).mean() / (sides[2] - sides[1]).mean())
    assert found.value - found.low == pytest.approx(found.value - low, rel=0.1)
    assert found.high - found.value == pytest.approx(high - found.value, rel=0.1)


seeds = st.integers(0, 2**16)


@settings(max_examples=15, deadline=None)
@given(
    st.integers(8, 80),
    st.floats(-0.5, 1.5),
    st.floats(0.5, 60),
    st.floats(0, 30),
    seeds,
    st.sampled_from([0.8, 0.95, 0.999]),
)
def test_a_share_lies_in_its_interval_and_is_there_if_the_drop_is(images, back, drop, spread, seed, confidence):
    sides = evidence(images, back, drop, seed, spread)
    found = of(*sides, seed=seed, confidence=confidence)  # type: ignore[misc]  # mypy cannot count what a star brings
    if found.value is None:
        assert (found.low, found.high, found.seeds) == (None, None, ())
        assert "too small to divide by" in found.reason
    else:
        assert -1e6 < found.low <= found.value <= found.high < 1e6
        assert found.reason == ""


@settings(max_examples=10, deadline=None)
@given(st.floats(0.2, 1.0), st.floats(-20, 20), seeds)
def test_neither_the_scale_nor_the_level_of_scores_matters(scale, shift, seed):
    sides = evidence(50, seed=seed)
    first, second = of(*sides), of(*(scale * side + shift for side in sides))
    for name in ("value", "low", "high", "seeds"):
        assert getattr(second, name) == pytest.approx(getattr(first, name), rel=1e-6)


@settings(max_examples=10, deadline=None)
@given(st.integers(30, 80), seeds)
def test_all_and_nothing(images, seed):
    _, compressed, whole = evidence(images, seed=seed)
    assert of(whole, compressed, whole).value == pytest.approx(1)
    nothing = of(compressed, compressed, whole)
    assert nothing.value == 0
    assert nothing.low < 0 < nothing.high


def test_fewer_images_leave_more_unseen_where_everything_came_back():
    reaches = []
    for images in (60, 240):
        _, compressed, whole = evidence(images)
        found = of(whole, compressed, whole)
        reaches.append(found.high - found.low)
        assert found.low < 1 < found.high
    assert reaches[0] == pytest.approx(4 * reaches[1], rel=0.1)


def test_more_confidence_and_fewer_images_make_it_wider():
    def width(images, confidence):
        found = of(*evidence(images), confidence=confidence)  # type: ignore[misc]  # mypy cannot count what a star brings
        return found.high - found.low

    assert width(400, 0.95) < width(400, 0.999)
    assert width(400, 0.95) < width(100, 0.95)


def test_no_share_of_a_drop_that_may_be_none():
    whole = np.linspace(60, 90, 100)
    compressed = whole - 1.2 - np.tile([10.0, -10.0], 50)
    assert of(compressed + 1, compressed, whole) == Share(
        None,
        reason="the drop of 1.2 points (95 % interval -0.8 to 3.2) is too small to divide by; "
        "take more images or a lower rate",
    )


def test_no_share_where_compressed_images_score_higher():
    finetuned, compressed, whole = evidence()
    assert of(finetuned, whole, compressed).value is None


@pytest.mark.parametrize(("images", "said"), [(0, "0 images"), (1, "1 image")])
def test_no_share_of_fewer_than_two_images(images, said):
    values = np.full(images, 50.0)
    found = share([Mean(values)], [Mean(values)], [Mean(values)], images, 0, 0.95)
    assert found == Share(None, reason=f"{said}: a share needs at least 2")


def test_no_share_of_undefined_scores():
    nothing = np.full(5, np.nan)
    assert of(nothing, nothing, nothing).reason == "a score is undefined: 5 images without ground truth for it"


def test_images_without_ground_truth_count_for_nothing():
    sides = evidence(40)
    blank = np.full(40, np.nan)
    few, padded = of(*sides), of(*(np.concatenate([side, blank]) for side in sides))
    assert padded.value == pytest.approx(few.value)
    assert padded.high - padded.low == pytest.approx(few.high - few.low, rel=0.15)


def test_each_side_is_the_mean_over_its_seeds():
    finetuned, compressed, whole = evidence()
    tuned = np.stack([finetuned - 2, finetuned + 1, finetuned + 4])
    found = of(tuned, compressed, whole)
    alone = of(finetuned + 1, compressed, whole)
    assert found.value == pytest.approx(alone.value)
    assert (found.low, found.high) == pytest.approx((alone.low, alone.high))
    assert found.seeds == pytest.approx([of(one, compressed, whole).value for one in tuned])


def test_seeds_of_the_control_are_compared_with_those_of_the_same_number():
    finetuned, compressed, whole = evidence()
    tuned = np.stack([finetuned, finetuned + 3])
    control = np.stack([compressed, compressed + 5])
    clean = np.stack([whole, whole - 1])
    found = of(tuned, control, clean)
    assert found.seeds == pytest.approx([of(tuned[at], control[at], clean[at]).value for at in (0, 1)])
    means = [side.mean(axis=0) for side in (tuned, control, clean)]
    assert found.value == pytest.approx(of(*means).value)


def test_a_seed_without_a_drop_has_no_share_and_so_none_is_given():
    finetuned, compressed, whole = evidence()
    found = of(finetuned, np.stack([compressed, compressed - 40, whole]), whole)
    assert found.value is not None
    assert found.seeds == ()


def test_sides_of_different_numbers_of_seeds_are_refused():
    finetuned, compressed, whole = evidence()
    with pytest.raises(ValueError, match="sides of 3, 2, 1 scorers; expected one or 3 each"):
        of([finetuned] * 3, [compressed] * 2, whole)


def test_a_remembered_scorer_is_not_asked_again():
    sides = [Mean(side) for side in evidence()]
    original = [Remembered(sides[1]), Remembered(sides[2])]
    first = share([sides[0]], original[:1], original[1:], 60, 0, 0.95)
    asked = len(sides[1].calls)
    assert share([sides[0]], original[:1], original[1:], 60, 0, 0.95) == first
    assert len(sides[1].calls) == asked + 1  # the score itself


def shares(*ends):
    return [Share(value, low, high, (value,)) for low, value, high in ends]


@pytest.mark.parametrize(
    ("found", "limit", "verdict"),
    [
        (shares((0.5, 0.6, 0.7)), 0.5, "pass"),
        (shares((0.49, 0.6, 0.7)), 0.5, "fail"),
        (shares((0.3, 0.4, 0.5)), 0.5, "fail"),
        (shares((0.3, 0.4, 0.499)), 0.5, "fail"),
        (shares((0.6, 0.7, 0.8), (0.55, 0.7, 0.8)), 0.5, "pass"),
        (shares((0.6, 0.7, 0.8), (0.45, 0.7, 0.8)), 0.5, "fail"),
        (shares((0.6, 0.7, 0.8), (0.1, 0.2, 0.3)), 0.5, "fail"),
        ([*shares((0.6, 0.7, 0.8)), Share(None, reason="no drop")], 0.5, "inconclusive"),
        ([*shares((0.1, 0.2, 0.3)), Share(None, reason="no drop")], 0.5, "fail"),
        ([Share(0.7)], 0.5, "inconclusive"),
        (shares((0.1, 0.2, 0.3)), None, "unjudged"),
        ([Share(None, reason="no drop")], None, "unjudged"),
    ],
)
def test_the_verdict_rests_on_the_lower_end(found, limit, verdict):
    assert judge_recovery(found, limit)[0] == verdict


@pytest.mark.parametrize(
    ("found", "limit", "said"),
    [
        (shares((0.551, 0.62, 0.7)), 0.5, "recovered 62.0 % (55.1 to 70.0 %) of the drop, at least 50.0 % asked"),
        (
            shares((0.4999, 0.62, 0.7)),
            0.5,
            "recovered 62.00 % (49.99 to 70.00 %) of the drop, at least 50.00 % asked of the lower end",
        ),
        (shares((0.3, 0.4, 0.6)), 0.5, "recovered 40.0 % (30.0 to 60.0 %) of the drop, at least 50.0 % asked"),
        (
            shares((0.6, 0.7, 0.8), (0.1, 0.2, 0.3)),
            0.5,
            "recovered 70.0 % (60.0 to 80.0 %) of the drop and 20.0 % (10.0 to 30.0 %) of the drop, at least 50.0 % "
            "asked",
        ),
        (
            [Share(None, reason="no drop"), *shares((0.6, 0.7, 0.8))],
            0.5,
            "no drop; recovered 70.0 % (60.0 to 80.0 %) of the drop, at least 50.0 % asked",
        ),
        ([Share(None, reason="no drop")], 0.5, "no drop; at least 50.0 % asked"),
        (shares((-0.2, -0.1, 0.3)), None, "recovered -10.0 % (-20.0 to 30.0 %) of the drop, no limit is set"),
        ([Share(0.7)], None, "recovered 70.0 % (no interval) of the drop, no limit is set"),
    ],
)
def test_the_sentence_has_both_sides(found, limit, said):
    assert judge_recovery(found, limit)[1] == said


def test_of_several_shares_the_sentence_says_where():
    found = [Share(None, reason="the drop is too small"), *shares((0.6, 0.7, 0.8))]
    assert judge_recovery(found, 0.5, ["0.5 bpp", "0.25 bpp"])[1] == (
        "at 0.5 bpp the drop is too small; recovered 70.0 % (60.0 to 80.0 %) of the drop at 0.25 bpp, at least 50.0 % "
        "asked"
    )
    assert "bpp" not in judge_recovery(found[1:], 0.5, ["0.25 bpp"])[1]


def test_no_share_at_all_is_refused():
    with pytest.raises(ValueError, match="no share to judge"):
        judge_recovery([], 0.5)
