"""The hash of our own code: any line counts, and where there are no lines the version does."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from compress_guard import __version__, own_code

PACKAGE = Path(own_code.__file__).parent


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A copy of part of the package, and what reads its hash afresh."""
    copy = tmp_path / "compress_guard"
    for part in ("codecs", "rate"):
        shutil.copytree(PACKAGE / part, copy / part, ignore=shutil.ignore_patterns("__pycache__", "*.safetensors"))
    monkeypatch.setattr(own_code, "_PACKAGE", copy)
    return copy


def digest(*parts):
    own_code.digest.cache_clear()
    try:
        return own_code.digest(*parts)
    finally:
        own_code.digest.cache_clear()


@pytest.mark.parametrize("name", ["codecs/jpeg.py", "codecs/neural/network.py"])
def test_any_line_counts(package, name):
    before, other = digest("codecs"), digest("rate")
    with (package / name).open("a") as file:
        file.write("# another line\n")
    assert digest("codecs") != before
    assert digest("rate") == other


def test_a_module_that_was_renamed_counts(package):
    before = digest("codecs")
    (package / "codecs" / "jpeg.py").rename(package / "codecs" / "jpg.py")
    assert digest("codecs") != before


def test_single_modules_can_be_named(package):
    before = digest("rate", "codecs/jpeg.py")
    with (package / "codecs" / "webp.py").open("a") as file:
        file.write("# another line\n")
    assert digest("rate", "codecs/jpeg.py") == before


def test_where_the_source_is_not_there_the_version_counts(package):
    shutil.rmtree(package)
    assert digest("codecs") == f"version {__version__}"


def test_what_is_asked_twice_is_read_once(package, monkeypatch):
    own_code.digest.cache_clear()
    before = own_code.digest("codecs")
    monkeypatch.setattr(Path, "read_bytes", lambda path: pytest.fail("read again"))
    assert own_code.digest("codecs") == before
    own_code.digest.cache_clear()
