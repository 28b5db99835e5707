"""`max_regression`: the cells that it limits, and what is refused, message by message."""

from __future__ import annotations

import pytest

from compress_guard.errors import ThresholdsError


def limits(guard):
    return {cell.label: cell.max_regression for cell in guard.cells}


POINTS = ("codecs: [jpeg, webp]", "bpp: [0.25, 1]", "quality: [75]")


def test_it_takes_the_forms_of_max_drop(guard):
    assert set(limits(guard(*POINTS)).values()) == {None}
    assert set(limits(guard(*POINTS, "max_regression: 2")).values()) == {2.0}
    made = limits(guard(*POINTS, "max_regression: {jpeg: {0.25: 3, 1: 1, q75: 0.5}}"))
    assert made == {
        "jpeg-0.25bpp": 3.0,
        "jpeg-1.0bpp": 1.0,
        "jpeg-q75": 0.5,
        "webp-0.25bpp": None,
        "webp-1.0bpp": None,
        "webp-q75": None,
    }


def test_a_guard_replaces_the_limit_of_the_defaults_and_null_takes_it_away(guard):
    before = "defaults: {max_regression: 2}\n"
    assert set(limits(guard(*POINTS, before=before)).values()) == {2.0}
    assert set(limits(guard(*POINTS, "max_regression: 1", before=before)).values()) == {1.0}
    assert set(limits(guard(*POINTS, "max_regression: null", before=before)).values()) == {None}


def test_it_is_a_limit_of_its_own(guard):
    made = guard("codecs: [jpeg]", "bpp: [1]", "max_regression: 2", "max_drop: 3", "correction: bonferroni")
    assert [cell.judged_limits for cell in made.cells] == [2]
    assert made.confidence == pytest.approx(1 - 0.05 / 2)
    (cell,) = guard("codecs: [jpeg]", "bpp: [1]", "max_regression: 2").cells
    assert cell.judged


def test_cells_that_compare_decoders_do_not_have_it(guard):
    made = guard("codecs: [jpeg]", "bpp: [1]", "decoders: [pillow, opencv]", "max_regression: 2")
    assert [(cell.first_decoder, cell.max_regression) for cell in made.cells] == [(None, 2.0), ("pillow", None)]


def test_a_share_is_doubted(guard):
    (cell,) = guard("codecs: [jpeg]", "bpp: [1]", "max_regression: 0.05").cells
    (doubt,) = cell.doubts
    assert doubt.endswith("max_regression is 0.05 points and looks like a share: write 5 for 5 points")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("101", "max_regression is 101, outside 0 to 100; use a number in that range"),
        ("{webp: 1}", "max_regression applies to no cell of this guard; give it for a codec that the guard uses"),
        (
            "{0.5: 1}",
            "rate 1.0 bpp (from line 8) is outside the max_regression of line 9, which is given at 0.5 bpp only; give "
            "max_regression at 1.0 bpp too, or remove this rate",
        ),
        ("x", "max_regression must be a number, found 'x'; write a number from 0 to 100"),
    ],
)
def test_what_makes_no_sense_is_refused(guard, value, message):
    with pytest.raises(ThresholdsError) as caught:
        guard("codecs: [jpeg]", "bpp: [1]", f"max_regression: {value}")
    assert str(caught.value).partition("photos: ")[2] == message
