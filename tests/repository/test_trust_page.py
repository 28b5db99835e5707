"""docs/explanation/trust.md names no check that is not there: fields are of a result, messages of the code."""

from __future__ import annotations

import ast
import functools
import re
from dataclasses import fields
from pathlib import Path
from typing import Final

import pytest

from compress_guard.plugin import options
from compress_guard.records import CellResult, Ending

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = (ROOT / "docs" / "explanation" / "trust.md").read_text(encoding="utf-8")
FIELDS: Final = {*CellResult.field_names(), *(field.name for field in fields(Ending))}
GAP: Final = "…"


def rows():
    """The cells of the tables' rows, without heads."""
    lines = [line for line in PAGE.splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines]
    return [row for row in cells if row[0] != "look"]


@functools.cache
def messages():
    """Every text in the package's code but docstrings, with a gap in place of what is put in."""
    found = []
    for path in (ROOT / "compress_guard").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        documents = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if id(node) in documents:
                continue
            if isinstance(node, ast.JoinedStr):
                parts = [str(one.value) if isinstance(one, ast.Constant) else GAP for one in node.values]
                found.append("".join(parts))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(re.sub(r"\{\w+\}", GAP, node.value))
    return found


SHOWN: Final = [row[2] for row in rows()]


def test_every_look_has_its_three_columns_and_shows_somewhere():
    assert len(SHOWN) > 30
    assert all(len(row) == 3 for row in rows())
    assert [text for text in SHOWN if not re.search(r'`\w+`|"[^"]+"|^none: ', text)] == []


@pytest.mark.parametrize("name", sorted({name for text in SHOWN for name in re.findall(r"`([^`]+)`", text)}))
def test_what_shows_a_look_is_a_field_of_results_or_an_option(name):
    if name.startswith("--"):
        assert f'"{name}"' in Path(options.__file__).read_text(encoding="utf-8")
    else:
        assert name in FIELDS


@pytest.mark.parametrize("words", sorted({words for text in SHOWN for words in re.findall(r'"([^"]+)"', text)}))
def test_words_of_a_message_are_in_the_code(words):
    pattern = re.compile(".*?".join(map(re.escape, words.split(GAP))), re.DOTALL)
    assert any(pattern.search(text) for text in messages())


@pytest.mark.parametrize("page", ["docs/explanation/trust.md", "SECURITY.md"])
def test_keys_and_names_in_the_text_exist(page):
    """Code spans of one word are fields, or words that the code or the documents of keys know."""
    text = (ROOT / page).read_text(encoding="utf-8")
    known = "\n".join(
        path.read_text(encoding="utf-8")
        for path in [
            *(ROOT / "compress_guard").rglob("*.py"),
            ROOT / "docs" / "reference" / "thresholds.md",
            ROOT / "README.md",
        ]
    )
    names = set(re.findall(r"`(--[a-z-]+|\w+)`", text))
    assert names
    assert [name for name in sorted(names - {"main"}) if not re.search(rf"(?<!\w){re.escape(name)}(?!\w)", known)] == []
