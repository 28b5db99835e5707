"""The package root: what it offers, and what importing it costs."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

import compress_guard

HEAVY = ("torch", "torchvision", "PIL", "pytest", "numpy", "yaml", "scipy", "faster_coco_eval")


def imported_by(statement):
    script = f"import sys\n{statement}\nprint([name for name in {HEAVY} if name in sys.modules])"
    return subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout.strip()


def test_importing_the_package_imports_nothing_heavy():
    assert imported_by("import compress_guard; dir(compress_guard); compress_guard.__version__") == "[]"


def test_a_module_is_the_one_of_that_name():
    assert compress_guard.transforms is importlib.import_module("compress_guard.transforms")


@pytest.mark.parametrize("name", sorted(compress_guard._EXPORTS))
def test_looking_at_a_name_imports_neither_torch_nor_pillow_nor_pytest(name):
    found = imported_by(f"from compress_guard import {name}")
    assert not {"torch", "torchvision", "PIL", "pytest"} & set(eval(found))


def test_every_name_resolves_and_is_documented():
    assert dir(compress_guard) == sorted(compress_guard.__all__)
    assert len(set(compress_guard.__all__)) == len(compress_guard.__all__)
    for name in compress_guard.__all__:
        found = getattr(compress_guard, name)
        assert isinstance(found, str) or found.__doc__


def test_every_lazy_name_is_offered():
    assert {*compress_guard._EXPORTS, *compress_guard._MODULES} == set(compress_guard.__all__) - {"__version__"}


def test_a_name_that_is_not_there():
    with pytest.raises(AttributeError, match=r"^module 'compress_guard' has no attribute 'compres'$"):
        compress_guard.compres  # noqa: B018 - the access is the test
