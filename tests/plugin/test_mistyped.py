"""A mistyped factory name in a thresholds file: told before anything runs, by both commands."""

from __future__ import annotations

import contextlib

from compress_guard.cli import main

SAID = "model toy:modle: toy.py has no modle; did you mean toy:model?"


def test_a_mistyped_factory_ends_the_run_before_it_begins(project):
    project.guard('model: "toy:modle", max_drop: 100')
    run = project.run()
    assert run.code == 4
    assert SAID in run.out
    assert run.json is None


def test_the_command_says_the_same(project, capsys):
    project.guard('model: "toy:modle", max_drop: 100')
    with contextlib.chdir(project.folder):
        assert main(["run"]) == 4
    assert SAID in capsys.readouterr().err
