"""Cells as tests: ids, places, marks, fixtures, selection, the end of a run."""

from __future__ import annotations

import junitparser
import pytest

# Whoever distributes these tests: they look at one run.
pytestmark = pytest.mark.xdist_group("plugin-cells")

NAMES = ["toy[jpeg-0.5bpp]", "toy[jpeg-2.0bpp]", "toy[webp-0.5bpp]", "toy[webp-2.0bpp]"]
COST = {"seconds", "encodes", "predictions"}


def numbers(run):
    return {name: {key: value for key, value in cell.items() if key not in COST} for name, cell in run.cells.items()}


@pytest.fixture(scope="module")
def shared(new_project):
    project = new_project()
    project.write(
        "conftest.py", "def pytest_collection_modifyitems(items): print([(i.nodeid, i.location) for i in items])"
    )
    return project


@pytest.fixture(scope="module")
def whole(shared):
    """The run of everything."""
    return shared.run("-v", "-W", "error")


def test_cells_have_their_node_ids_and_lines(shared, whole):
    assert whole.code == 0
    assert [cell["id"] for cell in whole.json["cells"]] == [f"thresholds.yaml::{name}" for name in NAMES]
    for name in NAMES:
        assert f"thresholds.yaml::{name} PASSED" in whole.out
    # Line 10 of the file is the guard's max_drop.
    assert str([(f"thresholds.yaml::{name}", ("thresholds.yaml", 9, f"cell {name}")) for name in NAMES]) in whole.out
    assert shared.run("--collect-only", "-q").collected == [f"thresholds.yaml::{name}" for name in NAMES]


def test_a_guard_may_have_dots_in_its_name(project):
    project.guards({"v1.2-photos": "max_drop: 100, limit: 2"})
    run = project.run("-v")
    assert "thresholds.yaml::v1.2-photos[jpeg-0.5bpp] PASSED" in run.out


@pytest.mark.parametrize(
    ("arguments", "chosen"),
    [
        (["-k", "jpeg and 0.5bpp"], [0]),
        (["-k", "2.0bpp"], [1, 3]),
        (["-m", "compress_guard", "-k", "webp"], [2, 3]),
        (["-m", "not compress_guard"], []),
        (["thresholds.yaml::toy[webp-0.5bpp]"], [2]),
        (["--deselect", "thresholds.yaml::toy[jpeg-0.5bpp]", "-k", "jpeg"], [1]),
        (["thresholds.yaml::toy[webp-2.0bpp]", "thresholds.yaml::toy[jpeg-2.0bpp]"], [3, 1]),
    ],
    ids=lambda value: " ".join(map(str, value)),
)
def test_selection(shared, arguments, chosen):
    assert shared.run("--collect-only", "-q", *arguments).collected == [
        f"thresholds.yaml::{NAMES[at]}" for at in chosen
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        ["-k", "webp and 2.0bpp", "--cg-no-cache"],
        ["thresholds.yaml::toy[jpeg-2.0bpp]", "thresholds.yaml::toy[jpeg-0.5bpp]"],
    ],
    ids=["alone", "reversed"],
)
def test_a_number_does_not_depend_on_what_else_is_selected(shared, whole, arguments):
    run = shared.run(*arguments)
    assert run.cells
    assert numbers(run) == {name: numbers(whole)[name] for name in run.cells}


@pytest.mark.parametrize("off", ["cacheprovider", "xdist", "junitxml", "benchmark"])
def test_it_needs_no_other_plugin(project, off):
    project.guard("max_drop: 100, limit: 2")
    given = ["--compress-guard", "-p", f"no:{off}"]
    run = project.run(*given, gate=False)
    assert (run.code, run.outcomes) == (0, {"passed": 1})


def test_it_needs_no_terminal(project):
    project.guard("max_drop: 100, limit: 2")
    run = project.run("-p", "no:terminal")
    assert (run.code, run.cell["verdict"]) == (0, "pass")
    assert run.out.strip() == ""


def test_x_stops_at_the_first_failure_and_lf_runs_it_again(project):
    project.guards({"good": "max_drop: 100", "bad": "max_drop: 1", "late": "max_drop: 100"})
    project.write("pytest.ini", "[pytest]\n")
    stopped = project.run("-x")
    assert (stopped.code, list(stopped.cells)) == (1, ["good[jpeg-0.5bpp]", "bad[jpeg-0.5bpp]"])
    again = project.run("--lf")
    assert (again.code, list(again.cells)) == (1, ["bad[jpeg-0.5bpp]"])
    assert again.cells["bad[jpeg-0.5bpp]"]["drop"] == stopped.cells["bad[jpeg-0.5bpp]"]["drop"]


def test_a_failed_cell_says_one_sentence_and_where(project):
    project.guard("max_drop: 1")
    run = project.run("-ra")
    cell = run.cell
    assert f"thresholds.yaml:4: toy[jpeg-0.5bpp]: fail\n{cell['reason']}\n" in run.out
    assert cell["reason"].startswith("top1 fell by ")
    assert cell["reason"].endswith(", allowed 1.0: jpeg at 0.5 bpp, 32 images")
    assert "Traceback" not in run.out
    assert "FAILED thresholds.yaml::toy[jpeg-0.5bpp]" in run.out


