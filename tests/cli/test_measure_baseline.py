"""`measure(..., baseline=)`: a result against those of a gate, and against those of an earlier call."""

from __future__ import annotations

import re
import sys
from functools import partial

import pytest

import compress_guard
from compress_guard.errors import OptionError
from tests.cli.test_baseline import MODELS


@pytest.fixture
def gate(command, guards, folder):
    """Results of a gate of two guards whose model is wrong about one image, in base.json."""
    (folder / "models.py").write_text(MODELS)
    guards("codecs: [jpeg], bpp: [2]", toy="model: 'models:one', max_drop: 100", two="max_drop: 100, bpp: [1, 2]")
    assert command("run", "--json=base.json", "--device=cpu", "--no-cache").code == 0


@pytest.fixture
def measure(gate):
    """`compress_guard.measure` of the model that is wrong about eight images."""
    model, data = sys.modules["models"].eight(), sys.modules["toy"].data()
    asked = {"task": "classification", "codec": "jpeg", "bpp": 2, "device": "cpu"}
    return partial(compress_guard.measure, model, data, **asked)


def test_a_result_is_compared_image_by_image_with_that_of_a_gate(measure):
    result = measure(baseline=("base.json", "toy"), max_regression=1)
    assert (result.baseline_paired, result.baseline_images, result.verdict) == (True, 32, "fail")
    assert result.regression == pytest.approx(result.baseline_score - result.score)
    assert result.regression_low > 1
    assert result.reason.startswith("against the baseline top1 fell by ")
    assert (result.max_regression, result.doubts) == (1, ())


def test_the_only_cell_of_a_codec_and_point_needs_no_guard(measure):
    first, second = measure(bpp=[1, 2], baseline=("base.json", "two"))
    assert (first.baseline_paired, second.baseline_paired) == (True, True)
    assert measure(bpp=1, baseline="base.json").regression == first.regression
    # A point that the baseline lacks is measured, and said not to be compared.
    with pytest.warns(UserWarning, match="^max_regression is not judged: the baseline has no such cell$"):
        _, lacking = measure(bpp=[1, 3], baseline="base.json", max_regression=90)
    assert (lacking.baseline_remark, lacking.regression) == ("the baseline has no such cell", None)


def test_a_result_is_compared_by_its_score_with_one_that_was_returned(measure):
    before = measure()
    result = measure(baseline=before, max_regression=60)
    assert (result.baseline_paired, result.regression, result.verdict) == (False, 0, "pass")
    assert result.baseline_remark == (
        "not compared image by image: the evidence of the baseline is not beside its results"
    )
    both = measure(bpp=[1, 2], baseline=measure(bpp=[1, 2]))
    assert [each.regression for each in both] == [0, 0]


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"max_regression": 1}, "max_regression needs a baseline; give baseline=, results of an earlier run"),
        (
            {"baseline": "none.json"},
            "baseline: none.json: there is no such file; name a file that --cg-json, or --json, has written",
        ),
        (
            {"baseline": "base.json"},
            "baseline base.json has 2 cells jpeg-2.0bpp: toy[jpeg-2.0bpp], two[jpeg-2.0bpp]; name a guard too: "
            "baseline=(FILE, GUARD)",
        ),
        (
            {"baseline": "base.json", "codec": "webp"},
            "baseline base.json has no cell webp-2.0bpp of classification by top1; it has toy[jpeg-2.0bpp], "
            "two[jpeg-1.0bpp], two[jpeg-2.0bpp]",
        ),
        (
            {"baseline": "base.json", "metric": "top5"},
            "baseline base.json has no cell jpeg-2.0bpp of classification by top5; it has toy[jpeg-2.0bpp], ",
        ),
        ({"baseline": ("base.json", "tow")}, "baseline: base.json has no guard 'tow'; its guards are toy, two"),
        (
            {"baseline": 3},
            "baseline is of type int, expected a results file, a pair of such a file and the name of a guard, or "
            "results that measure has returned",
        ),
        ({"baseline": []}, "baseline is of type list, expected a results file, a pair of such a file"),
        ({"baseline": (1, 2)}, "baseline is of type tuple, expected a results file, a pair of such a file"),
    ],
)
def test_a_baseline_without_sense_is_refused_before_anything_is_coded(measure, wanted, message):
    with pytest.raises(OptionError, match=f"^{re.escape(message)}"):
        measure(**wanted)
