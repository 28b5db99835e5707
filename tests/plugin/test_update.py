"""--cg-update: measured limits go into the thresholds file, or nothing does."""

from __future__ import annotations

import pytest

from compress_guard.thresholds import load

FILE = """
    # our limits
    version: 1
    defaults:
      codecs: [jpeg, webp]   # both
      bpp: [0.5, 2.0]
    guards:
      toy:
        task: classification
        model: toy:model
        data: toy:data
        limit: 16
        max_drop: {0.5: 100, 2.0: 60}   # points
"""


@pytest.fixture(autouse=True)
def outside_of_ci(monkeypatch) -> None:
    monkeypatch.delenv("CI", raising=False)


@pytest.fixture
def toy(project):
    project.write("thresholds.yaml", FILE)
    return project


def text(project) -> str:
    return (project.folder / "thresholds.yaml").read_text(encoding="utf-8")


def limits(project) -> dict[str, float | None]:
    (guard,) = load(project.folder / "thresholds.yaml").guards
    return {cell.label: cell.max_drop for cell in guard.cells}


def test_limits_become_what_was_measured(toy):
    before = text(toy)
    run = toy.run("--cg-update")
    assert (run.code, run.outcomes) == (0, {"skipped": 4}), run.out
    assert {cell["verdict"] for cell in run.cells.values()} == {"unjudged"}
    highs = {name.split("[")[1][:-1]: cell["drop_high"] for name, cell in run.cells.items()}
    now = limits(toy)
    for rate in ("0.5bpp", "2.0bpp"):
        high = max(highs[f"{codec}-{rate}"] for codec in ("jpeg", "webp"))
        assert high + 0.5 <= now[f"jpeg-{rate}"] == now[f"webp-{rate}"] < high + 0.61
    changed = f"max_drop: {{0.5: {now['jpeg-0.5bpp']:g}, 2.0: {now['jpeg-2.0bpp']:g}}}   # points"
    assert text(toy) == before.replace("max_drop: {0.5: 100, 2.0: 60}   # points", changed)
    assert "--cg-update: thresholds.yaml has new limits\n" in run.out
    assert f"\n-    max_drop: {{0.5: 100, 2.0: 60}}   # points\n+    {changed}\n" in run.out
    assert "gates nothing" not in run.out
    assert toy.run().code == 0, "the limits hold where they were measured"


def test_a_second_update_changes_nothing(toy):
    toy.run("--cg-update")
    before = text(toy)
    run = toy.run("--cg-update=loosen")
    assert (run.code, text(toy)) == (0, before)
    assert "--cg-update: thresholds.yaml stays as it is\n" in run.out


def test_workers_measure_and_the_controller_writes(toy):
    pytest.importorskip("xdist")
    before = text(toy)
    alone = toy.run("--cg-update")
    written = text(toy)
    toy.write("thresholds.yaml", FILE)
    assert text(toy) == before
    shared = toy.fork("-n2", "-p", "xdist", "--cg-device=cpu", "--cg-update")
    assert (alone.code, shared.code, text(toy)) == (0, 0, written), shared.out


def test_limits_that_the_measurement_is_above_stay_unless_they_may_be_loosened(project):
    project.guard("max_drop: {q1: 1, q95: 90}", defaults="codecs: [jpeg], quality: [1, 95], limit: 16")
    run = project.run("--cg-update")
    assert run.code == 1
    assert limits(project)["jpeg-q1"] == 1
    assert limits(project)["jpeg-q95"] < 90
    assert "toy[jpeg-q1] lost more than limits allow that stay; --cg-update=loosen raises these\n" in run.out
    run = project.run("--cg-update=loosen")
    assert run.code == 0
    cell = run.cells["toy[jpeg-q1]"]
    assert limits(project)["jpeg-q1"] == pytest.approx(min(100, cell["drop_high"] + 0.5), abs=0.11)
    assert project.run().code == 0


def test_a_guard_without_limits_gets_them(project):
    project.guard("codecs: [jpeg], quality: [95], limit: 8")
    run = project.run("--cg-update")
    assert run.code == 0, run.out
    assert limits(project)["jpeg-q95"] is not None
    assert project.run().code == 0


