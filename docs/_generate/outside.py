"""Links that lead out of docs/, to files and folders of the repository."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
LINK: Final = re.compile(r"(?<!!)\[([^\]]+)\]\((?!https?://|mailto:|#)([^)#\s]+)(#[^)\s]*)?\)")


def with_links_to(address: str, page: str, text: str) -> str:
    """Return the text of a page with links out of docs/ as addresses below `address`.

    `page` is its path in docs/ without suffix, as Sphinx names documents. Without an address the site has copies of
    the files, to which the scheme `path` of MyST leads, and a folder has no link.
    """

    def outer(link: re.Match[str]) -> str:
        words, where, anchor = link.groups()
        target = posixpath.normpath(posixpath.join("docs", posixpath.dirname(page), where))
        if target.startswith("docs/"):
            return link[0]
        if address:
            return f"[{words}]({address}/{target}{anchor or ''})"
        return words if (ROOT / target).is_dir() else f"[{words}](path:{where})"

    return LINK.sub(outer, text)
