"""The results file of a command, which is written when it ends, is interrupted or fails."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import final

from compress_guard.cli import EXIT_FAILED, EXIT_HELD, EXIT_INTERRUPTED
from compress_guard.cli.terminal import tell
from compress_guard.engine.evidence_files import collect_evidence, evidence_lost
from compress_guard.engine.settings import RunSettings
from compress_guard.engine.traffic_drop import traffic_results
from compress_guard.engine.trouble import attempted
from compress_guard.errors import RunError, error_text
from compress_guard.records import (
    CellResult,
    Ending,
    RecoveryResult,
    Scope,
    Thresholds,
    ThroughputResult,
    TrafficResult,
)
from compress_guard.report import environment, write
from compress_guard.report.earlier import results_files, set_aside
from compress_guard.report.html.contents import RunContents
from compress_guard.report.html.page import write_page


@final
@dataclass(slots=True)
class Results:
    """The results of a command so far, and the file that they go to; `path` None: no file."""

    path: str | None
    settings: RunSettings
    selected: Sequence[str]
    """Node ids of the cells that the command measures."""
    cells: list[CellResult] = field(default_factory=list)
    throughput: list[ThroughputResult] = field(default_factory=list)
    recovery: list[RecoveryResult] = field(default_factory=list)
    html: str | None = None
    """File of the report for people; None: none."""
    scope: Scope = field(default_factory=Scope)
    """The whole of which the run may be a part: digest of the thresholds file and names of all its cells."""
    thresholds: Thresholds | None = None
    """The file whose guards may have shares of traffic; None for commands without cells."""

    def set_aside(self) -> None:
        """Rename the files of an earlier command of this name; say on standard error what cannot be renamed."""
        if self.path is not None:
            for problem in set_aside(results_files(Path(self.path))):
                tell(f"compress-guard: --json: {problem}")
        if self.html is not None:
            for problem in set_aside([Path(self.html)]):
                tell(f"compress-guard: --html: {problem}")

    @contextlib.contextmanager
    def kept(self) -> Iterator[None]:
        """Return a context in which an interrupt or an error that ends the command leaves the results in the file."""
        try:
            yield
        except KeyboardInterrupt:
            self.write(EXIT_INTERRUPTED)
            raise
        except SystemExit:  # raised by other people's code: the command fails then
            self.write(EXIT_FAILED)
            raise
        except BaseException:
            self.write(None)
            raise

    def traffic(self) -> list[TrafficResult]:
        """Return the drop of each guard over its traffic, from the cells so far."""
        if self.thresholds is None:
            return []
        return traffic_results(self.thresholds, self.cells, self.settings)

    def write_held(self, held: bool) -> bool:
        """Write the file at the end of a command whose cells held or did not; return what `write` does."""
        return self.write(EXIT_HELD if held else EXIT_FAILED)

    def write(self, exit_status: int | None) -> bool:
        """Write the files that are asked for; False, with the reason on standard error, where that fails."""
        html = self._write_html(exit_status)
        return self._write_json(exit_status) and html

    def _write_html(self, exit_status: int | None) -> bool:
        if self.html is None:
            return True
        problem = attempted(partial(self._write_page, Path(self.html), exit_status))
        if problem is not None:
            tell(f"compress-guard: --html: {error_text(problem)}")
        return problem is None

    def _write_page(self, path: Path, exit_status: int | None) -> None:
        results = (self.cells, self.recovery, self.throughput)
        folders = () if self.settings.pictures is None else (self.settings.pictures,)
        how = (environment(self.settings, self.thresholds), self._ending(exit_status), folders)
        write_page(path, RunContents(*results, *how))

    def _write_json(self, exit_status: int | None) -> bool:
        if self.path is None:
            return True
        evidence = attempted(partial(self._write, Path(self.path), exit_status))
        if isinstance(evidence, RunError):
            tell(f"compress-guard: --json: {error_text(evidence)}")
            return False
        if (lost := evidence_lost(self.settings.run_folder, self.cells, evidence)) is not None:
            tell(f"compress-guard: --json: {lost}")
        return True

    def _write(self, path: Path, exit_status: int | None) -> Mapping[str, bytes]:
        """Write the file, and return the evidence that lies beside it."""
        evidence = collect_evidence(self.settings.run_folder)
        made = (self.throughput, self.recovery, self._ending(exit_status))
        write(path, self.cells, environment(self.settings, self.thresholds), evidence, *made)
        return evidence

    def _ending(self, exit_status: int | None) -> Ending:
        measured = {result.id for results in (self.cells, self.throughput, self.recovery) for result in results}
        left = tuple(name for name in self.selected if name not in measured)
        return Ending(exit_status, left, tuple(self.traffic()), self.scope)
