"""Recovery studies as text, properties and a figure."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET

import pytest

from compress_guard.records import MIXED, RecoveryPoint, RecoveryResult, Share
from compress_guard.report import document, plain, properties, recovery_figure, recovery_lines, write

SVG = "{http://www.w3.org/2000/svg}"
NONE = Share(None, reason="the drop is 0.3 points (-0.4 to 1.0), too small to divide by")


def point(codec, bpp, compressed, control, finetuned, recovered=None, beyond=None):
    known = Share(0.62, 0.55, 0.7, (0.6, 0.64))
    seeds = (finetuned - 1, finetuned + 1)
    shares = (recovered or known, beyond or known)
    return RecoveryPoint(codec, bpp, bpp * 0.99, compressed, control, finetuned, (control,) * 2, seeds, *shares)


def study(codec, trained, points, *, guard="photos", **fields):
    rate = trained if trained == MIXED else f"{trained}bpp"
    values = {
        "id": f"thresholds.yaml::{guard}[recovery-{codec}-{rate}]",
        "guard": guard,
        "task": "classification",
        "metric": "top1",
        "codec": codec,
        "trained_bpp": trained,
        "verdict": "pass",
        "outcome": "passed",
        "settled_by": "interval",
        "reason": "because",
        "confidence": 0.95,
        "images": 200,
        "train_images": 400,
        "steps": 300,
        "batch": 8,
        "seeds": (0, 1),
        "clean": 90.0,
        "control_clean": 90.5,
        "finetuned_clean": 89.0,
        "finetuned_clean_seeds": (88.9, 89.1),
        "points": tuple(points),
    }
    return RecoveryResult(**(values | fields))


def at(low, high, **shares):
    return [point("avif", 0.1, 40.0, 41.0, low, **shares), point("avif", 0.25, 80.0, 80.5, high, **shares)]


FOUND = [study("avif", 0.1, at(71.0, 82.0)), study("avif", 0.25, at(50.0, 87.5)), study("avif", MIXED, at(70.0, 86.0))]


def test_the_table_has_a_row_for_each_rate_that_a_model_was_trained_for():
    text = plain(recovery_lines(FOUND))
    assert "photos: top1 90.0 on 200 clean images; finetuned 300 steps of 8 images, seeds 0, 1" in text
    rows = [line.split() for line in text.splitlines() if line.startswith("  avif") and "%" in line]
    assert [row[:2] for row in rows] == [
        ["avif", "0.1bpp"],
        ["avif", "0.25bpp"],
        ["avif", "mixed,"],
        ["avif", "mixed,"],
    ]
    assert "71.0" in rows[0]
    assert "62 % (55 to 70)" in text


def test_the_transfer_matrix_has_every_model_at_every_point():
    text = plain(recovery_lines(FOUND))
    matrix = text[text.index("score of the model finetuned on (down), tested on (across)") :].splitlines()
    assert matrix[1].split() == ["clean", "avif", "0.1bpp", "avif", "0.25bpp"]
    rows = [line.split()[-3:] for line in matrix[2:7]]
    assert rows == [
        ["90.0", "40.0", "80.0"],
        ["90.5", "41.0", "80.5"],
        ["89.0", "71.0", "82.0"],
        ["89.0", "50.0", "87.5"],
        ["89.0", "70.0", "86.0"],
    ]


def test_what_did_not_come_back_is_an_upper_bound_by_the_best_model():
    (told,) = [line for line in plain(recovery_lines(FOUND)).splitlines() if "did not come back" in line]
    assert "19.0 of 50.0 points for avif at 0.1 bpp, 2.5 of 10.0 points for avif at 0.25 bpp" in told
    assert "an upper bound of the information that is lost" in told


def test_training_images_that_were_left_out_are_told():
    text = plain(recovery_lines([study("avif", 0.1, at(71.0, 82.0), train_tested=3, train_errors=1)]))
    assert "photos: 3 of 404 training images left out of training, since the models are tested on them" in text
    assert "photos: 1 of 404 training images left out of training, since they cannot be read" in text
    assert "left out" not in plain(recovery_lines(FOUND))


def test_a_share_that_there_is_not_says_why():
    text = plain(recovery_lines([study("avif", 0.1, at(71.0, 82.0, recovered=NONE))]))
    assert f"photos: avif at 0.1 bpp: no share recovered: {NONE.reason}" in text


def test_failures_and_what_was_not_measured_stand_below():
    failed = study("avif", 0.1, at(71.0, 82.0), verdict="fail", outcome="failed", reason="recovered too little")
    missing = study("jxl", 0.1, (), verdict="unavailable", outcome="skipped", reason="jxl is not here", clean=None)
    text = plain(recovery_lines([failed, missing], "ascii"))
    assert "1 of 2 recovery studies failed:" in text
    assert f"{failed.id}  recovered too little" in text
    assert "photos: jxl 0.1bpp: jxl is not here" in text
    assert text.isascii()
    assert text.endswith("recovery: 2 cells: 1 failed, 1 skipped (verdicts: 1 fail, 1 unavailable)\n")


def test_nothing_is_said_of_no_studies():
    assert list(recovery_lines([])) == []


def test_own_points_have_properties_of_their_own():
    single = dict(properties(FOUND[0]))
    assert json.loads(single["cg_recovered_low"]) == 0.55
    assert json.loads(single["cg_lost"]) == 19.0
    assert json.loads(single["cg_seeds"]) == [0, 1]
    mixed = dict(properties(FOUND[2]))
    assert json.loads(mixed["cg_finetuned_0.25bpp"]) == 86.0
    assert "cg_finetuned" not in mixed
    absent = dict(properties(study("avif", 0.1, at(71.0, 82.0, recovered=NONE))))
    assert "cg_recovered" not in absent


def test_the_results_file_has_them(tmp_path):
    write(tmp_path / "r.json", [], {}, {}, recovery=FOUND)
    written = json.loads((tmp_path / "r.json").read_text())
    assert [RecoveryResult.from_dict(values) for values in written["recovery"]] == FOUND
    assert document([], {}, recovery=FOUND)["recovery"] == [one.as_dict() for one in FOUND]
    with pytest.raises(ValueError, match=r"recovery.*finetuned_clean"):
        document([], {}, recovery=[study("avif", 0.1, (), finetuned_clean=float("nan"))])


def drawn(results):
    return ET.fromstring(recovery_figure(results))


def test_the_figure_has_a_panel_for_each_guard_and_a_line_for_each_kind_of_model():
    other = [study("jpeg", 0.5, [point("jpeg", 0.5, 60.0, 61.0, 75.0)], guard="roads & rivers")]
    root = drawn([*FOUND, *other])
    titles = [text.text for text in root.iter(f"{SVG}text") if text.get("class") == "title middle"]
    assert titles == ["photos: top1, 200 images", "roads & rivers: top1, 200 images"]
    paths = [path.get("class") for path in root.iter(f"{SVG}path")]
    assert sorted(kind for kind in paths if kind != "frame") == ["after", "before", "control", "mixed"]
    assert len([line for line in root.iter(f"{SVG}line") if line.get("class") == "seeds"]) == 5


def test_higher_scores_stand_higher_and_rates_grow_to_the_right():
    (path,) = [one for one in drawn(FOUND).iter(f"{SVG}path") if one.get("class") == "after"]
    (left, low), (right, high) = [map(float, part.split()) for part in path.get("d")[1:].split("L")]
    assert left < right
    assert high < low, "an SVG's ordinate points down"


def test_a_figure_of_nothing_is_refused():
    with pytest.raises(ValueError, match="nothing to draw"):
        recovery_figure([study("jxl", 0.1, (), clean=None)])
