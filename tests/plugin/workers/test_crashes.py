"""A worker of pytest-xdist dies: that costs the test which it was running, and the run ends, says so and is red."""

from __future__ import annotations

import pytest

# Whoever distributes these tests: they look at the same runs.
pytestmark = pytest.mark.xdist_group("plugin-crashes")

SECONDS = 120
"""A run that has not ended by then hangs."""

DYING = """
    import ctypes
    import os
    import signal

    import toy

    def killed():
        os.kill(os.getpid(), signal.SIGKILL)  # as the kernel does when memory runs out

    def crashed():
        ctypes.string_at(0)

    def left():
        os._exit(0)

    def log(name):
        with open("ran.txt", "a") as file:
            print(name, file=file)

    class Dying(toy.Spectrum):
        def __init__(self, end):
            self.end = end

        def __call__(self, images):
            if "webp-0.5bpp" in os.environ.get("PYTEST_CURRENT_TEST", ""):
                self.end()
            return super().__call__(images)

    def model_killed():
        return Dying(killed)

    def model_crashed():
        return Dying(crashed)

    class Later(toy.Spectrum):
        second = False

        def __call__(self, images):
            if self.second:
                killed()
            return super().__call__(images)
"""

OWN = """
    import dying
    import pytest
    import toy

    @pytest.mark.parametrize("number", range(5))
    def test_own(number):
        dying.log(f"own {number}")
        if number == 1:
            dying.left()

    def test_gate(guard):
        dying.log("own gate")
        model, asked = dying.Later(), {"task": "classification", "codec": "jpeg", "bpp": 2.0, "limit": 8}
        guard.check(model, toy.data(), max_drop=100, **asked)
        model.second = True
        guard.check(model, toy.data(), max_drop=99, **asked)
"""

CONFTEST = """
    import dying
    import pytest

    @pytest.fixture(autouse=True)
    def ends(request):
        if request.node.name.endswith("bpp]"):
            dying.log(request.node.name)
        yield
        if request.node.name == "last[webp-2.0bpp]":
            dying.killed()
"""


def ran(project):
    return sorted((project.folder / "ran.txt").read_text().splitlines())


def verdicts(run):
    return {name: cell["verdict"] for name, cell in run.cells.items()}


def words(case):
    return {pair.get("name"): pair.get("value") for pair in case._elem.iter("property")}


def reason(worker, name, what="died while it ran this cell, so that nothing was measured", file="thresholds.yaml"):
    return (
        f"worker {worker} {what}; if memory ran out, use fewer workers (-n) or smaller batches; to see a crash of "
        f'native code, run it alone: pytest --compress-guard -n 0 "{file}::{name}"'
    )


@pytest.fixture(scope="module")
def project(new_project):
    made = new_project()
    made.write("dying.py", DYING)
    made.write("conftest.py", CONFTEST)
    made.write("test_own.py", OWN)
    made.guards(
        {
            "toy": "max_drop: 100, min_score: {0.5: 1, 2.0: 1}, model: 'dying:model_killed', bpp: [0.5, 2.0]",
            "last": "max_drop: 100, bpp: [2.0]",
        },
        defaults="codecs: [jpeg, webp], limit: 8",
    )
    return made


CELLS = (
    *("toy[jpeg-0.5bpp]", "toy[jpeg-2.0bpp]", "toy[webp-0.5bpp]", "toy[webp-2.0bpp]"),
    *("last[jpeg-2.0bpp]", "last[webp-2.0bpp]"),
)
OWN_TESTS = ("own gate", *(f"own {number}" for number in range(5)))
CHECKS = ("test_gate::jpeg-2.0bpp", "test_gate::jpeg-2.0bpp#1")
ERRORS = ("toy[webp-0.5bpp]", "last[webp-2.0bpp]", CHECKS[1])
VERDICTS = {name: "error" if name in ERRORS else "pass" for name in (*CELLS, *CHECKS)}


@pytest.fixture(scope="module")
def one(project):
    """With a single worker: whatever is left has to wait for the one that takes its place."""
    run = project.fork("-n", "1", seconds=SECONDS)
    return run, ran(project)


