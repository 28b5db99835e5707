"""The plugin pytest-benchmark, which throughput cells need: is it there, and does it time anything in this run?"""

from __future__ import annotations

import importlib.util
from typing import Any, Final

import pytest

from compress_guard.errors import UsageError

ALONE: Final = "pytest --compress-guard --cg-benchmark -k throughput"
"""The command that runs throughput cells and nothing beside them."""


def has_benchmark(config: pytest.Config) -> bool:
    """Return True if pytest-benchmark takes part in this run."""
    return config.getoption("benchmark_disable", None) is not None


def absent() -> tuple[str, str]:
    """Return why pytest-benchmark takes no part in this run, and what to do."""
    if importlib.util.find_spec("pytest_benchmark") is None:
        return "needs pytest-benchmark, which is not installed", "pip install 'compress-guard[benchmark]'"
    return "needs pytest-benchmark, which is not loaded", "leave out -p no:benchmark, or load it by -p"


def only_benchmarks(config: pytest.Config) -> bool:
    """Return True for a run with pytest-benchmark's own option ``--benchmark-only``."""
    return bool(config.getoption("benchmark_only", False))


def check_benchmark(config: pytest.Config) -> None:
    """Raise `UsageError` for a run that asks for throughput cells and cannot time anything."""
    if not has_benchmark(config):
        raise UsageError("--cg-benchmark", *absent())
    if config.getoption("dist", "no") != "no":
        found = "parallel processes slow one another down, and pytest-benchmark times nothing in them"
        raise UsageError("--cg-benchmark with -n", found, f"run it by itself: {ALONE} -n 0")
    if _switched_off(config):
        remedy = f"run it by itself: {ALONE} --benchmark-enable"
        raise UsageError("--cg-benchmark with --benchmark-disable", "there is nothing to time then", remedy)


def check_enabled(config: pytest.Config, benchmark: Any) -> None:
    """Skip or fail a test whose benchmark would time nothing."""
    __tracebackhide__ = True
    if benchmark.disabled and _switched_off(config):
        pytest.skip("not timed: --benchmark-disable")
    if benchmark.disabled:
        reason = "pytest-benchmark times nothing in a worker of pytest-xdist"
        pytest.fail(f"{reason}; run it by itself: {ALONE} -n 0", pytrace=False)


def mark_benchmarks(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let pytest-benchmark know the tests that time codecs: ``--benchmark-only`` and ``--benchmark-skip`` concern them.

    Only here: a fixture that asked for pytest-benchmark's by name could not say what is missing where that is not
    installed.
    """
    if not has_benchmark(config):
        return
    for item in items:
        names = getattr(item, "fixturenames", [])
        if "codec_throughput" in names and "benchmark" not in names:
            names.insert(names.index("codec_throughput"), "benchmark")


def _switched_off(config: pytest.Config) -> bool:
    return bool(config.getoption("benchmark_disable") and not config.getoption("benchmark_enable"))
