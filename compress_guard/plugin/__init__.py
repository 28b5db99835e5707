"""The pytest plugin: the hooks and fixtures that pytest finds through the entry point `compress_guard`.

Importing it imports pytest and little else; what a gate needs is imported once ``--compress-guard`` is given.
"""

from compress_guard.plugin.fixtures.definitions import (
    codec_throughput,
    compress_guard_session_fixtures,
    compressed_batches,
    guard,
)
from compress_guard.plugin.hooks import (
    pytest_collection_modifyitems,
    pytest_configure,
    pytest_generate_tests,
)
from compress_guard.plugin.options import pytest_addoption

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
