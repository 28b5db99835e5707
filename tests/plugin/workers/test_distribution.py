"""Under pytest-xdist: the same results, each guard and codec on one worker."""

from __future__ import annotations

import pytest

# Whoever distributes these tests: they look at one run.
pytestmark = pytest.mark.xdist_group("plugin-distribution")

# What a run costs depends on who made what first; the workers are told apart on purpose.
COST = {"seconds", "encodes", "predictions"}

CONFTEST = """
    import os
    import pytest

    def pytest_runtest_logreport(report):
        if report.when == "call" and hasattr(report, "node"):
            with open("who.txt", "a") as file:
                print(report.node.gateway.id, report.nodeid, file=file)
"""

OWN = """
    import time
    import pytest

    @pytest.mark.parametrize("number", range(8))
    def test_own(number):
        time.sleep(0.1)
"""


def numbers(run):
    return [{key: value for key, value in cell.items() if key not in COST} for cell in run.json["cells"]]


@pytest.fixture(scope="module")
def project(new_project):
    made = new_project()
    made.write("conftest.py", CONFTEST)
    made.write("test_own.py", OWN)
    made.guards(
        {"toy": "max_drop: {0.5: 100, 2.0: 100}, bpp: [0.5, 2.0]", "doubt": "max_drop: 25, bpp: [0.5]"},
        defaults="codecs: [jpeg, webp], limit: 16",
    )
    return made


@pytest.fixture(scope="module")
def alone(project):
    return project.run()


@pytest.fixture(scope="module")
def two(project, alone):
    return project.run("-n", "2", "--cg-no-cache", "-v", "-W", "error")


def test_two_workers_give_the_same_results(alone, two):
    assert (two.code, alone.code) == (0, 0)
    assert numbers(two) == numbers(alone)
    assert two.outcomes == alone.outcomes
    assert len(two.cells) == 6


def test_the_second_worker_predicts_of_the_clean_images_a_batch_and_the_controls(project, alone, two):
    def predictions(run):
        return sum(cell["predictions"] for cell in run.json["cells"])

    # The control twice, without loss and among other neighbours; the first batch again at the end of each guard.
    batch, clean, control, cells = 8, 16, 2 * 16, 6 * 16
    assert predictions(alone) == clean + control + cells + 2 * batch
    assert predictions(two) == clean + batch + 2 * control + cells + ends(project) * batch


def ends(project):
    """Return the number of times that a worker had a cell not directly followed by another of its guard."""
    tests = {}
    for line in (project.folder / "who.txt").read_text().splitlines():
        worker, _, node_id = line.partition(" ")
        tests.setdefault(worker, []).append(node_id.partition("::")[2].partition("[")[0])
    return sum(
        name != "test_own" and name != after
        for names in tests.values()
        for name, after in zip(names, [*names[1:], None], strict=True)
    )


def test_each_case_is_in_junit_once(two, alone):
    assert sorted(two.junit) == sorted(alone.junit)
    for name, cell in two.cells.items():
        written = {one.get("name"): one.get("value") for one in two.junit[name]._elem.iter("property")}
        assert written["cg_verdict"] == cell["verdict"]


def test_cells_of_one_guard_and_codec_share_a_worker_and_own_tests_spread(project, two):
    owners = {}
    for line in (project.folder / "who.txt").read_text().splitlines():
        worker, _, node_id = line.partition(" ")
        name = node_id.partition("::")[2]
        group = name.rpartition("-")[0] if "bpp]" in name else name.partition("[")[0]
        owners.setdefault(group, set()).add(worker)
    assert set(owners) == {"toy[jpeg", "toy[webp", "doubt[jpeg", "doubt[webp", "test_own"}
    assert {group: len(workers) for group, workers in owners.items() if group != "test_own"} == dict.fromkeys(
        owners.keys() - {"test_own"}, 1
    )
    assert len(set.union(*owners.values())) == 2
    assert len(owners["test_own"]) == 2


def test_the_matrix_and_its_doubt_arrive_at_the_controller(two):
    assert "toy: top1 100.0 on 16 clean images" in two.out
    assert "6 cells: 6 passed" in two.out


@pytest.mark.slow  # two more processes that import torch
def test_loadgroup_works_too(project, alone):
    run = project.run("-n", "2", "--dist", "loadgroup", "-k", "toy and jpeg")
    assert run.code == 0
    assert numbers(run) == numbers(alone)[:2]


def test_a_file_without_sense_is_said_once(project):
    project.write("wrong.yaml", "version: 1\nguards: {a: {task: detect, model: 'm:f', data: 'd:f'}}\n")
    run = project.run("-n", "2", "--cg-thresholds=wrong.yaml")
    assert run.code == pytest.ExitCode.USAGE_ERROR
    assert run.out.strip() == (
        "ERROR: wrong.yaml:2: a: unknown task 'detect', did you mean 'detection'? known: classification, detection, "
        "segmentation; use one of these"
    )
