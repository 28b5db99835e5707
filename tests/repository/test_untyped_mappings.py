"""Records cross the layers: a mapping of names to anything stands only where its reason is listed."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

PACKAGE: Final = Path(__file__).parents[2] / "compress_guard"
UNTYPED: Final = re.compile(r"\b(?:dict|Mapping|MutableMapping)\[str, (?:typing\.)?Any\]")

TYPES: Final = "annotations of fields, which may be any type"
JSON: Final = "JSON values, at the door to a file"
KEYWORDS: Final = "keywords of a call, before they are checked"
SAVING: Final = "keywords of Pillow's save"
OUTPUT: Final = "output of a model of the user's, before it is checked"

ALLOWED: Final[Mapping[str, str]] = {
    "Avif._save_options": SAVING,
    "CellResult.as_dict": JSON,
    "PlannedRate.as_dict": JSON,
    "CellResult.from_dict": JSON,
    "CellResult.from_fields": "values of JSON that are tuples and slices again, by their keys",
    "ClassScore.from_dict": JSON,
    "CodecThroughput._timed": KEYWORDS,
    "CompressaiModel._options": "keywords of methods of compressai",
    "Jp2._save_options": SAVING,
    "Jpeg._save_options": SAVING,
    "Jxl._save_options": SAVING,
    "Learnt.of": JSON,
    "NamedImage.from_dict": JSON,
    "PillowCodec._save_options": SAVING,
    "PlannedRate.from_dict": JSON,
    "RandomCompression.make_params": "the protocol of torchvision's transforms",
    "RandomCompression.transform": "the protocol of torchvision's transforms",
    "RecoveryResult.as_dict": JSON,
    "RecoveryResult.from_dict": JSON,
    "Registry.__init__": "classes of any kind, by name",
    "Seen.as_dict": JSON,
    "Seen.from_dict": JSON,
    "Session.__init__": "models and data sets of the user's, by factory",
    "SliceResult.from_dict": JSON,
    "Subject.__init__": "what callers of `once` make, which is typed there",
    "ThroughputResult.as_dict": JSON,
    "ThroughputResult.from_dict": JSON,
    "TrafficResult.from_dict": JSON,
    "Trainer._taken": "keywords offered to a trainer of the user's",
    "Trainer.finetune": "keywords offered to a trainer of the user's",
    "Trainings._described": JSON,
    "WebP._save_options": SAVING,
    "Weights.keep": JSON,
    "_ABSENT": JSON,
    "_Table.columns": "columns that a data set or a model of the user's gives",
    "_boxes_at_source": OUTPUT,
    "_cell": KEYWORDS,
    "_cells": KEYWORDS,
    "_check_keywords": KEYWORDS,
    "_check_options": KEYWORDS,
    "_hints": TYPES,
    "_earlier": KEYWORDS,
    "_frequencies": "tables of a file of weights",
    "_known": JSON,
    "_made": JSON,
    "_named": KEYWORDS,
    "_number": "arrays of evidence, which differ by task",
    "_of_neighbours": "fields of a cell, each by its name",
    "_point": JSON,
    "_round_trip": KEYWORDS,
    "_salvaged": JSON,
    "check_no_baseline": KEYWORDS,
    "codec_options": KEYWORDS,
    "detections_of": OUTPUT,
    "document": JSON,
    "environment": JSON,
    "from_values": JSON,
    "place_of": "pytest-xdist's workerinput",
    "table": JSON,
    "to_values": JSON,
    "types_of": TYPES,
    "warn_of_doubts": KEYWORDS,
    "warn_of_shares": KEYWORDS,
    "write": JSON,
}
"""Functions and attributes with such an annotation, each with the reason; in whatever module, so that it may move."""


def annotated(node: ast.AST, prefix: str, *, local: bool = False) -> Iterator[tuple[str, ast.expr]]:
    """Yield the annotations inside a node with the name of the function or attribute that each belongs to.

    Local variables are left out: they cross nothing.
    """
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            name = f"{prefix}{child.name}"
            yield from ((name, annotation) for annotation in (*of_parameters(child), *of_attributes(child)))
            if child.returns is not None:
                yield name, child.returns
            yield from annotated(child, f"{name}.", local=True)
        elif isinstance(child, ast.ClassDef):
            yield from annotated(child, f"{prefix}{child.name}.")
        elif isinstance(child, ast.AnnAssign):
            if not local:
                yield f"{prefix}{ast.unparse(child.target)}", child.annotation
        else:
            yield from annotated(child, prefix, local=local)


def of_parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[ast.expr]:
    given = function.args
    for each in (*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg):
        if each is not None and each.annotation is not None:
            yield each.annotation


def of_attributes(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[ast.expr]:
    """Yield the annotations of attributes that a function sets."""
    for node in ast.walk(function):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Attribute):
            yield node.annotation


def untyped(package: Path) -> set[str]:
    """Return the functions and attributes of a package, as ``Class.method``, with such an annotation."""
    places = set()
    for path in sorted(package.rglob("*.py")):
        for name, annotation in annotated(ast.parse(path.read_text(encoding="utf-8")), ""):
            if UNTYPED.search(ast.unparse(annotation)):
                places.add(name)
    return places


def test_untyped_mappings_are_those_with_a_reason() -> None:
    assert untyped(PACKAGE) == ALLOWED.keys()


def test_what_is_against_the_rule_is_found(tmp_path: Path) -> None:
    (tmp_path / "rate").mkdir()
    (tmp_path / "rate" / "plan.py").write_text(
        "from typing import Any\n"
        "TABLE: dict[str, Any] = {}\n"
        "class Plan:\n"
        "    known: tuple[Mapping[str, Any], ...]\n"
        "    def __init__(self):\n        self.made: Final[dict[str, Any]] = {}\n"
        "    def fields(self) -> dict[str, Any]:\n        local: dict[str, Any] = {}\n        return local\n"
        "def counts(known: dict[str, int]) -> int:\n    local: dict[str, Any] = {}\n    return len(local)\n"
        "def read(*rows: list[dict[str, Any]]) -> None: ...\n",
        encoding="utf-8",
    )
    assert untyped(tmp_path) == {
        "TABLE",
        "Plan.known",
        "Plan.__init__",
        "Plan.fields",
        "read",
    }
