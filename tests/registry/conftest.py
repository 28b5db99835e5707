"""Distributions made for a test, and tables that forget them afterwards."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from compress_guard.registry import CODECS, DATA, MODELS, TASKS

Install = Callable[..., Path]


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every test begin and end with the package's own names alone."""
    for registry in (CODECS, TASKS, MODELS, DATA):
        for attribute in ("_decorated", "_found", "_installed"):
            monkeypatch.setattr(registry, attribute, {})
        monkeypatch.setattr(registry, "_looked_up", set())


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Put a module on the path, and the folder beside it that an installer leaves: ``install("a", "codecs", ...)``."""

    def make(project: str, group: str, points: str, source: str) -> Path:
        site = tmp_path / project
        folder = site / f"{project}-1.0.dist-info"
        folder.mkdir(parents=True)
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project}\nVersion: 1.0\n")
        (folder / "entry_points.txt").write_text(f"[compress_guard.{group}]\n{points}\n")
        file = site / f"{project}.py"
        file.write_text(textwrap.dedent(source))
        monkeypatch.syspath_prepend(str(site))
        return file

    yield make
    for name, known in list(sys.modules.items()):
        if str(getattr(known, "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def look_ups(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The groups of entry points that were read, in order."""
    groups: list[str] = []
    entry_points = metadata.entry_points

    def counted(**selection: Any) -> Any:
        groups.append(selection["group"])
        return entry_points(**selection)

    monkeypatch.setattr(metadata, "entry_points", counted)
    return groups
