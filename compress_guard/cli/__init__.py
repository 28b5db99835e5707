"""The command ``compress-guard``: the gate without pytest.

Arguments come in; tables on standard output, lines on standard error and an exit code go out. `arguments` has the
options; `run`, `recover`, `profile`, `report`, `diff`, `merge` and `doctor` are the commands, `starting` has those for
the first minutes, and `preparation` makes settings of their options. Importing it loads nothing of the gate.

`benchmark` times the throughput cells of a file, `update` writes measured limits into it, `results` writes the results
file, `terminal` writes lines and progress, `decoders` says which decoders are here, and `findings` are the lines of
`doctor`. `github` has the steps of a workflow.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pkgutil import resolve_name
from typing import Final

from compress_guard.cli.arguments import command_line

EXIT_HELD: Final = 0
EXIT_FAILED: Final = 1
EXIT_INCOMPARABLE: Final = 2
EXIT_USAGE: Final = 4
EXIT_INTERRUPTED: Final = 130
"""The status that shells give a command that Ctrl-C ended."""
_COMMANDS: Final[Mapping[str, str]] = {
    "init": "compress_guard.cli.starting.init:init",
    "check": "compress_guard.cli.starting.check:check",
    "run": "compress_guard.cli.run:run",
    "recover": "compress_guard.cli.recover:recover",
    "profile": "compress_guard.cli.profile:profile",
    "report": "compress_guard.cli.report:report",
    "diff": "compress_guard.cli.diff:diff",
    "doctor": "compress_guard.cli.doctor:doctor",
    "merge": "compress_guard.cli.merge:merge",
    "github": "compress_guard.cli.github.command:github",
}
"""The function of each command, imported on use: it returns True if all is well, or an exit code.

It raises `UsageError` where a file or an option makes no sense.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code: 0 all cells held, 1 one failed or errored, 4 a file or option made no
    sense, 130 it was interrupted. For `doctor`: 0 all is there, 1 something is missing or damaged. For
    `diff` and `merge`: 2 the files cannot be compared, or cells are missing; `diff`: 1 there are regressions.
    """
    try:
        options = command_line().parse_args(arguments)
    except SystemExit as stop:
        # argparse exits with 2; the gate's own code for a usage error is 4, as pytest's.
        return EXIT_USAGE if stop.code == 2 else EXIT_HELD
    from compress_guard.errors import IncomparableError, UsageError

    try:
        command: Callable[[argparse.Namespace], bool | int] = resolve_name(_COMMANDS[options.command])
        ended = command(options)
        return (EXIT_HELD if ended else EXIT_FAILED) if isinstance(ended, bool) else ended
    except UsageError as problem:
        sys.stderr.write(f"compress-guard: {problem}\n")
        return EXIT_INCOMPARABLE if isinstance(problem, IncomparableError) else EXIT_USAGE
    except SystemExit as stop:  # from other people's code: nothing here exits so, and the status says nothing
        sys.stderr.write(f"compress-guard: stopped by code that is not its own, which exited with {_exit_text(stop)}\n")
        return EXIT_FAILED
    except KeyboardInterrupt:
        sys.stderr.write("compress-guard: interrupted\n")
        return EXIT_INTERRUPTED


def _exit_text(stop: SystemExit) -> str:
    """Return the status that other people's code exited with, as Python writes it where it is a number or a text."""
    from compress_guard.errors import error_text
    from compress_guard.foreign import shown

    return shown(repr(stop.code)) if stop.code is None or type(stop.code) in (int, str) else error_text(stop)
