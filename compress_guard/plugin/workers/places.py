"""Places of pytest-xdist's workers: which GPU a worker takes, also one that replaces a dead worker."""

from __future__ import annotations

from itertools import count
from typing import Any, Final, final

import pytest

from compress_guard.plugin.run import PLACE


@final
class Places:
    """A plugin of the controller that numbers the workers at work: 0, 1, ... without gaps that deaths would leave.

    xdist itself never uses a number twice: with two workers on two GPUs the worker after a crash of the second would be
    the third, and share the first one's GPU.
    """

    def __init__(self) -> None:
        self._taken: Final[dict[Any, int]] = {}

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        taken = set(self._taken.values())
        self._taken[node] = next(place for place in count() if place not in taken)
        node.workerinput[PLACE] = self._taken[node]

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        self._taken.pop(node, None)
