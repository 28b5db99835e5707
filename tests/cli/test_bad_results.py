"""Bad results files: every command that reads one says the same sentence, with its own exit code."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compress_guard.results import document

COMMANDS = {
    "report": (4, "", ["report", "FILE"]),
    "page": (4, "", ["report", "FILE", "--html=made.html", "--markdown=made.md"]),
    "recover": (4, "--from: ", ["recover", "--from=FILE"]),
    "merge": (2, "", ["merge", "good.json", "FILE", "--out=made.json"]),
    "diff-base": (2, "", ["diff", "FILE", "good.json"]),
    "diff-head": (2, "", ["diff", "good.json", "FILE"]),
    "baseline": (4, "--baseline: ", ["run", "--baseline=FILE", "--device=cpu"]),
}
"""Exit code, what stands before the sentence, and arguments."""
WITH_EVIDENCE = ("merge", "diff-base", "diff-head", "baseline")
NAME = "name a file that --cg-json, or --json, has written"
AGAIN = "copy it again, or repeat the run"


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A folder for the results of one run, which all tests start from."""
    return tmp_path_factory.mktemp("made")


@pytest.fixture
def good(command, guards, folder, made) -> Path:
    """The results of a run that holds."""
    guards(toy="max_drop: 100")
    if not (made / "good.json").exists():
        assert command("run", "--json=good.json", "--device=cpu").code == 0
        for name in ("good.json", "good.evidence.zip"):
            shutil.copy(name, made)
    shutil.copytree(made, folder, dirs_exist_ok=True)
    return folder / "good.json"


def text(change: Callable[[str], str]) -> Callable[[Path, Path], object]:
    return lambda good, bad: bad.write_text(change(good.read_text()))


def data(made: bytes) -> Callable[[Path, Path], object]:
    return lambda _, bad: bad.write_bytes(made)


def keys(**changed: object) -> Callable[[Path, Path], object]:
    def write(good: Path, bad: Path) -> None:
        bad.write_text(json.dumps(json.loads(good.read_text()) | changed))

    return write


def cells(**changed: object) -> Callable[[Path, Path], object]:
    def write(good: Path, bad: Path) -> None:
        made = json.loads(good.read_text())
        made["cells"] = [cell | changed for cell in made["cells"]]
        bad.write_text(json.dumps(made))

    return write


def twice(good: Path, bad: Path) -> None:
    made = json.loads(good.read_text())
    bad.write_text(json.dumps(made | {"cells": made["cells"] * 2}))


def a_folder(_: Path, bad: Path) -> None:
    bad.mkdir()
    (bad / "package.json").write_text('{"name": "something else"}')


def a_device(_: Path, bad: Path) -> None:
    bad.symlink_to("/dev/zero")


