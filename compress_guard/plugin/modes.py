"""Modes of pytest in which a run has no results: it only lists something, or plans without running tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import pytest

_LISTING: Final = ("collectonly", "showfixtures", "show_fixtures_per_test", "cacheshow")
"""Options of pytest under which it lists tests, fixtures or what its cache holds."""
_PLANNING: Final = ("setuponly", "setupplan")
"""Options of pytest under which it walks through tests and runs none."""


def only_lists(config: pytest.Config) -> bool:
    """Return True for a run that only lists."""
    return any(config.getoption(name, None) for name in _LISTING)


def runs_tests(config: pytest.Config) -> bool:
    """Return True for a run that has results: it neither lists nor plans."""
    return not any(config.getoption(name, None) for name in (*_LISTING, *_PLANNING))
