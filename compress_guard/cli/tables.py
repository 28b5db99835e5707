"""Results on standard output, as `run`, `report` and `merge` show them."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Callable, Iterable

from compress_guard.cli.terminal import show
from compress_guard.records import CellResult
from compress_guard.report import Display, Line, apart, lines, recovery_lines, throughput_lines
from compress_guard.report.blocks.display import WIDTH
from compress_guard.report.blocks.summary_line import summary_line
from compress_guard.report.html.contents import RunContents
from compress_guard.report.rerun import pytest_command


def display_of(options: argparse.Namespace, command: Callable[[CellResult], str] = pytest_command) -> Display:
    """Return the form of text on standard output; `command` returns what measures a cell again."""
    width = shutil.get_terminal_size((WIDTH, 24)).columns
    return Display(sys.stdout.encoding, width, sys.stdout.isatty(), options.verbose, command=command)


def show_results(
    run: RunContents,
    options: argparse.Namespace,
    command: Callable[[CellResult], str] = pytest_command,
    beyond: Iterable[Line] = (),
) -> None:
    """Write the results of all kinds, as the options want them, and the lines `beyond`.

    `command` returns what measures a cell again.
    """
    if options.quiet:
        brief = [summary_line(run.cells, run.throughput, run.recovery)] if run.results else []
        show([*brief, *beyond], options.color)
        return
    display = display_of(options, command)
    parts = (
        lines(run.cells, display, traffic=run.ending.traffic),
        throughput_lines(run.throughput, display.encoding, width=display.sentence_width),
        recovery_lines(run.recovery, display.encoding, width=display.sentence_width),
    )
    # Made whole before the first is written: results of other origin may hold what nothing can show.
    show(list(apart(*parts, beyond)), options.color)
