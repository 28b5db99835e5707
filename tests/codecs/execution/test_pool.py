"""Where processes cannot be started, or keep being killed, their work is done here, and nobody tries again for ever."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys

import pytest

from compress_guard.codecs.execution import pool
from compress_guard.errors import CodecError

# One set of processes serves all of them.
pytestmark = pytest.mark.xdist_group("processes")


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    """Nothing has failed so far."""
    monkeypatch.setattr(pool, "_processes", pool._Processes())


class Asked:
    """Stands for loky's pool: counts who asks, and fails in its own way."""

    def __init__(self, problem: Exception, at: str) -> None:
        self.problem, self.at, self.times = problem, at, 0

    def __call__(self, **_):
        self.times += 1
        if self.at == "pool":
            raise self.problem
        return self

    def submit(self, function, item):
        raise self.problem


@pytest.mark.parametrize("at", ["pool", "submit"])
@pytest.mark.parametrize(
    "problem",
    [
        OSError(30, "Read-only file system"),
        PermissionError(13, "Permission denied"),
        AssertionError("daemonic processes are not allowed to have children"),
        ImportError("This platform lacks a functioning sem_open implementation"),
        RuntimeError("can't start new thread"),
    ],
    ids=lambda problem: type(problem).__name__,
)
def test_where_none_can_be_started_the_work_is_done_here_and_none_is_tried_again(monkeypatch, problem, at):
    asked = Asked(problem, at)
    monkeypatch.setattr("loky.get_reusable_executor", asked)
    assert pool.map_processes(abs, [-1, 2, -3], 2) == [1, 2, 3]
    assert pool.map_processes(abs, [-4, 5], 2) == [4, 5]
    assert asked.times == 1


def test_a_pool_that_breaks_is_tried_a_few_times_more(monkeypatch):
    asked = Asked(pickle.PicklingError("what is sent is none of its business"), "submit")
    monkeypatch.setattr("loky.get_reusable_executor", asked)
    for _ in range(5):
        assert pool.map_processes(abs, [-1, 2], 2) == [1, 2]
    assert asked.times == pool._Processes.MOST_FAILURES


def test_processes_that_keep_being_killed_are_given_up():
    for _ in range(pool._Processes.MOST_FAILURES):
        assert pool.map_processes(_die_elsewhere, [os.getpid()] * 4, 2) == [os.getpid()] * 4
        if not pool._processes.usable:
            break
    assert not pool._processes.usable


def test_what_the_work_itself_raises_is_no_failure_of_the_processes():
    with pytest.raises(CodecError, match="^image 2 is damaged$"):
        pool.map_processes(_damaged, [0, 1, 2, 3], 2)
    assert pool._processes.usable


def _die_elsewhere(parent):
    if os.getpid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
    return parent


def _damaged(number):
    if number == 2:
        raise CodecError("image 2 is damaged")
    return number


SCRIPT = """
import multiprocessing
import torch
from compress_guard.codecs.jp2 import Jp2


def code(queue):
    codec = Jp2()
    images = [torch.randint(0, 256, (3, 600, 600), dtype=torch.uint8) for _ in range(2)]
    queue.put(len(codec.decode(codec.encode(images, [codec.ladder[300]] * 2, workers=2), workers=2)))


if __name__ == "__main__":
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    process = context.Process(target=code, args=(queue,), daemon=True)
    process.start()
    print(queue.get(timeout=60))
    process.join(timeout=60)
    print(process.exitcode)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_jpeg_2000_is_coded_in_a_daemonic_process(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=120, check=False)
    assert (done.stdout, done.stderr) == ("2\n0\n", "")
