"""The marker `compress_guard` on people's own tests: which cells the fixture `compressed_batches` gives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from compress_guard.engine.batches import compressed_batches
from compress_guard.engine.measurement import one_cell_guard
from compress_guard.engine.prediction import Batch
from compress_guard.errors import CodecUnavailable, CompressGuardError
from compress_guard.plugin.gate import Gate, gate_of
from compress_guard.records import Cell, Guard

KEYS = ("codecs", "bpp", "guard", "data", "rate", "limit", "batch_size")


def requested_cells(config: pytest.Config, item: Any) -> list[tuple[Guard, Cell]]:
    """The marked codecs and rates as cells of a guard; raises pytest's UsageError for a marker that makes no sense."""
    marker = item.get_closest_marker("compress_guard")
    try:
        if marker is None:
            raise CompressGuardError(
                "compressed_batches needs @pytest.mark.compress_guard(codecs=[...], bpp=[...], ...)"
            )
        return _cells(gate_of(config), marker.kwargs)
    except CompressGuardError as problem:
        raise pytest.UsageError(f"{item.nodeid}: {problem}") from problem


def _cells(gate: Gate, wanted: dict[str, Any]) -> list[tuple[Guard, Cell]]:
    if unknown := [key for key in wanted if key not in KEYS]:
        raise CompressGuardError(f"the marker compress_guard has no {unknown[0]!r}; it takes {', '.join(KEYS)}")
    if ("guard" in wanted) == ("data" in wanted):
        raise CompressGuardError("the marker compress_guard needs either guard='NAME' or data=...")
    known = _guard(gate, wanted["guard"]) if "guard" in wanted else None
    if known is None and not ("codecs" in wanted and "bpp" in wanted):
        raise CompressGuardError("the marker compress_guard with data=... needs codecs=[...] and bpp=[...]")
    codecs = wanted.get("codecs") or [spec.alias for spec in known.codecs] if known else wanted["codecs"]
    return [found for codec in codecs for found in _cells_of_codec(known, codec, wanted)]


def _cells_of_codec(known: Guard | None, codec: str, wanted: dict[str, Any]) -> Iterator[tuple[Guard, Cell]]:
    rates: Sequence[float] = wanted.get("bpp") or (known.rates(codec) if known else ())
    for bpp in rates:
        guard = known
        cell = next((one for one in known.cells if (one.codec.alias, one.bpp) == (codec, bpp)), None) if known else None
        if guard is None or cell is None:
            guard = one_cell_guard(
                known.name if known else "data",
                task=known.task if known else "classification",
                codec=codec,
                bpp=bpp,
                rate=known.rate if known else wanted.get("rate", "dataset"),
                rate_tolerance=known.rate_tolerance if known else None,
            )
            guard = replace(guard, data=known.data if known else "")
            cell = guard.cells[0]
        yield guard, replace(cell, limit=wanted.get("limit", cell.limit))


def _guard(gate: Gate, name: str) -> Guard:
    for guard in gate.thresholds.guards:
        if guard.name == name:
            return guard
    names = ", ".join(guard.name for guard in gate.thresholds.guards) or "none"
    raise CompressGuardError(f"the marker compress_guard names guard {name!r}; the thresholds file has: {names}")


def batches(request: pytest.FixtureRequest) -> Iterator[Batch]:
    """The batches of the cell that the test was parametrized with."""
    gate = gate_of(request.config)
    guard, cell = request.param
    marker = request.node.get_closest_marker("compress_guard")
    source = guard.data or marker.kwargs["data"]
    lookup = request.getfixturevalue("compress_guard_session_fixtures")
    data = gate.session.data(source, lookup) if isinstance(source, str) else source
    try:
        yield from compressed_batches(
            data, guard, cell, gate.settings, gate.session.device, marker.kwargs.get("batch_size", 32)
        )
    except CodecUnavailable as problem:
        pytest.skip(str(problem))
