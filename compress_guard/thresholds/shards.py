"""The cut of a file into shards: a pure function of the file, so that all machines agree without a word."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from compress_guard.errors import OptionError
from compress_guard.records import Cell, Guard, Thresholds

MOST: Final = 10_000
"""Most shards."""
_NO_COSTS: Final[Mapping[str, float]] = {}


@dataclass(frozen=True, slots=True)
class FileShard:
    """One of several parts of a file, counted from 1."""

    number: int
    count: int

    @classmethod
    def read(cls, text: str) -> FileShard:
        """Read ``2/5``; raises `OptionError` for anything else."""
        match = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", text)
        if match is not None and 1 <= int(match[1]) <= int(match[2]) <= MOST:
            return cls(int(match[1]), int(match[2]))
        raise OptionError(f"{text!r} is no shard; write I/N such as 2/5, with I from 1 to N and N up to {MOST}")

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def names(self, thresholds: Thresholds, costs: Mapping[str, float] = _NO_COSTS) -> frozenset[str]:
        """Return the names of the cells of this shard; see `cut` for the costs."""
        return frozenset(cut(thresholds, self.count, costs)[self.number - 1])


@dataclass(frozen=True, slots=True)
class _Unit:
    """Cells that stay together, and what they cost."""

    names: tuple[str, ...]
    cost: float


def cut(thresholds: Thresholds, count: int, costs: Mapping[str, float] = _NO_COSTS) -> tuple[tuple[str, ...], ...]:
    """Return the names of the cells of each of `count` shards, in the order of the file; a shard may be empty.

    The cells of a codec of a guard stay together, since one plan serves all of their rates, and so do all cells of a
    guard with shares of traffic, whose mean drop needs all of them, and the cells of a recovery study. The dearest
    unit goes first, each to the shard with the least so far (Graham 1969: at most 4/3 of the best largest shard).
    `costs` are seconds by the name of the cell, of an earlier run; a cell without one costs as much as the mean of the
    others, in the proportion of its images.
    """
    shards: list[list[str]] = [[] for _ in range(count)]
    typical = _typical(thresholds, costs)
    for units in (_gated, _timed, _studied):  # each kind by itself, since a run need not have all of them
        loads = [0.0] * count
        known = [unit for guard in thresholds.guards for unit in units(guard, costs, typical)]
        for unit in sorted(known, key=lambda unit: -unit.cost):  # stable: equal costs stay in the order of the file
            place = loads.index(min(loads))
            loads[place] += unit.cost
            shards[place] += unit.names
    order = {name: place for place, name in enumerate(thresholds.names(timed=True, studied=True))}
    return tuple(tuple(sorted(names, key=order.__getitem__)) for names in shards)


def _typical(thresholds: Thresholds, costs: Mapping[str, float]) -> float:
    """Return the cost of a cell that has none: the mean of the others, 1 without any."""
    known = [costs[name] for name in thresholds.names(timed=True, studied=True) if name in costs]
    return sum(known) / len(known) if known else 1.0


def _gated(guard: Guard, costs: Mapping[str, float], typical: float) -> Iterator[_Unit]:
    limits = [cell.limit for cell in guard.cells if cell.limit is not None]
    most = max(limits, default=1)

    def cost(cell: Cell) -> float:
        images = most if cell.limit is None else cell.limit
        return costs.get(cell.name, typical * images / most)

    codecs: dict[str, list[Cell]] = {}
    whole = any(cell.traffic is not None for cell in guard.cells)
    for cell in guard.cells:
        codecs.setdefault("" if whole else cell.codec.alias, []).append(cell)
    for cells in codecs.values():
        yield _Unit(tuple(cell.name for cell in cells), sum(map(cost, cells)))


def _timed(guard: Guard, costs: Mapping[str, float], typical: float) -> Iterator[_Unit]:
    if guard.throughput is not None:
        yield from (_Unit((cell.name,), costs.get(cell.name, typical)) for cell in guard.throughput.cells)


def _studied(guard: Guard, costs: Mapping[str, float], typical: float) -> Iterator[_Unit]:
    if guard.recovery is not None:
        names = tuple(cell.name for cell in guard.recovery.cells)
        yield _Unit(names, sum(costs.get(name, typical) for name in names))
