"""Results as a file of JUnit XML, for runs that have no pytest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TypeAlias
from xml.etree import ElementTree as ET

from compress_guard.foreign import shown_line
from compress_guard.records import CellResult, RecoveryResult, ThroughputResult
from compress_guard.report.junit import not_measured_property, properties

Result: TypeAlias = CellResult | RecoveryResult | ThroughputResult


def junit(results: Sequence[Result], missing: Sequence[str] = ()) -> bytes:
    """Return a document with a test case for each result, and an error for each cell that is `missing`."""
    counts = Counter(result.outcome for result in results)
    suite = ET.Element("testsuite", name="compress_guard", tests=str(len(results) + len(missing)))
    suite.set("failures", str(counts["failed"]))
    suite.set("errors", str(len(missing)))
    suite.set("skipped", str(counts["skipped"]))
    if missing:
        name, value = not_measured_property(missing)
        ET.SubElement(ET.SubElement(suite, "properties"), "property", name=name, value=value)
    for result in results:
        case = _case(suite, result.id)
        case.set("time", f"{result.seconds or 0:.3f}")
        listed = ET.SubElement(case, "properties")
        for name, value in properties(result):
            ET.SubElement(listed, "property", name=name, value=value)
        if result.outcome != "passed":
            tag = "failure" if result.outcome == "failed" else "skipped"
            ET.SubElement(case, tag, message=shown_line(result.reason))
    for node_id in missing:
        ET.SubElement(_case(suite, node_id), "error", message="no job has measured this cell")
    root = ET.Element("testsuites")
    root.append(suite)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def _case(suite: ET.Element, node_id: str) -> ET.Element:
    file, _, name = shown_line(node_id).rpartition("::")
    return ET.SubElement(suite, "testcase", classname=file.replace("/", "."), name=name)
