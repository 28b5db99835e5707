"""Cells without a result, in the report of ``--junitxml``."""

from __future__ import annotations

from collections.abc import Sequence

from _pytest.junitxml import xml_key

from compress_guard.plugin.run import Run


def report_lost(run: Run, names: Sequence[str]) -> None:
    """Set the property that names the selected cells without a result, if there are any and a report is written."""
    report = run.config.stash.get(xml_key, None)
    if report is None or not names:
        return
    from compress_guard.report.junit import not_measured_property

    report.add_global_property(*not_measured_property(names))
