"""A module imports only from the lines above its own, and nothing heavy before it is needed."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
PACKAGE: Final = "compress_guard"

LINES: Final = (
    ("foreign", "installed"),
    ("errors", "interrupts", "files", "own_code"),
    ("records", "destination"),
    ("registry",),
    ("codecs", "tasks", "thresholds"),
    ("rate", "verdict", "store", "augment", "traffic", "results"),
    ("engine",),
    ("report", "transforms", "strategies", "github"),
    ("plugin", "cli"),
)
"""Layers, from the lowest to the highest. Parts on one line do not import one another."""

ENGINE: Final = (
    ("pace", "progress", "settings", "frames", "wording", "machine"),
    ("plan_ahead", "trouble", "releases"),
    ("models",),
    ("images",),
    ("coding",),
    ("prediction",),
    ("pictures",),
    ("cells", "compressed_batches", "keyword_guard", "recovery"),
    ("evidence_files", "single_cell", "unmeasured"),
    ("session",),
    ("readiness", "throughput", "traffic_drop"),
)
"""Layers of the folders and modules of engine, along the way of an image."""

PLUGIN: Final = (
    ("finder", "options", "modes", "benchmark_plugin", "results"),
    ("choice", "update"),
    ("decision",),
    ("run",),
    ("output",),
    ("cells",),
    ("workers",),
    ("fixtures",),
    ("collected",),
    ("gate",),
    ("hooks",),
)
"""Layers of the folders and modules of plugin, from the command line to the hooks.

Two modules that are there when the gate is off, hooks and fixtures/definitions, import the others inside functions.
"""

FOLDERS: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {"engine": ENGINE, "plugin": PLUGIN}
"""Folders that have lines of their own."""

LINE_OF: Final = {part: number for number, parts in enumerate(LINES, start=1) for part in parts} | {"__main__": 10}
MOST_MODULES: Final = 16
"""Largest number of modules in one folder, including `__init__`."""
HEAVY: Final = frozenset(
    [
        "PIL",
        "compressai",
        "constriction",
        "faster_coco_eval",
        "pillow_heif",
        "pillow_jxl",
        "pyvips",
        "safetensors",
        "scipy",
        "torch",
        "torchcodec",
        "torchvision",
    ]
)
NETWORKS: Final = frozenset(["codecs/neural/network.py", "transforms.py"])
"""Modules whose classes derive from torch's: they import it at the top, and are themselves imported on use only."""
WITHOUT_NUMPY: Final = frozenset(
    ["foreign", "errors", "interrupts", "registry", "thresholds", "plugin", "cli", "__main__", "__init__"]
)
"""Parts that a run without a gate, or a collection, goes through."""


@dataclass(frozen=True, slots=True)
class Import:
    """One imported module: where, what, and when it happens."""

    path: Path
    line: int
    target: str
    at_top: bool
    for_types: bool

    @property
    def part(self) -> str:
        """The part of the package that imports: a folder or a module right below the package."""
        return self.path.parts[0].removesuffix(".py")

    @property
    def where(self) -> str:
        return f"{self.path.as_posix()}:{self.line}"

    @property
    def module(self) -> str:
        """The importing module's dotted name."""
        return ".".join((PACKAGE, *self.path.with_suffix("").parts)).removesuffix(".__init__")


def imports(package: Path) -> Iterator[Import]:
    """Every import of every module of a package, those inside functions and for type checkers too."""
    for path in sorted(package.rglob("*.py")):
        below = path.relative_to(package)
        yield from walk(ast.parse(path.read_text(encoding="utf-8")), below, at_top=True, for_types=False)


