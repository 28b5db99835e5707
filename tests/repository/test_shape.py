"""The shape of the package: one class for each name, few parameters, short functions."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, TypeAlias

PACKAGE: Final = Path(__file__).parents[2] / "compress_guard"
Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
Definition: TypeAlias = tuple[str, ast.ClassDef | Function]
"""Place of a class or function, as ``folder/module.py:Class.method``, and its syntax tree."""

MOST_PARAMETERS: Final = 5
"""Without self and cls. A function that needs more wants a record, or an entry below."""
MOST_LINES: Final = 65
"""The longest function, its docstring included."""

MANY_PARAMETERS: Final[Mapping[str, str]] = {
    "engine/cells/slices.py:judge_slices": "a cell's evidence on both sides, and what judges it",
    "engine/coding/compress.py:compress": "public: the name of a codec and how it is to be used",
    "engine/compressed_batches.py:compressed_batches": "a guard's cell on other data, and how a test takes the batches",
    "engine/keyword_guard.py:one_cell_guard": "the keys of a guard in thresholds.yaml, each by its name",
    "engine/models/predictor.py:Predictor.__init__": "the parameters of `predictor`",
    "engine/models/predictor.py:predictor": "public: a module and, each by its name, how it is called",
    "engine/images/reader.py:SampleReader.__init__": "a data set, and how each part of a sample is read",
    "engine/prediction/subject.py:Subject.__init__": "a model and a data set, and how each is used",
    "engine/recovery/batches.py:Batches.__init__": "what the batches are a pure function of, each by its name",
    "engine/recovery/material.py:Material.__init__": "images of a guard, how they are coded, where they are kept",
    "engine/recovery/recipes.py:finetune": "public: a trainer is offered all of these by name",
    "engine/session.py:Session.measure": "a cell and, apart from it, those who listen",
    "engine/single_cell.py:measure": "public, keyword-only but for what is measured",
    "engine/throughput/cells.py:contest_of": "public, keyword-only but for what is measured",
    "plugin/fixtures/guard_fixture.py:GuardFacade.check": "public, keyword-only but for what is measured",
    "plugin/fixtures/guard_fixture.py:GuardFacade.measure": "public, keyword-only but for what is measured",
    "rate/plan.py:_planned": "the parts of one planned rate",
    "rate/plan.py:plan": "a pure function of images, codec, rates and seed, each by its name",
    "report/results_file.py:write": "the parts of a results file, each by its name",
    "verdict/bootstrap.py:interval": "two samples of one score and how they are resampled",
    "verdict/bootstrap.py:interval_of": "one sample of a score and how it is resampled",
    "verdict/judgement.py:decide": "three intervals and the limit of each",
    "verdict/judgement.py:explained": "the parts of one sentence",
    "verdict/judgement.py:judge": "the keywords are the cell's and the run's own, one record more would hide them",
    "verdict/power.py:images_needed_of_flags": "a formula's symbols",
    "verdict/recovery.py:share": "three scorers of one share and how they are resampled",
    "verdict/settlement.py:settle": "a judgement, its limits and the policy, each by its name",
    "verdict/settlement.py:settle_recovery": "a judgement, its limit and the policy, each by its name",
    "verdict/stopping.py:EarlyStop.__init__": "the keywords of `judge`",
}
"""Functions with more parameters than that, each with the reason."""

LONG_FUNCTIONS: Final[Mapping[str, str]] = {}
"""Functions with more lines than that, each with the reason."""

LATE_IMPORTS: Final[Mapping[str, str]] = {
    "cli/__init__.py": "help and version come without the gate",
    "cli/arguments/measuring.py": "help and version come without the gate",
    "cli/arguments/parser.py": "help and version come without the gate",
    "codecs/neural/codec.py": "naming a codec needs no numpy",
    "codecs/neural/model.py": "a class of torch's: torch is imported on use; naming a codec needs no numpy",
    "plugin/cells/items.py": "collecting needs no report of failures",
    "plugin/cells/reruns.py": "collecting needs no report",
    "plugin/cells/throughput.py": "collecting needs no engine",
    "plugin/fixtures/definitions.py": "loaded in every pytest run: see tests/plugin/test_switch.py",
    "plugin/hooks.py": "loaded in every pytest run: see tests/plugin/test_switch.py",
    "plugin/options.py": "loaded in every pytest run: see tests/plugin/test_switch.py",
    "plugin/output/earlier_reports.py": "collecting needs no report",
    "plugin/output/lost_cells.py": "only runs that broke off need it",
    "plugin/output/shown.py": "collecting needs no report and no engine",
    "plugin/output/summary.py": "collecting needs no report and no engine",
    "plugin/output/terminal.py": "collecting needs no report",
    "plugin/output/traffic.py": "only files with shares of traffic need it",
    "plugin/output/updated.py": "collecting needs no report",
    "plugin/results.py": "collecting needs no report",
    "plugin/run.py": "collecting needs no engine",
    "plugin/workers/crashes.py": "only a crash needs a report and the engine",
    "plugin/workers/distribution.py": "pytest-xdist is optional",
    "report/brief.py": "verdict loads numpy: a report of failures alone does without",
    "report/notes/certainty.py": "verdict loads numpy: a report of failures alone does without",
    "report/notes/together.py": "verdict loads numpy: a report of failures alone does without",
    "report/throughput.py": "verdict loads numpy: a report of failures alone does without",
}
"""Modules that import others of the package inside functions, each with the reason."""


def definitions(package: Path) -> Iterator[Definition]:
    """Yield every class and function of a package, inner ones too."""
    for path in sorted(package.rglob("*.py")):
        yield from within(ast.parse(path.read_text(encoding="utf-8")), f"{path.relative_to(package).as_posix()}:")


def within(node: ast.AST, prefix: str) -> Iterator[Definition]:
    """Yield the classes and functions inside a node, whose names begin with this prefix."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield prefix + child.name, child
            yield from within(child, f"{prefix}{child.name}.")
        else:
            yield from within(child, prefix)


