"""Results files that are read again, whatever was done to them."""

from __future__ import annotations

import hashlib
import json
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compress_guard.engine.releases.baseline import Baseline, read_files
from compress_guard.engine.releases.names import part_name
from compress_guard.errors import UsageError
from compress_guard.records import CellResult, Evidence, Scores
from compress_guard.report.results_file import write
from compress_guard.results.checked import checked_cell
from compress_guard.results.file import read_results
from compress_guard.results.typed import is_text

CELL_ID = "thresholds.yaml::photos[jpeg-0.5bpp]"
SIDE = Evidence(("a", "b"), ({"top1": np.array(True)}, {"top1": np.array(False)}))


@pytest.fixture(scope="session")
def cell():
    """A cell that passed."""
    return CellResult(
        id=CELL_ID,
        guard="photos",
        task="classification",
        metric="top1",
        codec="jpeg",
        target_bpp=0.5,
        verdict="pass",
        outcome="passed",
        settled_by="interval",
        reason="top1 stayed",
        rate="dataset",
        device="cpu",
        seed=0,
        confidence=0.95,
        scores=Scores(clean_score=80.0, score=70.0, drop=10.0, drop_low=8.0, drop_high=12.0),
    )


@pytest.fixture
def written(tmp_path, cell):
    """A results file of one cell with evidence."""
    path = tmp_path / "base.json"
    parts = {part_name(CELL_ID, part): SIDE.to_bytes() for part in ("clean", "compressed")}
    write(path, [cell], {"packages": {"torch": "2.4"}}, parts)
    return path


def change(path, **keys):
    document = json.loads(path.read_text())
    path.write_text(json.dumps(document | keys))


def test_what_was_written_is_read(written, cell):
    file = read_results(written)
    assert file.cells == {CELL_ID: cell}
    assert file.packages == {"torch": "2.4"}
    assert file.part(CELL_ID, part_name(CELL_ID, "clean")).to_bytes() == SIDE.to_bytes()
    assert file.part(CELL_ID, part_name(CELL_ID, "sources")) is None
    assert file.part("other", "other.clean.npz") is None


def test_both_files_may_be_renamed(written):
    moved = written.rename(written.with_name("main.json"))
    assert read_results(moved).archive is not None  # the evidence kept its name
    written.with_name("base.evidence.zip").rename(written.with_name("main.evidence.zip"))
    assert read_results(moved).archive is not None


def test_evidence_elsewhere_is_not_followed(written, tmp_path):
    (tmp_path / "secret.zip").write_bytes(b"1")
    (tmp_path / "in").mkdir()
    moved = written.rename(tmp_path / "in" / "base.json")
    change(moved, evidence={"file": "../secret.zip", "sha256": hashlib.sha256(b"1").hexdigest()})
    assert read_results(moved).archive is None


def test_a_copy_for_other_processes_is_the_same(written, tmp_path, cell):
    kept = tmp_path / "run"
    Baseline(read_files(written)).keep(kept)
    (again,) = read_files(kept / "baseline")
    assert again.cells == {CELL_ID: cell}
    assert again.part(CELL_ID, part_name(CELL_ID, "compressed")).to_bytes() == SIDE.to_bytes()


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"score": "70"}, "score of cell NAME is '70', expected a number or null"),
        ({"score": True}, "score of cell NAME is True, expected a number or null"),
        ({"score": 1e300}, "score of cell NAME is 1e+300, expected a number of at most 1e+15"),
        ({"verdict": "green"}, "verdict of cell NAME is 'green', expected one of pass, fail, inconclusive, "),
        ({"outcome": None}, "outcome of cell NAME is None, expected one of passed, failed, skipped"),
        ({"guard": 3}, "guard of cell NAME is 3, expected a text"),
        ({"images": 2.5}, "images of cell NAME is 2.5, expected a whole number of at least 0 or null"),
        ({"images": -1}, "images of cell NAME is -1, expected a whole number of at least 0"),
        ({"errors": 10**400}, "errors of cell NAME is 1000"),
        ({"bpp_mean": -0.5}, "bpp_mean of cell NAME is -0.5, expected a number of at least 0"),
        ({"confidence": 95}, "confidence of cell NAME is 95, expected a number between 0 and 1"),
        ({"mixed": 1}, "mixed of cell NAME is 1, expected true or false"),
        ({"worst": {}}, "worst of cell NAME is {}, expected a list"),
        ({"worst": [3]}, "cell NAME cannot be read (TypeError: "),
        ({"worst": [{"id": 3, "points": 1.0}]}, "worst[0][0] of cell NAME is 3, expected a text"),
        (
            {"settings": [{"setting": 80, "images": -2}]},
            "settings[0][1] of cell NAME is -2, expected a whole number of at",
        ),
        ({"error_ids": ["a", 2]}, "error_ids[1] of cell NAME is 2, expected a text"),
    ],
)
def test_a_cell_with_a_wrong_value_is_refused(written, values, reason, cell):
    change(written, cells=[cell.as_dict() | values])
    with pytest.raises(UsageError) as caught:
        read_results(written)
    said = reason.replace("NAME", CELL_ID)
    assert str(caught.value).startswith(f"{written}: this is no results file of compress_guard: {said}")
    assert caught.value.remedy == "name a file that --cg-json, or --json, has written"


def test_a_cell_twice_is_refused(written, cell):
    change(written, cells=[cell.as_dict(), cell.as_dict()])
    with pytest.raises(UsageError, match=r"the cell thresholds.yaml::photos\[jpeg-0.5bpp\] is in it twice; "):
        read_results(written)


def test_a_number_that_json_does_not_have_is_refused(written):
    written.write_text(written.read_text().replace('"score": 70.0', '"score": NaN'))
    with pytest.raises(UsageError, match=r"this is no JSON document \(it holds NaN, which is no number of JSON\)"):
        read_results(written)


def test_older_cells_without_later_fields_are_read(cell):
    values = cell.as_dict()
    for name in ("regression", "max_regression", "baseline_paired", "decoder", "target_quality", "groups"):
        del values[name]
    assert checked_cell(values) == cell
    assert checked_cell(values | {"from_the_future": 1}) == cell


def test_texts_are_told_from_numbers():
    assert is_text("reason")
    assert is_text("codec_version")
    assert is_text("verdict")
    assert not is_text("score")
    assert not is_text("settings")
    assert not is_text("baseline_paired")


JUNK = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(CellResult.field_names()), JUNK)
def test_any_value_of_any_field_is_read_or_refused(cell, name, junk):
    try:
        read = checked_cell(cell.as_dict() | {name: junk})
    except ValueError:
        return
    assert checked_cell(read.as_dict()) == read


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**20), st.binary(max_size=3))
def test_damaged_bytes_are_refused_in_one_sentence(written, at, junk):
    good = written.read_bytes()
    try:
        written.write_bytes(good[: at % len(good)] + junk)
        with pytest.raises(UsageError) as caught:
            read_results(written)
        assert str(caught.value).isprintable()
    finally:
        written.write_bytes(good)


def test_an_archive_that_is_none_is_refused_where_it_is_read(written):
    beside = written.with_name("base.evidence.zip")
    with zipfile.ZipFile(beside, "w") as archive:
        archive.writestr(part_name(CELL_ID, "clean"), b"PK")
    change(written, evidence={"file": beside.name, "sha256": hashlib.sha256(beside.read_bytes()).hexdigest()})
    file = read_results(written)
    with pytest.raises(UsageError, match=r"its evidence of thresholds.yaml::photos\[jpeg-0.5bpp\] is damaged"):
        file.part(CELL_ID, part_name(CELL_ID, "clean"))
