"""Selected cells without a result are named in the report of ``--junitxml``."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET


def lost(path):
    suite = next(ET.parse(path).iter("testsuite"))
    rows = [each for each in suite.iterfind("properties/property") if each.get("name") == "cg_not_measured"]
    return [json.loads(each.get("value")) for each in rows]


def test_cells_behind_the_one_that_stopped_the_run_are_named(project):
    project.guard("bpp: [0.5, 2], max_drop: 0, on_inconclusive: fail")
    run = project.run("-x")
    assert (run.code, len(run.cells)) == (1, 1)
    assert run.json["not_measured"]
    assert lost(project.folder / "junit.xml") == [run.json["not_measured"]]


def test_a_run_that_measured_all_has_no_such_property(project):
    project.guard("bpp: [0.5], max_drop: 100")
    assert project.run().code == 0
    assert lost(project.folder / "junit.xml") == []
