"""What the fixture `guard` gives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, final, overload

import pytest

from compress_guard.engine.bench import Bench, Measured
from compress_guard.engine.codec_choice import asked_rates
from compress_guard.engine.draft import Draft
from compress_guard.engine.measurement import (
    RUN_KEYWORDS,
    check_keywords,
    guard_at_rates,
    raised_or_result,
    subject_of,
    warn_of_doubts,
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

    @overload
    def check(
        self, model: Any, data: Any, *, task: str, codec: str = ..., bpp: float = ..., **wanted: Any
    ) -> CellResult: ...

    @overload
    def check(
        self, model: Any, data: Any, *, task: str, codec: str = ..., bpp: Sequence[float], **wanted: Any
    ) -> list[CellResult]: ...

    def check(
        self,
        model: Any,
        data: Any,
        *,
        task: str,
        codec: str = "jpeg",
        bpp: float | Sequence[float] = 0.25,
        **wanted: Any,
    ) -> CellResult | list[CellResult]:
        """Assert that the model keeps its limits (``max_drop``, ``min_score``, ``min_clean``) and record the result.

        Returns the result where the test goes on; fails or skips the test where a cell of a file would. Raises
        `OptionError` without a limit, and for what `compress_guard.measure` refuses.

        A list of rates is measured and recorded rate by rate, with one search; then the test fails if any of them
        failed, and else is skipped if any of them would skip it.
        """
        __tracebackhide__ = True
        _check_keywords("check", wanted)
        # A min_clean of 0 is no limit.
        if all(wanted.get(key) is None for key in ("max_drop", "min_score")) and not wanted.get("min_clean"):
            raise OptionError("guard.check needs max_drop, min_score or min_clean; use guard.measure to measure only")
        rates = asked_rates(bpp)
        checked: list[Measured] = []
        for measured in self._measured(model, data, task=task, codec=codec, bpp=rates or bpp, **wanted):
            if self._run.settings.keep_evidence:
                keep_evidence(self._run.settings.run_folder, measured)
            record(self._request.node, measured.result)
            self._run.note_running(self._request.node.nodeid, recorded(self._request.node, CellResult))
            checked.append(measured)
        _settle_all(checked)
        results = [measured.result for measured in checked]
        return results[0] if rates is None else results

    @overload
    def measure(
        self, model: Any, data: Any, *, task: str, codec: str = ..., bpp: float = ..., **wanted: Any
    ) -> CellResult: ...

    @overload
    def measure(
        self, model: Any, data: Any, *, task: str, codec: str = ..., bpp: Sequence[float], **wanted: Any
    ) -> list[CellResult]: ...

    def measure(
        self,
        model: Any,
        data: Any,
        *,
        task: str,
        codec: str = "jpeg",
        bpp: float | Sequence[float] = 0.25,
        **wanted: Any,
    ) -> CellResult | list[CellResult]:
        """Return the result, asserting nothing and recording nothing. Raises what `compress_guard.measure` raises.

        A list of results, in the order of the rates, where `bpp` is a list.
        """
        __tracebackhide__ = True
        _check_keywords("measure", wanted)
        warn_of_shares(wanted)  # nothing of this result is in the report
        rates = asked_rates(bpp)
        made = self._measured(model, data, task=task, codec=codec, bpp=rates or bpp, **wanted)
        results = [raised_or_result(measured) for measured in made]
        warn_of_doubts(results, wanted)
        return results[0] if rates is None else results

    def _measured(self, model: Any, data: Any, **wanted: Any) -> Iterator[Measured]:
        """Measure the cells one by one; whoever records a result does so before the next cell is measured."""
        node = self._request.node
        guard = guard_at_rates(getattr(node, "originalname", None) or node.name, **wanted)
        bench = None
        for cell in guard.cells:
            before = recorded(node, CellResult)
            with self._run.progress() as progress:
                name = f"{plain_id(node)}::{cell.label}" + (f"#{len(before)}" if before else "")
                bench = bench or self._bench(model, data, guard)
                asked = Draft.of(guard, cell, name, self._run.settings, self._run.session.device).result
                self._run.note_running(node.nodeid, [*before, asked])
                try:
                    measured = bench.measure(cell, name, progress, progress.tell, last=cell is guard.cells[-1])
                finally:
                    self._run.note_running(node.nodeid, before)
            yield measured

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


def _settle_all(checked: Sequence[Measured]) -> None:
    """Turn the outcomes of one check into pytest's: one that failed comes before one that skips."""
    __tracebackhide__ = True
    failed = [one for one in checked if one.result.outcome == "failed"]
    for one in failed or checked:
        try:
            settle(one.result, one.problem)
        except AssertionError as failure:
            for other in failed[1:]:
                failure.add_note(f"and {other.result.id}: {other.result.reason}")
            raise


def _check_keywords(method: str, wanted: Mapping[str, Any]) -> None:
    __tracebackhide__ = True
    for key in wanted:
        if key in RUN_KEYWORDS:
            raise OptionError(f"guard.{method} takes no {key}: it is the same for all tests; give --cg-{key} to pytest")
    check_keywords(wanted)
