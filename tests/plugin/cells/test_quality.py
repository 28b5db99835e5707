"""Cells at the codec's own setting: what they are called, what they cost and what the report says of them."""

from __future__ import annotations

import pytest

THREE = (
    "codecs: [jpeg, webp, avif], quality: {jpeg: [75, 20], webp: [80], avif: [50]}, bpp: {jpeg: [0.5], default: null}"
)
IMAGES = 32


def test_cells_are_named_by_quality_behind_the_rates(project):
    project.guard(f"max_drop: 80, {THREE}")
    assert project.run("--collect-only", "-q").collected == [
        "thresholds.yaml::toy[jpeg-0.5bpp]",
        "thresholds.yaml::toy[jpeg-q20]",
        "thresholds.yaml::toy[jpeg-q75]",
        "thresholds.yaml::toy[webp-q80]",
        "thresholds.yaml::toy[avif-q50]",
    ]


def test_each_image_is_coded_once_at_exactly_the_setting_and_a_second_run_codes_nothing(project):
    project.guard("max_drop: 80, codecs: [jpeg, webp], quality: {jpeg: [75], webp: [80]}, bpp: null")
    first, second = project.run(), project.run()
    assert (first.code, second.code) == (0, 0)
    for run, encodes in ((first, 1.0), (second, 0.0)):
        assert {name: cell["encodes"] for name, cell in run.cells.items()} == {
            "toy[jpeg-q75]": encodes,
            "toy[webp-q80]": encodes,
        }
    for name, setting in (("toy[jpeg-q75]", 75.0), ("toy[webp-q80]", 80.0)):
        cell = first.cells[name]
        assert cell["target_quality"] == setting
        assert cell["settings"] == [{"setting": setting, "images": IMAGES}]
        assert (cell["target_bpp"], cell["rate"], cell["rate_tolerance"], cell["off_target"]) == (None,) * 4
        assert (cell["mixed"], cell["floor_bpp"]) == (False, None)
        assert cell["bpp_mean"] > 1
        assert f"at quality {setting:g}, 32 images" in cell["reason"]


def test_the_search_for_rates_is_the_same_beside_qualities(project):
    project.guard("max_drop: 80, codecs: [jpeg], bpp: [0.5, 1]")
    alone = project.run("--cg-no-cache").cells
    project.guard("max_drop: 80, codecs: [jpeg], bpp: [0.5, 1], quality: [75, 20]")
    beside = project.run("--cg-no-cache").cells
    for name, cell in alone.items():
        assert beside[name]["settings"] == cell["settings"]
        assert beside[name]["drop"] == cell["drop"]
    # A stream that the search has made is not made again: all encodes together are those of the search and the rest.
    made = sum(cell["encodes"] for cell in beside.values())
    assert made <= sum(cell["encodes"] for cell in alone.values()) + 2 + 1e-9


def test_the_matrix_has_qualities_behind_the_rates(project, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    project.guard(f"max_drop: 80, {THREE}")
    out = project.run().out
    head = next(line for line in out.splitlines() if "0.5bpp" in line and "q75" in line)
    assert head.split() == ["0.5bpp", "q20", "q50", "q75", "q80"]
    assert "too few images to mix" not in out


def test_a_failure_says_the_quality(project):
    project.guard("max_drop: 0, codecs: [jpeg], quality: [5], bpp: null")
    run = project.run()
    assert run.code == 1
    assert "allowed 0.0: jpeg at quality 5, 32 images" in run.cell["reason"]
    properties = {each.get("name"): each.get("value") for each in run.junit["toy[jpeg-q5]"]._elem.iter("property")}
    assert properties["cg_target_quality"] == "5.0"
    assert "cg_target_bpp" not in properties
    assert "cg_rate" not in properties


def test_the_marker_of_a_cell_carries_its_quality(project):
    project.guard("max_drop: 80, codecs: [jpeg], quality: [75], bpp: [0.5]")
    project.write(
        "conftest.py",
        """
        def pytest_collection_modifyitems(items):
            for item in items:
                print("marked", item.name, item.get_closest_marker("compress_guard").kwargs)
        """,
    )
    out = project.run("--collect-only", "-q", "-s").out
    assert "marked toy[jpeg-0.5bpp] {'guard': 'toy', 'codecs': ['jpeg'], 'bpp': [0.5]}" in out
    assert "marked toy[jpeg-q75] {'guard': 'toy', 'codecs': ['jpeg'], 'quality': [75.0]}" in out


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (
            "codecs: [jpeg], quality: [0]",
            "toy: 0 is no quality of jpeg, which takes whole numbers from 1 to 100; use one of these",
        ),
        (
            "codecs: [jpeg], bpp: [75]",
            "toy: rate 75 bpp is outside 0.02 to 8; use a rate in that range, or did you mean quality: [75]?",
        ),
        (
            "codecs: [jpeg], quality: [75, 50], max_drop: {q75: 2}",
            "toy: quality 50 (from line 4) is not in the max_drop of line 4, which is given at q75 only; give max_drop "
            "at q50 too, or remove this quality",
        ),
    ],
)
def test_a_quality_without_sense_ends_the_run(project, keys, message):
    project.guard(keys, defaults="confidence: 0.95")
    run = project.run()
    assert run.code == 4
    assert message in " ".join(run.out.split())


def test_a_third_partys_codec_that_does_not_take_the_setting_is_at_fault_and_not_the_model(project):
    project.write(
        "conftest.py",
        """
        import dataclasses
        import compress_guard
        from compress_guard.codecs.jpeg import Jpeg

        @compress_guard.register_codec("late")
        @dataclasses.dataclass(frozen=True)
        class Late(Jpeg):
            type = "late"

            def setting_fault(self, setting):
                import sys
                if "torch" not in sys.modules or not getattr(sys, "late", False):
                    sys.late = True
                    raise RuntimeError("ask me later")
                return None if setting == 75 else "75 alone"
        """,
    )
    project.guard("max_drop: 80, codecs: [late], quality: [75, 76], bpp: null")
    run = project.start()
    assert run.code == 1
    assert {cell["verdict"] for cell in run.cells.values()} == {"codec_error"}
    assert all("late has no quality 76; it takes 75 alone" in cell["reason"] for cell in run.cells.values())
