"""The drop over the traffic under pytest, with and without workers, in every report."""

from __future__ import annotations

import json

import junitparser
import pytest

KEYS = "max_drop: 100, traffic: {jpeg: {0.5: 0.5, 2.0: 0.2}, webp: {0.5: 0.3}}"
DEFAULTS = "codecs: [jpeg, webp], bpp: {jpeg: [0.5, 2.0], webp: [0.5]}, limit: 16"


def suite_properties(project):
    suites = junitparser.JUnitXml.fromfile(str(project.folder / "junit.xml"))
    return {each.name: each.value for suite in suites for each in suite.properties()}


def line(run):
    (only,) = [line for line in run.out.splitlines() if line.startswith("  traffic")]
    return only


@pytest.fixture
def project_with_traffic(project):
    project.guard(KEYS, defaults=DEFAULTS)
    return project


def test_every_report_has_it(project_with_traffic):
    run = project_with_traffic.run()
    (traffic,) = run.json["traffic"]
    assert (run.code, traffic["covered"], traffic["images"]) == (0, 1.0, 16)
    drops = [run.cells[f"toy[{name}]"]["drop"] for name in ("jpeg-0.5bpp", "jpeg-2.0bpp", "webp-0.5bpp")]
    assert traffic["drop"] == pytest.approx(0.5 * drops[0] + 0.2 * drops[1] + 0.3 * drops[2])
    spread = f"{traffic['drop_low']:.1f} to {traffic['drop_high']:.1f}"
    assert line(run) == f"  traffic: drop {traffic['drop']:.1f} ({spread}) on average over 100 % of it, 16 images"
    properties = suite_properties(project_with_traffic)
    for name in ("covered", "drop", "drop_low", "drop_high", "images"):
        assert json.loads(properties[f"cg_traffic_{name}[toy]"]) == traffic[name]
    case = run.junit["toy[jpeg-0.5bpp]"]._elem
    assert {each.get("name"): each.get("value") for each in case.iter("property")}["cg_traffic"] == "0.5"


def test_workers_that_share_a_guard_give_the_same(project_with_traffic):
    pytest.importorskip("xdist")
    alone = project_with_traffic.run()
    shared = project_with_traffic.fork("-n2", "-p", "xdist", "--cg-device=cpu")
    assert shared.code == 0
    assert shared.json["traffic"] == alone.json["traffic"]
    assert line(shared) == line(alone)
    assert suite_properties(project_with_traffic)["cg_traffic_drop[toy]"] == str(alone.json["traffic"][0]["drop"])


def test_deselected_cells_leave_no_mean(project_with_traffic):
    run = project_with_traffic.run("-k", "jpeg")
    (traffic,) = run.json["traffic"]
    assert (run.code, traffic["drop"], traffic["missing"]) == (0, None, ["thresholds.yaml::toy[webp-0.5bpp]"])
    assert line(run) == "  traffic: no drop over the traffic: toy[webp-0.5bpp] was not measured"
    properties = suite_properties(project_with_traffic)
    assert properties["cg_traffic_reason[toy]"] == "toy[webp-0.5bpp] was not measured"
    assert "cg_traffic_drop[toy]" not in properties


def test_a_run_without_results_files_says_it_too(project_with_traffic):
    run = project_with_traffic.run("--compress-guard", gate=False)
    assert line(run).startswith("  traffic: drop ")


def test_collecting_alone_weighs_nothing(project_with_traffic):
    run = project_with_traffic.run("--collect-only", "-q")
    assert run.code == 0
    assert "traffic" not in run.out.replace("project_with_traffic", "")


def test_shares_without_sense_end_the_run(project):
    project.guard("max_drop: 100, traffic: {jpeg: 1.5}", defaults="codecs: [jpeg], bpp: [0.5]")
    run = project.run()
    assert run.code == 4
    assert "the share of jpeg in traffic is 1.5, outside 0 to 1 (0 excluded)" in run.out