NONE = "this is no results file of compress_guard: "
CELL = "thresholds.yaml::toy[jpeg-0.5bpp]"
BAD = {
    "missing": (lambda good, bad: None, f"there is no such file; {NAME}"),
    "folder": (a_folder, f"there is no results file in this folder; {NAME}"),
    "device": (a_device, f"this is no regular file; {NAME}"),
    "empty": (data(b""), f"this file is empty; {AGAIN}"),
    "blank": (data(b"\n \n"), f"this file is empty; {AGAIN}"),
    "truncated": (
        text(lambda good: good[: len(good) // 2]),
        "this file breaks off in line N: it is truncated; " + AGAIN,
    ),
    "last-brace": (text(lambda good: good.rstrip()[:-1]), "this file breaks off in line N: it is truncated; " + AGAIN),
    "binary": (
        data(b"\x89PNG\r\n\x1a\n\x00\xff"),
        f"this is a binary file, or text that is not UTF-8 (byte 0); {NAME}",
    ),
    "zip": (data(b"PK\x03\x04rest"), f"this is a zip archive, such as the evidence of results; {NAME}"),
    "junit": (data(b"<?xml version='1.0'?>"), f"this is XML or HTML, such as a JUnit report; {NAME}"),
    "prose": (data(b"hello"), f"this is no JSON document (Expecting value: line 1 column 1 (char 0)); {NAME}"),
    "deep": (data(b"[" * 100_000), f"this is no JSON document (it is nested too deeply); {NAME}"),
    "list": (
        data(b"[]"),
        "this is a JSON document of something else: it has no schema, expected compress-guard/1; " + NAME,
    ),
    "other": (
        data(b'{"schema": "sarif"}'),
        f"this is a JSON document of something else: its schema is sarif, expected compress-guard/1; {NAME}",
    ),
    "newer": (
        keys(schema="compress-guard/2"),
        "its schema is compress-guard/2, and this version reads compress-guard/1; use the version of compress_guard "
        "that has written it",
    ),
    "no-cells": (data(b'{"schema": "compress-guard/1"}'), f"{NONE}it has no cells; {NAME}"),
    "cells": (keys(cells={}), f"{NONE}its cells is {{}}, expected a list; {NAME}"),
    "cell": (keys(cells=[3]), f"{NONE}a cell is no object; {NAME}"),
    "no-guard": (keys(cells=[{"id": "a"}]), f"{NONE}a cell has no guard; {NAME}"),
    "nan": (
        text(lambda good: good.replace('"confidence": 0.95', '"confidence": NaN')),
        "this is no JSON document (it holds NaN, which is no number of JSON); " + NAME,
    ),
    "infinite": (
        text(lambda good: good.replace('"confidence": 0.95', '"confidence": 1e999')),
        f"{NONE}confidence of cell {CELL} is inf, expected a number; {NAME}",
    ),
    "string": (cells(score="80"), f"{NONE}score of cell {CELL} is '80', expected a number or null; {NAME}"),
    "negative": (cells(images=-8), f"{NONE}images of cell {CELL} is -8, expected a whole number of at least 0; {NAME}"),
    "twice": (twice, f"the cell {CELL} is in it twice; {AGAIN}"),
    "status": (keys(exit_status="0"), f"{NONE}its exit_status is '0', expected a whole number or null; {NAME}"),
    "environment": (keys(environment=[]), f"{NONE}its environment is [], expected an object; {NAME}"),
    "recovery": (keys(recovery=[{"id": "x"}]), f"{NONE}a recovery study has no guard; {NAME}"),
    "throughput": (keys(throughput=[[]]), f"{NONE}a throughput cell is no object; {NAME}"),
    "traffic": (keys(traffic=[{}]), f"{NONE}a traffic has no guard; {NAME}"),
    "outcome": (
        cells(verdict="fail"),
        f"{NONE}outcome of cell {CELL} is passed, which no cell with the verdict fail has; {NAME}",
    ),
    "skipped": (
        cells(outcome="skipped"),
        f"{NONE}outcome of cell {CELL} is skipped, which no cell with the verdict pass has; {NAME}",
    ),
    "evidence": (keys(evidence=3), f"{NONE}its evidence is no file with a sha256; {NAME}"),
    "names": (keys(not_measured=[3]), f"{NONE}its not_measured is [3], expected a list of texts; {NAME}"),
}


@pytest.mark.parametrize("bad", BAD)
def test_every_command_refuses_a_bad_file_in_the_same_sentence(command, folder, good, bad):
    make, sentence = BAD[bad]
    make(good, folder / "bad.json")
    broken = (folder / "bad.json").read_text().rstrip() if "truncated" in sentence else ""
    sentence = sentence.replace("line N", f"line {broken.count(chr(10)) + 1}")
    before = sorted(folder.rglob("*"))
    for name, (code, where, arguments) in COMMANDS.items():
        done = command(*(part.replace("FILE", "bad.json") for part in arguments))
        assert (done.code, done.err) == (code, f"compress-guard: {where}bad.json: {sentence}\n"), name
        assert done.out == ""
    assert sorted(folder.rglob("*")) == before


def test_a_file_that_is_too_large_is_refused_before_it_is_parsed(command, good, monkeypatch):
    monkeypatch.setattr(document, "MOST_BYTES", 2**20)
    monkeypatch.setattr(document.read_bytes, "__defaults__", (2**20,))
    (good.parent / "bad.json").write_bytes(b" " * 2**21)
    for name, (code, where, arguments) in COMMANDS.items():
        done = command(*(part.replace("FILE", "bad.json") for part in arguments))
        found = "this file has more than 0.000976562 GiB, which no results file has"
        assert (done.code, done.err) == (code, f"compress-guard: {where}bad.json: {found}; {NAME}\n"), name


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read_is_refused(command, good):
    (good.parent / "bad.json").write_text("")
    (good.parent / "bad.json").chmod(0)
    for name, (code, where, arguments) in COMMANDS.items():
        done = command(*(part.replace("FILE", "bad.json") for part in arguments))
        found = "this file cannot be read (Permission denied)"
        assert (done.code, done.err) == (code, f"compress-guard: {where}bad.json: {found}; {NAME}\n"), name


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_is_understood(command, folder, good, encoding):
    (folder / "bad.json").write_text(good.read_text(), encoding=encoding)
    for name, (_, _, arguments) in COMMANDS.items():
        done = command(*(part.replace("FILE", "bad.json") for part in arguments))
        if name == "recover":
            assert done.err.startswith("compress-guard: --from: bad.json has no recovery study; ")
        else:
            assert done.code == 0, (name, done.err)


def damaged(good: Path, beside: Path) -> str:
    """Leave the beginning of the archive, with the hash of that beginning in the document."""
    half = beside.read_bytes()[:20]
    beside.write_bytes(half)
    digest = hashlib.sha256(half).hexdigest()
    good.write_text(json.dumps(json.loads(good.read_text()) | {"evidence": {"file": beside.name, "sha256": digest}}))
    return "its evidence is damaged (BadZipFile: File is not a zip file); copy it again, or repeat the run"


def of_another(good: Path, beside: Path) -> str:
    with zipfile.ZipFile(beside, "w") as archive:
        archive.writestr("other", b"1")
    return (
        "bad.evidence.zip beside it is truncated, or the evidence of another run (its sha256 differs); keep the two "
        "files of a run together"
    )


@pytest.mark.parametrize("spoil", [damaged, of_another])
def test_evidence_that_does_not_fit_is_refused_by_all_that_need_it(command, folder, good, spoil):
    assert command("run", "--json=bad.json", "--device=cpu").code == 0
    sentence = spoil(folder / "bad.json", folder / "bad.evidence.zip")
    for name in WITH_EVIDENCE:
        code, where, arguments = COMMANDS[name]
        done = command(*(part.replace("FILE", "bad.json") for part in arguments))
        assert (done.code, done.err) == (code, f"compress-guard: {where}bad.json: {sentence}\n"), name
    # A report needs no evidence.
    assert command("report", "bad.json").code == 0


def test_evidence_is_found_under_the_name_of_either_file(command, folder, good):
    """A pair that was renamed, beside the evidence of a later run that has the old name."""
    good.rename(folder / "bad.json")
    (folder / "good.evidence.zip").rename(folder / "bad.evidence.zip")
    with zipfile.ZipFile(folder / "good.evidence.zip", "w") as archive:
        archive.writestr("other", b"1")
    assert command("merge", "bad.json", "--out=made.json").code == 0
    assert (folder / "made.evidence.zip").exists()


def test_missing_evidence_is_refused_where_it_would_be_lost_and_else_said(command, folder, good):
    (folder / "bad.json").write_bytes(good.read_bytes())
    (folder / "good.evidence.zip").unlink()
    done = command("merge", "bad.json", "--out=made.json")
    found = "its evidence good.evidence.zip is not beside it; keep the two files of a run together"
    assert (done.code, done.err) == (2, f"compress-guard: bad.json: {found}\n")
    done = command("diff", "good.json", "bad.json")
    assert done.code == 0
    assert (
        "not compared image by image: the evidence of the baseline is not beside its results (1 of 1 cells)" in done.out
    )


def test_a_folder_with_results_is_read_where_only_one_file_makes_sense(command, folder, good):
    (folder / "artifact").mkdir()
    good.rename(folder / "artifact" / "good.json")
    (folder / "good.evidence.zip").rename(folder / "artifact" / "good.evidence.zip")
    assert command("report", "artifact").out == command("report", "artifact/good.json").out
    assert command("merge", "artifact", "--out=all.json").code == 0
    assert command("diff", "artifact", "all.json").code == 0
    (folder / "artifact" / "sub").mkdir()
    (folder / "all.json").rename(folder / "artifact" / "sub" / "all.json")
    done = command("report", "artifact")
    assert (done.code, done.err) == (
        4,
        "compress-guard: artifact: there are 2 results files in this folder, the first is good.json; name one of them, "
        "or join them by compress-guard merge\n",
    )


def test_values_that_do_not_go_together_are_one_sentence(command, folder, good):
    cells(lossy_sources=1, source_bpp=None)(good, folder / "bad.json")
    found = "its values do not go together (IndexError: list index out of range)"
    for code, *arguments in ((4, "report", "bad.json"), (2, "merge", "bad.json", "--out=made.json")):
        done = command(*arguments)
        assert (done.code, done.err) == (code, f"compress-guard: bad.json: {NONE}{found}; {NAME}\n")


JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=4),
    st.just([]),
    st.just({}),
    st.just([None]),
)


def places(value, path=()):
    """Yield the path of every value in a document."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield from places(item, (*path, key))


def changed(value, path, junk):
    if not path:
        return junk
    made = value.copy()
    made[path[0]] = changed(value[path[0]], path[1:], junk)
    return made


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_mutation_of_a_results_file_gives_a_traceback(command, folder, good, data):
    made = json.loads(good.read_text())
    for _ in range(data.draw(st.integers(1, 2))):
        every = list(places(made))
        made = changed(made, data.draw(st.sampled_from(every)), data.draw(JUNK))
        if not isinstance(made, dict | list):
            break
    (folder / "bad.json").write_text(json.dumps(made))
    for name in ("report", "page", "merge", "diff-base", "diff-head"):
        code, _, arguments = COMMANDS[name]
        done = command(*(part.replace("FILE", "bad.json") for part in arguments))
        assert "Traceback" not in done.err
        assert done.code in (0, 1, code)
        assert (done.code < 2) or done.err.startswith("compress-guard: ")
