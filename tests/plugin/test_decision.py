"""The controller of pytest-xdist decides for its workers: they collect and measure the same cells as a run alone."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import MappingProxyType

import pytest

from compress_guard.engine.settings import RunSettings
from compress_guard.plugin.choice import ChosenFile
from compress_guard.plugin.decision import Decision

CHEAP = "-p no:cacheprovider -p no:benchmark --cg-device=cpu"
MEASURED = "max_drop: 100, limit: 2"


@pytest.fixture
def failing(project):
    """A project whose cells cannot be measured, quickly: a run that comes to them cannot be green."""
    nowhere = 'model: "nowhere:model", data: "nowhere:data"'
    project.guard(f"max_drop: 0.5, {nowhere}", defaults="codecs: [jpeg], bpp: [0.5, 1.0]")
    project.write("tests/test_own.py", "def test_plain(): ...\n")
    project.write("pytest.ini", f"[pytest]\naddopts = {CHEAP}\ntestpaths = tests\n")
    return project


def cells(run):
    cost = ("seconds", "encodes", "predictions")
    return {name: {key: cell[key] for key in cell if key not in cost} for name, cell in run.cells.items()}


@pytest.mark.parametrize("strict", [[], ["--cg-strict"]], ids=["lax", "strict"])
def test_testpaths_give_the_same_cells_with_workers(failing, strict):
    alone, two = failing.run(*strict), failing.run("-n", "2", *strict)
    assert (alone.code, two.code) == (1, 1)
    assert cells(two) == cells(alone)
    assert set(two.cells) == {"toy[jpeg-0.5bpp]", "toy[jpeg-1.0bpp]"}
    assert two.outcomes == alone.outcomes == {"failed": 2, "passed": 1}


@pytest.mark.slow  # a worker that imports torch
def test_testpaths_give_the_same_numbers_with_a_worker(failing):
    failing.guard(MEASURED, defaults="codecs: [jpeg], bpp: [1.0, 2.0]")
    alone, one = failing.run("--cg-no-cache"), failing.run("-n", "1", "--cg-no-cache")
    assert (alone.code, one.code) == (0, 0)
    assert cells(one) == cells(alone)
    assert [cell["images_used"] for cell in one.json["cells"]] == [2, 2]


@pytest.mark.parametrize("dist", ["load", "loadscope", "loadfile", "worksteal", "each"])
def test_every_way_to_distribute(failing, dist):
    run = failing.run("-n", "1", "--dist", dist)
    assert (run.code, len(run.cells)) == (1, 2)


@pytest.mark.parametrize(
    ("ini", "arguments", "folder"),
    [
        ("", [], "tests"),
        ("compress_guard_thresholds = gates/other.yaml", [], "."),
        ("", ["--cg-thresholds=gates/other.yaml", "tests"], "."),
        ("", ["--cg-thresholds=../gates/other.yaml"], "tests"),
        ("", ["--rootdir=.", "-c", "pytest.ini", "gates/other.yaml"], "."),
        ("", ["--rootdir=..", "-c", "../pytest.ini", "--cg-thresholds=other.yaml"], "gates"),
        ("", ["--pyargs", "tests", "--cg-thresholds=gates/other.yaml"], "."),
    ],
    ids=["subfolder", "ini", "typed", "relative", "rootdir", "rootdir-and-ini", "pyargs"],
)
def test_the_same_file_wherever_it_is_named(failing, ini, arguments, folder):
    failing.write("gates/other.yaml", (failing.folder / "thresholds.yaml").read_text())
    failing.write("pytest.ini", f"[pytest]\naddopts = {CHEAP}\ntestpaths = tests\n{ini}\n")
    alone, one = (failing.run(*more, *arguments, folder=folder) for more in ([], ["-n", "1"]))
    assert (alone.code, one.code) == (1, 1)
    assert [cell["id"] for cell in one.json["cells"]] == [cell["id"] for cell in alone.json["cells"]]
    assert len(one.cells) == 2


def test_one_cell_by_its_node_id(failing):
    run = failing.run("-n", "1", "thresholds.yaml::toy[jpeg-1.0bpp]")
    assert (run.code, set(run.cells)) == (1, {"toy[jpeg-1.0bpp]"})


def test_switched_on_by_the_environment(failing, monkeypatch):
    monkeypatch.setenv("PYTEST_ADDOPTS", "--compress-guard")
    run = failing.run("-n", "1", gate=False)
    assert (run.code, run.outcomes) == (1, {"failed": 2, "passed": 1})


def test_a_controller_whose_environment_changes_decides_for_its_workers(failing, monkeypatch):
    monkeypatch.setenv("PYTEST_ADDOPTS", "--compress-guard --cg-seed=3")
    failing.write("conftest.py", "import os\nos.environ.pop('PYTEST_ADDOPTS', None)\n")
    results = failing.folder / "results.json"
    run = failing.run("-n", "1", f"--cg-json={results}", gate=False)
    cell = json.loads(results.read_text())["cells"][0]
    assert (run.code, cell["seed"]) == (1, 3)


def test_a_file_that_changes_while_workers_start_is_taken_as_the_controller_read_it(failing):
    failing.write(
        "conftest.py",
        """
        from pathlib import Path

        def pytest_sessionstart(session):
            if not hasattr(session.config, "workerinput"):
                path = Path(__file__).with_name("thresholds.yaml")
                path.write_text(path.read_text().replace("max_drop: 0.5", "max_drop: 100"))
        """,
    )
    run = failing.run("-n", "1")
    assert (run.code, {cell["max_drop"] for cell in run.cells.values()}) == (1, {0.5})


@pytest.mark.parametrize("moment", ["import", "def pytest_configure(config):"])
@pytest.mark.slow  # a worker that imports torch
def test_a_controller_that_changes_its_folder_hands_absolute_paths_over(failing, moment, tmp_path_factory):
    failing.guard(MEASURED)
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    line = f"os.chdir({str(elsewhere)!r})"
    failing.write("conftest.py", f"import os\n{line}\n" if moment == "import" else f"import os\n{moment}\n    {line}\n")
    run = failing.run("-n", "1", "--cg-thresholds=thresholds.yaml", "--cg-cache=kept", "tests")
    assert (run.code, run.cell["verdict"]) == (0, "pass")
    assert (failing.folder / "kept" / "streams").is_dir()
    assert {path.name for path in elsewhere.iterdir()} <= {".benchmarks"}


def test_workers_that_collect_no_cell_are_red(failing):
    failing.write(
        "conftest.py",
        """
        import os

        collect_ignore = ["thresholds.yaml"] if "PYTEST_XDIST_WORKER" in os.environ else []
        """,
    )
    assert failing.run("-n", "1", "thresholds.yaml", "tests").code != 0
    failing.write("pytest.ini", f"[pytest]\naddopts = {CHEAP} --compress-guard\n")
    run = failing.run("-n", "1", gate=False)
    assert (run.code, run.outcomes) == (1, {"passed": 1})
    assert (
        "nothing was gated: no cell and no test with a fixture of the gate was collected, though thresholds.yaml "
        "should have been; name it: pytest thresholds.yaml" in run.out
    )


def test_tests_with_a_fixture_do_not_make_up_for_cells_that_workers_lost(failing):
    failing.write("tests/test_own.py", "def test_own(guard): ...\n")
    failing.write("pytest.ini", f"[pytest]\naddopts = {CHEAP}\n")
    failing.write(
        "conftest.py",
        """
        import os

        collect_ignore = ["thresholds.yaml"] if "PYTEST_XDIST_WORKER" in os.environ else []
        """,
    )
    run = failing.run("-n", "1")
    assert (run.code, run.outcomes) == (1, {"passed": 1})
    assert (
        "no cell of thresholds.yaml was collected, and there should have been some; name it: pytest thresholds.yaml"
        in run.out
    )


def test_a_fixture_that_one_worker_asks_for_counts(project):
    (project.folder / "thresholds.yaml").unlink()
    project.write(
        "test_own.py",
        """
        def test_dynamic(request):
            request.getfixturevalue("guard")

        def test_plain(): ...
        """,
    )
    assert project.run("-n", "2").code == 0


def test_workers_elsewhere_find_the_copy_of_the_file(failing, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    spec = [f"--tx=popen//chdir={elsewhere}", "--dist=each", f"--rsyncdir={failing.folder}", "-Wignore"]
    run = failing.run(*spec, str(failing.folder / "tests"), "--cg-thresholds=thresholds.yaml")
    assert (run.code, len(run.cells)) == (1, 2)
    copied = elsewhere / failing.folder.name / "thresholds.yaml"
    assert copied.exists()


def test_any_path_and_number_is_handed_over():
    odd = Path(os.fsdecode(b"/caf\xe9/thresholds.yaml"))
    decision = Decision(
        folder=odd.parent,
        file=ChosenFile(odd, str(odd), named=True, typed=False),
        text="version: 1\n",
        arguments=(str(odd),),
        typed=True,
        expected=True,
        benchmark=False,
        recovery=True,
        results=None,
        html=None,
        workers=None,
        settings=RunSettings(odd.parent, odd, "cuda", 3, limit=None, seed=2**70, early_stop=True, strict=True),
    )

    class Node:
        class gateway:
            class spec:
                chdir, popen = None, True

        workerinput = MappingProxyType({"workercount": 10**6})

    text = decision.handed_over(Node)
    assert text.isascii()
    taken = Decision.taken_over(text)
    assert taken.settings.workers == 1
    assert taken.settings.seed == 2**70
    assert (taken.folder, taken.file, taken.arguments) == (decision.folder, decision.file, decision.arguments)
