"""Identity of third-party code in the keys of the store: a changed codec or task never gets its old results."""

from __future__ import annotations

import functools
import hashlib
import importlib.machinery
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Final

_OWN: Final = __name__.partition(".")[0]
_SUFFIXES: Final = (".py", *importlib.machinery.EXTENSION_SUFFIXES)
_INSTALLED: Final = frozenset(["site-packages", "dist-packages"])
"""Folders whose modules belong to different authors."""


@functools.cache
def code_of(made: type) -> str:
    """Return a hash that changes with the code of a class of others, "" for a class of this package.

    It is over all Python and extension modules of the class's package. For a module outside a package it is over its
    file and the modules beside it that it refers to. The same holds for the bases of the class, but for those from
    other installed distributions, whose version counts. A class without source files gets another hash in each process,
    so that nothing of it is reused.
    """
    others = sorted({base.__module__ for base in made.__mro__ if not _is_known(base.__module__)})
    if not others:
        return ""
    digest = hashlib.blake2b(digest_size=10)
    for name in others:
        if _top(name) != _top(made.__module__) and (versions := _versions(name)):
            digest.update(f"{name} {versions} ".encode())
            continue
        files = sorted(_files(name))
        if not files:
            return f"no source {secrets.token_hex(10)}"
        for path in files:
            data = path.read_bytes()
            digest.update(f"{name} {path.name} {len(data)} ".encode() + data)
    return digest.hexdigest()


def _top(name: str) -> str:
    return name.partition(".")[0]


def _is_known(name: str) -> bool:
    """Return whether a module belongs to this package, whose code has a hash of its own, or to Python."""
    return _top(name) == _OWN or (_top(name) in sys.stdlib_module_names and name != "__main__")


def _files(name: str) -> Iterator[Path]:
    """Yield the files of the package that a module belongs to; of a module without one, it and its neighbours."""
    package = sys.modules.get(_top(name))
    if package is None or not hasattr(package, "__path__") or _file(package) is None:
        yield from _neighbours(name)
        return
    for folder in package.__path__:
        yield from (path for path in Path(folder).rglob("*") if path.name.endswith(_SUFFIXES) and path.is_file())


def _neighbours(name: str) -> set[Path]:
    """Return the file of a module outside a package, and those below its folder that it refers to, also indirectly."""
    start = _file(sys.modules.get(name))
    if start is None:
        return set()
    files, todo = {start}, [name]
    while todo and start.parent.name not in _INSTALLED:
        for value in list(vars(sys.modules[todo.pop()]).values()):
            other = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
            path = _file(sys.modules.get(other)) if isinstance(other, str) and not _is_known(other) else None
            if path is None or path in files or not path.is_relative_to(start.parent):
                continue
            if not _INSTALLED.intersection(path.relative_to(start.parent).parts):
                files.add(path)
                todo.append(str(other))
    return files


def _file(module: ModuleType | None) -> Path | None:
    file = getattr(module, "__file__", None)
    path = Path(file).absolute() if isinstance(file, str) else None
    return path if path is not None and path.is_file() else None


def _versions(name: str) -> str:
    """Return the names and versions of the distributions that a module comes from, "" where it is not installed."""
    from importlib import metadata  # slow, and rarely needed

    projects = metadata.packages_distributions().get(_top(name), ())
    return ", ".join(sorted({f"{project} {metadata.version(project)}" for project in projects}))
