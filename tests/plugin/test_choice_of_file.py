"""Which thresholds file a run takes, and when it is collected: once, and only where no path is named."""

from __future__ import annotations

import pytest

CELLS = [f"thresholds.yaml::toy[{codec}-{rate}bpp]" for codec in ("jpeg", "webp") for rate in ("0.5", "2.0")]
OTHER = "version: 1\nguards: {other: {task: classification, model: 'a:b', data: 'a:c', codecs: [avif], bpp: [1]}}\n"


@pytest.fixture
def collect(project):
    """The node ids that a command line collects, paths relative to rootdir."""
    project.write("tests/test_own.py", "def test_plain(): ...\n")

    def collected(*arguments, folder="."):
        run = project.run("--collect-only", "-q", "--rootdir", str(project.folder), *arguments, folder=folder)
        assert run.code in (0, pytest.ExitCode.NO_TESTS_COLLECTED), run.out
        return run.collected

    return collected


def test_by_default_the_file_in_rootdir_joins_the_other_tests(collect):
    assert sorted(collect()) == sorted([*CELLS, "tests/test_own.py::test_plain"])


@pytest.mark.parametrize("arguments", [["."], ["thresholds.yaml"], ["thresholds.yaml", "."]], ids=" ".join)
def test_a_path_that_holds_the_file_collects_it_once(collect, arguments):
    assert [name for name in collect(*arguments) if "::toy" in name] == CELLS


def test_a_path_to_other_tests_leaves_the_file_out(collect):
    assert collect("tests") == ["tests/test_own.py::test_plain"]


@pytest.mark.parametrize("testpaths", ["tests", ".", "tests thresholds.yaml"])
def test_with_testpaths_it_is_collected_once(project, collect, testpaths):
    project.write("pytest.ini", f"[pytest]\ntestpaths = {testpaths}\naddopts = -p no:cacheprovider\n")
    assert sorted(collect()) == sorted([*CELLS, "tests/test_own.py::test_plain"])


def test_from_a_subfolder_it_is_collected_from_rootdir(collect):
    assert sorted(collect(folder="tests")) == sorted([*CELLS, "tests/test_own.py::test_plain"])


def test_one_cell_by_its_node_id(collect):
    assert collect("thresholds.yaml::toy[webp-0.5bpp]") == ["thresholds.yaml::toy[webp-0.5bpp]"]


def test_another_file_by_option(project, collect):
    project.write("gates/other.yaml", OTHER)
    assert [name for name in collect("--cg-thresholds=gates/other.yaml") if "test_own" not in name] == [
        "gates/other.yaml::other[avif-1.0bpp]"
    ]
    assert collect("--cg-thresholds=gates/other.yaml", "tests") == ["tests/test_own.py::test_plain"]
    assert collect("--cg-thresholds=other.yaml", "other.yaml", folder="gates")[-1].endswith("::other[avif-1.0bpp]")


def test_another_file_by_ini(project, collect):
    project.write("gates/other.yaml", OTHER)
    project.write(
        "pytest.ini", "[pytest]\ncompress_guard_thresholds = gates/other.yaml\naddopts = -p no:cacheprovider\n"
    )
    assert "gates/other.yaml::other[avif-1.0bpp]" in collect()
    assert collect("thresholds.yaml") == CELLS
    assert collect("--cg-thresholds=thresholds.yaml", "tests") == ["tests/test_own.py::test_plain"]


@pytest.mark.parametrize("folder", ["build", ".hidden"])
def test_a_file_that_pytest_would_pass_over_is_refused_or_named(project, collect, folder):
    path = project.write(f"{folder}/deeper/other.yaml", OTHER)
    run = project.run(f"--cg-thresholds={folder}/deeper/other.yaml")
    assert run.code == pytest.ExitCode.USAGE_ERROR
    assert run.out.strip() == (
        f"ERROR: {path}: lies in {folder}, a folder that pytest passes over (norecursedirs); move it, or name it on "
        "the command line: pytest --compress-guard FILE"
    )
    assert collect(f"{folder}/deeper/other.yaml") == [f"{folder}/deeper/other.yaml::other[avif-1.0bpp]"]


def test_another_file_by_its_path(project, collect):
    project.write("other.yml", OTHER)
    assert collect("other.yml") == ["other.yml::other[avif-1.0bpp]"]


def test_a_file_outside_rootdir(project, collect, tmp_path_factory):
    path = tmp_path_factory.mktemp("elsewhere") / "gate.yaml"
    path.write_text(OTHER)
    assert [name.partition("::")[2] for name in collect(str(path))] == ["other[avif-1.0bpp]"]


def test_without_a_default_file_other_tests_run(project, collect):
    (project.folder / "thresholds.yaml").unlink()
    assert collect("tests") == ["tests/test_own.py::test_plain"]
