"""Configuration of the documentation site: ``make docs`` builds it into build/site; every warning is an error."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from compress_guard import __version__  # noqa: E402 - the checkout has to be found first

project = "compress_guard"
author = "The compress_guard authors"
project_copyright = author
version = release = __version__

extensions = [
    "docs._generate.site",
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
]
exclude_patterns = ["_generate"]
nitpicky = True
nitpick_ignore_regex = [
    # Types in signatures. Those of other packages have pages elsewhere, and the build reads nothing from the network;
    # those of our own that are not on the page of the API are internal, and are to have no page.
    (r"py:.*", r"(?!compress_guard\.).+"),
    (r"py:.*", r"compress_guard\.(cells?|codecs|engine|plugin|rate|records|registry|tasks|thresholds|verdict)\..+"),
]
default_role = "literal"  # a name between single backticks in a docstring is code

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 4  # the anchors that GitHub gives, so that a link holds in both

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
toc_object_entries_show_parents = "hide"
napoleon_google_docstring = True
napoleon_numpy_docstring = False

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["site.css"]
smartquotes = False  # options begin with two hyphens

html_title = f"compress_guard {release}"
html_show_copyright = False
html_show_sphinx = False
html_copy_source = False
html_theme_options = {"navigation_with_keys": True}
pygments_style = "default"
pygments_dark_style = "github-dark"
copybutton_prompt_text = "$ "