def test_the_run_ends_and_is_red(one):
    run, _ = one
    assert run.code == pytest.ExitCode.TESTS_FAILED
    assert run.outcomes == {"failed": 4, "passed": 9}


def test_every_test_starts_once(one):
    assert one[1] == sorted([*CELLS, *OWN_TESTS])


def test_the_cell_that_was_running_is_an_error_with_all_that_the_file_says_of_it(one):
    run, _ = one
    assert list(run.cells) == [*CELLS, *CHECKS]
    assert verdicts(run) == VERDICTS
    cell = run.cells["toy[webp-0.5bpp]"]
    known = {key: value for key, value in cell.items() if value not in (None, [], False, 0)}
    assert known == {
        "id": "thresholds.yaml::toy[webp-0.5bpp]",
        "guard": "toy",
        "task": "classification",
        "metric": "top1",
        "codec": "webp",
        "target_bpp": 0.5,
        "verdict": "error",
        "outcome": "failed",
        "settled_by": "policy",
        "reason": reason("gw2", "toy[webp-0.5bpp]"),
        "rate": "dataset",
        "device": "auto",
        "confidence": 0.95,
        "rate_tolerance": 0.02,
        "limit": 8,
        "max_drop": 100.0,
        "min_score": 1.0,
        "limit_line": 4,
        "limit_places": [
            {"limit": "max_drop", "place": "thresholds.yaml:4"},
            {"limit": "min_score", "place": "thresholds.yaml:4"},
        ],
        "correction": "none",
        "reference": "source",
    }


def test_a_cell_whose_worker_dies_after_it_was_measured_keeps_its_numbers(one):
    cell = one[0].cells["last[webp-2.0bpp]"]
    assert (cell["verdict"], cell["outcome"], cell["drop"], cell["images_used"]) == ("error", "failed", 0.0, 8)
    assert cell["reason"] == reason(
        "gw3", "last[webp-2.0bpp]", "died after this cell was measured and before its test had ended"
    )


def test_an_own_test_keeps_the_checks_before_and_the_one_that_it_died_in_is_an_error(one):
    run, _ = one
    first, second = (run.cells[name] for name in CHECKS)
    assert (first["verdict"], first["max_drop"], first["images_used"]) == ("pass", 100.0, 8)
    assert (second["verdict"], second["max_drop"], second["drop"], second["device"]) == ("error", 99.0, None, "cpu")
    what = "died while it measured this, so that nothing was measured"
    assert second["reason"] == reason("gw1", "test_gate", what, file="test_own.py")
    properties = run.junit["test_gate"]._elem.iter("property")
    written = [pair.get("value") for pair in properties if pair.get("name") == "cg_id"]
    assert written == ["test_own.py::" + name for name in CHECKS]


def test_junit_has_each_case_once_and_the_properties_of_the_crashed_ones(one):
    run, _ = one
    assert len(run.junit) == 12
    for name in CELLS:
        cell = run.cells[name]
        written = words(run.junit[name])
        assert (written["cg_verdict"], written["cg_reason"]) == (cell["verdict"], cell["reason"])
        assert [found.tag for found in run.junit[name]._elem if found.tag != "properties"] == (
            ["error"] if cell["verdict"] == "error" else []
        )


def test_the_terminal_says_what_died_and_counts_it(one):
    run, _ = one
    assert "worker 'gw2' crashed while running 'thresholds.yaml::toy[webp-0.5bpp]'\nthresholds.yaml:" in run.out
    assert "8 cells: 3 failed, 5 passed (verdicts: 5 pass, 3 error)" in run.out


@pytest.mark.slow  # starts five processes that import torch
def test_two_workers_lose_the_same_to_a_crash_of_native_code(project):
    (project.folder / "ran.txt").unlink(missing_ok=True)
    file = project.folder / "thresholds.yaml"
    project.write("native.yaml", file.read_text().replace("model_killed", "model_crashed"))
    run = project.fork("-n", "2", "--cg-thresholds=native.yaml", seconds=SECONDS)
    assert run.code == pytest.ExitCode.TESTS_FAILED
    assert verdicts(run) == VERDICTS
    assert ran(project) == sorted([*CELLS, *OWN_TESTS])
