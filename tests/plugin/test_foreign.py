"""Texts of data, models, programs and exceptions are printed, and written to files, so that they cannot do anything."""

from __future__ import annotations

import json
import os
import re
import stat
import sys
import xml.etree.ElementTree as ET

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compress_guard.foreign import is_fit

HOSTILE = (
    "\n::error file=x::owned\r::set-output name=a::b\n  ::stop-commands::x\n##[error]y ##vso[task.complete]z\n"
    "\x1b[2J\x9b\x7f\u202eevil\u2066\u200b\u2028\U000e0041\udce9\ud800|`<b>&amp;]]>"
)

CODE = """
    import sys

    import toy
    from compress_guard.errors import DataError

    TEXT = {text!r}
    Named = type("Na" + TEXT.encode(errors="replace").decode().replace("\\0", "") + "me", (Exception,), {{}})

    class Own(DataError):
        def __str__(self): return TEXT

    class Noted(Exception):
        pass

    def ids():
        return [(image, label, f"{{number}}{{TEXT}}") for number, (image, label, _) in enumerate(toy.data()[:8])]

    class Failing(list):
        def __init__(self, problem): super().__init__(ids()); self.problem = problem
        def __getitem__(self, at):
            if at == 3: raise self.problem
            return super().__getitem__(at)

    def words(target, name): return TEXT
    def failing(): return Failing(OSError(TEXT))
    def own(): return Failing(Own("x"))
    def raising(): raise Named(TEXT)
    def leaving(): sys.exit(TEXT)

    def model():
        inner = toy.model()

        def predict(images):
            problem = Noted("first" + TEXT)
            problem.add_note(TEXT)
            raise ValueError(TEXT) from problem

        return predict
"""

TESTS = """
    import hostile, toy, pytest

    def test_model(guard):
        guard.check(hostile.model(), toy.data(), task="classification", codec="jpeg", bpp=0.5, max_drop=100, limit=4)

    def test_measured(guard):
        guard.measure(hostile.model(), toy.data(), task="classification", codec="jpeg", bpp=0.5, limit=4)

    def test_data(guard):
        guard.check(toy.model(), hostile.own(), task="classification", codec="jpeg", bpp=0.5, max_drop=100)

    @pytest.mark.compress_guard(codecs=["jpeg"], bpp=[0.5], data="hostile:own")
    def test_batches(compressed_batches):
        list(compressed_batches)
"""

PROGRAM = """#!{python}
import sys
sys.stdout.buffer.write({text!r}.encode(errors="surrogatepass"))
sys.stderr.buffer.write({text!r}.encode(errors="surrogatepass"))
sys.exit("--version" not in sys.argv)
"""

GUARDS = {
    "ids": 'data: "hostile:ids", max_drop: 100, slices: {s: hostile:words}',
    "lossy": 'data: "hostile:failing", max_drop: 100, max_error_share: 0.9',
    "unread": 'data: "hostile:failing", max_drop: 100',
    "own": 'data: "hostile:own", max_drop: 100',
    "raising": 'data: "hostile:raising", max_drop: 100',
    "leaving": 'data: "hostile:leaving", max_drop: 100',
    "broken": 'model: "hostile:model", max_drop: 100, limit: 4',
    "program": "codecs: [mine, versioned], max_drop: 100, limit: 4",
}
HEAD = """
codecs:
  mine: {type: command, settings: [1, 9], encoder: "./code {input} {output} {setting}",
    decoder: "./code {input} {output}"}
  versioned: {type: command, encoder: "cp {input} {output} {setting}", decoder: "cp {input} {output}", settings: [1, 9],
    version_command: "./code --version"}
""".strip()


def fill(project, text):
    project.write("hostile.py", CODE.format(text=text))
    project.write("test_own.py", TESTS)
    program = project.write("code", PROGRAM.format(python=sys.executable, text=text))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    project.guards(GUARDS, head=HEAD)


@pytest.fixture
def hostile(project):
    fill(project, HOSTILE)
    return project


