"""A flowchart of Mermaid as a stack of layers, for a site that runs no foreign script.

GitHub draws the flowchart itself. Here each node stands in the row below all those that lead to it.
"""

from __future__ import annotations

import html
import re
from itertools import pairwise, product
from typing import Final

FENCE: Final = re.compile(r"^```mermaid\nflowchart TB\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
NODE: Final = re.compile(r'^ +(\w+)\["(.+)"\]$', re.MULTILINE)


def with_diagrams(text: str) -> str:
    """Return the text of a page with its flowcharts as rows of boxes."""
    return FENCE.sub(lambda fence: _stack(fence[1]), text)


def rows(flowchart: str) -> list[list[str]]:
    """Return the labels of the nodes of each row, from the top."""
    labels = dict(NODE.findall(flowchart))
    arrows = [pair for line in flowchart.splitlines() if "-->" in line for pair in _arrows(line)]
    depth = dict.fromkeys(labels, 0)
    for _ in labels:  # the longest way to a node has fewer arrows than there are nodes
        for start, end in arrows:
            depth[end] = max(depth[end], depth[start] + 1)
    return [[labels[name] for name in labels if depth[name] == row] for row in range(max(depth.values()) + 1)]


def _arrows(line: str) -> list[tuple[str, str]]:
    groups = [[name.strip() for name in group.split("&")] for group in line.split("-->")]
    return [pair for above, below in pairwise(groups) for pair in product(above, below)]


def _stack(flowchart: str) -> str:
    boxes = (
        "".join(f"<li>{_box(label)}</li>" for label in row).join(('<ul class="layer">', "</ul>\n"))
        for row in rows(flowchart)
    )
    return '<div class="layers">\n' + "".join(boxes) + "</div>\n"


def _box(label: str) -> str:
    name, *more = label.split("<br/>")
    return f"<strong>{html.escape(name)}</strong> {html.escape(' '.join(more))}".rstrip()