def test_nothing_is_written_after_an_error(project):
    project.write("bad.py", "def model():\n    raise ValueError('no weights')\n")
    project.guards(
        {"toy": "max_drop: 90, limit: 8", "bad": "model: 'bad:model', max_drop: 90"},
        defaults="codecs: [jpeg], bpp: [2.0]",
    )
    before = text(project)
    run = project.run("--cg-update")
    assert (run.code, text(project)) == (1, before)
    assert "--cg-update: 1 of 2 cells failed: bad[jpeg-2.0bpp]; nothing was written\n" in run.out


def test_nothing_is_written_of_a_part(toy):
    before = text(toy)
    run = toy.run("--cg-update", "thresholds.yaml::toy[jpeg-2.0bpp]")
    assert (run.code, text(toy)) == (1, before)
    missing = "toy[jpeg-0.5bpp], toy[webp-0.5bpp], toy[webp-2.0bpp]"
    assert f"--cg-update: 3 of 4 cells were not measured: {missing}; nothing was written\n" in run.out


def test_nothing_is_written_beside_a_test_that_fails(project):
    project.guard("codecs: [jpeg], quality: [95], max_drop: 90, limit: 4")
    project.write("test_own.py", "def test_own(): assert False")
    before = text(project)
    run = project.run("--cg-update")
    assert (run.code, text(project)) == (1, before)
    assert "--cg-update: the run has failed; nothing was written\n" in run.out


def test_a_file_that_has_changed_meanwhile_stays(project):
    project.guard("codecs: [jpeg], quality: [95], max_drop: 90, limit: 16")
    project.write(
        "conftest.py",
        """
        from pathlib import Path
        import pytest

        @pytest.fixture(autouse=True)
        def edited():
            Path(__file__).with_name("thresholds.yaml").write_text("# mine\\n")
    """,
    )
    run = project.run("--cg-update")
    assert (run.code, text(project)) == (1, "# mine\n")
    assert "--cg-update: thresholds.yaml has changed since the run began; nothing was written\n" in run.out


def test_a_run_that_only_lists_writes_nothing(toy):
    before = text(toy)
    assert (toy.run("--cg-update", "--collect-only", "-q").code, text(toy)) == (0, before)


WHY = "and limits need all cells and images; drop one"


@pytest.mark.parametrize(("arguments", "message"), [
    (["-k", "jpeg"], f"given together with -k, {WHY}"),
    (["--cg-limit=5"], f"given together with --cg-limit, {WHY}"),
    (["--cg-early-stop"], f"given together with --cg-early-stop, {WHY}"),
    (["--cg-strict"], "given together with --cg-strict, and nothing is judged; drop one"),
])  # fmt: skip
def test_parts_and_strict_runs_are_refused(toy, arguments, message):
    before = text(toy)
    run = toy.run("--cg-update", *arguments)
    assert (run.code, text(toy)) == (4, before)
    assert f"--cg-update: {message}\n" in run.out


@pytest.mark.parametrize(("value", "code"), [("true", 4), ("1", 4), ("woodpecker", 4), ("", 0), ("false", 0)])
def test_ci_is_refused(toy, monkeypatch, value, code):
    monkeypatch.setenv("CI", value)
    run = toy.run("--cg-update", "--collect-only", "-q")
    assert run.code == code
    message = (
        "--cg-update: the environment variable CI is set, and a release must not write the limits that it is held to; "
        "run it where a person looks at the change"
    )
    assert (message in run.out) == (code == 4)


@pytest.mark.parametrize("option", ["--cg-update", "--cg-update=loosen"])
def test_every_run_by_addopts_is_refused(toy, option):
    toy.write("pytest.ini", f"[pytest]\naddopts = -p no:cacheprovider {option}\n")
    before = text(toy)
    run = toy.run()
    assert (run.code, text(toy)) == (4, before)
    assert (
        "--cg-update: given by addopts or PYTEST_ADDOPTS, so that no run would be judged any more; write it on the "
        "command line\n"
    ) in run.out


def test_a_file_that_is_not_there(project):
    (project.folder / "thresholds.yaml").unlink()
    project.write("test_own.py", "def test_own(guard): ...")
    run = project.run("--cg-update")
    assert run.code == 4
    assert "--cg-update: there is no thresholds.yaml; write one by `compress-guard init`\n" in run.out


def test_another_word_than_loosen(toy):
    assert toy.run("--cg-update=all").code == 4
