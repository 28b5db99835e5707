"""Tests that docs/howto/python.md and docs/howto/throughput.md show: they run as they stand there, and can fail."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

# Whoever distributes these tests: they look at one run.
pytestmark = pytest.mark.xdist_group("plugin-pages")

ROOT = Path(__file__).parents[2]

FIXTURES = """
    import pytest
    import toy

    @pytest.fixture(scope="session")
    def my_data():
        return toy.data()

    @pytest.fixture(scope="session")
    def my_model():
        return toy.model()

    @pytest.fixture
    def photos():
        return [image for image, _, _ in toy.data()[:2]]
"""


def shown(page, begins):
    """The only block of Python on a page that begins so."""
    blocks = re.findall(r"^```python\n(.*?)^```$", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    (block,) = [block for block in blocks if block.startswith(begins)]
    return block


@pytest.fixture
def project(new_project):
    made = new_project()
    made.write("conftest.py", FIXTURES)
    return made


def test_the_tests_of_the_page_on_python(project):
    project.guards({"photos": "max_drop: 60"}, defaults="codecs: [jpeg, webp], bpp: [0.25, 0.5]")
    code = "import pytest\n\n\n" + shown("docs/howto/python.md", "def test_survives_jpeg")
    project.write("test_mine.py", code.replace("max_drop=3)", "max_drop=90)"))
    run = project.run("test_mine.py")
    # JPEG does not reach 0.25 bits per pixel on pictures so small.
    assert (run.code, run.outcomes) == (0, {"passed": 4, "skipped": 1}), run.out
    project.write("test_mine.py", code)
    run = project.run("test_mine.py", "-k", "survives")
    assert (run.code, run.outcomes) == (1, {"failed": 1, "deselected": 4}), "the toy loses more than 3 points"


def test_the_tests_of_the_page_on_throughput(project):
    pytest.importorskip("pytest_benchmark", reason="throughput needs pytest-benchmark")
    code = shown("docs/howto/throughput.md", "def test_avif_is_fast_enough")
    project.write("test_speed.py", code.replace("min_ratio=0.3", "min_ratio=0.0001"))
    run = project.run("test_speed.py", "--cg-benchmark", "-W", "error")
    assert (run.code, run.outcomes) == (0, {"passed": 2}), run.out
    project.write("test_speed.py", code.replace("min_ratio=0.3", "min_ratio=900"))
    assert project.run("test_speed.py", "--cg-benchmark", "-k", "avif").code == 1
