"""Clocks of other plugins begin when what is slow to import is there: no cell's time counts that."""

from __future__ import annotations

import pytest

WATCH = """
    import sys
    import pytest

    WATCHED = ("torch", "torchvision", "PIL.Image", "compressai", "compress_guard.engine.cells.guard_bench")
    BEGAN = []

    def note(item, when):
        there = [name for name in WATCHED if name in sys.modules]
        with open(item.config.rootpath / "clocks.txt", "a") as file:  # what a test prints is captured
            print(f"{item.name} {when}: {' '.join(there)}", file=file)
"""

TIMEOUT = """
    @pytest.hookimpl(optionalhook=True)
    def pytest_timeout_set_timer(item, settings):
        note(item, "func" if settings.func_only else "all")
"""

WRAPPER = """
    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(item):  # as faulthandler_timeout and pytest-timeout begin
        note(item, "all")
        return (yield)
"""

LIGHT = "torch torchvision PIL.Image compress_guard.engine.cells.guard_bench"
HEAVY = "torch torchvision PIL.Image compressai compress_guard.engine.cells.guard_bench"


def clocks(project):
    return (project.folder / "clocks.txt").read_text().splitlines()


@pytest.fixture
def timed(project):
    """A project without a module of its own that imports torch while tests are collected."""
    project.write("conftest.py", WATCH + WRAPPER)
    project.guard("max_drop: 100, limit: 4", defaults="codecs: [jpeg], bpp: [2.0, 3.0]")
    return project


def test_a_clock_that_begins_around_a_test_finds_everything_imported(timed):
    timed.start("thresholds.yaml")
    assert clocks(timed) == [f"toy[jpeg-{rate}bpp] all: {LIGHT}" for rate in ("2.0", "3.0")]


def test_so_does_one_in_a_worker_of_xdist(timed):
    pytest.importorskip("xdist")
    run = timed.start("thresholds.yaml", "-n", "1")
    assert (run.code, clocks(timed)) == (0, [f"toy[jpeg-{rate}bpp] all: {LIGHT}" for rate in ("2.0", "3.0")])


@pytest.mark.parametrize("only", ["true", "false"])
def test_pytest_timeout_finds_everything_imported(timed, only):
    pytest.importorskip("pytest_timeout")
    timed.write("conftest.py", WATCH + TIMEOUT)
    run = timed.start("thresholds.yaml", "--timeout", "200", "-o", f"timeout_func_only={only}")
    when = "func" if only == "true" else "all"
    assert (run.code, clocks(timed)) == (0, [f"toy[jpeg-{rate}bpp] {when}: {LIGHT}" for rate in ("2.0", "3.0")])


def test_a_test_of_ones_own_with_a_fixture_of_the_gate_too(timed):
    timed.write(
        "test_own.py",
        """
        def test_plain(): ...

        def test_guard(guard): ...
        """,
    )
    timed.start("test_own.py")
    assert clocks(timed) == ["test_plain all: ", f"test_guard all: {LIGHT}"]


def test_the_library_of_a_learned_codec_is_imported_before_its_first_cell(timed):
    pytest.importorskip("compressai")
    head = "codecs: {zoo3: {type: zoo, model: bmshj2018-factorized, levels: [1, 2]}}"
    timed.guard("max_drop: 100, on_unavailable: skip", head=head, defaults="codecs: [zoo3], bpp: [0.3]")
    run = timed.start("thresholds.yaml")
    assert clocks(timed) == [f"toy[zoo3-0.3bpp] all: {HEAVY}"], run.out
