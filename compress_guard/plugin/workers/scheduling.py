"""A scheduler for pytest-xdist that knows cells. Imported only where xdist takes part in the run.

People's own tests are shared out first, by the rules of xdist's own `LoadScheduling`. Then the cells follow. Those of a
guard and codec go to one worker, which makes their rate plan once, and those of a guard's recovery study to one worker
too, since they share their controls. A worker gets its next group when it starts the last test that it has, because a
worker of xdist begins no test before it knows the next one. When a worker dies, the test that it was running is lost
and nothing else: the others that it had are given to the workers that remain, or to the one that takes its place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import cycle, islice
from typing import TYPE_CHECKING, Any, Final, final

from xdist.scheduler import LoadScheduling

if TYPE_CHECKING:
    import pytest


@final
class CellScheduling(LoadScheduling):
    """`LoadScheduling` for people's own tests, and whole groups of cells after them."""

    def __init__(self, config: pytest.Config, log: Any, group_of: Callable[[str], str | None]) -> None:
        super().__init__(config, log)
        self.collection: list[str] | None = None
        self.maxschedchunk: int | None = config.getoption("maxschedchunk")
        self._group_of: Final = group_of
        self._cells: dict[str, list[int]] = {}
        """Indices of cells that no worker has yet, by group. `pending` holds those of own tests."""

    @property
    def tests_finished(self) -> bool:
        return not self._cells and bool(super().tests_finished)

    @property
    def has_pending(self) -> bool:
        return bool(self._cells) or bool(super().has_pending)

    def add_node_collection(self, node: Any, collection: Sequence[str]) -> None:
        super().add_node_collection(node, collection)
        if node not in self.node2collection:
            node.shutdown()  # it collected other tests than those before it: an index would mean another test there

    def schedule(self) -> None:
        if self.collection is not None:  # a worker has come that takes the place of a dead one
            for node in self.nodes:
                self.check_schedule(node)
            return
        collection = next(iter(self.node2collection.values()))
        if not any(map(self._group_of, collection)):
            super().schedule()
            return
        if not self._check_nodes_have_same_collection():
            self.log("**Different tests collected, aborting run**")
            return
        self.collection = collection
        self._queue(range(len(collection)))
        self._send_first_tests()
        if not self.pending:
            self._deal()

    def check_schedule(self, node: Any, duration: float = 0) -> None:
        if node.shutting_down or node not in self.node2collection:
            return
        if self.pending or not self._cells:
            super().check_schedule(node, duration)
        if self._cells and not self.pending:
            self._deal()

    def remove_node(self, node: Any) -> str | None:
        """Forget a worker; return the test that it was running when it died, None where it had nothing left to run."""
        indices = self.node2pending.pop(node)
        if not indices:
            return None
        assert self.collection is not None
        self._queue(indices[1:])
        for other in self.nodes:
            self.check_schedule(other)
        return str(self.collection[indices[0]])

    def mark_test_pending(self, item: str) -> None:
        """Put a test back to be run again, as a plugin may ask for one that crashed."""
        if self._group_of(item) is None:
            super().mark_test_pending(item)
            return
        assert self.collection is not None
        self._queue([self.collection.index(item)])
        for node in self.nodes:
            self.check_schedule(node)

    def _queue(self, indices: Sequence[int]) -> None:
        """Let tests wait for a worker: own tests after those that wait already, cells before them."""
        assert self.collection is not None
        cells: dict[str, list[int]] = {}
        for index in indices:
            if (group := self._group_of(self.collection[index])) is None:
                self.pending.append(index)
            else:
                cells.setdefault(group, []).append(index)
        for group, waiting in self._cells.items():
            cells[group] = [*cells.get(group, ()), *waiting]
        self._cells = cells

    def _send_first_tests(self) -> None:
        """Send own tests for a start, as many to each worker as `LoadScheduling` would if there were no cells."""
        count, nodes = len(self.pending), self.nodes
        if self.maxschedchunk is None:
            self.maxschedchunk = count
        if count < 2 * len(nodes):
            for node in islice(cycle(nodes), count):
                self._send_tests(node, 1)
            return
        chunk = max(2, min(count // len(nodes) // 4, self.maxschedchunk))
        for node in nodes:
            self._send_tests(node, chunk)

    def _send_tests(self, node: Any, num: int) -> None:
        indices = self.pending[:num]
        if indices and self._sent(node, indices):
            del self.pending[:num]

    def _deal(self) -> None:
        """Give each worker that runs out of tests a group; where none is left, let all workers end."""
        nodes = [node for node in self.nodes if node in self.node2collection and not node.shutting_down]
        for enough in (1, 2):  # one group for each worker, before workers with a group of one cell get a second
            for node in nodes:
                if self._cells and len(self.node2pending[node]) < enough:
                    group = next(iter(self._cells))
                    if self._sent(node, self._cells[group]):
                        del self._cells[group]
        if not self._cells:
            for node in nodes:
                node.shutdown()

    def _sent(self, node: Any, indices: Sequence[int]) -> bool:
        """Send tests to a worker; False where it has died meanwhile, which is reported next."""
        try:
            node.send_runtest_some(indices)
        except OSError:
            return False
        self.node2pending[node].extend(indices)
        return True
