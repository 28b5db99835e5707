"""``compress-guard merge``: the results of shards, or of the jobs of a matrix, as those of one run."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path

from compress_guard.cli import EXIT_FAILED, EXIT_HELD, EXIT_INCOMPARABLE
from compress_guard.cli.tables import show_results
from compress_guard.cli.terminal import tell
from compress_guard.destination import evidence_path, replace
from compress_guard.engine.releases.same_images import check_same_images
from compress_guard.engine.settings import check_results_file
from compress_guard.errors import RunError, UsageError, error_text
from compress_guard.report import write
from compress_guard.report.earlier import results_files, set_aside
from compress_guard.report.html.contents import RunContents, unfit
from compress_guard.report.merging.junit_file import junit
from compress_guard.report.merging.parts import read_part
from compress_guard.report.merging.union import Joined, ended, join, named
from compress_guard.results.file import paths_of


def merge(options: argparse.Namespace) -> int:
    """Write the joined results; return 0 if all held, 1 if a cell failed, 2 where files or cells are missing or unfit.

    Raises `UsageError` for a destination that cannot be written.
    """
    sources, unreadable = _sources(options.results)
    target, xml = Path(options.out), None if options.junit is None else Path(options.junit)
    _check_destinations(sources, target, xml)
    try:
        if unreadable is not None:
            raise unreadable
        parts = [read_part(source) for source in sources]
        joined = join(parts)
        check_same_images([(part.path, part.contents.cells, part.evidence) for part in parts])
    except UsageError as problem:
        tell(f"compress-guard: {problem}")
        # The report of an earlier merge is none of these files.
        for sentence in set_aside([*results_files(target), *([] if xml is None else [xml])]):
            tell(f"compress-guard: {sentence}")
        return EXIT_INCOMPARABLE
    status = EXIT_INCOMPARABLE if joined.missing else EXIT_FAILED if joined.failed else EXIT_HELD
    contents = ended(joined, status)
    try:
        _write(contents, joined, target, xml)
        show_results(contents, options)
    except RunError as problem:
        tell(f"compress-guard: --out: {error_text(problem)}")
        return EXIT_INCOMPARABLE
    except (TypeError, ValueError, AttributeError, LookupError, ArithmeticError) as problem:
        # The fields are there, and hold what no run writes.
        tell(f"compress-guard: {unfit(sources[0], problem)}")
        return EXIT_INCOMPARABLE
    for sentence in joined.problems:
        tell(f"compress-guard: {sentence}")
    if missing := joined.missing:
        count = "1 cell is missing" if len(missing) == 1 else f"{len(missing)} cells are missing"
        tell(f"compress-guard: {count}, which no job has measured: {named(missing)}; name the results of every job")
    return status


def _sources(given: Sequence[str]) -> tuple[list[Path], UsageError | None]:
    """Return all results files that are named, and the first problem with a name."""
    sources: list[Path] = []
    first: UsageError | None = None
    for name in given:
        try:
            sources.extend(paths_of(Path(name)))
        except UsageError as problem:
            first = first or problem
    return sources, first


def _check_destinations(sources: Iterable[Path], target: Path, xml: Path | None) -> None:
    """Raise `UsageError` for a destination that cannot be written, or that is one of the sources."""
    taken: dict[str, Path | None] = {}
    for source in sources:
        taken |= {str(source): source, f"the evidence of {source}": evidence_path(source)}
    check_results_file(target, "--out", taken)
    if xml is not None:
        others = {"the file of --out": target, "the evidence of --out": evidence_path(target)}
        check_results_file(xml, "--junit", taken | others, with_evidence=False)


def _write(contents: RunContents, joined: Joined, target: Path, junit_file: Path | None) -> None:
    made = (contents.throughput, contents.recovery, contents.ending)
    xml = junit(contents.results, joined.missing)
    write(target, contents.cells, contents.environment, joined.evidence, *made)
    if junit_file is not None:
        try:
            replace(junit_file, xml)
        except OSError as problem:
            raise RunError(f"{junit_file} cannot be written ({problem.strerror})") from problem
