"""The fixture `guard` in people's own tests."""

from __future__ import annotations

import zipfile

import pytest

from compress_guard.records import Evidence

# Whoever distributes these tests: they look at one run.
pytestmark = pytest.mark.xdist_group("plugin-guard-fixture")

OWN = """
    import pytest
    import toy

    MODEL, DATA = toy.model(), toy.data()
    TASK = {"task": "classification"}

    def test_held(guard):
        result = guard.check(MODEL, DATA, **TASK, codec="jpeg", bpp=0.5, max_drop=100)
        assert result.verdict == "pass" and result.drop == result.clean_score - result.score

    def test_lost(guard):
        guard.check(MODEL, DATA, **TASK, codec="jpeg", bpp=0.5, max_drop=1)
        raise AssertionError("not reached")

    def test_floor(guard):
        guard.check(MODEL, DATA, **TASK, codec="jpeg", bpp=0.5, min_score=99.5)

    def test_unreachable(guard):
        guard.check(MODEL, DATA, **TASK, codec="jpeg", bpp=0.05, max_drop=100, limit=4)

    def test_several(guard):
        guard.check(MODEL, DATA, **TASK, codec="jpeg", bpp=1, max_drop=100, limit=4)
        guard.check(MODEL, DATA, **TASK, codec="jpeg", bpp=1, max_drop=100, limit=4)
        guard.check(MODEL, DATA, **TASK, codec="jpeg", bpp=1, max_drop=100, limit=4, options={"subsampling": "4:4:4"})

    @pytest.mark.parametrize("codec", ["jpeg", "webp"])
    def test_parametrized(guard, codec):
        guard.check(MODEL, DATA, **TASK, codec=codec, bpp=1, max_drop=100, limit=4)

    def test_measured(guard):
        result = guard.measure(MODEL, DATA, **TASK, codec="jpeg", bpp=0.5)
        assert result.verdict == "unjudged" and result.max_drop is None
        assert abs(result.bpp_mean - 0.5) < 0.01

    def test_measured_only_raises(guard):
        with pytest.raises(Exception, match="expected at least one"):
            guard.measure(MODEL, [], **TASK)

    def test_unknown_codec(guard):
        guard.check(MODEL, DATA, **TASK, codec="jpg", max_drop=1)

    def test_unknown_rate_mode(guard):
        guard.check(MODEL, DATA, **TASK, rate="images", max_drop=1)

    def test_broken(guard):
        def forward(images):
            return broken_layer(images)

        def broken_layer(images):
            raise RuntimeError("shapes do not fit")

        guard.check(forward, DATA, **TASK, bpp=0.5, max_drop=1, limit=4)
"""


@pytest.fixture(scope="module")
def project(new_project):
    made = new_project()
    made.write("test_own.py", OWN)
    return made


@pytest.fixture(scope="module")
def run(project):
    return project.run("-rs", "-v", "test_own.py", "-W", "error")


def test_it_checks(run):
    assert run.code == 1
    for name, word in {
        "test_held": "PASSED",
        "test_lost": "FAILED",
        "test_floor": "FAILED",
        "test_unreachable": "SKIPPED",
        "test_several": "PASSED",
        "test_parametrized[webp]": "PASSED",
        "test_measured": "PASSED",
        "test_measured_only_raises": "PASSED",
        "test_broken": "FAILED",
    }.items():
        assert f"test_own.py::{name} {word}" in run.out


def test_a_failure_is_one_sentence_at_the_line_of_the_check(run):
    reason = run.cells["test_lost::jpeg-0.5bpp"]["reason"]
    assert reason.startswith("top1 fell by ")
    assert reason.endswith(", allowed 1.0: jpeg at 0.5 bpp, 32 images")
    assert f"CellFailed: {reason}" in run.out
    shown = run.out.partition("_ test_lost _")[2].partition("_ test_floor _")[0]
    assert "compress_guard/plugin" not in shown
    assert "AssertionError: not reached" not in shown


def test_the_traceback_of_the_model_is_shown(run):
    assert 'raise RuntimeError("shapes do not fit")' in run.out
    assert run.cells["test_broken::jpeg-0.5bpp"]["reason"] == "the model raised RuntimeError: shapes do not fit"


def test_a_rate_out_of_reach_skips_with_its_reason(run):
    cell = run.cells["test_unreachable::jpeg-0.05bpp"]
    assert (cell["verdict"], cell["outcome"]) == ("unreachable", "skipped")
    assert cell["reason"].endswith("; skipped by on_unreachable: skip")
    assert cell["reason"].partition(" ask")[0] in run.out


def test_names_without_sense_are_refused(run):
    assert "OptionError: unknown codec 'jpg', did you mean 'jpeg'? known: avif, " in run.out
    assert "OptionError: unknown rate mode 'images', did you mean 'image'? known: dataset, image" in run.out


def test_each_check_is_a_result(run):
    assert {name: cell["guard"] for name, cell in run.cells.items()} == {
        "test_held::jpeg-0.5bpp": "test_held",
        "test_lost::jpeg-0.5bpp": "test_lost",
        "test_floor::jpeg-0.5bpp": "test_floor",
        "test_unreachable::jpeg-0.05bpp": "test_unreachable",
        "test_several::jpeg-1.0bpp": "test_several",
        "test_several::jpeg-1.0bpp#1": "test_several",
        "test_several::jpeg-1.0bpp#2": "test_several",
        "test_parametrized[jpeg]::jpeg-1.0bpp": "test_parametrized",
        "test_parametrized[webp]::webp-1.0bpp": "test_parametrized",
        "test_broken::jpeg-0.5bpp": "test_broken",
    }
    names = [one.get("value") for one in run.junit["test_several"]._elem.iter("property") if one.get("name") == "cg_id"]
    assert names == [f"test_own.py::test_several::jpeg-1.0bpp{more}" for more in ("", "#1", "#2")]
    assert "test_parametrized: top1 100.0 on 4 clean images" in run.out


def test_calls_with_the_same_model_and_data_share_clean_predictions(run):
    spent = {name: cell["predictions"] for name, cell in run.cells.items()}
    assert spent["test_held::jpeg-0.5bpp"] == 64
    assert spent["test_lost::jpeg-0.5bpp"] == 32
    assert spent["test_several::jpeg-1.0bpp"] == 8
    assert spent["test_several::jpeg-1.0bpp#1"] == 4
    assert run.cells["test_several::jpeg-1.0bpp#1"]["drop"] == run.cells["test_several::jpeg-1.0bpp"]["drop"]


def test_the_evidence_is_kept_and_gives_the_scores(project, run):
    cell = run.cells["test_lost::jpeg-0.5bpp"]
    with zipfile.ZipFile(project.folder / "results.evidence.zip") as archive:
        for side, score in (("clean", cell["clean_score"]), ("compressed", cell["score"])):
            found = Evidence.from_bytes(archive.read(f"test_own.py__test_lost__jpeg-0.5bpp.{side}.npz"))
            assert 100 * sum(int(item["top1"]) for item in found.items) / len(found.ids) == pytest.approx(score)
