"""Ctrl-C stops the run soon, by every way in, whatever works at that moment and whatever people's code makes of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="sends signals to processes"),
]

CODE = """
    import pathlib
    import sys
    import time
    import toy

    def wait(seconds=120):
        pathlib.Path("waiting").touch()
        time.sleep(seconds)

    class Model(toy.Spectrum):
        def __init__(self, deed): self.deed = deed
        def __call__(self, images):
            self.deed()
            return super().__call__(images)

    def leaves():
        try:
            wait()
        except KeyboardInterrupt:
            sys.exit(0)

    def swallows():
        try:
            wait()
        except KeyboardInterrupt:
            pass

    class Data:
        def __init__(self, deed): self.deed, self.pictures = deed, toy.data()[:4]
        def __len__(self): return 4
        def __getitem__(self, index):
            if index == 2:
                self.deed()
            return self.pictures[index]

    def model_waits(): return Model(wait)
    def model_leaves(): return Model(leaves)
    def model_swallows(): return Model(swallows)
    def data_waits(): return Data(wait)
    def data_swallows(): return Data(swallows)
"""
PROGRAM = """
import pathlib, sys, time
pathlib.Path(sys.argv[1], "waiting").touch()
pathlib.Path(sys.argv[1], "program").write_text(str(__import__("os").getpid()))
time.sleep(120)
"""
LIMIT_SECONDS = 40
"""Until a stopped run has ended, on a busy machine; what is waited for would take two minutes. pytest-xdist alone waits
ten seconds for its workers."""


def interrupted(folder, words):
    """The exit status and the output of a command that gets Ctrl-C once the file `waiting` is there."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    process = subprocess.Popen(
        [sys.executable, "-c", f"import signal; signal.signal(signal.SIGINT, signal.default_int_handler); {words}"],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        until = time.monotonic() + 120
        while not (folder / "waiting").exists():
            assert process.poll() is None, process.stdout.read()
            assert time.monotonic() < until, "nothing has come to where it waits"
            time.sleep(0.05)
        time.sleep(0.3)
        started = time.monotonic()
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all processes in the foreground
        out, _ = process.communicate(timeout=LIMIT_SECONDS)
        assert time.monotonic() - started < LIMIT_SECONDS
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    return process.returncode, out


RUN = "from compress_guard.cli import main; raise SystemExit(main(['run', 'thresholds.yaml', '--json', 'r.json']))"
PYTEST = (
    "import pytest; raise SystemExit(pytest.main(['--compress-guard', '--cg-json=r.json', 'thresholds.yaml'{more}]))"
)


@pytest.fixture
def waiting(project):
    project.write("waiting_code.py", CODE)
    return project


@pytest.mark.parametrize("how", ["model_waits", "model_leaves", "model_swallows", "data_waits", "data_swallows"])
def test_the_command_stops_with_130_and_keeps_what_it_has_measured(waiting, how):
    key = how.partition("_")[0]
    waiting.guards(
        {"first": "max_drop: 100", "second": f'{key}: "waiting_code:{how}", max_drop: 100', "last": "max_drop: 9"}
    )
    code, out = interrupted(waiting.folder, RUN)
    assert code == 130, out
    assert "compress-guard: interrupted" in out
    cells = json.loads((waiting.folder / "r.json").read_text())["cells"]
    measured = [(cell["guard"], cell["verdict"]) for cell in cells]
    # Data is read ahead, while the first cell is measured: it may be done by then, or not yet.
    assert measured == [("first", "pass")] or (key == "data" and measured == [])


@pytest.mark.parametrize("more", ["", ", '-n', '2'"], ids=["alone", "workers"])
def test_pytest_is_interrupted_as_ever(waiting, more):
    waiting.guards({"second": 'model: "waiting_code:model_swallows", max_drop: 100', "last": "max_drop: 100"})
    code, out = interrupted(waiting.folder, PYTEST.format(more=more))
    assert code == pytest.ExitCode.INTERRUPTED, out
    assert "KeyboardInterrupt" in out


def test_a_program_that_codes_on_a_thread_is_stopped_too(waiting):
    program = waiting.write("program.py", PROGRAM)
    line = f"{sys.executable} {program} {waiting.folder} {{input}} {{output}}"
    codec = f'own: {{type: command, encoder: "{line} {{setting}}", decoder: "{line}", settings: 1..9}}'
    waiting.guard("codecs: [own], max_drop: 100, bpp: [0.5]", head=f"codecs: {{{codec}}}")
    code, out = interrupted(waiting.folder, RUN)
    assert code == 130, out
    with pytest.raises(ProcessLookupError):
        os.kill(int((waiting.folder / "program").read_text()), 0)
