"""The tree of the site's pages, and the indexes that list them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from docs._generate import contents

DOCS: Final = Path(__file__).parents[2] / "docs"


def test_every_page_is_in_the_tree_once() -> None:
    listed = contents.tops() + [
        f"{folder}/{page}" for folder, index in contents.FOLDERS.items() if index for page in contents.pages(folder)
    ]
    there = {path.relative_to(DOCS).with_suffix("").as_posix() for path in DOCS.rglob("*.md")} - {"index"}
    assert sorted(listed) == sorted(there)


@pytest.mark.parametrize("folder", [folder for folder, index in contents.FOLDERS.items() if index])
def test_the_index_of_a_folder_links_to_all_its_pages(folder: str) -> None:
    index = DOCS / folder / f"{contents.FOLDERS[folder]}.md"
    linked = set(contents.LINK.findall(index.read_text(encoding="utf-8")))
    assert set(contents.pages(folder)) - linked == set(), f"add a line for these to {index.relative_to(DOCS.parent)}"


def test_the_first_page_leads_to_each_folder() -> None:
    text = (DOCS / "index.md").read_text(encoding="utf-8")
    assert [page for page in contents.tops() if f"]({page}.md)" not in text] == []


def test_pages_stand_in_the_order_of_the_index_and_new_ones_behind(tmp_path) -> None:
    (tmp_path / "howto").mkdir()
    for name in ("apples", "pears", "new", "figs"):
        (tmp_path / "howto" / f"{name}.md").write_text("# x\n")
    text = "[pears](pears.md#some), [apples](apples.md), [pears](pears.md), [none](none.md)\n"
    (tmp_path / "howto" / "index.md").write_text(text)
    assert contents.pages("howto", tmp_path) == ["pears", "apples", "figs", "new"]


def test_an_index_gets_a_hidden_tree_and_another_page_none() -> None:
    assert contents.with_tree("index", "# A\n").startswith(
        "# A\n\n```{toctree}\n:hidden:\n\ntutorial/own-model\nhowto/index\n"
    )
    assert "\npipelines\n" in contents.with_tree("howto/index", "# B\n")
    assert "\nparse-once\n" in contents.with_tree("decisions/README", "# C\n")
    assert contents.with_tree("howto/pipelines", "# D\n") == "# D\n"
