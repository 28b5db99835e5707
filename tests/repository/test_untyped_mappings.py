"""Records cross the layers: a mapping of names to anything stands only where its reason is listed."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

PACKAGE: Final = Path(__file__).parents[2] / "compress_guard"
UNTYPED: Final = re.compile(r"\b(?:dict|Mapping|MutableMapping)\[str, (?:typing\.)?Any\]")

JSON: Final = "JSON values, at the door to a file"
KEYWORDS: Final = "keywords of a call, before they are checked"
SAVING: Final = "keywords of Pillow's save"
OUTPUT: Final = "output of a model of the user's, before it is checked"

ALLOWED: Final[Mapping[str, str]] = {
    "augment/aim.py:Learnt.of": JSON,
    "augment/aim.py:table": JSON,
    "codecs/avif.py:Avif._save_options": SAVING,
    "codecs/jp2.py:Jp2._save_options": SAVING,
    "codecs/jpeg.py:Jpeg._save_options": SAVING,
    "codecs/jxl.py:Jxl._save_options": SAVING,
    "codecs/neural/model.py:_frequencies": "tables of a file of weights",
    "codecs/pillow.py:PillowCodec._save_options": SAVING,
    "codecs/webp.py:WebP._save_options": SAVING,
    "codecs/zoo/network.py:CompressaiModel._options": "keywords of methods of compressai",
    "engine/cells/changes.py:_number": "arrays of evidence, which differ by task",
    "engine/coding/available.py:codec_options": KEYWORDS,
    "engine/coding/fidelity.py:Seen.as_dict": JSON,
    "engine/coding/fidelity.py:Seen.from_dict": JSON,
    "engine/models/outputs.py:detections_of": OUTPUT,
    "engine/models/predictor.py:_boxes_at_source": OUTPUT,
    "engine/prediction/lossless_control.py:Png._save_options": SAVING,
    "engine/prediction/subject.py:Subject.__init__": "what callers of `once` make, which is typed there",
    "engine/recovery/trainer.py:Trainer._taken": "keywords offered to a trainer of the user's",
    "engine/recovery/trainer.py:Trainer.finetune": "keywords offered to a trainer of the user's",
    "engine/recovery/trainings.py:Trainings._described": JSON,
    "engine/recovery/weights.py:Weights.keep": JSON,
    "engine/session.py:Session.__init__": "models and data sets of the user's, by factory",
    "engine/single_cell.py:warn_of_doubts": KEYWORDS,
    "engine/single_cell.py:warn_of_shares": KEYWORDS,
    "plugin/fixtures/batches_fixture.py:_cell": KEYWORDS,
    "plugin/fixtures/batches_fixture.py:_cells": KEYWORDS,
    "plugin/fixtures/guard_fixture.py:_check_keywords": KEYWORDS,
    "plugin/fixtures/throughput_fixture.py:CodecThroughput._timed": KEYWORDS,
    "plugin/output/reports.py:from_values": JSON,
    "plugin/output/reports.py:to_values": JSON,
    "plugin/run.py:place_of": "pytest-xdist's workerinput",
    "records/plans.py:PlannedRate.from_dict": JSON,
    "records/recovery.py:RecoveryResult.as_dict": JSON,
    "records/recovery.py:RecoveryResult.from_dict": JSON,
    "records/recovery.py:_known": JSON,
    "records/recovery.py:_point": JSON,
    "records/results.py:CellResult.as_dict": JSON,
    "records/results.py:CellResult.from_dict": JSON,
    "records/results.py:CellResult.from_fields": "values of JSON that are tuples and slices again, by their keys",
    "records/slices.py:SliceResult.from_dict": JSON,
    "records/throughput.py:ThroughputResult.as_dict": JSON,
    "records/throughput.py:ThroughputResult.from_dict": JSON,
    "registry.py:Registry.__init__": "classes of any kind, by name",
    "report/notes/environment.py:environment": JSON,
    "report/results_file.py:_made": JSON,
    "report/results_file.py:_salvaged": JSON,
    "report/results_file.py:document": JSON,
    "report/results_file.py:write": JSON,
    "tasks/detection.py:_Table.columns": "columns that a data set or a model of the user's gives",
    "thresholds/catalogue.py:_check_options": KEYWORDS,
    "transforms.py:RandomCompression.make_params": "the protocol of torchvision's transforms",
    "transforms.py:RandomCompression.transform": "the protocol of torchvision's transforms",
    "transforms.py:_named": KEYWORDS,
    "transforms.py:_round_trip": KEYWORDS,
}
"""Functions and attributes with such an annotation, each with the reason."""


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
    """Return the places in a package, as ``folder/module.py:Class.method``, with such an annotation."""
    places = set()
    for path in sorted(package.rglob("*.py")):
        module = f"{path.relative_to(package).as_posix()}:"
        for name, annotation in annotated(ast.parse(path.read_text(encoding="utf-8")), module):
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
        "rate/plan.py:TABLE",
        "rate/plan.py:Plan.known",
        "rate/plan.py:Plan.__init__",
        "rate/plan.py:Plan.fields",
        "rate/plan.py:read",
    }
