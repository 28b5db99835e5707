"""--cg-early-stop: fewer images, and the verdict of all of them, wherever a cell comes from."""

from __future__ import annotations

import pytest

SORTED = """
    import toy

    # By class, as folders have them: first those whose coarse pattern survives, then those whose fine one does not.
    def data():
        return [
            (*toy.texture(index), f"texture-{index:03d}") for index in sorted(range(200), key=lambda index: index % 4)
        ]
"""
OWN = """
    import sorted_by_class
    import toy

    DATA, MODEL = sorted_by_class.data(), toy.model()

    def test_own(guard):
        guard.check(MODEL, DATA, task="classification", codec="jpeg", bpp=0.35, max_drop=10)

    def test_held(guard):
        guard.check(MODEL, DATA, task="classification", codec="jpeg", bpp=4.0, max_drop=60)
"""


@pytest.fixture
def sorted_data(project):
    project.write("sorted_by_class.py", SORTED)
    project.write("test_own.py", OWN)
    project.guard('max_drop: 10, bpp: [0.35], data: "sorted_by_class:data"')
    return project


def test_images_sorted_by_class_mislead_no_cell(sorted_data):
    run = sorted_data.run("thresholds.yaml", "test_own.py", "--cg-early-stop")
    assert run.code == 1
    for name in ("toy[jpeg-0.35bpp]", "test_own::jpeg-0.35bpp"):
        cell = run.cells[name]
        assert (cell["verdict"], cell["stopped_early"]) == ("fail", True), cell["reason"]
        assert cell["images_used"] < cell["images"] == 200
    held = run.cells["test_held::jpeg-4.0bpp"]
    assert (held["verdict"], held["stopped_early"]) == ("pass", True)
    assert "* stopped early" in run.out


def test_the_same_cells_over_all_images(sorted_data):
    run = sorted_data.run("thresholds.yaml", "test_own.py")
    assert {cell["verdict"] for cell in run.cells.values()} == {"pass", "fail"}
    assert {(cell["stopped_early"], cell["images_used"]) for cell in run.cells.values()} == {(False, 200)}
    assert "stopped early" not in run.out


def test_results_say_how_the_run_was_made(sorted_data):
    run = sorted_data.run("thresholds.yaml", "--cg-early-stop", "--cg-limit", "40")
    assert run.json["environment"]["early_stop"] is True
    properties = {one.get("name"): one.get("value") for one in run.junit["toy[jpeg-0.35bpp]"]._elem.iter("property")}
    assert properties["cg_stopped_early"] == str(run.cell["stopped_early"]).lower()
    assert float(properties["cg_interval_confidence"]) >= 0.95
