"""The tree of the site's pages: those of each folder in the order in which its index links to them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

DOCS: Final = Path(__file__).parents[1]
LINK: Final = re.compile(r"\]\(([\w-]+)\.md[#)]")
FOLDERS: Final = {
    "tutorial": None,
    "howto": "index",
    "explanation": "index",
    "reference": "index",
    "decisions": "README",
}
"""The folders of pages in their order, each with the page that lists the others; None: there is no such page."""


def pages(folder: str, docs: Path = DOCS) -> list[str]:
    """Return the pages of a folder, without suffix, that its index lists, in its order, and then all others."""
    index = FOLDERS[folder]
    there = sorted(path.stem for path in (docs / folder).glob("*.md") if path.stem != index)
    text = (docs / folder / f"{index}.md").read_text(encoding="utf-8") if index else ""
    linked = [page for page in dict.fromkeys(LINK.findall(text)) if page in there]
    return linked + [page for page in there if page not in linked]


def tops(docs: Path = DOCS) -> list[str]:
    """Return the pages at the top of the navigation: the index of each folder, or its pages where it has none."""
    made: list[str] = []
    for folder, index in FOLDERS.items():
        made += [f"{folder}/{index}"] if index else [f"{folder}/{page}" for page in pages(folder, docs)]
    return made


def with_tree(page: str, text: str) -> str:
    """Return the text of an index with a hidden tree of its pages, and that of any other page as it is."""
    folder, _, name = page.rpartition("/")
    if page == "index":
        listed = tops()
    elif folder in FOLDERS and name == FOLDERS[folder]:
        listed = pages(folder)
    else:
        return text
    return f"{text}\n```{{toctree}}\n:hidden:\n\n" + "\n".join(listed) + "\n```\n"