CONFTEST = """
    import pytest
    import toy

    seen = []

    @pytest.fixture(autouse=True)
    def noted(request):
        seen.append(request.node.name)
        yield
        print("torn down", request.node.name)

    @pytest.fixture(scope="session")
    def network(whole_session):
        return toy.model()

    @pytest.fixture(scope="session")
    def whole_session():
        yield
        assert seen, "autouse fixtures apply to cells"

    @pytest.fixture(scope="session")
    def pictures():
        return toy.data()

    @pytest.fixture
    def narrow():
        return toy.model()

    @pytest.fixture(scope="session")
    def empty():
        return []

    @pytest.fixture(scope="session")
    def broken():
        raise ValueError("no weights")

    @pytest.fixture(scope="session")
    def absent():
        pytest.skip("needs the weights")

    def pytest_unconfigure():
        print("noted:", *seen)
"""


def test_fixtures_give_models_and_data(project):
    project.write("conftest.py", CONFTEST)
    project.guards(
        {
            "good": 'model: "fixture:network", data: "fixture:pictures", max_drop: 100',
            "narrow": 'model: "fixture:narrow", max_drop: 100',
            "missing": 'data: "fixture:nowhere", max_drop: 100',
            "broken": 'model: "fixture:broken", max_drop: 100',
            "empty": 'data: "fixture:empty", max_drop: 100',
        },
        defaults="codecs: [jpeg], bpp: [0.5], limit: 4",
    )
    run = project.run("-s")
    reasons = {cell["guard"]: cell["reason"] for cell in run.json["cells"] if cell["verdict"] == "error"}
    assert run.cells["good[jpeg-0.5bpp]"]["outcome"] == "passed"
    assert reasons == {
        "narrow": "fixture:narrow: is not session-scoped; expected @pytest.fixture(scope='session')",
        "missing": "fixture:nowhere: there is no fixture 'nowhere'; expected a session-scoped fixture",
        "broken": "fixture:broken: raised ValueError: no weights; expected it to return an object",
        "empty": "fixture:empty: has no images; expected at least one",
    }
    assert 'raise ValueError("no weights")' in run.out
    assert (run.code, run.outcomes) == (1, {"passed": 1, "failed": 4})
    assert "torn down good[jpeg-0.5bpp]" in run.out
    assert "noted: good[jpeg-0.5bpp] narrow[jpeg-0.5bpp]" in run.out


# A gate that gates nothing is not green


def test_a_guard_without_a_judged_cell_fails_the_run(project):
    project.guards({"judged": "max_drop: 100, limit: 2", "floor": "max_drop: 100, bpp: [0.05], limit: 2"})
    run = project.run()
    assert run.code == 1
    assert run.outcomes == {"passed": 1, "skipped": 1}
    assert "floor gates nothing: none of its 1 cell was judged" in run.out
    assert project.run("-k", "judged").code == 0


def test_a_guard_whose_fixture_skips_fails_the_run(project):
    project.write("conftest.py", CONFTEST)
    project.guards({"good": "max_drop: 100, limit: 2", "skipped": 'model: "fixture:absent", max_drop: 100'})
    run = project.run()
    assert (run.code, run.outcomes) == (1, {"passed": 1, "skipped": 1})
    assert "skipped gates nothing: none of its cells was measured" in run.out


def test_a_guard_whose_cells_are_marked_to_skip_fails_the_run(project):
    project.write(
        "conftest.py",
        """
        import pytest

        def pytest_collection_modifyitems(items):
            for item in items:
                item.add_marker(pytest.mark.skip(reason="not today"))
        """,
    )
    run = project.run()
    assert (run.code, run.outcomes) == (1, {"skipped": 4})
    assert "toy gates nothing: none of its cells was measured" in run.out


# JUnit


def test_a_dry_run_expects_no_verdict(project):
    run = project.run("--setup-plan")
    assert run.code == 0
    assert "gates nothing" not in run.out


@pytest.mark.parametrize("dry", ["--collect-only", "--setup-plan", "--setup-only"])
def test_a_dry_run_keeps_the_results_of_an_earlier_one(project, dry):
    project.guard("max_drop: 100, limit: 2")
    options = ["--compress-guard", "--cg-json=kept.json"]
    assert project.run(*options, gate=False).code == 0
    kept = {name: (project.folder / name).read_bytes() for name in ("kept.json", "kept.evidence.zip")}
    assert project.run(*options, dry, gate=False).code == 0
    assert {name: (project.folder / name).read_bytes() for name in kept} == kept


def test_junit_has_one_case_per_cell_with_its_numbers(whole):
    assert sorted(whole.junit) == sorted(NAMES)
    for name, case in whole.junit.items():
        written = {one.name: one.value for one in case.child(junitparser.Properties)}
        cell = whole.cells[name]
        assert case.classname == "thresholds.yaml"
        assert case.is_passed
        assert written["cg_verdict"] == "pass"
        assert written["cg_id"] == f"thresholds.yaml::{name}"
        assert float(written["cg_drop"]) == cell["drop"]
        assert set(written) == {f"cg_{key}" for key, value in cell.items() if value not in (None, [])}


def test_junit_carries_failures_and_skips_with_their_message(project):
    project.guard("max_drop: {0.05: 100, 0.5: 1}, bpp: [0.05, 0.5]")
    run = project.run()
    failed, skipped = (run.junit[f"toy[jpeg-{rate}bpp]"] for rate in ("0.5", "0.05"))
    (failure,), (skip,) = failed.result, skipped.result
    assert failure._tag == "failure"
    assert failure.message == f"thresholds.yaml:4: toy[jpeg-0.5bpp]: fail\n{run.cells['toy[jpeg-0.5bpp]']['reason']}"
    assert skip._tag == "skipped"
    assert skip.message == run.cells["toy[jpeg-0.05bpp]"]["reason"]
