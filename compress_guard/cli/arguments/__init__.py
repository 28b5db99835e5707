"""The arguments of the command line. Importing this folder loads argparse alone, and nothing of the gate.

`starting` has the options of `init` and `check`, `measuring` those of `run` and `recover`, `results` those of `report`,
`diff` and `merge`, `surroundings` those of `profile` and `doctor`, `github` those of the tasks of `github`, and
`shared` the options that several of them take. `parser` refuses arguments.
"""

from __future__ import annotations

import argparse

from compress_guard import __version__
from compress_guard.cli.arguments.github import add_github
from compress_guard.cli.arguments.measuring import add_recover, add_run
from compress_guard.cli.arguments.parser import Parser
from compress_guard.cli.arguments.results import add_diff, add_merge, add_report
from compress_guard.cli.arguments.starting import add_check, add_init
from compress_guard.cli.arguments.surroundings import add_doctor, add_profile


def command_line() -> argparse.ArgumentParser:
    """Return the parser of the command line, whose `command` is the name of the command."""
    parser = Parser(
        prog="compress-guard",
        description="Gate vision models on how well they survive image compression. In CI, `pytest --compress-guard` "
        "does the same with JUnit reports, fixtures and parallel workers.",
    )
    parser.add_argument("--version", action="version", version=f"compress-guard {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    measuring = (add_init, add_check, add_run, add_recover, add_profile)
    for add in (*measuring, add_report, add_diff, add_doctor, add_merge, add_github):
        add(commands)
    parser.learn(commands.choices.values())
    return parser
