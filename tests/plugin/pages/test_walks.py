"""The tutorial and the how-to pages: their files and commands work as they stand there, and print what is shown."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Final

import pytest

from tests.plugin.pages.walk import DOCS, Shown, begin, missing, plain, steps, walk

HOW_TOS: Final = (
    "cheaper.md",
    "choose-limits.md",
    "codec-error.md",
    "existing-tests.md",
    "finetune.md",
    "groups.md",
    "inconclusive.md",
    "known-failure.md",
    "model-server.md",
    "other-datasets.md",
    "own-codec.md",
    "unreachable.md",
    "which-images.md",
    "worse-than-main.md",
)
OFTEN: Final = {"codec-error.md", "inconclusive.md", "known-failure.md", "other-datasets.md"}
"""Pages of a single short run; all others are left to the runs with all tests."""

# The pages share the pictures, and one process imports torch once.
pytestmark = pytest.mark.xdist_group("walked-pages")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the pictures and the module that the how-to pages begin with."""
    folder = tmp_path_factory.mktemp("project")
    begin(folder)
    return folder


def check(page: Path, folder: Path) -> None:
    walked = list(walk(page, folder))
    assert walked, "the page has no command"
    lost = {step.what: missing(step, out) for step, out in walked}
    assert {command: lines for command, lines in lost.items() if lines} == {}, "\n".join(out for _, out in walked)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name not in OFTEN)) for name in HOW_TOS]
)
def test_a_how_to_page_works(name: str, project: Path, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    shutil.copytree(project, folder)
    check(DOCS / "howto" / name, folder)


@pytest.mark.slow
def test_the_tutorial_works(tmp_path: Path) -> None:
    check(DOCS / "tutorial" / "own-model.md", tmp_path)


def test_every_how_to_with_a_project_is_walked() -> None:
    """A page with commands and files of its own is listed above, and each page above has output to compare."""
    with_files = set()
    for page in (DOCS / "howto").glob("*.md"):
        if {True, False} == {step.is_file for step in steps(page)}:
            with_files.add(page.name)
    assert with_files == set(HOW_TOS)
    for name in HOW_TOS:
        assert [step for step in steps(DOCS / "howto" / name) if not step.is_file and step.lines], name


@pytest.mark.parametrize("name", HOW_TOS)
def test_a_how_to_is_short(name: str) -> None:
    """A page is a task: a file, a command, what to expect, pitfalls."""
    text = (DOCS / "howto" / name).read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 130
    assert re.search(r"^Pitfalls?:|^Do not ", text, re.MULTILINE), "no pitfall is named"


def test_the_index_leads_to_every_how_to() -> None:
    index = (DOCS / "howto" / "index.md").read_text(encoding="utf-8")
    pages = {page.name for page in (DOCS / "howto").glob("*.md")} - {"index.md"}
    assert {name for name in pages if f"]({name})" not in index} == set()


def test_lines_are_compared_without_numbers_and_gaps() -> None:
    assert plain("  jpeg   7.0 FAIL   0.0 ✓") == plain("jpeg  12.5 FAIL 1.0 ✓") != plain("jpeg 7.0 ✓ 0.0 ✓")
    assert plain("photos[jpeg-q20] -3.1 (-5 to 2)") == plain("photos[jpeg-q75] 0.0 (1 to 2,000)")
    assert plain("====== 3 passed in 2.1s ======") == plain("== 4 passed in 10.02s ==")


def test_a_line_that_is_not_printed_or_out_of_order_is_reported(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "Say so in `a.txt`:\n\n```text\nx\n```\n\n```console\n$ python a.py\none 1\n...\ntwo\n```\n", "utf-8"
    )
    file, command = steps(page)
    assert (file.what, file.lines, file.is_file) == ("a.txt", ["x"], True)
    assert missing(command, "one 2\nmore\ntwo\n") == []
    assert missing(command, "two\none 2\n") == ["two"]
    assert missing(command, "one 2\n") == ["two"]
    assert missing(Shown("x", ["wrong ones: 1 ...", "end"]), "wrong ones: 3, 4\nend\n") == []
    assert missing(Shown("x", ["wrong ones: 1 ..."]), "right ones: 3, 4\n") == ["wrong ones: 1 ..."]
