"""The extension of Sphinx that makes pages complete when they are read."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from docs._generate.contents import with_tree
from docs._generate.diagram import with_diagrams
from docs._generate.outside import with_links_to
from docs._generate.parts import with_parts

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def complete(app: Sphinx, page: str, source: list[str]) -> None:
    """Put the generated parts and figures into the text of a page, and the tree of its pages into that of an index."""
    del app
    text = with_tree(page, with_diagrams(with_parts(source[0])))
    source[0] = with_links_to(os.environ.get("COMPRESS_GUARD_SOURCES", ""), page, text)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.connect("source-read", complete)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
