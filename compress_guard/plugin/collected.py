"""The count of cells and tests that gate, and of those deselected: a gate that gates nothing must not be green."""

from __future__ import annotations

import dataclasses
from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Any, Final, final

import pytest

from compress_guard.plugin.cells.collection import ThresholdsFile
from compress_guard.plugin.cells.items import FileItem
from compress_guard.plugin.choice import is_ignored
from compress_guard.plugin.fixtures import definitions
from compress_guard.plugin.modes import only_lists, runs_tests
from compress_guard.plugin.options import HANDED_OVER
from compress_guard.plugin.run import Run

FIXTURES: Final = ("guard", "compressed_batches", "codec_throughput")


@dataclass(frozen=True, slots=True)
class Counts:
    """The counts of one process."""

    cells: int = 0
    """Cells of the thresholds file of all kinds, selected or not."""
    deselected: int = 0
    """Cells that -k, -m, --deselect, --lf or another plugin left out."""
    tests: int = 0
    """People's own tests with one of the fixtures, selected or not."""
    deselected_tests: int = 0
    used: bool = False
    """True if a fixture was asked for while the tests ran, as ``request.getfixturevalue`` does."""

    @property
    def gates(self) -> bool:
        """True if there is anything that could gate."""
        return bool(self.cells or self.tests or self.used)

    @property
    def all_cells_deselected(self) -> bool:
        """True if there are cells, and none was left to run."""
        return 0 < self.cells == self.deselected

    @property
    def nothing_used(self) -> bool:
        """True if only tests were left to gate, and none of them used its fixture, because all were skipped, say."""
        return not self.used and self.cells == self.deselected and self.tests > self.deselected_tests

    @property
    def nothing_left(self) -> bool:
        """True if there was something that could gate, and none of it was left to run."""
        return not self.used and 0 < self.cells + self.tests == self.deselected + self.deselected_tests


