"""The gate beside what people do without it: ``python -m benchmarks.gate.ourselves --photographs FOLDER``.

One run, one core: photographs are brought to rates and handed to a model by a gate (its first run and its second), by a
plain loop over Pillow's qualities, and by CompressAI's `find_close`; codecs are timed by CompressAI's `bench` and as a
gate calls them; then what starting costs, and whether memory grows. ``--write docs/explanation/performance.md`` puts
the tables between the marks ``<!-- ourselves -->`` and ``<!-- end of ourselves -->`` of that file.

Contenders take turns, in another order each time, in one process that is bound to one core; the figures are medians.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks import document
from benchmarks.command import Command, check_document, given_words, preamble
from benchmarks.gate import memory, start
from benchmarks.gate.contenders import (
    Effort,
    Speed,
    Task,
    batches,
    find_close,
    gate,
    plain_loop,
    speed_by_bench,
    speed_of_ours,
)
from benchmarks.rates.search import on_one_core
from compress_guard.errors import UsageError

MARK: Final = "ourselves"
CODECS: Final = ("jpeg", "webp")
RATES: Final = (0.25, 0.5, 1.0)
QUALITY: Final = 75
"""Quality at which codecs are timed: the default of `bench`."""
SUFFIXES: Final = {".png", ".jpg", ".jpeg", ".webp"}
FIRST: Final = "`compressed_batches`, first run"
EFFORTS: Final = f"""\
| codec | way | CPU ms per image and rate | of {FIRST} | encodes | within 5 % |
|---|---|--:|--:|--:|--:|"""
SPEEDS: Final = """\
| codec | quality | timed by | encode MP/s | decode MP/s |
|---|--:|---|--:|--:|"""


@dataclass(frozen=True, slots=True)
class Found:
    """The efforts of the contenders for one task, by name, and the speeds of its codec."""

    efforts: dict[str, Effort]
    speeds: dict[str, Speed]


def contest(task: Task, repeats: int) -> Found:
    """Run each contender `repeats` times in turn, in this process, bound to one core if the system can."""
    import torch

    on_one_core()
    torch.set_num_threads(1)
    warm_up = Task(task.paths[:1], task.codec, task.rates[-1:])
    efforts: dict[str, list[Effort]] = {}
    speeds: dict[str, list[Speed]] = {}
    for number in range(-1, repeats):  # the first turn loads libraries
        for name, effort in _turn(warm_up if number < 0 else task, number):
            if number >= 0:
                efforts.setdefault(name, []).append(effort)
        for name, timed in (("CompressAI's `bench`", speed_by_bench), ("ours, one thread", speed_of_ours)):
            speeds.setdefault(name, []).append(timed(task, QUALITY))
    return Found(
        {name: _middle(each) for name, each in efforts.items()},
        {name: _typical(each) for name, each in speeds.items()},
    )


def _turn(task: Task, number: int) -> Iterator[tuple[str, Effort]]:
    """Yield each contender once; where the gate begins, its second run follows the first."""
    with tempfile.TemporaryDirectory() as name:
        kept = Path(name)
        order: list[tuple[str, Callable[[Task], Effort]]] = [
            (FIRST, partial(batches, cache=kept / "batches")),
            ("the same, second run", partial(batches, cache=kept / "batches")),
            ("whole gate, first run", partial(gate, cache=kept / "gate")),
            ("the same gate, second run", partial(gate, cache=kept / "gate")),
            ("plain loop with Pillow, every run", plain_loop),
            ("CompressAI's `find_close`, every run", find_close),
        ]
        first = 2 * number % len(order)
        for way, run in order[first:] + order[:first]:
            yield way, run(task)


def _middle(found: Sequence[Effort]) -> Effort:
    """Return medians; counts are the same each time."""
    return Effort(statistics.median(one.seconds for one in found), found[0].encodes, found[0].held)


def _typical(found: Sequence[Speed]) -> Speed:
    return Speed(statistics.median(one.encode for one in found), statistics.median(one.decode for one in found))


def in_own_process(task: Task, repeats: int) -> Found:
    """Return the contest of a fresh process, which alone is bound to a core."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(contest, task, repeats).result()


def tables(tasks: Sequence[Task], repeats: int, run: Callable[[Task, int], Found]) -> Iterator[str]:
    """Yield the contenders' table, then that of the speeds."""
    found = [(task, run(task, repeats)) for task in tasks]
    rates = ", ".join(f"{rate:g}" for rate in tasks[0].rates)
    yield f"{len(tasks[0].paths)} photographs at {rates} bpp, each within 5 %; one core; medians of {repeats} turns."
    yield ""
    yield from EFFORTS.splitlines()
    for task, one in found:
        for way, effort in one.efforts.items():
            yield effort_line(task, way, effort, one.efforts[FIRST].seconds)
    yield ""
    yield from SPEEDS.splitlines()
    for task, one in found:
        for way, speed in one.speeds.items():
            yield f"| {task.codec} | {QUALITY} | {way} | {speed.encode:.3g} | {speed.decode:.3g} |"
    yield ""


def effort_line(task: Task, way: str, effort: Effort, first: float) -> str:
    """Return one row of the contenders' table."""
    encodes = "" if effort.encodes is None else f"{effort.encodes / task.images:.2f}"
    held = "" if effort.held is None else f"{100 * effort.held:.0f} %"
    spent = 1000 * effort.seconds / task.images
    return f"| {task.codec} | {way} | {spent:.1f} | {effort.seconds / first:.2f} | {encodes} | {held} |"


def photographs(folder: Path, limit: int) -> tuple[Path, ...]:
    """Return the first files by name; raises `UsageError` where there are none."""
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES) if folder.is_dir() else []
    if not paths:
        raise UsageError("--photographs", f"{folder} has no png, jpg or webp files", "name a folder of photographs")
    return tuple(paths[:limit])


def arguments_of(given: Sequence[str] | None) -> argparse.Namespace:
    parser = Command("gate.ourselves", __doc__)
    parser.add_folder()
    parser.add_argument("--codecs", nargs="+", choices=CODECS, default=CODECS)
    parser.add_rates(RATES)
    parser.add_whole("--limit", 25, "use the first so many photographs")
    parser.add_whole("--repeats", 3, "turns of each contender")
    parser.add_whole("--pairs", start.PAIRS, "starts of each kind")
    parser.add_whole("--few", memory.FEW, "images of the smaller run")
    parser.add_whole("--many", memory.MANY, "images of the larger run")
    parser.add_thresholds("the file that is collected")
    parser.add_write()
    chosen = parser.parse_args(given)
    parser.check_whole(chosen, "limit", "repeats", "pairs")
    return chosen


def report(chosen: argparse.Namespace, paths: tuple[Path, ...], given: Sequence[str]) -> Iterator[str]:
    """Yield all tables, each as soon as it is measured."""
    yield from preamble("gate.ourselves", given)
    tasks = [Task(paths, codec, tuple(chosen.rates)) for codec in chosen.codecs]
    yield from tables(tasks, chosen.repeats, in_own_process)
    yield from start.lines(chosen.thresholds, chosen.pairs)
    yield ""
    yield from memory.lines(chosen.few, chosen.many)
    yield ""


def main(arguments: Sequence[str] | None = None) -> None:
    chosen = arguments_of(arguments)
    try:
        paths = photographs(chosen.photographs, chosen.limit)
    except UsageError as problem:
        raise SystemExit(str(problem)) from problem
    check_document(chosen.write, MARK)
    given = given_words(arguments)
    document.publish(report(chosen, paths, given), chosen.write, MARK)


if __name__ == "__main__":
    main()
