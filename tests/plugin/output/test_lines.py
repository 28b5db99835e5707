"""The look of a failure: a reason in pytest's summary line, each sentence once, and none of our frames."""

from __future__ import annotations

import shlex

import pytest

OWN = """
    import toy

    def test_drop(guard):
        guard.check(toy.model(), toy.data(), task="classification", codec="jpeg", bpp=0.5, max_drop=3)

    def test_no_model(guard):
        guard.check(3, toy.data(), task="classification", codec="jpeg", bpp=0.5, max_drop=3)

    def test_model_raises(guard):
        def model(images):
            raise ValueError("my weights")

        guard.check(model, toy.data(), task="classification", codec="jpeg", bpp=0.5, max_drop=3)

    def test_measure(guard):
        guard.measure(lambda images: "bad", toy.data(), task="classification", codec="jpeg", bpp=0.5)

    def test_mistyped(guard):
        guard.check(toy.model(), toy.data(), task="classification", codec="jpg", bpp=0.5, max_drop=3)
"""

DROP = "top1 fell by 25.0 points (100.0 to 75.0, 95 % interval 10.7 to 42.1), allowed 3.0: jpeg at 0.5 bpp, 32 images"
NO_MODEL = (
    "model: returned an int; expected a predictor: a callable from a list of uint8 images to one prediction per image, "
    "as compress_guard.predictor(module, ...) makes"
)
BRIEFS = {
    "test_own.py::test_drop": "top1 -25.0 (10.7 to 42.1), allowed 3.0",
    "test_own.py::test_no_model": "model: returned an int",
    "test_own.py::test_model_raises": "the model raised ValueError: my weights",
    "test_own.py::test_measure": "the model returned 3 predictions for 32 images",
    "test_own.py::test_mistyped": "unknown codec 'jpg', did you mean 'jpeg'? known: avif, command, compressai, heic, "
    "jp2, jpeg, jxl, neural, pipeline, webp, zoo",
}


def summary_lines(run):
    lines = [line.removeprefix("FAILED ") for line in run.out.splitlines() if line.startswith("FAILED ")]
    return dict(sorted(line.split(" - ", 1) for line in lines))


@pytest.fixture(scope="module", params=[(), ("-n", "2")], ids=["one process", "workers"])
def own(request, new_project):
    if request.param:
        pytest.importorskip("xdist")
    project = new_project()
    project.write("test_own.py", OWN)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "400")
        return project.fork("test_own.py", *request.param)


def test_each_line_of_an_own_test_carries_its_reason(own):
    assert summary_lines(own) == dict(sorted(BRIEFS.items()))


def test_no_frame_of_ours_is_shown(own):
    assert "compress_guard/" not in own.out
    assert "All traceback entries are hidden" not in own.out
    assert own.out.count('>       raise ValueError("my weights")') == 1


def test_each_sentence_is_whole_once(own):
    assert own.out.count(DROP) == 1
    assert own.out.count(NO_MODEL) == 1
    assert "  FAIL jpeg at 0.5 bpp: top1 -25.0 (10.7 to 42.1), allowed 3.0\n" in own.out
    assert "    rerun: pytest --compress-guard test_own.py::test_drop\n" in own.out


def test_the_whole_sentence_is_in_junit(own):
    assert own.junit["test_drop"].result[0].message == f"compress_guard.plugin.results.CellFailed: {DROP}"


BROKEN = """
    def boom():
        raise ValueError("my factory")
"""


@pytest.fixture(scope="module")
def cells(new_project):
    project = new_project()
    project.write("broken.py", BROKEN)
    project.guards(
        {
            "drops": "max_drop: 3",
            "scores": "max_drop: 100, min_score: 99",
            "broken": 'model: "broken:boom", max_drop: 3, bpp: [0.5, 1.0]',
        }
    )
    return project


def test_the_line_of_a_cell_carries_the_limit_that_failed(cells, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    run = cells.run("thresholds.yaml")
    assert summary_lines(run) == {
        "thresholds.yaml::broken[jpeg-0.5bpp]": "broken:boom: raised ValueError: my factory",
        "thresholds.yaml::broken[jpeg-1.0bpp]": "broken:boom: raised ValueError: my factory",
        "thresholds.yaml::drops[jpeg-0.5bpp]": "top1 -25.0 (10.7 to 42.1), allowed 3.0",
        "thresholds.yaml::scores[jpeg-0.5bpp]": "score 75.0 (57.9 to 87.6), at least 99.0",
    }
    assert run.out.count(DROP) == 1
    # A factory is called once, and the traceback of what it raised is shown once, without the frame that called it.
    assert run.out.count("Traceback (most recent call last)") == 1
    assert "Its traceback is the same as that of broken[jpeg-0.5bpp]." in run.out
    assert "compress_guard/" not in run.out


def test_the_summary_is_whole_where_pytest_shows_no_failures(cells):
    run = cells.run("thresholds.yaml", "--tb=no", "-k", "drops")
    assert run.out.count(DROP) == 1


def test_and_for_a_failure_that_was_expected(cells):
    cells.write("conftest.py", "import pytest\ndef pytest_collection_modifyitems(items):\n"
                "    for item in items:\n        item.add_marker(pytest.mark.xfail(strict=False))\n")  # fmt: skip
    run = cells.run("thresholds.yaml", "-k", "drops")
    (cells.folder / "conftest.py").unlink()
    assert run.outcomes == {"xfailed": 1, "deselected": 3}
    assert f"  FAIL jpeg at 0.5 bpp: {DROP}\n" in run.out


def test_the_printed_command_repeats_the_failed_cell_alone_from_where_pytest_was_started(cells):
    (cells.folder / "inner").mkdir(exist_ok=True)
    told = cells.run("../thresholds.yaml", "-k", "drops", folder="inner")
    (line,) = [line for line in told.out.splitlines() if line.startswith("    rerun: ")]
    command = shlex.split(line.removeprefix("    rerun: "))
    assert command == ["pytest", "--compress-guard", "../thresholds.yaml::drops[jpeg-0.5bpp]"]
    assert "/thresholds.yaml:4 max_drop\n" in told.out or "thresholds.yaml:4 max_drop\n" in told.out
    again = cells.run(*command[2:], folder="inner")
    assert again.outcomes == {"failed": 1}
    assert list(again.cells) == ["drops[jpeg-0.5bpp]"]


def test_the_printed_command_has_the_options_that_the_verdict_depends_on(cells):
    told = cells.run("thresholds.yaml", "-k", "drops", "--cg-limit", "20", "--cg-seed=3", "--cg-strict")
    (line,) = [line for line in told.out.splitlines() if line.startswith("    rerun: ")]
    command = shlex.split(line.removeprefix("    rerun: "))
    assert command[3:] == ["--cg-limit=20", "--cg-seed=3", "--cg-strict"]
    again = cells.run(*command[2:])
    assert [each["images"] for each in (*told.cells.values(), *again.cells.values())] == [20, 20]
