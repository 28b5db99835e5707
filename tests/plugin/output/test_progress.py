"""Progress on long cells: silent at first, then lines on a log or one that changes on a terminal."""

from __future__ import annotations

import threading
from contextlib import contextmanager

import pytest

from compress_guard.engine.pace import Pace
from compress_guard.plugin.output.progress import LINE_SECONDS, QUIET_SECONDS, TerminalProgress, log_pace


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

    fullwidth = 80

    def get_terminal_writer(self):
        return self

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


def test_a_log_tells_the_cell_of_all_and_the_time_left_and_not_for_each_cell_anew():
    reporter, clock = Reporter(hasmarkup=False), Clock()
    pace = Pace(5, clock)
    for number in range(1, 5):
        with TerminalProgress(reporter, clock, pace) as progress:
            for step in range(30):
                clock.now += 1
                progress("predicting toy", step + 1, 30)
        pace.finish(number)
    assert [what for kind, *what in reporter.written if kind == "line"] == [
        ["  cell 1 of 5, predicting toy: 20/30 images, 20 s"],
        ["  cell 2 of 5, predicting toy: 10/30 images, 10 s; about 2 min left"],
        ["  cell 2 of 5, predicting toy: 30/30 images, 30 s; about 2 min left"],
        ["  cell 3 of 5, predicting toy: 20/30 images, 20 s; about 70 s left"],
        ["  cell 4 of 5, predicting toy: 17/30 images, 17 s; about 40 s left"],
    ]


def test_a_terminal_never_gets_a_line_that_it_would_break():
    reporter, clock = Reporter(hasmarkup=True), Clock()
    reporter.fullwidth = 40
    with TerminalProgress(reporter, clock, Pace(5, clock)) as progress:
        clock.now += 10
        progress("predicting the images of a guard with a long name", 3, 30)
    line = next(what[1] for what in reporter.written if what[0] == "rewrite")
    assert line == "  cell 1 of 5, predicting the image ..."
    assert len(line) == 39


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
        from compress_guard.engine import pace
        progress.QUIET_SECONDS = pace.FIRST_GAP = pace.LONGEST_GAP = 0.0
        """,
    )
    run = project.fork("-p", "no:randomly")
    assert run.code == 0
    assert "coding toy with jpeg: " in run.out
    assert "predicting toy clean: 4/4 images, " in run.out


class Workers:
    """A run whose cells workers measure, as `log_pace` sees it."""

    def __init__(self, reporter, pace):
        self.pace, self.reporter = pace, reporter
        self.config = self.pluginmanager = self

    def get_plugin(self, name):
        assert name == "terminalreporter"
        return self.reporter


def logged(reporter):
    clock = Clock()
    pace = Pace(9, clock)
    pace.start()
    for done in range(1, 10):
        clock.now += 15
        pace.finish(done)
        log_pace(Workers(reporter, pace))
    return [what for kind, *what in reporter.written if kind == "line"]


def test_a_log_of_workers_counts_the_cells_that_are_done():
    assert logged(Reporter(hasmarkup=False, captured=False)) == [
        ["  2 of 9 cells done, about 2 min left"],
        ["  4 of 9 cells done, about 80 s left"],
        ["  6 of 9 cells done, about 40 s left"],
        ["  8 of 9 cells done, about 20 s left"],
    ]


def test_a_terminal_and_a_quiet_or_verbose_log_have_pytests_own_lines():
    assert logged(Reporter(hasmarkup=True, captured=False)) == []
    assert logged(Reporter(hasmarkup=False, verbosity=-1, captured=False)) == []
    assert logged(Reporter(hasmarkup=False, verbosity=1, captured=False)) == []
