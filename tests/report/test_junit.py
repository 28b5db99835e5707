from __future__ import annotations

import json

import pytest

from compress_guard.records import CellResult, SliceResult
from compress_guard.report import properties


def test_properties_are_the_fields_with_a_prefix(cell):
    found = cell(
        "jpeg", 0.25, drop=3.125, settings=((20.0, 150), (21.0, 50)), error_ids=("a,b",), errors=1, max_drop=8.0
    )
    told = dict(properties(found))
    assert told["cg_id"] == "thresholds.yaml::photos[jpeg-0.25bpp]"
    assert told["cg_verdict"] == "pass"
    assert told["cg_drop"] == "3.125"
    assert told["cg_target_bpp"] == "0.25"
    assert told["cg_images"] == "200"
    assert told["cg_mixed"] == "false"
    assert told["cg_settings"] == '[{"setting":20.0,"images":150},{"setting":21.0,"images":50}]'
    assert json.loads(told["cg_error_ids"]) == ["a,b"]
    assert set(told) <= {f"cg_{name}" for name in CellResult.field_names()}
    assert len(told) == len(properties(found))


def test_what_was_not_measured_has_no_property(cell):
    told = dict(properties(cell("heic", 1, "unavailable", "skipped", encodes=0.0)))
    assert not {"cg_drop", "cg_score", "cg_images", "cg_settings", "cg_bpp_mean", "cg_error_ids"} & set(told)
    assert told["cg_encodes"] == "0.0"


def test_numbers_keep_every_digit(cell):
    assert float(dict(properties(cell("jpeg", 1, drop=1 / 3)))["cg_drop"]) == 1 / 3


def test_a_number_that_is_none_is_refused(cell):
    with pytest.raises(ValueError, match="not JSON compliant"):
        properties(cell("jpeg", 1, drop=float("nan")))


def test_slices_are_whole_in_one_property_and_have_their_drops_beside_it(cell):
    slices = (
        SliceResult("weather", "night", 33, 0.975, "fail", drop=12.125, drop_low=8.0, drop_high=16.0, max_drop=5.0),
        SliceResult("weather", "heavy rain\x00", 20, 0.95, "unjudged", drop=1.5),
        SliceResult("size", "small", 0, 0.95, "unjudged"),
    )
    told = properties(cell("jpeg", 1, "fail", "failed", 1.0, slices=slices))
    assert [SliceResult.from_dict(part) for part in json.loads(dict(told)["cg_slices"])] == list(slices)
    assert [pair for pair in told if pair[0].startswith("cg_slice_")] == [
        ("cg_slice_weather_night_drop", "12.125"),
        ("cg_slice_weather_night_max_drop", "5.0"),
        ("cg_slice_weather_night_verdict", "fail"),
        ("cg_slice_weather_heavy_rain__drop", "1.5"),
    ]


def test_slices_of_one_name_are_told_apart(cell):
    """The values differ only in characters that a name cannot hold, or equal the name of another's limit."""
    values = ("a b", "a_b", "a-b", "a\tb", "a_b_2", "a_b_max")
    slices = [
        SliceResult("x", value, 20, 0.95, "pass", drop=float(place), drop_low=0.0, drop_high=9.0, max_drop=10.0 + place)
        for place, value in enumerate(values)
    ]
    told = properties(cell("jpeg", 1, drop=1.0, slices=(*slices, SliceResult("x_a", "b", 20, 0.95, "pass", drop=6.0))))
    names = ["x_a_b", "x_a_b_2", "x_a-b", "x_a_b_3", "x_a_b_2_2", "x_a_b_max_2", "x_a_b_4"]
    assert len(dict(told)) == len(told)
    assert [dict(told)[f"cg_slice_{name}_drop"] for name in names] == [f"{place}.0" for place in range(7)]
    assert [dict(told)[f"cg_slice_{name}_max_drop"] for name in names[:6]] == [f"{place}.0" for place in range(10, 16)]


def test_what_stopped_changed_and_was_checked_is_told(cell):
    told = dict(
        properties(
            cell(
                "jpeg", 1, drop=1.0, stopped_early=True, harmful_flips=3, worst=(("a", 0.5),), correction="bonferroni",
                images_needed=800, control_images=96, control_changed=0, lossy_sources=2, swap_score=75.0,
            )
        )
    )  # fmt: skip
    assert (told["cg_stopped_early"], told["cg_harmful_flips"], told["cg_correction"]) == ("true", "3", "bonferroni")
    assert (told["cg_images_needed"], told["cg_lossy_sources"], told["cg_swap_score"]) == ("800", "2", "75.0")
    assert (told["cg_control_images"], told["cg_control_changed"]) == ("96", "0")
    assert json.loads(told["cg_worst"]) == [{"id": "a", "points": 0.5}]
