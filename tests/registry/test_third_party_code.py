"""The hash of other people's code, by which a changed codec or task never meets its old results."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from compress_guard.codecs.jpeg import Jpeg
from compress_guard.registry import code_of
from compress_guard.tasks.classification import Classification


@pytest.fixture
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Write these files, import a module afresh, and return the hash of its class `Tone`."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def made(module: str, files: dict[str, str] | None = None) -> str:
        for name, text in (files or {}).items():
            path = tmp_path / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        forget(tmp_path)
        importlib.invalidate_caches()
        return code_of(importlib.import_module(module).Tone)

    yield made
    forget(tmp_path)


def forget(folder: Path) -> None:
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None) or "").startswith(str(folder)):
            del sys.modules[name]


def test_classes_of_the_package_have_none() -> None:
    assert (code_of(Jpeg), code_of(Classification)) == ("", "")


def test_a_changed_line_changes_it(code) -> None:
    first = code("tones", {"tones.py": "class Tone: a = 1"})
    assert len(first) == 20
    assert code("tones", {"tones.py": "class Tone: a = 1"}) == first
    assert code("tones", {"tones.py": "class Tone: a = 22"}) != first


def test_every_module_of_the_package_counts(code) -> None:
    files = {"choir/__init__.py": "", "choir/tones.py": "class Tone: ...", "choir/late.py": "A = 1"}
    first = code("choir.tones", files)
    assert code("choir.tones", {"choir/late.py": "A = 1"}) == first
    assert code("choir.tones", {"choir/late.py": "A = 22"}) != first


def test_modules_beside_one_without_a_package_count_where_it_refers_to_them(code) -> None:
    files = {"tones.py": "import pitch\nclass Tone: ...", "pitch.py": "from scale import A", "scale.py": "def A(): ..."}
    first = code("tones", files)
    assert code("tones", {"scale.py": "def A(): return 1"}) != first
    second = code("tones")
    assert code("tones", {"stranger.py": "B = 1"}) == second


def test_the_source_of_a_base_counts(code) -> None:
    files = {"choir/__init__.py": "from base import Base\nclass Tone(Base): ...", "base.py": "class Base: a = 1"}
    first = code("choir", files)
    assert code("choir", {"base.py": "class Base: a = 22"}) != first


def test_a_base_of_an_installed_distribution_counts_by_its_version(code, monkeypatch) -> None:
    monkeypatch.setattr("importlib.metadata.packages_distributions", lambda: {"base": ["bases"]})
    versions = iter("112")
    monkeypatch.setattr("importlib.metadata.version", lambda _: next(versions))
    files = {"choir/__init__.py": "from base import Base\nclass Tone(Base): ...", "base.py": "class Base: a = 1"}
    first = code("choir", files)
    assert code("choir", {"base.py": "class Base: a = 22"}) == first
    assert code("choir") != first


def test_neighbours_in_an_environment_do_not_count(code, tmp_path) -> None:
    (tmp_path / "site-packages").mkdir()
    source = f"import sys; sys.path.append({str(tmp_path / 'site-packages')!r})\nimport lib\nclass Tone: ..."
    (tmp_path / "site-packages" / "lib.py").write_text("A = 1")
    first = code("tones", {"tones.py": source})
    (tmp_path / "site-packages" / "lib.py").write_text("A = 22")
    assert code("tones", {"tones.py": source}) == first


def test_without_source_nothing_is_reused() -> None:
    module = type(sys)("vapour")
    exec("class Tone: ...\nclass Other: ...", vars(module))
    first, second = code_of(module.Tone), code_of(module.Other)
    assert first.startswith("no source ")
    assert first != second
