"""The constraints files pin what pyproject.toml asks for: `tested` to releases it allows, `lowest` to the oldest."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, Final

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT: Final = Path(__file__).parents[2]
PROJECT: Final[dict[str, Any]] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS: Final[dict[str, list[str]]] = PROJECT["optional-dependencies"]
WITHOUT_WHEELS: Final = frozenset(["dev", "docs", "examples", "gpu"])
"""Extras that are no part of `all`: for work on the package itself, or for one kind of machine."""


def holds(asked: Requirement, python: str) -> bool:
    environment = {"python_version": python, "python_full_version": f"{python}.0", "sys_platform": "linux"}
    return asked.marker is None or asked.marker.evaluate(environment)


def direct(python: str, *extras: str) -> list[Requirement]:
    """Return the requirements of the base install and these extras on a Python, without the package itself."""
    lines = [*PROJECT["dependencies"], *(line for extra in extras for line in EXTRAS[extra])]
    return [asked for asked in map(Requirement, lines) if asked.name != "compress-guard" and holds(asked, python)]


def named_by_all() -> set[str]:
    (line,) = EXTRAS["all"]
    return set(Requirement(line).extras)


def pins(name: str, python: str) -> dict[str, set[Version]]:
    """Return the versions that a file pins each project to on a Python."""
    made: dict[str, set[Version]] = {}
    for line in (ROOT / "constraints" / name).read_text(encoding="utf-8").splitlines():
        asked = Requirement(line)
        (pin,) = asked.specifier
        assert pin.operator == "==", line
        if holds(asked, python):
            made.setdefault(canonicalize_name(asked.name), set()).add(Version(pin.version))
    return made


def test_all_names_every_extra_for_users() -> None:
    assert named_by_all() == set(EXTRAS) - WITHOUT_WHEELS - {"all", "photos", "strategies"}


def test_photos_need_nothing_more_than_the_base() -> None:
    assert EXTRAS["photos"] == []


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13", "3.14"])
def test_everything_that_is_asked_for_is_pinned_within_its_bounds(python: str) -> None:
    pinned = pins("tested.txt", python)
    for asked in direct(python, *named_by_all(), "strategies"):
        versions = pinned[canonicalize_name(asked.name)]
        assert len(versions) == 1, f"{asked.name}: {versions}; make constraints"
        assert all(asked.specifier.contains(version) for version in versions), f"{asked}: {versions}; make constraints"


def test_the_lowest_set_is_that_of_the_lower_bounds() -> None:
    pinned = pins("lowest.txt", "3.11")
    for asked in direct("3.11", *named_by_all(), "strategies"):
        (bound,) = (Version(each.version) for each in asked.specifier if each.operator == ">=")
        # A project may have left out the very release that the bound names: 4.8.0.76 is the first of 4.8.
        (version,) = pinned[canonicalize_name(asked.name)]
        assert version.release[: len(bound.release)] == bound.release, f"{asked}: {version}; make constraints"


def test_the_workflow_tries_the_wheel_on_every_python_of_the_classifiers_and_with_both_sets() -> None:
    workflow = (ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8")
    tried = re.findall(r'- \{ python: "([\d.]+)", what: "[^"]+", (numpy|constraints): "?([^"} ]+)', workflow)
    named = {line.rpartition(" ")[2] for line in PROJECT["classifiers"] if re.search(r"Python :: 3\.\d", line)}
    assert {python for python, key, _ in tried if key == "numpy"} == named
    assert {(python, what) for python, _, what in tried if what == "1.26.*"} == {("3.11", "1.26.*"), ("3.12", "1.26.*")}
    assert {python for python, _, what in tried if what == "2.*"} == named
    files = {what for _, key, what in tried if key == "constraints"}
    assert files == {f"constraints/{path.name}" for path in (ROOT / "constraints").iterdir()}
