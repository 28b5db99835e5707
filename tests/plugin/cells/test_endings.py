"""The end of a run: its exit status, and the cells that were selected and have no result."""

from __future__ import annotations

import pytest

# Whoever distributes these tests: most of them start processes.
pytestmark = pytest.mark.xdist_group("plugin-endings")

FIRST, SECOND, THIRD = (f"thresholds.yaml::{name}[jpeg-2.0bpp]" for name in ("a", "b", "c"))

BEFORE = """
    import os
    import pytest

    @pytest.fixture(autouse=True)
    def before(request):
        if request.node.name == "b[jpeg-2.0bpp]":
            {}
"""


@pytest.fixture
def project(project):
    project.guards(dict.fromkeys("abc", "max_drop: 100"), defaults="codecs: [jpeg], bpp: [2.0], limit: 4")
    return project


def ending(run):
    return run.code, run.json["exit_status"], run.json["not_measured"], [cell["id"] for cell in run.json["cells"]]


def test_a_run_that_measured_all_it_selected(project):
    assert ending(project.run()) == (0, 0, [], [FIRST, SECOND, THIRD])
    run = project.run("-k", "not b[jpeg")
    assert ending(run) == (0, 0, [], [FIRST, THIRD])
    assert "not measured" not in run.out


def test_a_cell_that_failed(project):
    guards = {"a": "max_drop: 100, model: 'toy:nothing'", "b": "max_drop: 100"}
    project.guards(guards, defaults="codecs: [jpeg], bpp: [2.0], limit: 4")
    assert ending(project.run()) == (1, 1, [], [FIRST, SECOND])


def test_cells_behind_the_first_failure(project):
    project.write("conftest.py", BEFORE.format("assert 0"))
    run = project.run("-x")
    assert ending(run) == (1, 1, [SECOND, THIRD], [FIRST])
    assert f"not measured: 2 of 3 selected cells: {SECOND}, {THIRD}" in run.out


def test_an_interrupted_run(project):
    project.write("conftest.py", BEFORE.format("raise KeyboardInterrupt"))
    assert ending(project.run()) == (2, 2, [SECOND, THIRD], [FIRST])


def test_an_internal_error(project):
    project.write(
        "conftest.py",
        """
        def pytest_runtest_protocol(item):
            assert item.name != "b[jpeg-2.0bpp]"
        """,
    )
    assert ending(project.run()) == (3, 3, [SECOND, THIRD], [FIRST])


def test_a_run_that_is_left_as_if_all_were_well_is_red(project):
    project.write("conftest.py", BEFORE.format("pytest.exit('enough', returncode=0)"))
    run = project.run()
    assert ending(run) == (1, 1, [SECOND, THIRD], [FIRST])
    assert (
        f"2 cells ({SECOND}, {THIRD}) were selected and not measured, and no test says why: the run fails"
    ) in run.out.splitlines()


def test_a_plugin_that_passes_over_a_cell_makes_the_run_red(project):
    project.write(
        "conftest.py",
        """
        def pytest_runtest_protocol(item):
            return True if item.name == "b[jpeg-2.0bpp]" else None
        """,
    )
    run = project.run()
    assert ending(run) == (1, 1, [SECOND], [FIRST, THIRD])
    assert f"1 cell ({SECOND}) was selected and not measured, and no test says why: the run fails" in run.out


def test_a_cell_that_the_project_skips_is_told_of(project):
    project.guards({"a": "max_drop: 100, bpp: [1.0, 2.0]"}, defaults="codecs: [jpeg], limit: 4")
    project.write(
        "conftest.py",
        """
        import pytest

        def pytest_collection_modifyitems(items):
            items[0].add_marker(pytest.mark.skip(reason="later"))
        """,
    )
    run = project.run()
    assert ending(run) == (0, 0, ["thresholds.yaml::a[jpeg-1.0bpp]"], [FIRST])
    assert "not measured: 1 of 2 selected cells: thresholds.yaml::a[jpeg-1.0bpp]" in run.out


def test_the_status_is_the_one_that_plugins_leave(project):
    project.write(
        "conftest.py",
        """
        def pytest_sessionfinish(session):
            session.exitstatus = 7
        """,
    )
    assert ending(project.run()) == (7, 7, [], [FIRST, SECOND, THIRD])


def test_results_outlast_a_plugin_that_breaks_the_end(project):
    project.write(
        "conftest.py",
        """
        def pytest_sessionfinish(session):
            raise ValueError("broken at the end")
        """,
    )
    run = project.fork()
    assert ending(run) == (1, None, [], [FIRST, SECOND, THIRD])


def test_results_outlast_a_broken_summary(project):
    project.write(
        "conftest.py",
        """
        def pytest_terminal_summary():
            raise ValueError("broken in the summary")
        """,
    )
    run = project.fork()
    assert run.code == 1
    assert [cell["id"] for cell in run.json["cells"]] == [FIRST, SECOND, THIRD]


def test_cells_that_no_worker_is_left_for(project):
    project.write("conftest.py", BEFORE.format("os._exit(0)"))
    run = project.fork("-n", "1", "--max-worker-restart=0", seconds=120)
    assert run.code == 1
    assert ending(run) == (1, 1, [THIRD], [FIRST, SECOND])
    assert run.cells["b[jpeg-2.0bpp]"]["verdict"] == "error"
    assert f"not measured: 1 of 3 selected cells: {THIRD}" in run.out


COLLECTED_AND_LOST = """
    import os
    import time
    from pathlib import Path

    import pytest

    WORKER, SIGN = os.environ.get("PYTEST_XDIST_WORKER"), Path(__file__).with_name("collected")

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished():
        SIGN.touch()  # by the controller, which learns here what the other worker collected

    if WORKER == "gw1":
        while not SIGN.exists():
            time.sleep(0.05)
        os._exit(0)
"""


@pytest.mark.parametrize("cells", [True, False])
def test_tests_that_died_with_the_workers_before_they_began(project, cells):
    project.write("conftest.py", COLLECTED_AND_LOST)
    project.write("test_own.py", "def test_own(guard):\n    pass\n")
    paths = () if cells else ("test_own.py",)
    run = project.fork("-n", "2", "--max-worker-restart=0", *paths, seconds=120)
    assert run.code == 1
    missing = [FIRST, SECOND, THIRD] if cells else []
    assert ending(run) == (1, 1, missing, [])
    if cells:
        named = f"3 cells ({FIRST}, {SECOND}, {THIRD}) were selected and not measured, and no test says why"
    else:
        named = "1 test (test_own.py::test_own) was collected and never ran, since workers died"
    assert f"{named}: the run fails" in run.out.splitlines()
