"""Tests that pytest-rerunfailures runs again: no settled cell is measured twice, and each result is told once."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import pytest

pytest.importorskip("pytest_rerunfailures")

FLAKY = """
    import toy

    CALLS = []

    def data():
        CALLS.append("data")
        if len(CALLS) == 1:
            raise OSError("no connection")
        return toy.data()
"""

OWN = """
    import toy

    def test_own(guard):
        guard.check(toy.model(), toy.data(), task="classification", codec="jpeg", bpp=0.5, max_drop=3)
"""


@pytest.fixture(scope="module", params=[(), ("-n", "1")], ids=["one process", "worker"])
def attempts(request, new_project):
    if request.param:
        pytest.importorskip("xdist")
    project = new_project()
    project.write("flaky.py", FLAKY)
    project.write("test_own.py", OWN)
    project.guards({"drops": "max_drop: 3", "flaky": 'data: "flaky:data", max_drop: 100'})
    results = project.folder / "again.json"
    options = ("--reruns", "2", "--cg-no-cache", f"--cg-json={results}", "--junitxml=again.xml", "--compress-guard")
    run = project.fork("thresholds.yaml", "test_own.py", *options, *request.param, gate=False)
    cases = ET.parse(project.folder / "again.xml").iter("testcase")
    kept = [(case.get("name"), [one.get("name") for one in case.iter("property")]) for case in cases]
    return run, {cell["id"]: cell for cell in json.loads(results.read_text())["cells"]}, kept


def test_a_cell_that_failed_keeps_its_first_measurement(attempts):
    run, cells, _ = attempts
    assert run.outcomes == {"failed": 2, "passed": 1, "rerun": 5}
    drops = cells["thresholds.yaml::drops[jpeg-0.5bpp]"]
    # Clean, compressed, the control and its mixed batches, and the last question, each once.
    assert (drops["verdict"], drops["images"], drops["predictions"]) == ("fail", 32, 120)
    if "[gw0]" not in run.out:  # a worker may begin with the other test of these images
        assert drops["encodes"] == 1.96875


def test_an_error_of_a_factory_is_tried_again(attempts):
    _, cells, _ = attempts
    assert cells["thresholds.yaml::flaky[jpeg-0.5bpp]"]["outcome"] == "passed"


def test_an_own_test_has_the_results_of_its_last_attempt(attempts):
    _, cells, _ = attempts
    assert len(cells) == 3
    assert cells["test_own.py::test_own::jpeg-0.5bpp"]["verdict"] == "fail"


def test_properties_are_told_once(attempts):
    _, _, kept = attempts
    for name in ("drops[jpeg-0.5bpp]", "flaky[jpeg-0.5bpp]", "test_own"):
        told = [properties for case, properties in kept if case == name]
        assert [properties.count("cg_verdict") for properties in told if properties] == [1]
        assert told[-1].count("cg_id") == 1
