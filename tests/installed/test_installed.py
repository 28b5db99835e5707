"""Versions of packages, read without parsing the rest of their metadata."""

from __future__ import annotations

from importlib import metadata

import pytest

from compress_guard.installed import installed_version


@pytest.mark.parametrize("name", ["torch", "pillow", "Pillow", "numpy", "pytest"])
def test_versions_are_those_of_importlib(name):
    assert installed_version(name) == metadata.version(name)


def test_a_package_that_is_missing():
    with pytest.raises(metadata.PackageNotFoundError):
        installed_version("no-such-package-at-all")
