"""The public API, from its docstrings: directives of Sphinx's autodoc, in the order of docs/reference/api.md."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from typing import Any, Final

import compress_guard
from compress_guard import errors

FIXTURES: Final = (
    ("guard", "compress_guard.plugin.fixtures.guard_fixture", "GuardFacade"),
    ("compressed_batches", "compress_guard.engine.prediction.batches", "Batch"),
    ("codec_throughput", "compress_guard.plugin.fixtures.throughput_fixture", "CodecThroughput"),
)
"""Each fixture, with the module and the name of the type that it gives, or yields."""
RECORDS: Final = ("CellResult", "SliceResult", "ThroughputResult", "RecoveryResult", "RecoveryPoint", "TrafficResult")


def api_part() -> str:
    """Return the part on the Python API."""
    return "\n".join(_sections())


def _sections() -> Iterator[str]:
    yield "## `compress_guard`\n"
    modules = [name for name in compress_guard.__all__ if inspect.ismodule(getattr(compress_guard, name))]
    names = [name for name in compress_guard.__all__ if name not in ("__version__", *modules)]
    yield from (_directive("compress_guard", name) for name in names)
    yield "`compress_guard.__version__` is the version of the package, a text.\n"
    for module in modules:
        yield f"## `compress_guard.{module}`\n"
        public = getattr(compress_guard, module).__all__
        yield from (_directive(f"compress_guard.{module}", name) for name in public)
    yield "## Fixtures\n"
    for name, module, kind in FIXTURES:
        yield _fixture(name)
        yield _directive(module, kind)
    yield "## `compress_guard.records`\n\nTheir fields, one by one: [fields of results](fields.md).\n"
    yield from (_rst("class", f"compress_guard.records.{name}") for name in RECORDS)
    yield "## `compress_guard.errors`\n"
    yield from (_rst("exception", f"compress_guard.errors.{name}") for name in error_names())


def error_names() -> list[str]:
    """Return the names of the errors in the order of their module."""
    base = errors.CompressGuardError
    return [name for name, kind in vars(errors).items() if inspect.isclass(kind) and issubclass(kind, base)]


def _directive(module: str, name: str) -> str:
    value: Any = getattr(importlib.import_module(module), name)
    if inspect.isclass(value):
        return _rst("class", f"{module}.{name}", ":members:")
    return _rst("function", f"{module}.{name}")


def _rst(kind: str, name: str, *options: str) -> str:
    lines = [f".. auto{kind}:: {name}", *(f"   {option}" for option in options)]
    return "```{eval-rst}\n" + "\n".join(lines) + "\n```\n"


def _fixture(name: str) -> str:
    definitions = importlib.import_module("compress_guard.plugin.fixtures.definitions")
    text = inspect.getdoc(getattr(definitions, name)) or ""
    lines = [f".. py:function:: {name}", "   :no-index:", "", *(f"   {line}".rstrip() for line in text.splitlines())]
    return f"### The fixture `{name}`\n\n```{{eval-rst}}\n" + "\n".join(lines) + "\n```\n"
