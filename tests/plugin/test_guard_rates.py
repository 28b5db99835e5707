"""Several rates in one call of the fixture `guard`."""

from __future__ import annotations

import pytest

# Whoever distributes these tests: they look at one run.
pytestmark = pytest.mark.xdist_group("plugin-guard-rates")

OWN = """
    import pytest
    import toy

    MODEL, DATA = toy.model(), toy.data()
    ASKED = {"task": "classification", "codec": "jpeg"}

    def test_held(guard):
        results = guard.check(MODEL, DATA, **ASKED, bpp=[2.0, 0.5], max_drop=100)
        assert [result.target_bpp for result in results] == [2.0, 0.5]
        assert guard.check(MODEL, DATA, **ASKED, bpp=2.0, max_drop=100).target_bpp == 2.0

    def test_lost(guard):
        guard.check(MODEL, DATA, **ASKED, bpp=[0.05, 2.0, 0.5, 0.4], max_drop=1)
        raise AssertionError("not reached")

    def test_skipped(guard):
        guard.check(MODEL, DATA, **ASKED, bpp=[0.05, 2.0], max_drop=100)
        raise AssertionError("not reached")

    def test_measured(guard):
        results = guard.measure(MODEL, DATA, **ASKED, bpp=(0.5, 2.0))
        assert [result.target_bpp for result in results] == [0.5, 2.0]
        assert len(guard.measure(MODEL, DATA, **ASKED, bpp=[0.5])) == 1

    def test_searched_once(guard):
        results = guard.check(MODEL, DATA, **ASKED, bpp=[0.7, 0.8], max_drop=100)
        assert results[0].encodes + results[1].encodes > 0
        again = guard.check(MODEL, DATA, **ASKED, bpp=[0.7, 0.8], max_drop=99)
        assert sum(result.predictions for result in again) == 2 * 32 + 8  # the first batch is asked again at the end

    def test_twice(guard):
        guard.check(MODEL, DATA, **ASKED, bpp=[0.5, 0.5], max_drop=100)

    def test_none(guard):
        guard.check(MODEL, DATA, **ASKED, bpp=[], max_drop=100)

"""


@pytest.fixture(scope="module")
def run(new_project):
    project = new_project()
    project.write("test_own.py", OWN)
    return project.run("-rs", "-v", "test_own.py", "-W", "error")


def test_they_fail_skip_and_pass_as_one(run):
    assert run.code == 1
    for name, word in {
        "test_held": "PASSED",
        "test_lost": "FAILED",
        "test_skipped": "SKIPPED",
        "test_measured": "PASSED",
        "test_searched_once": "PASSED",
        "test_twice": "FAILED",
        "test_none": "FAILED",
    }.items():
        assert f"test_own.py::{name} {word}" in run.out


def test_every_rate_is_recorded_under_an_id_of_its_own(run):
    kept = {id_: cell["verdict"] for id_, cell in run.cells.items()}
    assert {id_: verdict for id_, verdict in kept.items() if "test_held" in id_} == {
        "test_held::jpeg-2.0bpp": "pass",
        "test_held::jpeg-0.5bpp#1": "pass",
        "test_held::jpeg-2.0bpp#2": "pass",
    }
    # What comes after one that fails, or skips, is measured all the same.
    assert {id_: verdict for id_, verdict in kept.items() if "test_lost" in id_} == {
        "test_lost::jpeg-0.05bpp": "unreachable",
        "test_lost::jpeg-2.0bpp#1": kept["test_lost::jpeg-2.0bpp#1"],
        "test_lost::jpeg-0.5bpp#2": "fail",
        "test_lost::jpeg-0.4bpp#3": "fail",
    }
    assert [verdict for id_, verdict in kept.items() if "test_skipped" in id_] == ["unreachable", "pass"]
    assert not any("test_measured" in id_ for id_ in kept)


def test_the_other_rates_that_failed_are_named_too(run):
    assert "and test_own.py::test_lost::jpeg-0.4bpp#3: top1 fell by" in run.out


def test_lists_without_sense(run):
    assert "rate 0.5 bpp stands twice in bpp; keep one of them" in run.out
    assert "bpp is an empty list; give at least one rate" in run.out
