"""Links of the documents lead to a file of the checkout; tests of headings are in test_documents."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
PAGES: Final = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")]
CODE: Final = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def links() -> Iterator[tuple[Path, Path]]:
    """Each page with every file that it links to."""
    for page in PAGES:
        targets = re.findall(r"\]\((?!https?://|#)([^)#\s]+)", CODE.sub("", page.read_text(encoding="utf-8")))
        yield from ((page, (page.parent / target).resolve()) for target in dict.fromkeys(targets))


def test_links_lead_to_files_of_the_checkout() -> None:
    found = list(links())
    assert len(found) > 50
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page, target in found
        if not (target.exists() and target.is_relative_to(ROOT))
    ]
    assert broken == []


@pytest.mark.parametrize("name", ["SECURITY.md", "docs/explanation/trust.md"])
def test_what_is_said_of_trust_is_linked_from_the_readme_and_from_the_documents(name: str) -> None:
    linking = {page for page, target in links() if target == ROOT / name}
    assert ROOT / "README.md" in linking
    assert any(page.is_relative_to(ROOT / "docs") for page in linking)
