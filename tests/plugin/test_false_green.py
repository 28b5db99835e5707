"""Models that know nothing and limits that mean nothing, through pytest and the command line."""

from __future__ import annotations

import pytest

BROKEN = """
    import toy

    IMAGES = 40

    def data():
        return [(image, 1 + label, name) for image, label, name in (
            (*toy.texture(index), f"texture-{index:03d}") for index in range(IMAGES)
        )]

    def good():
        return [(*toy.texture(index), f"texture-{index:03d}") for index in range(IMAGES)]

    class Five(toy.Spectrum):
        # A spare score, so that every label has one.
        def scores(self, image):
            found = super().scores(image)
            return toy.torch.cat([found, found.new_tensor([-1.0])])

    def model():
        return Five()
"""
ERROR = "clean top1 0.0 on 40 images; the model answered labels 0 to 3, the truth has 1 to 4: the model knows nothing"
OWN = """
    import broken

    MODEL, DATA, GOOD = broken.model(), broken.data(), broken.good()
    KEYS = {"task": "classification", "codec": "jpeg", "bpp": 1.0}

    def test_broken(guard):
        guard.check(MODEL, DATA, max_drop=3, **KEYS)

    def test_meant(guard):
        guard.check(MODEL, DATA, max_drop=3, min_clean=0, **KEYS)

    def test_share(guard):
        guard.check(MODEL, GOOD, min_score=0.6, **KEYS)
"""


@pytest.fixture
def broken(project):
    project.write("broken.py", BROKEN)
    return project


@pytest.mark.parametrize("program", ["pytest", "compress_guard"])
def test_a_model_that_knows_nothing_is_red_in_every_cell(broken, program):
    broken.guard('max_drop: 3, model: "broken:model", data: "broken:data", bpp: [0.5, 1.0]')
    if program == "pytest":
        run = broken.run()
        assert {cell["verdict"] for cell in run.cells.values()} == {"error"}
        assert all(cell["reason"].startswith(ERROR) for cell in run.cells.values())
        assert len(run.cells) == 2
    else:
        run = broken.fork("run", program=program)
    assert run.code == 1
    assert ERROR in run.out


@pytest.mark.slow
def test_so_it_is_on_workers(broken):
    broken.guard('max_drop: 3, model: "broken:model", data: "broken:data", bpp: [0.5, 1.0]')
    run = broken.fork("-n", "2")
    assert run.code == 1
    assert [cell["verdict"] for cell in run.cells.values()] == ["error", "error"]


def test_min_clean_of_a_file_judges_instead(broken):
    named = 'model: "broken:model", data: "broken:data"'
    broken.guards({"meant": f"max_drop: 3, {named}, min_clean: 0", "asked": f"max_drop: 3, {named}, min_clean: 60"})
    run = broken.run()
    assert run.cells["meant[jpeg-0.5bpp]"]["verdict"] != "error"
    assert run.cells["asked[jpeg-0.5bpp]"]["verdict"] == "fail"
    assert (
        "the clean score of 0.0 (95 % interval 0.0 to 8.8) has to reach 60.0"
        in run.cells["asked[jpeg-0.5bpp]"]["reason"]
    )
    assert "min clean" in run.out


SHARE = "thresholds.yaml:4: max_drop is 0.05 points and looks like a share: write 5 for 5 points"


def test_a_share_is_told_and_fails_a_strict_run(broken):
    broken.guard("max_drop: 0.05, bpp: [4.0, 8.0], limit: 8")
    lax, strict = broken.run(), broken.run("--cg-strict")
    assert lax.code == 0
    assert lax.out.count(f"toy: {SHARE} (2 cells)") == 1
    assert strict.code == 1
    assert all(cell["outcome"] == "failed" for cell in strict.cells.values())
    assert all(cell["reason"].endswith(f"failed because the run is strict: {SHARE}") for cell in strict.cells.values())


def test_few_images_are_told_in_passing(broken):
    broken.guard("max_drop: 100, limit: 8")
    run = broken.run("--cg-strict")
    assert run.code == 0
    assert (
        "toy: whether the model knows anything was not tested: there are 8 images, and it takes 36; "
        "min_clean sets a floor"
    ) in run.out


def test_own_tests_are_held_to_the_same(broken):
    broken.write("test_own.py", OWN)
    lax, strict = broken.run("test_own.py"), broken.run("test_own.py", "--cg-strict")
    assert {name: cell["outcome"] for name, cell in lax.cells.items()} == {
        "test_broken::jpeg-1.0bpp": "failed",
        "test_meant::jpeg-1.0bpp": "passed",
        "test_share::jpeg-1.0bpp": "passed",
    }
    assert ERROR in lax.out
    share = "min_score is 0.6 points and looks like a share: write 60 for 60 points"
    assert f"test_share: {share} (1 cell)" in lax.out
    # The clean score is 0, and so is the largest drop.
    assert {cell["outcome"] for cell in strict.cells.values()} == {"failed"}


MEASURED = """
    import broken
    import pytest

    def test_measured(guard):
        with pytest.warns(UserWarning) as caught:
            result = guard.measure(
                broken.model(), broken.good(), task="classification", codec="jpeg", bpp=8.0, limit=8, min_score=0
            )
        said = "a min_score of 0 can never be missed; raise it, or set max_drop"
        assert result.doubts == (said,)
        assert [(str(one.message), one.filename) for one in caught] == [(said, __file__)]
"""


def test_what_the_fixture_measures_warns_of_each_doubt(broken):
    broken.write("test_measured.py", MEASURED)
    run = broken.run("test_measured.py")
    assert (run.code, run.out.count("1 passed")) == (0, 1), run.out
