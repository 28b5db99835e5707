"""The pytest plugin: the hooks and fixtures that pytest finds through the entry point `compress_guard`.

A pytest config comes in; items, outcomes, reports and a summary go out. Open `hooks` and then `gate` first. `options`,
`choice` and `decision` settle what a run is, `run` holds its state, and `collected` fails a run that gates nothing.
`cells` are the tests of a thresholds file, `fixtures` serve people's own tests, `output` writes, `workers` is for
pytest-xdist. Importing this package imports pytest and little else: the rest waits for ``--compress-guard``.

`results` keeps the results of a test and makes its outcome, `modes` are runs that only list or plan, `update` says
which runs may not write limits, `benchmark_plugin` is about pytest-benchmark. `finder` keeps pytest from rewriting the
asserts of this package, before any more of it is imported. PYTEST_DONT_REWRITE
"""

from compress_guard.plugin import finder

finder.install()

from compress_guard.plugin.fixtures.definitions import (  # noqa: E402 - see finder
    codec_throughput,
    compress_guard_session_fixtures,
    compressed_batches,
    guard,
)
from compress_guard.plugin.hooks import (  # noqa: E402 - see finder
    pytest_collection_modifyitems,
    pytest_configure,
    pytest_generate_tests,
)
from compress_guard.plugin.options import pytest_addoption  # noqa: E402 - see finder

__all__ = [
    "codec_throughput",
    "compress_guard_session_fixtures",
    "compressed_batches",
    "guard",
    "pytest_addoption",
    "pytest_collection_modifyitems",
    "pytest_configure",
    "pytest_generate_tests",
]