def check(text):
    """Nothing that a terminal or a CI runner would obey is in a text."""
    for line in text.split("\n"):
        assert is_fit(line.replace("\t", " ")), ascii(line)
        assert not line.lstrip().startswith("::"), ascii(line)
        assert not re.search(r"##\w*\[", line), ascii(line)


def check_files(project):
    for name in ("junit.xml", "results.json"):
        raw = (project.folder / name).read_text(encoding="utf-8")
        check(raw)
    for node in ET.parse(project.folder / "junit.xml").iter():
        for value in (node.text, node.tail, *node.attrib.values()):
            check(value or "")
    return json.loads((project.folder / "results.json").read_text(encoding="utf-8"))


@pytest.mark.skipif(os.name == "nt", reason="a script is no program there")
def test_neither_the_terminal_nor_a_report_obeys_what_people_s_code_says(hostile):
    run = hostile.run("thresholds.yaml", "test_own.py", "-rA")
    assert run.code == 1
    assert "INTERNALERROR" not in run.out
    check(run.out)
    check_files(hostile)
    verdicts = {name.partition("[")[0]: cell["verdict"] for name, cell in run.cells.items()}
    assert verdicts.pop("ids") == verdicts.pop("lossy") == "pass"
    assert verdicts.pop("program") == "codec_error"
    assert set(verdicts) >= {"unread", "own", "raising", "leaving", "broken"}
    assert set(verdicts.values()) == {"error"}
    # It is still there to be read.
    assert r"\x0a::error file=x::owned\x0d::set-output name=a::b\x0a  ::stop-commands::x\x0a\x23#[error]y" in run.out
    assert r"\x1b[2J\x9b\x7f\u202eevil\u2066\u200b\u2028\U000e0041\udce9\ud800" in run.out


@pytest.mark.skipif(os.name == "nt", reason="a script is no program there")
@pytest.mark.slow
def test_nor_do_they_what_comes_from_workers(hostile):
    run = hostile.fork("thresholds.yaml", "test_own.py", "-rA", "-n", "2")
    assert run.code == 1
    assert "INTERNALERROR" not in run.out
    check(run.out)
    check_files(hostile)


@pytest.mark.skipif(os.name == "nt", reason="a script is no program there")
@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_nor_does_the_command(hostile, monkeypatch, encoding):
    monkeypatch.setenv("PYTHONUTF8", "0")
    monkeypatch.setenv("PYTHONIOENCODING", encoding)
    run = hostile.start("run", "thresholds.yaml", "--json", "results.json", program="compress_guard")
    assert run.code == 1
    check(run.out)
    check((hostile.folder / "results.json").read_text(encoding="utf-8"))
    assert len(run.cells) == 9
    assert r"\x0a::error file=x::owned" in run.out


def test_a_key_or_a_file_that_makes_no_sense_is_named_on_one_line(project):
    name = "::error::\u202e.yaml"
    project.guard('max_drop: 100, "a\\n::error::\\u202e": 3')
    (project.folder / "thresholds.yaml").rename(project.folder / name)
    run = project.run(f"--cg-thresholds={name}")
    assert run.code == pytest.ExitCode.USAGE_ERROR
    check(run.out)
    assert r"unknown key 'a\n::error::\u202e'" in run.out
    done = project.fork("run", name, program="compress_guard")
    assert done.code == 4
    check(done.out)
    assert r"compress-guard: ::error::\u202e.yaml:4: toy" in done.out


# Each example is a run of its own; what a single character does is tested of the function.
@pytest.mark.slow
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from([*HOSTILE, "::error::", "##[", "\n::", "\0", "a", "é"]), min_size=1).map("".join))
def test_whatever_is_said(project, text):
    project.write("hostile.py", CODE.format(text=text))
    project.write("test_own.py", TESTS)
    project.guards(
        {
            "ids": f"{GUARDS['ids']}, limit: 4",
            **{name: GUARDS[name] for name in ("own", "raising", "broken")},
        }
    )
    run = project.run("thresholds.yaml", "test_own.py")
    assert run.code == 1
    check(run.out)
    check_files(project)
