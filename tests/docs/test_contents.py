"""The tree of the site's pages, and the index that they are listed in."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from docs._generate import contents

DOCS: Final = Path(__file__).parents[2] / "docs"


def test_every_page_is_in_the_tree_once() -> None:
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    listed = [page for folder in contents.FOLDERS for page in contents.pages(folder, index)]
    there = {path.relative_to(DOCS).with_suffix("").as_posix() for path in DOCS.rglob("*.md")} - {"index"}
    assert sorted(listed) == sorted(there)


def test_every_page_is_linked_from_the_index_with_a_word_on_it() -> None:
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    lines = [line for line in index.splitlines() if line.startswith("- [")]
    linked = {page for line in lines for page in contents.LINK.findall(line)}
    there = {path.relative_to(DOCS).with_suffix("").as_posix() for path in DOCS.rglob("*.md")} - {"index"}
    missing = sorted(page for page in there - linked if not page.startswith("decisions/"))
    assert missing == [], "add a line for these to docs/index.md"
    assert [line for line in lines if "): " not in line] == []


def test_pages_stand_in_the_order_of_the_index_and_new_ones_behind(tmp_path) -> None:
    (tmp_path / "howto").mkdir()
    for name in ("apples", "pears", "new", "figs"):
        (tmp_path / "howto" / f"{name}.md").write_text("# x\n")
    index = "- [Pears](howto/pears.md): a\n- [Apples](howto/apples.md): b\n- [Pears](howto/pears.md#x)\n"
    assert contents.pages("howto", index, tmp_path) == ["howto/pears", "howto/apples", "howto/figs", "howto/new"]


def test_the_index_gets_a_hidden_tree_for_each_folder() -> None:
    text = contents.with_trees("# Index\n")
    for heading in ("How-to guides", "Explanation", "Reference", "Decisions"):
        assert f"```{{toctree}}\n:hidden:\n:caption: {heading}\n\n" in text
    assert text.startswith("# Index\n")
