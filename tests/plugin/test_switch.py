"""Without --compress-guard the plugin costs nothing; with it, collecting a thresholds file costs little."""

from __future__ import annotations

import pytest

HEAVY = ("torch", "torchvision", "PIL", "numpy")

REPORTS_MODULES = """
    import sys

    def pytest_unconfigure(config):
        watched = ("torch", "torchvision", "PIL", "numpy", "yaml", "compress_guard.engine", "compress_guard.thresholds")
        print("loaded:", *(name for name in watched if name in sys.modules))
        print("own:", *(name for name in sorted(sys.modules) if name.split(".")[0] == "compress_guard"))
"""

OFF = {"", ".errors", ".foreign", ".plugin", ".plugin.finder", ".plugin.fixtures", ".plugin.fixtures.definitions"} | {
    ".plugin.hooks",
    ".plugin.options",
}
"""Modules of the package that a run without the gate imports; each further one costs every pytest run of everybody."""

USERS_TESTS = """
    import pytest

    @pytest.mark.compress_guard(codecs=["jpeg"], bpp=[0.5], guard="toy")
    def test_marked(): ...

    def test_guard(guard): ...

    def test_batches(compressed_batches): ...

    @pytest.mark.compress_guard(nonsense=True)
    def test_marked_batches(compressed_batches): ...

    def test_plain(): ...
"""


def loaded(run, which="loaded"):
    (line,) = (line for line in run.out.splitlines() if line.startswith(f"{which}:"))
    return line.split()[1:]


@pytest.fixture
def watched(project):
    project.write("conftest.py", REPORTS_MODULES)
    return project


def test_switched_off_it_imports_nothing_and_skips_what_needs_it(watched):
    watched.write("test_own.py", USERS_TESTS)
    run = watched.start("-rs", "-v", "-W", "error", gate=False)
    assert (run.code, run.outcomes) == (0, {"passed": 1, "skipped": 4})
    assert run.out.count("needs --compress-guard") >= 4
    assert "thresholds.yaml" not in run.out
    assert loaded(run) == []
    assert set(loaded(run, "own")) == {f"compress_guard{module}" for module in OFF}


def test_switched_off_the_thresholds_file_is_no_test(project):
    run = project.run("thresholds.yaml", gate=False)
    assert run.code == pytest.ExitCode.USAGE_ERROR
    assert "toy[" not in run.out


def test_collecting_imports_neither_torch_nor_pillow(watched):
    run = watched.start("--collect-only", "-q", "-W", "error")
    assert run.code == 0
    assert len(run.collected) == 4
    assert not set(loaded(run)) & set(HEAVY) - {"numpy"}


def test_the_options_are_in_the_help(project):
    run = project.run("--help", gate=False)
    for option in ("compress-guard", "cg-thresholds", "cg-device", "cg-workers", "cg-limit", "cg-seed", "cg-cache"):
        assert f"--{option}" in run.out
    for option in ("cg-no-cache", "cg-json", "cg-strict", "cg-update=loosen"):
        assert f"--{option}" in run.out
    assert "compress_guard_thresholds" in run.out
    assert "where models and GPU codecs run: auto (default:" in " ".join(run.out.split())
    assert "@pytest.mark.compress_guard(codecs, bpp, quality, guard, data, rate, orientation, limit, batch_size)" in (
        project.run("--markers", gate=False).out
    )
