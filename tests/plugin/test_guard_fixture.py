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

    def test_misspelt(guard):
        guard.check(MODEL, DATA, **TASK, max_dorp=1)

    def test_device(guard):
        guard.check(MODEL, DATA, **TASK, max_drop=1, device="cpu")

    def test_cache(guard):
        guard.measure(MODEL, DATA, **TASK, cache="here")

    def test_no_limit(guard):
        guard.check(MODEL, DATA, **TASK)

    def test_policy_without_sense(guard):
        guard.check(MODEL, DATA, **TASK, max_drop=1, on_inconclusive="maybe")

    def test_bare_command(guard):
        guard.check(MODEL, DATA, **TASK, max_drop=1, codec="command", options={"encoder": "cjpeg"})

    def test_floor_fails(guard):
        guard.check(MODEL, DATA, **TASK, bpp=0.05, max_drop=100, limit=4, on_unreachable="fail")

    def test_doubt_fails(guard):
        guard.check(MODEL, DATA, **TASK, bpp=0.5, max_drop=25, on_inconclusive="fail")

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
        "test_no_limit": "FAILED",
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
    messages = [line.partition("OptionError: ")[2] for line in run.out.splitlines() if line.startswith("E ")]
    assert [message for message in messages if message] == [
        "unknown codec 'jpg', did you mean 'jpeg'? known: avif, command, compressai, heic, jp2, jpeg, jxl, "
        "neural, webp, zoo",
        "unknown rate mode 'images', did you mean 'image'? known: dataset, image",
        "unknown keyword 'max_dorp', did you mean 'max_drop'? known: bpp, codec, confidence, fingerprint, limit, "
        "max_drop, max_error_share, metric, min_clean, min_score, on_inconclusive, on_unavailable, on_unreachable, "
        "options, orientation, rate, rate_tolerance, task",
        "guard.check takes no device: it is the same for all tests; give --cg-device to pytest",
        "guard.measure takes no cache: it is the same for all tests; give --cg-cache to pytest",
        "guard.check needs max_drop, min_score or min_clean; use guard.measure to measure only",
        "on_inconclusive is 'maybe'; expected pass, fail or point",
        "codec 'command' needs decoder, settings; give them in options={...}, or a codec of its own under codecs in "
        "thresholds.yaml",
    ]


def test_policies_are_keywords(run):
    floor, doubt = run.cells["test_floor_fails::jpeg-0.05bpp"], run.cells["test_doubt_fails::jpeg-0.5bpp"]
    assert (floor["verdict"], floor["outcome"]) == ("unreachable", "failed")
    assert floor["reason"].endswith("; failed by on_unreachable: fail")
    assert (doubt["verdict"], doubt["outcome"]) == ("inconclusive", "failed")
    assert doubt["reason"].endswith("; inconclusive, failed by on_inconclusive: fail")


def test_a_stated_policy_holds_in_a_strict_run(new_project):
    project = new_project()
    project.write(
        "test_strict.py",
        """
        import pytest, toy

        @pytest.mark.parametrize("stated", [{}, {"on_unreachable": "skip"}], ids=["silent", "stated"])
        def test_floor(guard, stated):
            model, data = toy.model(), toy.data()
            guard.check(model, data, task="classification", bpp=0.05, max_drop=100, limit=4, **stated)
        """,
    )
    strict = project.run("--cg-strict", "test_strict.py")
    outcomes = {name: cell["outcome"] for name, cell in strict.cells.items()}
    assert outcomes == {
        "test_floor[silent]::jpeg-0.05bpp": "failed",
        "test_floor[stated]::jpeg-0.05bpp": "skipped",
    }


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
        "test_floor_fails::jpeg-0.05bpp": "test_floor_fails",
        "test_doubt_fails::jpeg-0.5bpp": "test_doubt_fails",
        "test_broken::jpeg-0.5bpp": "test_broken",
    }
    names = [one.get("value") for one in run.junit["test_several"]._elem.iter("property") if one.get("name") == "cg_id"]
    assert names == [f"test_own.py::test_several::jpeg-1.0bpp{more}" for more in ("", "#1", "#2")]
    assert "test_parametrized: top1 100.0 on 4 clean images" in run.out


def test_calls_with_the_same_model_and_data_share_clean_predictions(run):
    spent = {name: cell["predictions"] for name, cell in run.cells.items()}
    controls = 24 + 24  # after a lossless codec, among other neighbours
    assert spent["test_held::jpeg-0.5bpp"] == 64 + controls + 8, "each call ends with the first clean batch again"
    assert spent["test_lost::jpeg-0.5bpp"] == 32 + 8
    # Clean, two controls, compressed, and the batch that this model was asked first, by other calls.
    assert spent["test_several::jpeg-1.0bpp"] == 4 + 2 * 4 + 4 + 8
    assert spent["test_several::jpeg-1.0bpp#1"] == 4 + 8
    assert run.cells["test_several::jpeg-1.0bpp#1"]["drop"] == run.cells["test_several::jpeg-1.0bpp"]["drop"]


def test_the_evidence_is_kept_and_gives_the_scores(project, run):
    cell = run.cells["test_lost::jpeg-0.5bpp"]
    with zipfile.ZipFile(project.folder / "results.evidence.zip") as archive:
        for side, score in (("clean", cell["clean_score"]), ("compressed", cell["score"])):
            found = Evidence.from_bytes(archive.read(f"test_own.py__test_lost__jpeg-0.5bpp.{side}.npz"))
            assert 100 * sum(int(item["top1"]) for item in found.items) / len(found.ids) == pytest.approx(score)
