"""Links that lead out of docs/, to files of the repository."""

from __future__ import annotations

import posixpath
import re
from typing import Final

LINK: Final = re.compile(r"(?<=\]\()(?!https?://|mailto:|#)([^)#\s]+)(#[^)\s]*)?")


def with_links_to(address: str, page: str, text: str) -> str:
    """Return the text of a page with links out of docs/ as addresses below `address`.

    `page` is its path in docs/ without suffix, as Sphinx names documents. Without an address the site has copies of
    these files, to which the scheme `path` of MyST leads.
    """

    def outer(link: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join("docs", posixpath.dirname(page), link[1]))
        if target.startswith("docs/"):
            return link[0]
        return f"{address}/{target}{link[2] or ''}" if address else f"path:{link[1]}"

    return LINK.sub(outer, text)
