"""Results come in; text, JUnit properties and files go out. Nothing here knows pytest or a terminal.

Open `overview` first: the summary of a run. `blocks` has the block of a guard, `matrix` draws its cells, `notes` has
the sentences below, `brief` and `signs` are the short forms of a verdict, `rerun` is the command that repeats a cell.
`recovery` and `throughput` are the summaries of their cells, `results_file` and `junit` the machine-readable forms,
`markup` and `numbers` styles and figures for all of them.

`groups` collects results that share a line, `tally` counts them, `recovery_figure` draws a study, `earlier` renames
reports of an earlier run, `traffic` prints what production files look like, `html` has the reports to hand on,
`releases` says what changed from one run to another, `merging` joins the results of several jobs, `ci` has the
forms for continuous integration.
"""

from __future__ import annotations

from compress_guard.report.blocks.display import Display
from compress_guard.report.brief import brief, first_clause
from compress_guard.report.junit import properties
from compress_guard.report.markup import Line, Span, ansi, apart, counted, fit, plain
from compress_guard.report.notes.environment import environment
from compress_guard.report.overview import lines
from compress_guard.report.recovery import recovery_lines
from compress_guard.report.recovery_figure import recovery_figure
from compress_guard.report.results_file import document, write
from compress_guard.report.tally import Tally, tally, ungated
from compress_guard.report.throughput import throughput_lines

__all__ = [
    "Display",
    "Line",
    "Span",
    "Tally",
    "ansi",
    "apart",
    "brief",
    "counted",
    "document",
    "environment",
    "first_clause",
    "fit",
    "lines",
    "plain",
    "properties",
    "recovery_figure",
    "recovery_lines",
    "tally",
    "throughput_lines",
    "ungated",
    "write",
]
