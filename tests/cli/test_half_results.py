"""Results of a run that broke off: what is left says what is missing, in every command that reads it."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys

import pytest

from compress_guard.report import results_file

BREAKING = '''
import os, signal, toy

class Breaking:
    """Breaks the run off when the second guard asks it."""

    def __call__(self, images):
        HOW

def model(): return Breaking()
'''


@pytest.fixture
def half(command, guards, folder):
    """Writes the results of a whole run to base.json, and prepares a run that breaks off in its second guard."""

    def prepare(how: str) -> None:
        guards(toy="max_drop: 100", two="max_drop: 100")
        if not (folder / "base.json").exists():
            assert command("run", "--json=base.json", "--device=cpu").code == 0
        (folder / "breaking.py").write_text(BREAKING.replace("HOW", how))
        text = (folder / "thresholds.yaml").read_text()
        head, _, tail = text.partition("  two:")
        (folder / "thresholds.yaml").write_text(f"{head}  two:{tail.replace('toy:model', 'breaking:model')}")

    return prepare


MISSING = "thresholds.yaml::two[jpeg-0.5bpp]"


def test_after_ctrl_c_every_command_names_what_is_missing(command, folder, half):
    half("os.kill(os.getpid(), signal.SIGINT)")
    assert command("run", "--json=half.json", "--device=cpu", "--no-cache").code == 130
    done = command("report", "half.json")
    assert done.code == 0
    assert done.out.endswith(f"\n1 cell selected for this run without a result: {MISSING}.\n")
    assert command("report", "half.json", "--html=half.html").code == 0
    assert f"1 cell selected for this run without a result: {MISSING}." in (folder / "half.html").read_text()
    done = command("diff", "base.json", "half.json")
    assert done.code == 1
    assert f"  {MISSING}  it was selected, and has no result\n" in done.out
    assert "half.json: 1 of its selected cells have no result (exit status 130)\n" in done.out
    done = command("merge", "half.json", "--out=all.json")
    assert done.code == 2
    assert done.err == (
        "compress-guard: half.json is of a job that ended with exit status 130, and no cell failed\n"
        f"compress-guard: 1 cell is missing, which no job has measured: {MISSING}; name the results of every job\n"
    )


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="the system has no SIGKILL")
def test_after_kill_9_there_is_no_file_and_the_sentence_names_the_run_before(command, folder, half):
    half("os.kill(os.getpid(), signal.SIGKILL)")
    shutil.copy("base.json", "half.json")
    shutil.copy("base.evidence.zip", "half.evidence.zip")
    run = [sys.executable, "-m", "compress_guard", "run", "--json=half.json", "--device=cpu", "--no-cache"]
    killed = subprocess.run(run, cwd=folder, capture_output=True, timeout=100, env={**os.environ}, check=False)
    assert killed.returncode == -signal.SIGKILL
    left = "there is no such file: a run broke off before it wrote one, and half.json.previous is of the run before"
    commands = ((4, "report", "half.json"), (2, "diff", "base.json", "half.json"), (2, "merge", "--out=a", "half.json"))
    for code, *arguments in commands:
        done = command(*arguments)
        assert (done.code, done.err) == (
            code,
            f"compress-guard: half.json: {left}; name a file that --cg-json, or --json, has written\n",
        )
    assert command("diff", "base.json", "half.json.previous").code == 0


def test_a_full_disk_leaves_no_half_file(command, folder, half, monkeypatch):
    half("return None")

    def full(path, data):
        if path.suffix == ".json":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(path, data)

    real = results_file.replace
    monkeypatch.setattr(results_file, "replace", full)
    done = command("run", "--json=full.json", "--device=cpu", "--no-cache")
    assert done.code == 1
    assert "full.json: results cannot be written (No space left on device)" in done.err
    assert not (folder / "full.json").exists()
    assert command("report", "full.json").code == 4


def test_results_written_while_a_run_goes_on_say_so(command, folder, half):
    half("return None")
    document = json.loads((folder / "base.json").read_text())
    (folder / "half.json").write_text(json.dumps(document | {"exit_status": None}))
    (folder / "half.evidence.zip").write_bytes((folder / "base.evidence.zip").read_bytes())
    done = command("report", "half.json")
    assert done.out.endswith("\nThe run did not end normally, or had not ended when these results were written.\n")
    done = command("diff", "base.json", "half.json")
    assert (done.code, done.out.splitlines()[0]) == (0, "half.json is of a run that did not come to its end")
