"""What the fixture `codec_throughput` gives."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Final, final

import pytest

from compress_guard.engine.measurement import RUN_KEYWORDS
from compress_guard.engine.throughput import GUARD_KEYWORDS, contest_of
from compress_guard.errors import OptionError, RunError
from compress_guard.plugin.items import plain_id, record, recorded, settle
from compress_guard.plugin.run import run_of
from compress_guard.plugin.throughput import absent, check_enabled, has_benchmark, timed
from compress_guard.records import ThroughputResult
from compress_guard.registry import unknown

_OURS: Final = ("strict", "name", "node_id")
"""What `contest_of` takes and no test says."""


@final
class CodecThroughput:
    """Times codecs from a test.

    `check` and `measure` take the images and, by keyword, ``codec``, ``bpp``, ``work``, ``reference``, ``options``,
    ``rounds``, ``min_ratio``, ``max_growth``, ``confidence``, ``max_error_share``, ``on_inconclusive``,
    ``on_unreachable`` and ``on_unavailable``; but not what the command line says for all tests alike: ``--cg-device``,
    ``--cg-workers``, ``--cg-seed`` and ``--cg-cache``.
    """

    def __init__(self, request: pytest.FixtureRequest) -> None:
        if not has_benchmark(request.config):
            why, remedy = absent()
            pytest.fail(f"codec_throughput {why}; {remedy}", pytrace=False)
        self._node: Final = request.node
        self._run: Final = run_of(request.config)
        self._benchmark: Final = request.getfixturevalue("benchmark")
        self._calls = 0
        check_enabled(request.config, self._benchmark)

    def check(self, images: Sequence[Any], **wanted: Any) -> ThroughputResult:
        """Assert that the codec keeps its limits (``min_ratio``, ``max_growth``) and record the result.

        Returns the result where the test goes on; fails or skips the test where a cell of a file would. Raises
        `OptionError` without a limit, and for what makes no sense.
        """
        __tracebackhide__ = True
        if wanted.get("min_ratio") is None and wanted.get("max_growth") is None:
            raise OptionError(
                "codec_throughput.check needs min_ratio or max_growth; use codec_throughput.measure to measure only"
            )
        result, trouble = self._timed("check", images, wanted)
        record(self._node, result)
        settle(result, trouble)
        return result

    def measure(self, images: Sequence[Any], **wanted: Any) -> ThroughputResult:
        """The result, asserting nothing and recording nothing; what stood in the way of one is its `verdict`."""
        __tracebackhide__ = True
        return self._timed("measure", images, wanted)[0]

    def _timed(
        self, method: str, images: Sequence[Any], wanted: dict[str, Any]
    ) -> tuple[ThroughputResult, RunError | None]:
        __tracebackhide__ = True
        _check_keywords(method, wanted)
        settings = self._run.settings
        name = getattr(self._node, "originalname", None) or self._node.name
        contest = contest_of(
            images,
            device=self._run.session.device,
            workers=settings.workers,
            seed=settings.seed,
            cache=settings.store_folder,
            strict=settings.strict,
            name=name,
            **wanted,
        )
        # pytest-benchmark has one entry per test.
        result = contest.run() if self._calls else timed(contest, self._benchmark)
        self._calls += 1
        label = result.id.removeprefix(f"{name}[").removesuffix("]")
        taken = len(recorded(self._node, ThroughputResult))
        named = replace(result, id=f"{plain_id(self._node)}::{label}" + (f"#{taken}" if taken else ""))
        return named, contest.trouble


def _check_keywords(method: str, wanted: Iterable[str]) -> None:
    __tracebackhide__ = True
    parameters = inspect.signature(contest_of).parameters.values()
    own = [one.name for one in parameters if one.kind is one.KEYWORD_ONLY]
    known = (*(name for name in own if name not in (*RUN_KEYWORDS, *_OURS)), *GUARD_KEYWORDS)
    for key in wanted:
        if key in RUN_KEYWORDS:
            raise OptionError(
                f"codec_throughput.{method} takes no {key}: it is the same for all tests; give --cg-{key} to pytest"
            )
        if key not in known:
            raise OptionError(unknown("keyword", key, known))
