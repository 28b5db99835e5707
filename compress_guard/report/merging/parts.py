"""A results file and its evidence, as one job has written them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from compress_guard.report.html.contents import RunContents, contents_of
from compress_guard.results.file import read_results


@dataclass(frozen=True, slots=True, eq=False)
class JobResults:
    """Results of one job."""

    path: Path
    contents: RunContents
    evidence: Mapping[str, bytes]
    """Files of evidence by name."""


def read_part(path: Path) -> JobResults:
    """Read a results file and its evidence; raises `UsageError` for files that no run has written so."""
    file = read_results(path)
    return JobResults(path, contents_of(file), file.evidence())
