"""The page on compressed batches: every block of code on it runs, and is shown to be able to fail."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

# Whoever distributes these tests: they look at one run.
pytestmark = pytest.mark.xdist_group("plugin-batches-page")

PAGE = Path(__file__).parents[2] / "docs" / "batches.md"

RELEASE = """
    import toy
    import torch

    WARMTH = 150.0

    def validation():
        return toy.data()

    class Warm(toy.Spectrum):
        '''Scores that are logits of about the right size.'''

        def scores(self, image):
            return super().scores(image) / WARMTH

    def classifier():
        return Warm()
"""


def blocks():
    """Fenced code by the name of the file on its first line, and the blocks that have none."""
    named, others = {}, []
    for language, code in re.findall(
        r"^```(\w*)\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    ):
        name = re.match(r"# (\S+\.(?:py|yaml))\n", code)
        if name:
            assert name[1] not in named
            named[name[1]] = code
        else:
            others.append((language, code))
    return named, others


@pytest.fixture(scope="module")
def page_project(new_project):
    named, _ = blocks()
    project = new_project()
    project.write("myproject/__init__.py", "")
    project.write("myproject/release.py", RELEASE)
    for name, code in named.items():
        project.write(name, code)
    return project


@pytest.fixture(scope="module")
def run(page_project):
    names = sorted(name for name in blocks()[0] if name.startswith("test_"))
    return page_project.run("-v", "-rs", "-W", "error", *names)


def test_every_block_of_code_on_the_page_is_a_file_or_is_compared_here():
    named, others = blocks()
    assert set(named) == {
        "thresholds.yaml",
        "conftest.py",
        "test_finite.py",
        "test_marker.py",
        "test_calibration.py",
        "test_finetuning.py",
    }
    assert [language for language, _ in others] == [""]


def test_all_tests_of_the_page_pass(run):
    assert (run.code, run.outcomes) == (0, {"passed": 16}), run.out


def test_the_output_that_the_page_shows_is_what_pytest_says(run):
    ((_, shown),) = blocks()[1]
    said = [re.sub(r" +\[ *\d+%\]$", "", line) for line in run.out.splitlines() if line.startswith("test_finite.py")]
    assert said == shown.splitlines()
    assert "test_marker.py::test_of_all_that_the_guard_has[jpeg-0.5bpp-plain]" in run.out


def test_without_the_switch_they_are_all_skipped(page_project):
    names = sorted(name for name in blocks()[0] if name.startswith("test_"))
    assert page_project.run(*names, gate=False).outcomes == {"skipped": 7}


def test_an_overconfident_model_fails_the_test_of_calibration(page_project):
    page_project.write(
        "myproject/release.py",
        RELEASE.replace("return super().scores(image) / WARMTH", "return -super().scores(image)"),
    )
    try:
        run = page_project.run("test_calibration.py")
    finally:
        page_project.write("myproject/release.py", RELEASE)
    assert (run.code, run.outcomes) == (1, {"failed": 1})
    assert "assert 1.0 < 0.15" in run.out
