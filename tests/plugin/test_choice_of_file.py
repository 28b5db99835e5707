"""Which thresholds file a run takes, and when it is collected: once, where no path is named or where it is typed."""

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
    both = ["gates/other.yaml::other[avif-1.0bpp]", "tests/test_own.py::test_plain"]
    assert sorted(collect("--cg-thresholds=gates/other.yaml", "tests")) == both
    assert collect("--cg-thresholds=other.yaml", "other.yaml", folder="gates")[-1].endswith("::other[avif-1.0bpp]")


def test_another_file_by_ini(project, collect):
    project.write("gates/other.yaml", OTHER)
    project.write(
        "pytest.ini", "[pytest]\ncompress_guard_thresholds = gates/other.yaml\naddopts = -p no:cacheprovider\n"
    )
    assert "gates/other.yaml::other[avif-1.0bpp]" in collect()
    assert collect("thresholds.yaml") == CELLS
    assert collect("tests") == ["tests/test_own.py::test_plain"]
    assert sorted(collect("--cg-thresholds=thresholds.yaml", "tests")) == sorted(
        [*CELLS, "tests/test_own.py::test_plain"]
    )


@pytest.mark.parametrize(
    "arguments",
    ["tests", "tests/test_own.py", "tests/test_own.py::test_plain", ".", "tests thresholds.yaml", "tests ."],
)
@pytest.mark.parametrize("option", ["--cg-thresholds=thresholds.yaml", "--cg-thresholds thresholds.yaml"])
def test_a_typed_file_joins_named_paths_once(collect, arguments, option):
    wanted = sorted([*CELLS, "tests/test_own.py::test_plain"])
    assert sorted(collect(*option.split(), *arguments.split())) == wanted
    assert sorted(collect(*arguments.split(), *option.split())) == wanted


def test_a_file_that_addopts_or_the_environment_name_stays_out_where_paths_are_named(project, collect, monkeypatch):
    project.write("pytest.ini", "[pytest]\naddopts = -p no:cacheprovider --cg-thresholds=thresholds.yaml\n")
    assert collect("tests") == ["tests/test_own.py::test_plain"]
    project.write("pytest.ini", "[pytest]\naddopts = -p no:cacheprovider\n")
    monkeypatch.setenv("PYTEST_ADDOPTS", "--cg-thresholds=thresholds.yaml")
    assert collect("tests") == ["tests/test_own.py::test_plain"]


def test_one_cell_of_a_typed_file_by_its_node_id(collect):
    cell = "thresholds.yaml::toy[webp-0.5bpp]"
    assert collect("--cg-thresholds=thresholds.yaml", cell) == [cell]
    assert sorted(collect("--cg-thresholds=thresholds.yaml", cell, "tests")) == ["tests/test_own.py::test_plain", cell]


def test_a_typed_file_joins_the_tests_of_a_module_named_by_pyargs(project, collect):
    project.write("inner/__init__.py", "")
    project.write("inner/test_inner.py", "def test_inner(): ...\n")
    project.write("inner/gate.yaml", OTHER)
    both = ["inner/gate.yaml::other[avif-1.0bpp]", "inner/test_inner.py::test_inner"]
    typed = ["--pyargs", "inner", "--cg-thresholds"]
    assert sorted(collect(*typed, "inner/gate.yaml")) == both
    assert sorted(collect(*typed, "thresholds.yaml")) == sorted([*both[1:], *CELLS])


@pytest.mark.skipif(pytest.version_tuple < (8, 2), reason="pytest reads arguments from files since 8.2")
def test_arguments_in_a_file_are_typed(project, collect):
    project.write("arguments.txt", "--cg-thresholds=thresholds.yaml\ntests\n")
    assert sorted(collect("@arguments.txt")) == sorted([*CELLS, "tests/test_own.py::test_plain"])


@pytest.mark.parametrize("folder", ["build", ".hidden"])
def test_a_file_that_pytest_would_pass_over_is_refused_or_named(project, collect, folder):
    path = project.write(f"{folder}/deeper/other.yaml", OTHER)
    run = project.run(f"--cg-thresholds={folder}/deeper/other.yaml")
    assert run.code == pytest.ExitCode.USAGE_ERROR
    assert run.out.strip() == (
        f"ERROR: {path}: lies in {folder}, a folder that pytest does not search (norecursedirs); move it, or name it "
        "on the command line: pytest --compress-guard FILE"
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
