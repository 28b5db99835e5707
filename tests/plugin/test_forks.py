"""Forks stand for new interpreters: where they run, what they are told, what they leave."""

from __future__ import annotations

import os
import signal
import subprocess

import pytest

from tests.plugin import forks

pytestmark = pytest.mark.skipif(not forks.AVAILABLE, reason="no forks here")

TELL = """
    import os
    import sys

    print(__name__, os.getcwd(), sys.path[0], sys.argv[1:], os.environ.get("OWN"), "compress_guard" in sys.modules)
    print("to the other", file=sys.stderr)
"""


def test_it_runs_as_a_new_interpreter_does(project, monkeypatch):
    project.write("tell.py", TELL)
    monkeypatch.setenv("OWN", "é")
    fork, start = (run("a", "-u", program="tell") for run in (project.fork, project.start))
    assert fork == start
    assert fork.out == f"__main__ {project.folder} {project.folder} ['a', '-u'] é False\nto the other\n"


def test_torch_is_there_and_nothing_of_ours(project):
    project.write(
        "tell.py", "import sys\nprint([name in sys.modules for name in ('torch', 'compress_guard', 'tests')])\n"
    )
    assert project.fork(program="tell").out == "[True, False, False]\n"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("raise SystemExit(3)", 3),
        ("raise ValueError", 1),
        ("os._exit(5)", 5),
        ("os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL),
        ("os.kill(os.getpid(), signal.SIGINT)", -signal.SIGINT),
    ],
)
def test_it_ends_as_a_new_interpreter_does(project, line, code):
    project.write("end.py", f"import os, signal\n{line}\n")
    assert project.fork(program="end").code == code


def test_one_that_takes_too_long_is_killed(project):
    project.write("last.py", "import os, time\nopen('pid', 'w').write(str(os.getpid()))\ntime.sleep(60)\n")
    with pytest.raises(subprocess.TimeoutExpired):
        project.fork(program="last", seconds=0.5)
    pid = int((project.folder / "pid").read_text())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_workers_are_forked_too(project):
    project.write("test_own.py", "import conftest\n\ndef test_own():\n    assert conftest.THERE\n")
    project.write("conftest.py", "import sys\n\nTHERE = 'torch' in sys.modules\n")
    for run in (project.run, project.fork):
        assert run("-n", "1", "test_own.py", gate=False).outcomes == {"passed": 1}
    # A new interpreter has workers of its kind.
    assert project.start("-n", "1", "test_own.py", gate=False).outcomes == {"failed": 1}
