"""Modules of this package are loaded as Python loads them: pytest rewrites the asserts of tests, which they are not.

pytest rewrites every module of a distribution that has a plugin. Where no bytecode is kept (a fresh container, or
PYTHONDONTWRITEBYTECODE) each run pays seconds for it. PYTEST_DONT_REWRITE in a docstring says the same of the three
modules that are loaded before this finder is in its place: the package, `plugin` and this one.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Final, final

PACKAGE: Final = __name__.partition(".")[0]


@final
class OwnFinder(MetaPathFinder):
    """A finder of this package's modules that asks all finders but pytest's."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None, /
    ) -> ModuleSpec | None:
        """Return what the first of the other finders knows of a module of this package; None for any other module."""
        if not fullname.startswith(f"{PACKAGE}."):
            return None
        for finder in sys.meta_path:
            if finder is self or rewrites(finder) or not hasattr(finder, "find_spec"):
                continue
            if (spec := finder.find_spec(fullname, path, target)) is not None:
                return spec
        return None


def rewrites(finder: object) -> bool:
    """Return True for pytest's finder, which rewrites asserts; by its module, since it has no public name."""
    return type(finder).__module__.startswith("_pytest.")


def install() -> None:
    """Put one finder of this package in front of all others, if pytest's is among them."""
    if any(rewrites(finder) for finder in sys.meta_path):
        sys.meta_path[:] = [OWN, *(finder for finder in sys.meta_path if finder is not OWN)]


OWN: Final = OwnFinder()