@final
class Collected:
    """The plugin that counts; in the controller of pytest-xdist it holds what the workers counted."""

    def __init__(self, run: Run) -> None:
        self._run: Final = run
        self._config: Final = run.config
        self._decision: Final = run.decision
        self._file: ThresholdsFile | None = None
        self._cells: Final[set[pytest.Item]] = set()
        self._tests: Final[set[pytest.Item]] = set()
        self._left: frozenset[pytest.Item] = frozenset()
        self._from_workers: Final[list[Counts]] = []

    def note_file(self, file: ThresholdsFile) -> None:
        """Note the thresholds file that pytest reached."""
        if self._file is None or not self._file.opened:
            self._file = file

    @property
    def counts(self) -> Counts:
        """The counts of this run. All workers collect the same tests, so the smallest counts stand for all."""
        if self._from_workers:
            least = min(self._from_workers, key=lambda each: (each.cells + each.tests, each.cells - each.deselected))
            return replace(least, used=any(each.used for each in self._from_workers))
        unopened = self._unopened()
        return Counts(
            cells=len(self._cells) + unopened,
            deselected=len(self._cells - self._left) + unopened,
            tests=len(self._tests),
            deselected_tests=len(self._tests - self._left),
            used=self._run.fixture_used,
        )

    def _unopened(self) -> int:
        """Count the cells of a file that --lf did not even open, since nothing in it had failed."""
        if self._file is None or self._file.opened or not self._decision.expected:
            return 0
        return self._file.count() if self._config.getoption("lf", False) else 0

    def problem(self) -> str | None:
        """Return why a run that would be green has to fail: it gates nothing. None for any other run."""
        counts, decision = self.counts, self._decision
        if self._run.empty_shard:
            return None
        if not counts.gates:
            return self._nothing_gated()
        if not counts.cells and decision.text is not None and decision.expected:
            # Tests beside them do not make up for cells that should be there.
            file = decision.file.shown
            if not is_ignored(self._config, decision.file.path):
                return f"no cell of {file} was collected, and there should have been some; name it: pytest {file}"
            if decision.settings.strict:
                return f"{self._ignored()}; --cg-strict fails such a run: let pytest collect it"
        if decision.settings.strict and (counts.all_cells_deselected or counts.nothing_left):
            return f"{self._deselected(counts)}; --cg-strict fails such a run: select some of them"
        asked_for = decision.typed or decision.expected  # not by an editor that runs a single test
        if decision.settings.strict and counts.nothing_used and asked_for and runs_tests(self._config):
            return f"{self._unused(counts)}; --cg-strict fails such a run: let one of them run"
        return None

    def remark(self) -> str | None:
        """Return a remark on a run that does not fail for it; None where there is nothing to say."""
        counts, file = self.counts, self._decision.file
        if only_lists(self._config):
            return None
        if self._run.empty_shard:
            return f"shard {self._decision.shard} of {file.shown} is empty: the other shards have its cells"
        if counts.all_cells_deselected or counts.nothing_left:
            return self._deselected(counts)
        if counts.nothing_used:
            return self._unused(counts)
        if not counts.cells and counts.gates and self._is_left_out():
            return self._ignored()
        if self._decision.text is None and self._decision.expected and counts.gates:
            where = f"there is no {file.path.name} in {file.path.parent}"
            return f"{where}: only tests with a fixture of the gate were gated"
        return None

    def _is_left_out(self) -> bool:
        """Return True if the file should have been collected, and pytest was told to leave it out."""
        decision = self._decision
        return decision.text is not None and decision.expected and is_ignored(self._config, decision.file.path)

    def _ignored(self) -> str:
        file = self._decision.file.shown
        return f"{file} is ignored (--ignore, collect_ignore): only tests with a fixture of the gate were gated"

    def _unused(self, counts: Counts) -> str:
        tests = _counted(counts.tests - counts.deselected_tests, "test")
        return f"nothing was gated: no cell was selected, and {tests} with a fixture of the gate did not use it"

    def _deselected(self, counts: Counts) -> str:
        parts = [_counted(counts.deselected, "cell")] if counts.deselected else []
        if counts.nothing_left and counts.deselected_tests:
            parts.append(_counted(counts.deselected_tests, "test") + " with a fixture of the gate")
        return f"{' and '.join(parts)} deselected: none was left to run (by -k, -m, --deselect, --lf or a conftest.py)"

    def _nothing_gated(self) -> str | None:
        decision, file = self._decision, self._decision.file
        if not decision.typed and not decision.expected:
            return None  # an editor that runs single tests, with the flag in its ini file
        missing = "no cell and no test with a fixture of the gate was collected"
        off = "leave out --compress-guard"
        if decision.text is None:
            where = file.path.parent
            named = "create it, name another file: --cg-thresholds=FILE"
            return f"nothing was gated: {missing}, and there is no {file.path.name} in {where}; {named}, or {off}"
        if not decision.expected:
            add = f"add --cg-thresholds={file.shown}"
            return f"nothing was gated: {missing}, and the paths given leave out {file.shown}; {add}, or {off}"
        if is_ignored(self._config, file.path):
            if not decision.typed:
                return None
            found = f"{file.shown} is ignored (--ignore, collect_ignore)"
            return f"nothing was gated: {missing}, and {found}; let pytest collect it, or {off}"
        return f"nothing was gated: {missing}, though {file.shown} should have been; name it: pytest {file.shown}"

    # Hooks

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> Generator[None, None, None]:
        self._cells.update(item for item in items if isinstance(item, FileItem))
        self._tests.update(item for item in items if uses_fixture(item))
        return (yield)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self._left = frozenset(session.items)

    def pytest_sessionfinish(self) -> None:
        output: dict[str, Any] | None = getattr(self._config, "workeroutput", None)
        if output is not None:
            output[HANDED_OVER] = dataclasses.asdict(self.counts)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        output = getattr(node, "workeroutput", None) or {}  # a worker that died left none
        if output:
            self._from_workers.append(Counts(**output.get(HANDED_OVER, {})))


def uses_fixture(item: pytest.Item) -> bool:
    """Return True if one of people's own tests has a fixture of the gate, directly or through other fixtures."""
    names = getattr(item, "fixturenames", ())
    return not isinstance(item, FileItem) and any(name in names and _is_ours(item, name) for name in FIXTURES)


def _is_ours(item: pytest.Item, name: str) -> bool:
    """Return True if a fixture of this name is the gate's, and not one of people's own that hides it."""
    # Private, and pytest has no public way from a test to its fixtures; where it changes the name alone counts.
    known = getattr(getattr(item, "_fixtureinfo", None), "name2fixturedefs", {}).get(name, ())
    for definition in reversed(known):
        if getattr(definition.func, "__module__", None) == definitions.__name__:
            return True
        if name not in definition.argnames:
            return False
    return True


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
