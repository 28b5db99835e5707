"""Whatever text a result holds: tables, JUnit, the results file and the figure stay what they are."""

from __future__ import annotations

import dataclasses
import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compress_guard.foreign import is_fit
from compress_guard.records import CellResult, RecoveryPoint, RecoveryResult, Share, SliceResult, ThroughputResult
from compress_guard.report import (
    ansi,
    lines,
    plain,
    properties,
    recovery_figure,
    recovery_lines,
    throughput_lines,
    write,
)

PIECES = [
    "\n",
    "\r",
    "\x1b[31m",
    "\x9b",
    "\u202e",
    "\u2028",
    "\u200b",
    "\udce9",
    "::",
    "##",
    "##vso[",
    "[",
    "<",
    "&",
    "|",
    "]]>",
    "a",
]
TEXTS = st.lists(st.sampled_from(PIECES), min_size=1, max_size=8).map("".join)
FEW = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
VERDICT = {"verdict": "fail", "outcome": "failed", "settled_by": "interval"}


def cell(text: str) -> CellResult:
    """Return a result with this text in all fields that are free text."""
    parts = [
        field.default_factory for field in dataclasses.fields(CellResult) if isinstance(field.default_factory, type)
    ]
    every = [field for record in (CellResult, *parts) for field in dataclasses.fields(record)]
    free = {field.name: text for field in every if field.type in ("str", "str | None")}
    words = {"task": "classification", "metric": "top1", "rate": "dataset", "reason": text}
    part = SliceResult(text, text, 9, 0.95, "fail", drop=3.0, drop_low=1.0, drop_high=5.0, max_drop=0.5)
    named = {"error_ids": (text, text), "worst": ((text, 1.0),), "outliers": ((text, 9.0),), "doubts": (text,)}
    figures = {"drop": 3.0, "clean_score": 90.0, "score": 87.0, "images": 9, "images_used": 9, "errors": 2}
    others = {"outlier_count": 1, "changed": 2, "harmful_flips": 2, "helpful_flips": 0, "model_moved": True}
    settings = {"target_bpp": 0.5, "seed": 0, "confidence": 0.95, "slices": (part,)}
    return CellResult.from_fields(free | words | VERDICT | named | figures | others | settings)


def timed(text: str) -> ThroughputResult:
    kinds = {one.name: one.type for one in dataclasses.fields(ThroughputResult)}
    free = {name: text for name, kind in kinds.items() if kind in ("str", "str | None")}
    figures = {name: 3 for name, kind in kinds.items() if kind in ("float | None", "int | None")}
    return ThroughputResult(**(free | figures | VERDICT), work="encode", seed=0, confidence=0.95)


def study(text: str) -> RecoveryResult:
    free = {one.name: text for one in dataclasses.fields(RecoveryResult) if one.type in ("str", "str | None")}
    share = Share(80.0, 70.0, 90.0)
    scores = {"compressed": 50.0, "control": 55.0, "finetuned": 80.0, "finetuned_seeds": (79.0, 81.0)}
    known = {one.name for one in dataclasses.fields(RecoveryPoint)}
    values = {"codec": text, "bpp": 0.5, "bpp_mean": 0.5, "control_seeds": (55.0, 55.0), "recovered": share}
    values |= {"beyond_control": share, **scores}
    point = RecoveryPoint(**{name: value for name, value in values.items() if name in known})
    return RecoveryResult(
        **(free | VERDICT | {"task": "classification", "metric": "top1"}),
        trained_bpp=0.5,
        confidence=0.95,
        clean=90.0,
        control_clean=89.0,
        finetuned_clean=88.0,
        points=(point,),
        seeds=(0, 1),
    )


def check(text: str) -> None:
    for line in text.split("\n"):
        assert is_fit(line), ascii(line)
        assert not line.lstrip().startswith("::"), ascii(line)
        assert not re.search(r"##\w*\[", line), ascii(line)


@FEW
@given(TEXTS)
def test_tables_have_their_lines_and_no_others(text) -> None:
    for made in (lines([cell(text)]), throughput_lines([timed(text)]), recovery_lines([study(text)])):
        drawn = list(made)
        check(plain(drawn))
        assert plain(drawn).count("\n") == len(drawn)
        check(re.sub("\x1b\\[[0-9]+m", "", ansi(drawn)))


@FEW
@given(TEXTS)
def test_properties_are_fit_for_xml(text) -> None:
    for result in (cell(text), timed(text), study(text)):
        for name, value in properties(result):
            assert re.fullmatch(r"[\w.+-]+", name)
            check(value)


@FEW
@given(TEXTS)
def test_the_results_file_is_one_of_printable_text_with_the_values_as_they_are(tmp_path: Path, text) -> None:
    path = tmp_path / "results.json"
    write(path, [cell(text)], {"platform": text}, {}, [timed(text)], [study(text)])
    written = path.read_bytes().decode()
    check(written)
    document = json.loads(written)
    assert document["environment"]["platform"] == text
    assert document["cells"][0]["id"] == text


@FEW
@given(TEXTS)
def test_the_figure_is_xml(text) -> None:
    figure = recovery_figure([study(text)])
    check(figure)
    assert ET.fromstring(figure.encode()).tag.endswith("svg")


def test_a_line_that_is_fit_keeps_its_styles(every_verdict) -> None:
    assert "\x1b[" in ansi(lines(every_verdict))


@pytest.mark.parametrize("record", [cell, timed, study])
def test_a_record_is_what_comes_back_from_its_values(record) -> None:
    made = record("x\n::error::\u202e\udce9")
    again = type(made).from_dict(json.loads(json.dumps(made.as_dict())))
    assert again == made
    assert made.reason == r"x\x0a::error::\u202e\udce9"
