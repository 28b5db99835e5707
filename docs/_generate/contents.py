"""The tree of the site's pages: those of each folder in the order in which docs/index.md links to them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

DOCS: Final = Path(__file__).parents[1]
FOLDERS: Final = {
    "tutorial": "Tutorial",
    "howto": "How-to guides",
    "explanation": "Explanation",
    "reference": "Reference",
    "decisions": "Decisions",
}
"""The folders of pages, with their headings in the navigation."""
LINK: Final = re.compile(r"\]\((\w+/[\w-]+)\.md\)")


def pages(folder: str, index: str, docs: Path = DOCS) -> list[str]:
    """Return the pages of a folder without their suffix: those that the index links to, and then the others."""
    there = sorted(f"{folder}/{path.stem}" for path in (docs / folder).glob("*.md"))
    linked = [page for page in dict.fromkeys(LINK.findall(index)) if page in there]
    return linked + [page for page in there if page not in linked]


def with_trees(index: str) -> str:
    """Return the index with a hidden tree of the pages of each folder."""
    listed = {heading: pages(folder, index) for folder, heading in FOLDERS.items()}
    trees = [
        f"```{{toctree}}\n:hidden:\n:caption: {heading}\n\n" + "\n".join(names) + "\n```\n"
        for heading, names in listed.items()
        if names
    ]
    return "\n".join([index, *trees])
