"""The table of generated parts, and how they get into a page."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from docs._generate.api import api_part
from docs._generate.commands import commands_part
from docs._generate.fields import fields_part
from docs._generate.keys import keys_part
from docs._generate.matrix import matrix_part
from docs._generate.options import options_part

PARTS: Final[Mapping[str, Callable[[], str]]] = {
    "keys": keys_part,
    "options": options_part,
    "commands": commands_part,
    "fields": fields_part,
    "api": api_part,
    "matrix": matrix_part,
}
MARK: Final = re.compile(r"<!-- generated: (\w+) -->\n(?:.*?<!-- end of \1 -->\n)?", re.DOTALL)
"""A mark, with what stands in the place of the part where nothing is generated, as on GitHub."""


def with_parts(text: str) -> str:
    """Return the text of a page with the generated parts in the places that it marks; raises KeyError for others."""
    return MARK.sub(lambda mark: PARTS[mark[1]](), text)
