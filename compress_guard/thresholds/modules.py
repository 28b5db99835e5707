"""Modules of factories, found and read without importing them: no code of other people runs at collection."""

from __future__ import annotations

import importlib.machinery
import re
import sys
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import ast

_LARGEST: Final = 2**20
"""Most bytes of a source that is read; longer sources are rarely written by hand."""
_COMPILED: Final = (*importlib.machinery.EXTENSION_SUFFIXES, *importlib.machinery.BYTECODE_SUFFIXES)
_DYNAMIC: Final = frozenset(
    [
        "__dict__",
        "__getattr__",
        "__path__",
        "delattr",
        "eval",
        "exec",
        "globals",
        "locals",
        "modules",
        "setattr",
        "vars",
    ]
)
"""Names in a source by which a module may get attributes that its source does not show, or replace itself."""
_ATTRIBUTES: Final = frozenset(["__dict__", "__getattr__", "__path__"])
"""The ones that mean this behind any dot; ``network.eval()`` and ``network.modules()`` are something else."""
_TELLING: Final = re.compile(
    rb"[^\0-\x7f]|\A(?:[^\n]*\n)?[^\n]*#[^\n]*coding[:=]|\b(?:global|" + "|".join(sorted(_DYNAMIC)).encode() + rb")\b"
)
"""Bytes of a source whose functions may bind names of the module: reading all of them takes most of the time. Other
characters than ASCII, and other encodings, may spell these words too."""
_OWNERS: Final = frozenset(["builtins", "sys"])
"""Modules whose attributes of these names mean it too."""


def search_path(folder: Path) -> list[Path]:
    """Return where factories are looked up: beside the thresholds file first."""
    return [folder, *(Path(entry or ".") for entry in sys.path)]


def source_of(module: str, roots: Sequence[Path]) -> Path | None:
    """Return the source file that an import of this module would run; None where that is not certain.

    It is not of modules that are built in, compiled, in archives or absent.
    """
    first, *_ = parts = module.split(".")
    if first in sys.stdlib_module_names or first in sys.builtin_module_names or first == "__main__":
        return None
    if module in sys.modules:
        file = getattr(sys.modules[module], "__file__", None)
        return Path(file) if isinstance(file, str) and file.endswith(".py") else None
    places = list(roots)
    for at, part in enumerate(parts):
        found = _source_named(part, places)
        if isinstance(found, list):
            places = found
        elif found is None or at == len(parts) - 1:
            return found
        elif found.name == "__init__.py" and found.parent.name == part and not _redirects(found):
            places = [found.parent]
        else:
            return None
    return None


def _redirects(package: Path) -> bool:
    """Return True if the source of a package may have its modules found elsewhere."""
    try:
        source = package.read_bytes()
    except OSError:
        return True
    return any(word in source for word in (b"__path__", b"sys.modules", b"meta_path", b"path_hooks"))


def _source_named(part: str, places: Sequence[Path]) -> Path | list[Path] | None:
    """Return the source that `part` names in the first of these places that has it.

    The folders of a package without ``__init__``, if there are no others; None where it is no source, or nowhere.
    """
    portions = []
    for place in places:
        if place.is_file():
            return None  # an archive, which may hold the module
        package = place / part
        for stem in (package / "__init__", package):
            if any(stem.with_name(stem.name + suffix).is_file() for suffix in _COMPILED):
                return None
            if (source := stem.with_name(stem.name + ".py")).is_file():
                return source
        if package.is_dir():
            portions.append(package)
    return portions or None


def names_in(source: Path) -> frozenset[str] | None:
    """Return the names that a module may have once it is imported; None where its source does not tell.

    It does not where it holds a star import, ``__getattr__``, ``globals()`` and the like, or cannot be parsed. A name
    that is bound in one branch only counts, and so does whatever lies beside the ``__init__.py`` of a package.
    """
    import ast

    try:
        if source.stat().st_size > _LARGEST:
            return None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the source: it will warn itself when it runs
            text = source.read_bytes()
            tree = ast.parse(text)
        names = set(_bound(tree, everywhere=_TELLING.search(text) is not None))
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    if "*" in names or names & _DYNAMIC:
        return None
    if source.name == "__init__.py":
        names |= {entry.name.partition(".")[0] for entry in source.parent.iterdir()}
    return frozenset(names)


def _children(node: ast.AST) -> Iterator[ast.AST]:
    import ast

    return ast.iter_child_nodes(node)


def _head(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the children of a function or class without its body: decorators, parameters, bases."""
    body = getattr(node, "body", None)
    skipped = {id(statement) for statement in body} if isinstance(body, list) else frozenset()
    return (child for child in _children(node) if id(child) not in skipped)


def _bound(tree: ast.Module, *, everywhere: bool) -> Iterator[str]:
    """Yield every name that any statement of a module binds at its top, and the names in `_DYNAMIC` that it uses.

    Bodies of functions and classes are read only if `everywhere`.
    """
    import ast

    todo: list[tuple[ast.AST, bool]] = [(tree, True)]
    while todo:
        node, top = todo.pop()
        inner = top
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            inner = False
            if top:
                yield node.name
        elif isinstance(node, ast.Lambda):
            inner = False
        elif isinstance(node, (ast.Import, ast.ImportFrom)) and top:
            yield from (one.asname or one.name.partition(".")[0] for one in node.names)
        elif isinstance(node, ast.Global):
            yield from node.names
        elif isinstance(node, ast.Name) and ((top and isinstance(node.ctx, ast.Store)) or node.id in _DYNAMIC):
            yield node.id
        elif isinstance(node, ast.Attribute):
            owned = isinstance(node.value, ast.Name) and node.value.id in _OWNERS
            if node.attr in (_DYNAMIC if owned else _ATTRIBUTES):
                yield node.attr
        elif isinstance(node, ast.NamedExpr):  # in the default of a parameter it binds at the top too
            yield node.target.id
        elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar, ast.MatchMapping)) and top:
            name = node.rest if isinstance(node, ast.MatchMapping) else node.name
            yield from () if name is None else (name,)
        todo += [(child, inner) for child in (_children(node) if inner or everywhere else _head(node))]
