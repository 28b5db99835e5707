"""Quiet, verbose and coloured text of `run`, `report` and `merge`."""

from __future__ import annotations

import pytest

from compress_guard.cli.terminal import animated, coloured

QUIET = "compress_guard: 1 cell: 1 failed (verdicts: 1 fail); failed: toy[jpeg-0.5bpp]\n"


@pytest.fixture
def failing(guards):
    guards("codecs: [jpeg], bpp: [0.5]", toy="max_drop: 1")


def test_quiet_commands_write_one_line(command, failing):
    done = command("run", "-q", "--json=r.json", "--device=cpu")
    assert (done.code, done.out) == (1, QUIET)
    assert not [line for line in done.err.splitlines() if not line.startswith("WARNING")]
    assert command("report", "--quiet", "r.json").out == QUIET
    assert command("merge", "-q", "r.json", "--out=joined.json").out == QUIET


def test_the_same_block_is_shown_by_all_of_them(command, failing):
    run = command("run", "--json=r.json", "--device=cpu").out
    report = command("report", "r.json").out
    assert command("merge", "r.json", "--out=joined.json").out == report
    assert report == run.replace(
        "compress-guard run thresholds.yaml --only 'toy", "pytest --compress-guard 'thresholds.yaml::toy"
    )
    assert "  FAIL jpeg at 0.5 bpp: top1 fell by 25.0 points" in run
    assert "    images: 8 newly wrong, 0 newly right of 32 images\n" in run


def test_colour_is_asked_for_or_left_out(command, failing, monkeypatch):
    command("run", "--json=r.json", "--device=cpu")
    assert "\x1b[31m" in command("report", "r.json", "--color=yes").out
    assert "\x1b" not in command("report", "r.json").out
    assert "\x1b" not in command("report", "r.json", "--color=no").out


class Terminal:
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("variables", "choice", "expected"),
    [
        ({}, "auto", True),
        ({"NO_COLOR": "1"}, "auto", False),
        ({"NO_COLOR": ""}, "auto", True),
        ({"TERM": "dumb"}, "auto", False),
        ({"NO_COLOR": "1"}, "yes", True),
        ({}, "no", False),
    ],
)
def test_a_terminal_has_colour_unless_something_speaks_against_it(monkeypatch, variables, choice, expected):
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert coloured(Terminal(), choice) is expected


def test_lines_are_overwritten_on_a_terminal_that_can(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    assert animated(Terminal())
    monkeypatch.setenv("TERM", "dumb")
    assert not animated(Terminal())