def functions(package: Path) -> Iterator[tuple[str, Function]]:
    for name, node in definitions(package):
        if not isinstance(node, ast.ClassDef):
            yield name, node


def homonyms(package: Path) -> dict[str, list[str]]:
    """Return the names that several classes bear, with the places of these."""
    places: dict[str, list[str]] = defaultdict(list)
    for place, node in definitions(package):
        if isinstance(node, ast.ClassDef):
            places[node.name].append(place)
    return {name: several for name, several in places.items() if len(several) > 1}


def parameters(function: Function) -> list[str]:
    """Return the names of a function's parameters, without self, cls, ``*args`` and ``**kwargs``."""
    given = function.args
    names = [each.arg for each in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    return names[1:] if names[:1] in (["self"], ["cls"]) else names


def with_many_parameters(package: Path) -> set[str]:
    return {name for name, node in functions(package) if len(parameters(node)) > MOST_PARAMETERS}


def long_functions(package: Path) -> set[str]:
    return {name for name, node in functions(package) if (node.end_lineno or node.lineno) - node.lineno >= MOST_LINES}


def with_late_imports(package: Path) -> set[str]:
    """Return the modules that import others of the package inside functions, as ``folder/module.py``."""
    return {
        name.partition(":")[0]
        for name, function in functions(package)
        for node in ast.walk(function)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("compress_guard")
    }


def test_no_two_classes_have_one_name() -> None:
    assert homonyms(PACKAGE) == {}


def test_functions_with_many_parameters_are_those_with_a_reason() -> None:
    assert with_many_parameters(PACKAGE) == MANY_PARAMETERS.keys()


def test_long_functions_are_those_with_a_reason() -> None:
    assert long_functions(PACKAGE) == LONG_FUNCTIONS.keys()


def test_modules_import_one_another_at_the_top_but_for_those_with_a_reason() -> None:
    assert with_late_imports(PACKAGE) == LATE_IMPORTS.keys()


def test_what_is_against_the_rules_is_found(tmp_path: Path) -> None:
    (tmp_path / "rate").mkdir()
    (tmp_path / "rate" / "plan.py").write_text(
        "class Plan:\n    def __init__(self, a, b, c, d, e): pass\n    def at(self, a, b, /, c, *, d, e, f): pass\n",
        encoding="utf-8",
    )
    body = "    pass\n" * (MOST_LINES - 1)
    (tmp_path / "store.py").write_text(
        f"def opened():\n    class Plan: pass\ndef fits():\n{body}def long():\n{body}    pass\n", encoding="utf-8"
    )
    (tmp_path / "files.py").write_text(
        "import os\ndef f():\n    import compress\n    from compress_guard.store import Store\n", encoding="utf-8"
    )
    assert with_late_imports(tmp_path) == {"files.py"}
    assert homonyms(tmp_path) == {"Plan": ["rate/plan.py:Plan", "store.py:opened.Plan"]}
    assert with_many_parameters(tmp_path) == {"rate/plan.py:Plan.at"}
    assert long_functions(tmp_path) == {"store.py:long"}
