"""Changes to a page when the site is built: links out of docs/, flowcharts."""

from __future__ import annotations

from docs._generate.diagram import rows, with_diagrams
from docs._generate.outside import with_links_to

CHART = """flowchart TB
    a["first<br/>of all"]
    b["second & more"]
    c["third"]
    d["last"]
    a --> b & c
    b & c --> d
    a --> d
"""


def test_links_out_of_the_documents_lead_to_the_repository() -> None:
    text = "[s](../../SECURITY.md#not-promised), [p](pipelines.md#x), [d](../decisions/README.md), [w](https://e.org/a)"
    assert with_links_to("https://host/blob/1", "howto/start", text) == (
        "[s](https://host/blob/1/SECURITY.md#not-promised), [p](pipelines.md#x), [d](../decisions/README.md), "
        "[w](https://e.org/a)"
    )


def test_links_out_of_the_documents_lead_to_copies_where_the_repository_has_no_address() -> None:
    text = "[s](../../SECURITY.md#not-promised), [e](../../examples/recipes.py), [a](#here), [the `f`](../../examples)"
    assert with_links_to("", "howto/start", text) == (
        "[s](path:../../SECURITY.md), [e](path:../../examples/recipes.py), [a](#here), the `f`"
    )


def test_pictures_stay() -> None:
    text = "![a report](../images/report.webp)"
    assert with_links_to("https://host", "howto/start", text) == text


def test_a_node_stands_below_all_that_lead_to_it() -> None:
    assert rows(CHART) == [["first<br/>of all"], ["second & more", "third"], ["last"]]


def test_a_flowchart_becomes_boxes_and_other_blocks_stay() -> None:
    other = "```python\nx\n```\n"
    text = with_diagrams(f"{other}```mermaid\n{CHART}```\nafter\n")
    assert text.startswith(other)
    assert text.endswith("</div>\nafter\n")
    assert "<li><strong>first</strong> of all</li>" in text
    assert "<li><strong>second &amp; more</strong></li>" in text
    assert text.count('<ul class="layer">') == 3
