"""Reports that an earlier run left under the names that this command line gives: set aside when the run starts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from compress_guard.plugin.output.terminal import write_line

if TYPE_CHECKING:
    import pytest


def set_aside_reports(config: pytest.Config, results: Path | None, html: Path | None) -> None:
    """Rename the files of the reports where they are there already; say on the terminal what cannot be renamed."""
    from compress_guard.report.earlier import set_aside

    reporter = config.pluginmanager.get_plugin("terminalreporter")
    for problem in set_aside(_reports(config, results, html)):
        if reporter is not None:
            write_line(reporter, f"WARNING: {problem}", yellow=True, bold=True)


def _reports(config: pytest.Config, results: Path | None, html: Path | None) -> Iterator[Path]:
    from compress_guard.report.earlier import results_files

    if results is not None:
        yield from results_files(results)
    if html is not None:
        yield html
    if (junit := config.getoption("xmlpath", None)) is not None:
        # As pytest reads it, which writes through a link where --cg-json replaces one.
        yield Path(config.invocation_params.dir, Path(os.path.expandvars(junit)).expanduser()).resolve()
