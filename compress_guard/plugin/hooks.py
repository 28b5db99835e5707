"""The hooks that are there whether the gate is switched on or not; switched off they cost nothing."""

from __future__ import annotations

from typing import Final

import pytest

from compress_guard.errors import CompressGuardError
from compress_guard.plugin.options import switched_on

MARKER: Final = (
    "compress_guard(codecs, bpp, quality, guard, data, rate, orientation, limit, batch_size): cells of the thresholds "
    "file carry this marker; on a test of your own it says at which codecs, rates and qualities the fixture "
    "compressed_batches gives the data of guard=NAME or of data=FACTORY"
)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", MARKER)
    if not switched_on(config):
        return
    from compress_guard.plugin.gate import Gate

    try:
        gate = Gate.of(config)
    except CompressGuardError as problem:
        raise pytest.UsageError(str(problem)) from problem
    config.pluginmanager.register(gate, "compress_guard_gate")


# Before pytest-benchmark looks which tests are its own.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if switched_on(config):
        from compress_guard.plugin.benchmark_plugin import mark_benchmarks

        mark_benchmarks(config, items)
        return
    skip = pytest.mark.skip(reason="needs --compress-guard")
    for item in items:
        if item.get_closest_marker("compress_guard") is not None:
            item.add_marker(skip)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "compressed_batches" not in metafunc.fixturenames or not switched_on(metafunc.config):
        return
    from compress_guard.plugin.fixtures.batches_fixture import requested_cells

    cells = requested_cells(metafunc.config, metafunc.definition)
    metafunc.parametrize("compressed_batches", cells, ids=[cell.label for _, cell in cells], indirect=True)
