"""Progress of a command in a log, by a clock of the test's own."""

from __future__ import annotations

from compress_guard.cli.terminal import StandardErrorProgress
from compress_guard.engine.pace import Pace


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def work(pace, clock, *, silent=False):
    """Five cells of 30 seconds that tell each second how far they are."""
    for number in range(1, 6):
        with StandardErrorProgress(f"[{number}/5]", pace, silent=silent) as progress:
            for step in range(30):
                clock.now += 1
                progress("predicting toy", step + 1, 30)
        pace.finish(number)


def test_a_log_gets_a_line_now_and_then_with_all_cells_and_the_time_left(capsys):
    clock = Clock()
    work(Pace(5, clock), clock)
    assert capsys.readouterr().err.splitlines() == [
        "[1/5] predicting toy: 20/30 images",
        "[2/5] predicting toy: 10/30 images; about 2 min left",
        "[2/5] predicting toy: 30/30 images; about 2 min left",
        "[3/5] predicting toy: 20/30 images; about 70 s left",
        "[4/5] predicting toy: 17/30 images; about 40 s left",
        "[5/5] predicting toy: 23/30 images; about 10 s left",
    ]


def test_a_quiet_command_writes_none(capsys):
    clock = Clock()
    work(Pace(5, clock), clock, silent=True)
    assert capsys.readouterr().err == ""


def test_a_quiet_command_still_warns(capsys):
    with StandardErrorProgress("[1/5]", silent=True) as progress:
        progress.tell("photos: with 100 images a drop must be far from its limit")
        progress.tell("WARNING: photos: 100 images are too few")
    assert capsys.readouterr().err == "WARNING: photos: 100 images are too few\n"
