"""The marker `compress_guard` on people's own tests: which cells the fixture `compressed_batches` gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final, NoReturn, get_args

import pytest

from compress_guard.engine.batches import compressed_batches
from compress_guard.engine.measurement import one_cell_guard
from compress_guard.engine.prediction import Batch
from compress_guard.engine.trouble import attempted
from compress_guard.errors import CompressGuardError, OptionError, RunError, said
from compress_guard.foreign import shown_line
from compress_guard.plugin.run import Run, run_of
from compress_guard.records import Cell, Guard, Judgement, Orientation
from compress_guard.registry import codec_named, unknown
from compress_guard.verdict import settle


def _texts(value: object) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(isinstance(one, str) for one in value)


def _rates(value: object) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(type(one) in (int, float) for one in value)


def _whole(value: object) -> bool:
    return type(value) is int and value > 0


KEYS: Final[Mapping[str, tuple[Callable[[object], bool], str]]] = {
    "codecs": (_texts, "a list of codec names"),
    "bpp": (_rates, "a list of rates"),
    "guard": (lambda value: isinstance(value, str), "the name of a guard"),
    "data": (lambda value: value is not None, "a factory 'package.module:callable', 'fixture:NAME' or a data set"),
    "rate": (lambda value: value in ("dataset", "image"), "'dataset' or 'image'"),
    "orientation": (lambda value: value in get_args(Orientation), "'upright' or 'stored'"),
    "limit": (_whole, "a whole number of at least 1"),
    "batch_size": (_whole, "a whole number of at least 1"),
}
"""What the marker takes: a check of each value, and what to say was expected."""


def requested_cells(config: pytest.Config, item: Any) -> list[tuple[Guard, Cell]]:
    """The marked codecs and rates as cells of a guard; raises pytest's CollectError for a marker without sense."""
    marker = item.get_closest_marker("compress_guard")
    try:
        if marker is None:
            raise OptionError("compressed_batches needs @pytest.mark.compress_guard(codecs=[...], bpp=[...], ...)")
        _check(marker)
        return _cells(run_of(config), marker.kwargs)
    except CompressGuardError as problem:
        raise pytest.Collector.CollectError(shown_line(f"{item.nodeid}: {problem}")) from problem


def _check(marker: pytest.Mark) -> None:
    if marker.args:
        raise OptionError(
            f"the marker compress_guard takes keywords only, found {marker.args[0]!r}; write guard='NAME'"
        )
    for key, value in marker.kwargs.items():
        if key not in KEYS:
            raise OptionError(unknown("keyword of the marker compress_guard", key, tuple(KEYS)))
        fits, expected = KEYS[key]
        if not fits(value):
            raise OptionError(f"{key} of the marker compress_guard is {value!r}; expected {expected}")
    if ("guard" in marker.kwargs) == ("data" in marker.kwargs):
        raise OptionError("the marker compress_guard needs either guard='NAME' or data=...")
    if "data" in marker.kwargs and not ("codecs" in marker.kwargs and "bpp" in marker.kwargs):
        raise OptionError("the marker compress_guard with data=... needs codecs=[...] and bpp=[...]")
    for key in ("rate", "orientation"):
        if "guard" in marker.kwargs and key in marker.kwargs:
            raise OptionError(f"the marker compress_guard takes {key}=... with data=... only; a guard has its own")


def _cells(run: Run, wanted: Mapping[str, Any]) -> list[tuple[Guard, Cell]]:
    known = _guard(run, wanted["guard"]) if "guard" in wanted else None
    codecs = wanted.get("codecs") or ([spec.alias for spec in known.codecs] if known else ())
    found = [
        _cell(known, codec, float(bpp), wanted)
        for codec in codecs
        for bpp in wanted.get("bpp") or (known.rates(codec) if known else ())
    ]
    if not found:
        raise OptionError("the marker compress_guard asks for codecs without rates; add bpp=[...]")
    folder = str(run.decision.folder)
    return [
        (guard, replace(cell, limit=wanted.get("limit", cell.limit), codec=replace(cell.codec, folder=folder)))
        for guard, cell in found
    ]


def _cell(known: Guard | None, codec: str, bpp: float, wanted: Mapping[str, Any]) -> tuple[Guard, Cell]:
    """The cell of the file, so that the images are those its test sees; else one of its own for codec and rate."""
    if known is None:
        own = {key: wanted[key] for key in ("rate", "orientation") if key in wanted}
        guard = one_cell_guard("data", task="classification", codec=codec, bpp=bpp, **own)
        return guard, guard.cells[0]
    for cell in known.cells:
        if (cell.codec.alias, cell.bpp) == (codec, bpp):
            return known, cell
    spec = next((spec for spec in known.codecs if spec.alias == codec), codec_named(codec))
    made = one_cell_guard(known.name, task=known.task, codec=spec.type, bpp=bpp, options=dict(spec.options)).cells[0]
    cell = replace(made, codec=spec)
    return replace(known, cells=(cell,)), cell


def _guard(run: Run, name: str) -> Guard:
    guards = {guard.name: guard for guard in run.thresholds.guards}
    if name not in guards:
        raise OptionError(f"{unknown('guard', name, tuple(guards))}; the marker compress_guard names one of the file")
    return guards[name]


def batches(request: pytest.FixtureRequest) -> Iterator[Batch]:
    """The batches of the cell that the test was parametrized with."""
    run = run_of(request.config)
    guard, cell = request.param
    marker = request.node.get_closest_marker("compress_guard")
    source = guard.data or marker.kwargs["data"]
    lookup = request.getfixturevalue("compress_guard_session_fixtures")
    data = attempted(partial(run.session.data, source, lookup)) if isinstance(source, str) else source
    if isinstance(data, RunError):
        raise data
    size = marker.kwargs.get("batch_size", 32)
    made = compressed_batches(data, guard, cell, run.settings, run.session.device, size, run.progress().tell)
    while True:
        # Not around the yield: what is raised there is the test's own.
        batch = attempted(partial(next, made, None))
        if isinstance(batch, RunError):
            _give_up(batch, guard, run)
        elif batch is None:
            return
        else:
            yield batch


def _give_up(problem: RunError, guard: Guard, run: Run) -> NoReturn:
    """Skip or fail the test where the guard's policies say so, else raise the error in it."""
    if problem.verdict not in ("unavailable", "unreachable"):
        raise problem
    judgement = Judgement.without_evidence(problem.verdict, said(problem))
    settled = settle(judgement, max_drop=None, min_score=None, policy=guard.policy, strict=run.settings.strict)
    reason = f"{said(problem)}; {settled.note}"
    if settled.outcome == "skipped":
        pytest.skip(reason)
    pytest.fail(reason, pytrace=False)
