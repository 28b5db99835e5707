"""xdist's schedulers for ``--dist loadscope``, ``loadfile``, ``loadgroup`` and ``each``, mended for crashes.

They share out tests as xdist does. What differs is the end of a worker that dies. In xdist 3.8 the first three start
the test that killed it again, on one worker after the other, and wait for ever where the worker in its place gets a
group of a single test; the last forgets all tests of a worker that came in the place of another and dies too.
Imported only where xdist takes part in the run.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from xdist.scheduler import EachScheduling as XdistEachScheduling
from xdist.scheduler import LoadFileScheduling, LoadGroupScheduling, LoadScopeScheduling


class _AfterCrashes(LoadScopeScheduling):
    """A scheduler that loses one test to a worker that dies, and leaves no worker without a next test."""

    def remove_node(self, node: Any) -> str | None:
        """Forget a worker; return the test that it was running when it died, None where it had nothing left to run."""
        workload: dict[str, dict[str, bool]] = self.assigned_work.pop(node)
        waiting = [(unit, name) for unit in workload.values() for name, completed in unit.items() if not completed]
        if not waiting:
            return None
        unit, crashed = waiting[0]
        unit[crashed] = True  # it has had its turn
        self._put_back({scope: unit for scope, unit in workload.items() if not all(unit.values())})
        for other in list(self.assigned_work):
            self._reschedule(other)
        return crashed

    def _reschedule(self, node: Any) -> None:
        if node not in self.registered_collections:  # it is still collecting
            return
        super()._reschedule(node)
        # A worker begins no test before it knows the next one.
        while self.workqueue and not node.shutting_down and self._pending_of(self.assigned_work[node]) < 2:
            if not self._assign_work_unit(node):
                return
        if not self.workqueue and not node.shutting_down and self._pending_of(self.assigned_work[node]) < 2:
            node.shutdown()

    def _assign_work_unit(self, node: Any) -> bool:
        """Send a group to a worker; False where it has died meanwhile, which is reported next."""
        scope = next(iter(self.workqueue))
        try:
            super()._assign_work_unit(node)
        except OSError:
            self._put_back({scope: self.assigned_work[node].pop(scope)})
            return False
        return True

    def _put_back(self, units: dict[str, dict[str, bool]]) -> None:
        """Let groups wait for a worker, before those that wait already."""
        for scope in reversed(units):
            self.workqueue[scope] = units[scope]
            self.workqueue.move_to_end(scope, last=False)


class ScopeScheduling(_AfterCrashes):
    """``--dist loadscope``."""


class FileScheduling(_AfterCrashes, LoadFileScheduling):
    """``--dist loadfile``."""


class GroupScheduling(_AfterCrashes, LoadGroupScheduling):
    """``--dist loadgroup``."""


class EachScheduling(XdistEachScheduling):
    """``--dist each``."""

    def add_node_collection(self, node: Any, collection: Sequence[str]) -> None:
        first = not self.collection_is_completed
        super().add_node_collection(node, collection)
        self.node2collection.setdefault(node, list(collection))
        if not first and not self.node2pending[node]:  # the worker that it replaces had nothing left to run
            self._started.append(node)
            node.shutdown()


BY_DIST: Final = {
    "loadscope": ScopeScheduling,
    "loadfile": FileScheduling,
    "loadgroup": GroupScheduling,
    "each": EachScheduling,
}
"""The scheduler of each ``--dist`` that has one here."""
