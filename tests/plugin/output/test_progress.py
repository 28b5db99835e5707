"""Progress on long cells: silent at first, then lines on a log or one that changes on a terminal."""

from __future__ import annotations

import threading
from contextlib import contextmanager

import pytest

from compress_guard.plugin.output.progress import LINE_SECONDS, QUIET_SECONDS, TerminalProgress


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


class Reporter:
    """A double of pytest's reporter and capture manager, as TerminalProgress uses them; it records what is written."""

    def __init__(self, *, hasmarkup, verbosity=0, captured=True):
        self.hasmarkup, self._verbosity, self._captured = hasmarkup, verbosity, captured
        self.written, self.lifted = [], False
        self.config = self.pluginmanager = self

    def get_verbosity(self):
        return self._verbosity

    def get_plugin(self, name):
        assert name == "capturemanager"
        return self if self._captured else None

    @contextmanager
    def global_and_fixture_disabled(self):
        self.lifted = True
        yield
        self.lifted = False

    def _note(self, *what):
        assert self.lifted or not self._captured
        self.written.append(what)

    def ensure_newline(self):
        self._note("newline")

    def rewrite(self, line, erase=False):
        self._note("rewrite", line)

    def write_line(self, line):
        self._note("line", line)

    def flush(self): ...


def tell(reporter, *, seconds, every=1.0):
    """A cell of that many seconds that tells each second how far it is."""
    clock = Clock()
    with TerminalProgress(reporter, clock) as progress:
        for step in range(int(seconds / every)):
            clock.now += every
            progress("predicting toy", step + 1, 100)
    return reporter.written


@pytest.mark.parametrize("hasmarkup", [False, True])
def test_a_short_cell_says_nothing(hasmarkup):
    assert tell(Reporter(hasmarkup=hasmarkup), seconds=QUIET_SECONDS - 1) == []


@pytest.mark.parametrize("captured", [True, False])
def test_a_log_gets_a_line_now_and_then(captured):
    written = tell(Reporter(hasmarkup=False, captured=captured), seconds=50)
    assert written == [
        ("newline",),
        ("line", "  predicting toy: 5/100 images, 5 s"),
        ("line", "  predicting toy: 25/100 images, 25 s"),
        ("line", "  predicting toy: 45/100 images, 45 s"),
    ]
    assert LINE_SECONDS[False] == 20


def test_a_terminal_gets_one_line_that_changes_and_goes():
    written = tell(Reporter(hasmarkup=True), seconds=7, every=0.25)
    assert written[0] == ("newline",)
    assert written[1:3] == [
        ("rewrite", "  predicting toy: 20/100 images, 5 s"),
        ("rewrite", "  predicting toy: 22/100 images, 6 s"),
    ]
    assert written[-1] == ("rewrite", "")


def test_without_a_total_it_counts():
    reporter, clock = Reporter(hasmarkup=False), Clock()
    with TerminalProgress(reporter, clock) as progress:
        clock.now += 10
        progress("coding toy with jpeg", 64, 0)
    assert reporter.written[-1] == ("line", "  coding toy with jpeg: 64 images, 10 s")


def test_quiet_runs_workers_and_other_threads_stay_silent():
    assert tell(Reporter(hasmarkup=False, verbosity=-1), seconds=60) == []
    clock = Clock()
    with TerminalProgress(None, clock) as progress:
        clock.now += 60
        progress("predicting toy", 1, 2)
    reporter = Reporter(hasmarkup=False)
    with TerminalProgress(reporter, clock) as progress:
        clock.now += 60
        thread = threading.Thread(target=progress, args=("predicting toy", 1, 2))
        thread.start()
        thread.join()
    assert reporter.written == []


def test_it_reaches_the_terminal_although_pytest_captures(project):
    project.guard("max_drop: 100, limit: 4")
    project.write(
        "conftest.py",
        """
        from compress_guard.plugin.output import progress
        progress.QUIET_SECONDS = progress.LINE_SECONDS[False] = 0.0
        """,
    )
    run = project.start("-p", "no:randomly")
    assert run.code == 0
    assert "coding toy with jpeg: " in run.out
    assert "predicting toy clean: 4/4 images, " in run.out
