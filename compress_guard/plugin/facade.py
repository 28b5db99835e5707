"""What the fixture `guard` gives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, final

import pytest

from compress_guard.engine.bench import Bench, Measured
from compress_guard.engine.draft import Draft
from compress_guard.engine.measurement import (
    RUN_KEYWORDS,
    check_keywords,
    one_cell_guard,
    raised_or_result,
    subject_of,
    warn_of_shares,
)
from compress_guard.engine.session import keep_evidence
from compress_guard.engine.subject import Subject
from compress_guard.errors import OptionError
from compress_guard.plugin.items import plain_id, record, recorded, settle
from compress_guard.plugin.run import run_of
from compress_guard.records import CellResult, Fingerprint, Guard

_SUBJECTS: Final = pytest.StashKey[list[tuple[Any, Any, tuple[str | Fingerprint | None, ...], Subject]]]()
"""Subjects by model, data, and (task, fingerprint, orientation); references keep the objects and their identity."""
_BENCHES: Final = pytest.StashKey[list[tuple[Guard, Subject, Bench]]]()


@final
class GuardFacade:
    """Measures and checks models from a test.

    `check` and `measure` take what `compress_guard.measure` takes, except what the command line says for all tests
    alike: ``--cg-device``, ``--cg-workers``, ``--cg-seed`` and ``--cg-cache``.
    """

    def __init__(self, request: pytest.FixtureRequest) -> None:
        self._request = request
        self._run = run_of(request.config)

    def check(
        self, model: Any, data: Any, *, task: str, codec: str = "jpeg", bpp: float = 0.25, **wanted: Any
    ) -> CellResult:
        """Assert that the model keeps its limits (``max_drop``, ``min_score``, ``min_clean``) and record the result.

        Returns the result where the test goes on; fails or skips the test where a cell of a file would. Raises
        `OptionError` without a limit, and for what `compress_guard.measure` refuses.
        """
        __tracebackhide__ = True
        _check_keywords("check", wanted)
        # A min_clean of 0 is no limit.
        if all(wanted.get(key) is None for key in ("max_drop", "min_score")) and not wanted.get("min_clean"):
            raise OptionError("guard.check needs max_drop, min_score or min_clean; use guard.measure to measure only")
        measured = self._measured(model, data, task=task, codec=codec, bpp=bpp, **wanted)
        if self._run.settings.keep_evidence:
            keep_evidence(self._run.settings.run_folder, measured)
        record(self._request.node, measured.result)
        self._run.note_running(self._request.node.nodeid, recorded(self._request.node, CellResult))
        settle(measured.result, measured.problem)
        return measured.result

    def measure(
        self, model: Any, data: Any, *, task: str, codec: str = "jpeg", bpp: float = 0.25, **wanted: Any
    ) -> CellResult:
        """The result, asserting nothing and recording nothing. Raises what `compress_guard.measure` raises."""
        __tracebackhide__ = True
        _check_keywords("measure", wanted)
        warn_of_shares(wanted)  # nothing of this result is in the report
        return raised_or_result(self._measured(model, data, task=task, codec=codec, bpp=bpp, **wanted))

    def _measured(self, model: Any, data: Any, **wanted: Any) -> Measured:
        node = self._request.node
        guard = one_cell_guard(getattr(node, "originalname", None) or node.name, **wanted)
        cell = guard.cells[0]
        taken = len(recorded(node, CellResult))
        with self._run.progress() as progress:
            name = f"{plain_id(node)}::{cell.label}" + (f"#{taken}" if taken else "")
            bench = self._bench(model, data, guard)
            before = recorded(node, CellResult)
            asked = Draft.of(guard, cell, name, self._run.settings, self._run.session.device).result
            self._run.note_running(node.nodeid, [*before, asked])
            try:
                return bench.measure(cell, name, progress, progress.tell, last=True)
            finally:
                self._run.note_running(node.nodeid, before)

    def _bench(self, model: Any, data: Any, guard: Guard) -> Bench:
        subject = self._subject(model, data, guard)
        known = self._request.config.stash.setdefault(_BENCHES, [])
        for seen_guard, seen_subject, bench in known:
            if seen_subject is subject and seen_guard == guard:
                return bench
        bench = Bench(guard, subject, self._run.settings)
        known.append((guard, subject, bench))
        return bench

    def _subject(self, model: Any, data: Any, guard: Guard) -> Subject:
        known = self._request.config.stash.setdefault(_SUBJECTS, [])
        named = (guard.task, guard.fingerprint, guard.orientation)
        for seen_model, seen_data, seen_named, subject in known:
            if seen_model is model and seen_data is data and seen_named == named:
                return subject
        subject = subject_of(guard, model, data, self._run.session.device, self._run.settings)
        known.append((model, data, named, subject))
        return subject


def _check_keywords(method: str, wanted: Mapping[str, Any]) -> None:
    __tracebackhide__ = True
    for key in wanted:
        if key in RUN_KEYWORDS:
            raise OptionError(f"guard.{method} takes no {key}: it is the same for all tests; give --cg-{key} to pytest")
    check_keywords(wanted)
