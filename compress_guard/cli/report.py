"""``compress-guard report``: the results file of a run as text, as an HTML page, as Markdown, as a badge."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from compress_guard.cli.tables import show_results
from compress_guard.cli.terminal import tell
from compress_guard.destination import evidence_path
from compress_guard.engine.settings import check_results_file
from compress_guard.errors import RunError, UsageError, error_text
from compress_guard.foreign import shown_line
from compress_guard.report import Line
from compress_guard.report.ci.badge import badge
from compress_guard.report.ci.conclusion import Conclusion
from compress_guard.report.earlier import set_aside
from compress_guard.report.html.contents import RunContents, contents_of, unfit
from compress_guard.report.html.headline import NOT_ENDED, missing_cells
from compress_guard.report.html.markdown import markdown
from compress_guard.report.html.page import page, write_report
from compress_guard.results.file import only_file


def report(options: argparse.Namespace) -> bool:
    """Write the reports that are asked for, or show the results as text; False if one cannot be written.

    Raises `UsageError` for a file that holds no results, and for a destination that cannot be written.
    """
    source = Path(options.results)
    taken: dict[str, Path | None] = {"the results": source, "their evidence": evidence_path(source)}
    makers = {"html": page, "markdown": markdown, "badge": _badge}
    targets = {name: Path(given) for name in makers if (given := getattr(options, name)) is not None}
    for name, path in targets.items():
        check_results_file(path, f"--{name}", taken, with_evidence=False)
        taken |= {f"the file of --{name}": path}
    folders = [Path(given) for given in options.images or ()]
    for folder in folders:
        if not folder.is_dir():
            raise UsageError("--images", f"{folder} is not a folder", "name the folder of --cg-images")
    try:
        contents = contents_of(only_file(source), folders)
    except UsageError:
        for sentence in set_aside(targets.values()):  # a page of other results is none of these
            tell(f"compress-guard: {sentence}")
        raise
    try:
        texts = {name: makers[name](contents) for name in targets}
        if not targets:
            show_results(contents, options, beyond=_ending(contents))
    except (TypeError, ValueError, AttributeError, LookupError, ArithmeticError) as problem:
        # The fields are there, and hold what no run writes.
        raise unfit(source, problem) from problem
    written = [_written(name, path, texts[name]) for name, path in targets.items()]
    return all(written)


def _ending(run: RunContents) -> Iterator[Line]:
    """Yield what is missing in the results of a run that broke off."""
    if not run.results:
        yield (("these results have no cell: nothing was measured", "red"),)
    ended = [] if run.ending.exit_status is not None else [NOT_ENDED]
    for sentence in (*missing_cells(run), *ended):
        yield ((shown_line(sentence), "red"),)


def _badge(run: RunContents) -> str:
    return badge(Conclusion.of(run))


def _written(option: str, path: Path, text: str) -> bool:
    try:
        write_report(path, text)
    except RunError as problem:
        tell(f"compress-guard: --{option}: {error_text(problem)}")
        return False
    return True
