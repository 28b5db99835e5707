"""pytest rewrites the asserts of users' tests, and none of this package's modules."""

from __future__ import annotations

import sys
from importlib.machinery import PathFinder

import pytest

from compress_guard.plugin import finder

SHOWS_REWRITTEN = """
    import ast, inspect, sys

    def pytest_unconfigure(config):
        rewriter = "AssertionRewritingHook"
        own = {name: each for name, each in sys.modules.items() if name.split(".")[0] == "compress_guard"}
        by_pytest = [name for name in own if type(own[name].__spec__.loader).__name__ == rewriter]
        print("own:", len(own))
        print("by pytest:", *sorted(by_pytest))
        print("rewritten:", *sorted(name for name in own if hasattr(own[name], "@pytest_ar")))
        here = sys.modules[__name__]
        print("conftest:", hasattr(here, "@pytest_ar"))
"""
FIRST = ["compress_guard", "compress_guard.plugin", "compress_guard.plugin.finder"]
"""Modules that are loaded before the finder is in its place; their docstrings keep pytest from rewriting them."""


def shown(run, head):
    (line,) = (line for line in run.out.splitlines() if line.startswith(f"{head}:"))
    return line.partition(":")[2].split()


@pytest.mark.parametrize("extra", [(), ("-n", "2", "--import-mode=importlib")])
def test_no_module_of_the_package_is_rewritten_in_a_gate(project, extra):
    project.write("conftest.py", SHOWS_REWRITTEN)
    run = project.start("-W", "error", *extra)
    assert run.code == 0
    assert int(shown(run, "own")[0]) > 20
    assert shown(run, "rewritten") == []
    assert set(shown(run, "by pytest")) <= set(FIRST)


def test_asserts_of_users_are_rewritten_as_ever(project):
    project.write("compress_guard_tests/test_own.py", "def test_own():\n    left = 3\n    assert left + 1 == 5")
    project.write("conftest.py", "import pytest\n\npytest.register_assert_rewrite('compress_guarded')")
    project.write("compress_guarded.py", "def check(left):\n    assert left + 2 == 9")
    project.write("test_helper.py", "import compress_guarded\n\ndef test_helper():\n    compress_guarded.check(4)")
    run = project.start("compress_guard_tests/test_own.py", "test_helper.py", gate=False)
    assert run.outcomes == {"failed": 2}
    assert "assert (3 + 1) == 5" in run.out
    assert "assert (4 + 2) == 9" in run.out


class Foreign:
    """A finder of another tool, which knows one module."""

    def __init__(self, module=None):
        self.module, self.asked = module, []

    def find_spec(self, fullname, path=None, target=None):
        self.asked.append(fullname)
        return self.module


@pytest.fixture
def meta_path(monkeypatch):
    """The finders of this process, to be changed at will."""
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    return sys.meta_path


def test_modules_of_the_package_are_found_by_the_others_in_their_order(meta_path):
    known = object()
    first, second = Foreign(), Foreign(known)
    meta_path[:] = [finder.OWN, object(), first, second]
    assert finder.OWN.find_spec("compress_guard.rate", []) is known
    assert first.asked == second.asked == ["compress_guard.rate"]


@pytest.mark.parametrize("name", ["compress_guard", "compress_guards", "compress_guard_tests.x", "tests.x", "numpy"])
def test_other_modules_are_none_of_its_business(meta_path, name):
    meta_path[:] = [finder.OWN, other := Foreign(object())]
    assert finder.OWN.find_spec(name, []) is None
    assert other.asked == []


def test_a_module_that_nobody_knows_is_not_found(meta_path):
    assert finder.OWN.find_spec("compress_guard.nonsense", []) is None


def test_it_is_put_first_once_and_only_where_pytest_rewrites(meta_path):
    finder.install()
    finder.install()
    assert meta_path[0] is finder.OWN
    assert meta_path.count(finder.OWN) == 1
    meta_path[:] = [PathFinder]
    finder.install()
    assert meta_path == [PathFinder]
