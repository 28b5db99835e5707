"""The drop over the traffic, computed at the end of a run from the evidence of all its processes."""

from __future__ import annotations

from _pytest.junitxml import xml_key

from compress_guard.plugin.run import Run


def weigh_traffic(run: Run) -> None:
    """Set the drop of each guard over its traffic, also as properties of the report of ``--junitxml``."""
    if all(cell.traffic is None for guard in run.thresholds.guards for cell in guard.cells):
        return
    from compress_guard.engine.traffic_drop import traffic_results
    from compress_guard.report.traffic.drop import suite_properties

    run.traffic = tuple(traffic_results(run.thresholds, run.results.values(), run.settings))
    report = run.config.stash.get(xml_key, None)
    if report is not None:
        for name, value in suite_properties(run.traffic):
            report.add_global_property(name, value)
