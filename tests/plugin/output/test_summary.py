"""The summary at the end of a run: what is printed there always, and what only where a run is verbose."""

from __future__ import annotations

import sys

import pytest

import compress_guard.rate

# Whoever distributes these tests: they look at one project.
pytestmark = pytest.mark.xdist_group("plugin-summary")


@pytest.mark.parametrize(("arguments", "printed"), [((), False), (("-q",), False), (("-v",), True), (("-vv",), True)])
def test_settings_that_are_far_apart_are_named_where_a_run_is_verbose(project, monkeypatch, arguments, printed):
    monkeypatch.setattr(sys.modules[f"{compress_guard.rate.__name__}.plan"], "WIDE_STEP", 1.0)  # every two settings
    project.guard("max_drop: 100, limit: 8")
    run = project.run(*arguments)
    assert run.cell["mixed"]
    assert len(run.cell["settings"]) == 2
    assert ("toy: settings more than 15 % apart share the rate: jpeg 0.5 bpp" in run.out.splitlines()) == printed
