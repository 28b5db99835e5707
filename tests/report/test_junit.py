from __future__ import annotations

import json
from dataclasses import fields

import pytest

from compress_guard.records import CellResult
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
    assert set(told) <= {f"cg_{one.name}" for one in fields(CellResult)}
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
