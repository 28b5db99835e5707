"""The fields of results, from the records that carry them.

A field is explained by its docstring; one that has none, because its name says it all, by its row in
docs/reference/results.md.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from compress_guard.records import CellResult, RecoveryPoint, RecoveryResult, ThroughputResult, TrafficResult
from compress_guard.records.cell_parts.part import CellPart
from compress_guard.records.slices import SliceResult
from docs._generate.markdown import cell, code, table
from docs._generate.units import unit

RECORDS: Final[tuple[tuple[str, type, str], ...]] = (
    ("A cell", CellResult, "a-cell"),
    ("A slice of a cell", SliceResult, "a-cell"),
    ("A throughput cell", ThroughputResult, "a-throughput-cell"),
    ("A recovery cell", RecoveryResult, "a-recovery-cell"),
    ("A point of a recovery cell", RecoveryPoint, "a-recovery-cell"),
    ("The drop over the traffic", TrafficResult, "the-drop-over-the-traffic"),
)
"""Heading, record, and the section of docs/reference/results.md that explains it."""
AS_LISTS: Final[Mapping[str, str]] = {
    "settings": "list of `{setting, images}`",
    "steps": "list of `{step, bpp}`",
    "outliers": "list of `{id, psnr}`",
    "worst": "list of `{id, points}`",
}
"""Fields of a cell whose form in JSON is another than in Python: see `CellResult.as_dict`."""
ROW: Final = re.compile(r"^\| (`[^|]+`) \| (.+) \|$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a record."""

    name: str
    path: str
    """Path of the field in Python, such as ``scores.drop``."""
    hint: Any
    text: str | None
    """Its docstring."""


def fields_of(record: type) -> list[Field]:
    """Return the fields of a record in the order of the results file, those of its parts among them."""
    made: dict[str, Field] = {}
    hints, texts = get_type_hints(record), field_docstrings(record)
    for each in fields(record):
        part = hints[each.name]
        if isinstance(part, type) and issubclass(part, CellPart):
            inner = get_type_hints(part), field_docstrings(part)
            for own in fields(part):
                name = own.name
                made[name] = Field(name, f"{each.name}.{name}", inner[0][name], inner[1].get(name))
        else:
            made[each.name] = Field(each.name, each.name, part, texts.get(each.name))
    order = record.field_names() if record is CellResult else made
    return [made[name] for name in order]


def field_docstrings(record: type) -> dict[str, str]:
    """Return the docstring of each attribute that has one: the text on the lines below it."""
    (body,) = ast.parse(textwrap.dedent(inspect.getsource(record))).body
    assert isinstance(body, ast.ClassDef)
    found: dict[str, str] = {}
    for attribute, text in zip(body.body, body.body[1:], strict=False):
        documented = isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant) and str(text.value.value)
        if documented and isinstance(attribute, ast.AnnAssign) and isinstance(attribute.target, ast.Name):
            found[attribute.target.id] = documented
    return found


def rows_by_hand(page: str, anchor: str) -> dict[str, str]:
    """Return what the tables of a page say of each field, those of the section `anchor` first."""
    parts = re.split(r"^(?=## )", page, flags=re.MULTILINE)
    parts.sort(key=lambda part: slug(part.partition("\n")[0].removeprefix("## ")) != anchor)
    made: dict[str, str] = {}
    for names, text in ROW.findall("".join(parts)):
        for name in re.findall(r"`(\w+)`", names):
            made.setdefault(name, text)
    return made


def slug(heading: str) -> str:
    """Return the anchor of a heading."""
    return heading.lower().replace(" ", "-")


def type_text(hint: Any) -> str:
    """Return the form of a value in JSON, in words."""
    if get_origin(hint) is Literal:
        return ", ".join(code(str(value)) for value in get_args(hint))
    if get_origin(hint) in (Union, types.UnionType):
        return " or ".join(type_text(each) for each in get_args(hint))
    if get_origin(hint) in (tuple, list):
        return f"list of {type_text(get_args(hint)[0])}"
    if is_dataclass(hint) or get_origin(hint) in (dict, Mapping):
        return "object"
    words = {float: "number", int: "whole number", str: "text", bool: "`true` or `false`", type(None): "`null`"}
    return words[hint]


def fields_part() -> str:
    """Return the part on fields: a table for each kind of result."""
    page = (Path(__file__).parents[1] / "reference" / "results.md").read_text(encoding="utf-8")
    return "\n".join(_section(*record, rows_by_hand(page, record[2])) for record in RECORDS)


def _section(heading: str, record: type, anchor: str, by_hand: Mapping[str, str]) -> str:
    link = f"In Python `compress_guard.records.{record.__name__}`; more in [results](results.md#{anchor}).\n"
    headings = ("field", "value", "unit", "meaning")
    return f"## {heading}\n\n{link}\n" + table(headings, _rows(record, by_hand))


def _rows(record: type, by_hand: Mapping[str, str]) -> Iterator[tuple[str, str, str, str]]:
    for each in fields_of(record):
        shown = AS_LISTS.get(each.name, type_text(each.hint)) if record is CellResult else type_text(each.hint)
        figure = float in (each.hint, *get_args(each.hint))
        meaning = cell(each.text.replace("``", "`")) if each.text else by_hand.get(each.name, "")
        yield code(each.name), shown, (unit(each.name) or "") if figure else "", meaning
