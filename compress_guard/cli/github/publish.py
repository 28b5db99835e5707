"""``compress-guard github publish``: summary, annotations, badge and outputs of a gate that has run."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from compress_guard import thresholds as thresholds_file
from compress_guard.cli import EXIT_HELD, EXIT_INCOMPARABLE, EXIT_USAGE
from compress_guard.cli.github.lines import say
from compress_guard.errors import UsageError
from compress_guard.github.commands import assignments
from compress_guard.github.workflow import append, from_workspace
from compress_guard.report.ci.annotations import Annotation, annotated
from compress_guard.report.ci.badge import badge
from compress_guard.report.ci.conclusion import Conclusion
from compress_guard.report.html.contents import RunContents, contents_of, unfit
from compress_guard.report.html.markdown import escaped, markdown
from compress_guard.report.html.page import page as page_of
from compress_guard.report.html.page import write_report
from compress_guard.results.file import read_results

_WITHOUT_RESULTS: Final = (EXIT_INCOMPARABLE, EXIT_USAGE)
"""Exit codes of a gate that may have left the results of an earlier run in place; all others set them aside."""
_MOST_ANNOTATIONS: Final = 10
"""GitHub shows no more errors of a step."""


@dataclass(frozen=True, slots=True)
class Published:
    """The conclusion, summary, annotations and page of one run, ready to be written."""

    conclusion: Conclusion
    summary: str
    annotations: Sequence[Annotation]
    page: str | None = None
    """The HTML page; None where none is to be written."""


def publish(options: argparse.Namespace, variables: Mapping[str, str]) -> None:
    """Write ``summary.md`` and ``badge.svg`` beside the results, annotations, and the summary and outputs of the step.

    A gate that left no results, those of an earlier run or a damaged file is published as an error. Raises `RunError`
    if a file cannot be written.
    """
    results, html = Path(options.results), None if options.html is None else Path(options.html)
    try:
        run = _run(results, options.status)
        said = _said(run, options.thresholds, results, with_page=html is not None and not html.exists())
    except UsageError as problem:
        html, said = None, _without_results(problem, options.thresholds, variables)
    written = {results.with_name("summary.md"): said.summary, results.with_name("badge.svg"): badge(said.conclusion)}
    if html is not None and said.page is not None:
        written[html] = said.page
    for path, text in written.items():
        write_report(path, text)
    _annotate(said.annotations, variables)
    append("GITHUB_STEP_SUMMARY", said.summary)
    append("GITHUB_OUTPUT", assignments(_outputs(results, html, said.conclusion, variables)))


def _run(results: Path, status: int | None) -> RunContents:
    """Return the run that the gate with this exit code has written; raises `UsageError` if it has written none."""
    if not os.path.lexists(results):
        raise UsageError(results.name, "the gate wrote no results", "see its log")
    run = contents_of(read_results(results, with_evidence=False))
    if status in (None, EXIT_HELD, run.ending.exit_status):
        return run
    if status in _WITHOUT_RESULTS:
        found = f"the gate ended with {status}, and these results are of a run that ended with {run.ending.exit_status}"
        raise UsageError(results.name, found, "see its log")
    # Something failed after the results were written, such as a report.
    return replace(run, ending=replace(run.ending, exit_status=status))


def _said(run: RunContents, thresholds: str, results: Path, *, with_page: bool) -> Published:
    try:
        page = page_of(run) if with_page else None
        return Published(Conclusion.of(run), markdown(run), list(annotated(run, thresholds)), page)
    except (TypeError, ValueError, AttributeError, LookupError, ArithmeticError) as problem:
        # The fields are there, and hold what no run writes.
        raise unfit(results, problem) from problem


def _without_results(problem: UsageError, thresholds: str, variables: Mapping[str, str]) -> Published:
    """Return what is said of a gate without results: most often its thresholds file makes no sense."""
    shown = from_workspace(Path(thresholds), variables)
    told = [Annotation("compress_guard", str(problem))]
    try:
        thresholds_file.load(Path(thresholds), shown=shown)
    except UsageError as refusal:
        line = refusal.where.removeprefix(f"{shown}:").partition(":")[0]
        told = [Annotation("thresholds file", str(refusal), thresholds, int(line) if line.isdecimal() else None)]
    texts = dict.fromkeys([str(problem), *(each.message for each in told)])
    summary = "".join(f"\n{escaped(text)}\n" for text in texts)
    return Published(Conclusion("error"), f"## compress\\_guard: no results\n{summary}", told)


def _annotate(found: Sequence[Annotation], variables: Mapping[str, str]) -> None:
    more = len(found) - _MOST_ANNOTATIONS
    for each in found[: _MOST_ANNOTATIONS - 1] if more > 0 else found:
        file = None if each.file is None else from_workspace(Path(each.file), variables)
        say("error", each.message, file=file, line=each.line, title=each.title)
    if more > 0:
        say("error", f"{more + 1} more failures are in the summary of this job.", title="compress_guard")


def _outputs(
    results: Path, html: Path | None, conclusion: Conclusion, variables: Mapping[str, str]
) -> dict[str, str | int]:
    paths = {
        "results": results,
        "summary": results.with_name("summary.md"),
        "badge": results.with_name("badge.svg"),
        "html": html,
    }
    there = {name: path for name, path in paths.items() if path is not None and path.is_file()}
    return {
        "verdict": conclusion.word,
        "cells": conclusion.cells,
        "failed": conclusion.failed,
        **{name: from_workspace(there[name], variables) if name in there else "" for name in paths},
    }
