"""README.md is one screen: what the gate is, a matrix, how to try it, an own model, the way to each kind of page."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
README: Final = (ROOT / "README.md").read_text(encoding="utf-8")


def test_it_is_one_screen() -> None:
    assert len(README.splitlines()) <= 120


@pytest.mark.parametrize("words", ["make guard", "make test", "min_clean", "pytest --compress-guard", " FAIL"])
def test_it_shows_what_decides(words: str) -> None:
    assert words in README


@pytest.mark.parametrize("kind", ["tutorial", "howto", "explanation", "reference"])
def test_it_leads_to_each_kind_of_page(kind: str) -> None:
    assert re.search(rf"\]\(docs/{kind}/[\w-]+\.md\)", README)


def test_each_page_of_explanation_is_in_its_index() -> None:
    folder = ROOT / "docs" / "explanation"
    index = (folder / "index.md").read_text(encoding="utf-8")
    pages = {page.name for page in folder.glob("*.md")} - {"index.md"}
    assert {name for name in pages if f"]({name})" not in index} == set()


def test_options_and_commands_have_their_rows_in_the_reference() -> None:
    """README's tables are in the reference: an option of the plugin or a command without a row is noticed."""
    from compress_guard.cli.arguments import command_line
    from compress_guard.plugin import options

    page = (ROOT / "docs" / "reference" / "running.md").read_text(encoding="utf-8")
    declared = set(re.findall(r'"(--cg-[a-z-]+)"', Path(options.__file__).read_text(encoding="utf-8")))
    assert len(declared) > 10
    assert {name for name in declared if f"`{name}" not in page} == set()
    (commands,) = (action.choices for action in command_line()._actions if isinstance(action.choices, dict))
    assert {name for name in commands if f"`compress-guard {name}" not in page} == set()