def walk(node: ast.AST, path: Path, *, at_top: bool, for_types: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            for target in targets(child, path):
                yield Import(path, child.lineno, target, at_top, for_types)
        elif isinstance(child, ast.If) and ast.unparse(child.test).removeprefix("typing.") == "TYPE_CHECKING":
            for statement in child.body:
                yield from walk(ast.Module([statement], []), path, at_top=at_top, for_types=True)
            for statement in child.orelse:
                yield from walk(ast.Module([statement], []), path, at_top=at_top, for_types=for_types)
        else:
            inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from walk(child, path, at_top=at_top and not inside, for_types=for_types)


def targets(node: ast.Import | ast.ImportFrom, path: Path) -> Iterator[str]:
    """The dotted names that an import statement may load; of ``from a import b`` both a.b, since b may be a module."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
        return
    parents = (PACKAGE, *path.parts)[: -node.level] if node.level else ()
    base = ".".join([*parents, *([node.module] if node.module else [])])
    yield from (f"{base}.{alias.name}" for alias in node.names)


def part_of(target: str) -> str | None:
    """The part of the package that a dotted name lies in; None for other packages."""
    first, *rest = target.split(".")
    if first != PACKAGE:
        return None
    return rest[0] if rest else "__init__"


def problems(package: Path) -> list[str]:
    """Return the violations of the rules, one sentence each."""
    found = []
    for each in imports(package):
        name = each.target.split(".")[0]
        if each.part not in LINE_OF and each.part != "__init__":
            found.append(f"{each.where}: {each.part} is on no line; give it its place in LINES")
        elif (part := part_of(each.target)) is not None:
            found.extend(layer_problem(each, part))
        elif name in {"pytest", "_pytest", "xdist"} and each.part != "plugin":
            found.append(f"{each.where}: imports {name}; only plugin/ knows pytest")
        elif name in HEAVY and each.at_top and not each.for_types and each.path.as_posix() not in NETWORKS:
            found.append(f"{each.where}: imports {name} at the top; import it where it is used")
        elif name == "numpy" and each.part in WITHOUT_NUMPY and each.at_top and not each.for_types:
            found.append(f"{each.where}: imports numpy at the top; {each.part} is loaded before any number is needed")
    return found


def module_path(target: str) -> str:
    """Return the path of a module of the package, also from the name of an object in it."""
    path = target.removeprefix(f"{PACKAGE}.").replace(".", "/") + ".py"
    parent = path.rpartition("/")[0] + ".py"
    return parent if parent in NETWORKS else path


def layer_problem(each: Import, part: str) -> Iterator[str]:
    if module_path(each.target) in NETWORKS and each.at_top and not each.for_types:
        yield f"{each.where}: imports {each.target} at the top; it loads torch: import it where it is used"
    elif each.part == "__init__":
        if not each.for_types:
            yield f"{each.where}: imports {each.target}; the package root refers to modules by string"
    elif part == "__init__" or (part not in LINE_OF and each.target != f"{PACKAGE}.__version__"):
        yield f"{each.where}: imports {each.target}; import it from the module that defines it"
    elif part in LINE_OF and part != each.part and LINE_OF[part] >= LINE_OF[each.part]:
        yield (
            f"{each.where}: {each.part} (line {LINE_OF[each.part]}) imports {part} (line {LINE_OF[part]}); "
            "only from lines above"
        )


def problems_within(package: Path, folder: str) -> list[str]:
    """Return what is against the rules within a folder that has lines of its own, one sentence each."""
    line_of = {room: number for number, rooms in enumerate(FOLDERS[folder], start=1) for room in rooms}
    inside, messages = f"{PACKAGE}.{folder}.", []
    for each in imports(package / folder):
        target = each.target.removeprefix(inside).split(".")[0]
        if not each.target.startswith(inside) or target == each.part or each.part == "__init__":
            continue
        where = f"{folder}/{each.where}"
        if each.part not in line_of or target not in line_of:
            table = folder.upper()
            messages.append(f"{where}: {each.part} or {target} is on no line; give it its place in {table}")
        elif line_of[target] >= line_of[each.part]:
            messages.append(
                f"{where}: {each.part} (line {line_of[each.part]}) imports {target} (line {line_of[target]}); "
                "only from lines above"
            )
    return messages


def cycle(package: Path) -> list[str] | None:
    """Modules that import one another when they are loaded, or None."""
    known = {
        ".".join((PACKAGE, *path.relative_to(package).with_suffix("").parts)).removesuffix(".__init__")
        for path in package.rglob("*.py")
    }
    graph: dict[str, set[str]] = {name: set() for name in known}
    for each in imports(package):
        target = each.target if each.target in known else each.target.rpartition(".")[0]
        if target in known and target != each.module and each.at_top and not each.for_types:
            graph[each.module].add(target)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return None


def test_the_package_keeps_its_layers() -> None:
    assert sum(1 for _ in imports(ROOT / PACKAGE)) > 100, "the walk found too little to have looked at the package"
    assert problems(ROOT / PACKAGE) == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_with_lines_of_its_own_keeps_them(folder: str) -> None:
    paths = (ROOT / PACKAGE / folder).iterdir()
    rooms = {path.stem for path in paths if path.name not in ("__init__.py", "__pycache__")}
    assert rooms == {room for rooms in FOLDERS[folder] for room in rooms}
    assert problems_within(ROOT / PACKAGE, folder) == []


def test_an_import_against_the_way_of_an_image_is_found(tmp_path: Path) -> None:
    write(tmp_path, {"engine/coding/coder.py": "def f():\n    from compress_guard.engine.prediction import shards"})
    assert problems_within(tmp_path, "engine") == [
        "engine/coding/coder.py:2: coding (line 5) imports prediction (line 6); only from lines above"
    ]


def test_an_import_in_the_plugin_for_types_alone_is_found_too(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "plugin/output/shown.py": "if TYPE_CHECKING:\n    from compress_guard.plugin.cells.items import FileItem",
            "plugin/extra.py": "from compress_guard.plugin.run import Run",
        },
    )
    assert problems_within(tmp_path, "plugin") == [
        "plugin/extra.py:1: extra or run is on no line; give it its place in PLUGIN",
        "plugin/output/shown.py:2: output (line 5) imports cells (line 6); only from lines above",
    ]


def test_no_folder_holds_more_modules_than_a_person_looks_over() -> None:
    folders = {path.parent for path in (ROOT / PACKAGE).rglob("*.py")}
    crowded = {str(folder): count for folder in folders if (count := len(list(folder.glob("*.py")))) > MOST_MODULES}
    assert crowded == {}


def test_the_map_of_a_folder_names_all_of_its_modules() -> None:
    missing = {}
    for path in sorted((ROOT / PACKAGE).rglob("__init__.py")):
        text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        rooms = [each.stem for each in path.parent.glob("*.py")] + [
            each.parent.name for each in path.parent.glob("*/__init__.py")
        ]
        unnamed = {room for room in rooms if not room.startswith("__") and not re.search(rf"\b{room}\b", text)}
        if unnamed and path.parent != ROOT / PACKAGE:  # its map is the page on design
            missing[path.parent.name] = unnamed
    assert missing == {}


def test_no_modules_import_one_another() -> None:
    assert cycle(ROOT / PACKAGE) is None


@pytest.mark.parametrize(
    ("path", "source", "problem"),
    [
        (
            "rate/plan.py",
            "from compress_guard.engine.coding.coder import encode",
            "rate/plan.py:1: rate (line 6) imports engine (line 7); only from lines above",
        ),
        (
            "tasks/scores.py",
            "def f():\n    import compress_guard.codecs.jpeg",
            "tasks/scores.py:2: tasks (line 5) imports codecs (line 5); only from lines above",
        ),
        (
            "codecs/jpeg.py",
            "if TYPE_CHECKING:\n    from compress_guard.thresholds import Thresholds",
            "codecs/jpeg.py:2: codecs (line 5) imports thresholds (line 5); only from lines above",
        ),
        (
            "verdict/tango.py",
            "from compress_guard import store as keys",
            "verdict/tango.py:1: verdict (line 6) imports store (line 6); only from lines above",
        ),
        (
            "rate/plan.py",
            "from ..engine import coding",
            "rate/plan.py:1: rate (line 6) imports engine (line 7); only from lines above",
        ),
        (
            "errors.py",
            "from compress_guard.records import Cell",
            "errors.py:1: errors (line 2) imports records (line 3); only from lines above",
        ),
        (
            "engine/session.py",
            "from compress_guard import measure",
            "engine/session.py:1: imports compress_guard.measure; import it from the module that defines it",
        ),
        (
            "engine/session.py",
            "import compress_guard",
            "engine/session.py:1: imports compress_guard; import it from the module that defines it",
        ),
        (
            "__init__.py",
            "import compress_guard.store",
            "__init__.py:1: imports compress_guard.store; the package root refers to modules by string",
        ),
        (
            "report/text.py",
            "def f():\n    import pytest",
            "report/text.py:2: imports pytest; only plugin/ knows pytest",
        ),
        (
            "codecs/pixels.py",
            "from PIL import Image",
            "codecs/pixels.py:1: imports PIL; import it where it is used",
        ),
        (
            "engine/models/predictor.py",
            "try:\n    import torch.nn\nexcept ImportError:\n    pass",
            "engine/models/predictor.py:2: imports torch; import it where it is used",
        ),
        (
            "tasks/arrays.py",
            "if TYPE_CHECKING:\n    pass\nelse:\n    import torch",
            "tasks/arrays.py:4: imports torch; import it where it is used",
        ),
        (
            "thresholds/keys/curve.py",
            "import numpy as np",
            "thresholds/keys/curve.py:1: imports numpy; thresholds is loaded before any number is needed",
        ),
        (
            "codecs/neural/model.py",
            "from compress_guard.codecs.neural.network import Network",
            "codecs/neural/model.py:1: imports compress_guard.codecs.neural.network.Network; it loads torch: "
            "import it where it is used",
        ),
        ("utils.py", "import os", "utils.py:1: utils is on no line; give it its place in LINES"),
    ],
)
def test_what_is_against_the_rules_is_found(tmp_path: Path, path: str, source: str, problem: str) -> None:
    write(tmp_path, {path: source})
    assert [each.replace(" at the top", "") for each in problems(tmp_path)] == [problem]


def test_what_the_rules_allow_is_not_found(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "__init__.py": "if TYPE_CHECKING:\n    from compress_guard.engine.coding.coder import compress",
            "__main__.py": "from compress_guard.cli import main",
            "cli.py": "from compress_guard.report import text",
            "codecs/jpeg.py": "from compress_guard.codecs.pillow import PillowCodec\nfrom compress_guard import errors",
            "engine/coding/coder.py": "import numpy as np\nfrom compress_guard import __version__, rate",
            "plugin/hooks.py": "import pytest\nfrom compress_guard.engine import coding",
            "rate/plan.py": "def f():\n    import torch",
            "tasks/arrays.py": "if TYPE_CHECKING:\n    import torch",
        },
    )
    assert problems(tmp_path) == []


def test_a_cycle_is_found_and_one_for_types_or_on_use_is_none(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "rate/a.py": "from compress_guard.rate.b import f",
            "rate/b.py": "def g():\n    from compress_guard.rate.a import f",
            "rate/c.py": "if TYPE_CHECKING:\n    from compress_guard.rate.a import f",
        },
    )
    assert cycle(tmp_path) is None
    write(tmp_path, {"rate/b.py": "from compress_guard.rate import a"})
    assert set(cycle(tmp_path) or ()) == {"compress_guard.rate.a", "compress_guard.rate.b"}


def test_importing_every_module_loads_nothing_heavy() -> None:
    modules = sorted(
        ".".join((PACKAGE, *path.relative_to(ROOT / PACKAGE).with_suffix("").parts)).removesuffix(".__init__")
        for path in (ROOT / PACKAGE).rglob("*.py")
        if path.name != "__main__.py" and path.relative_to(ROOT / PACKAGE).as_posix() not in NETWORKS
    )
    core = [name for name in modules if not name.startswith(f"{PACKAGE}.plugin")]
    assert loaded_after(core, {"pytest", "_pytest", *HEAVY}) == set()
    assert loaded_after(modules, HEAVY) == set()


def loaded_after(modules: list[str], names: AbstractSet[str]) -> AbstractSet[str]:
    """Return those of the names that a fresh process has loaded after importing the modules."""
    program = "import importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name)\nprint(*sys.modules)"
    command = [sys.executable, "-W", "error", "-c", program, *modules]
    run = subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True, timeout=60)
    return names & set(run.stdout.split())


def write(package: Path, files: dict[str, str]) -> None:
    for path, source in files.items():
        (package / path).parent.mkdir(parents=True, exist_ok=True)
        (package / path).write_text(source, encoding="utf-8")
