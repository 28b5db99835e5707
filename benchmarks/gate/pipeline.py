"""Time of a whole gate beside the work that it cannot avoid: ``python -m benchmarks.gate.pipeline``.

Runs of a thresholds file, the bundled one by default, each in a process of its own. The first, on one thread and with
nothing done ahead, says how many CPU seconds coding and prediction take: what encoders and decoders, and what the
models, had of the CPU. Then a cold run in one process, whose threads share the cores, and one with ``pytest -n``, a
process per core; their bar is 1.15 times (coding + prediction) / cores. Another repeats the first of them: models that
have a fingerprint are asked for one probing batch each, and for the first batch of every cell. The last has the streams
of the others and models without a fingerprint, as a run has with new models; its bar is 1.15 times decoding +
prediction.

``--write docs/explanation/performance.md`` puts the table between the marks ``<!-- pipeline -->`` and ``<!-- end of
pipeline -->``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import wraps
from pathlib import Path
from typing import Any, Final

from benchmarks import document
from benchmarks.command import Command, check_document, given_words, preamble
from compress_guard.engine.settings import cores

MARK: Final = "pipeline"
BAR: Final = 1.15
HEADER: Final = """\
| run | encodes | predictions | wall s | beside | ratio | bar |
|---|--:|--:|--:|---|--:|--:|"""


@dataclass(frozen=True, slots=True)
class Way:
    """The settings of one run."""

    serial: bool = False
    fingerprints: bool = True
    parted: bool = False
    """True for a run by pytest, with a process per core."""


@dataclass(frozen=True, slots=True)
class Run:
    """The time and work of one run."""

    wall: float
    """Seconds from the start of the process to its last result."""
    encodes: float
    """Number of images coded."""
    predictions: int
    spent: dict[str, float]
    """CPU seconds by kind of work; only of a serial run."""


def measure(path: Path, way: Way, cache: Path, limit: int | None) -> Run:
    """Make one run in this process."""
    if way.serial:
        import torch

        torch.set_num_threads(1)
    from compress_guard import thresholds as thresholds_file
    from compress_guard.engine.session import Session, without_fixtures
    from compress_guard.engine.settings import RunSettings

    spent: defaultdict[str, float] = defaultdict(float)
    file = thresholds_file.load(path)
    if not way.fingerprints:
        file = replace(file, guards=tuple(replace(guard, fingerprint=None) for guard in file.guards))
    cells = [cell for guard in file.guards for cell in guard.cells]
    with tempfile.TemporaryDirectory() as run, _watched(spent) if way.serial else nullcontext():
        settings = RunSettings(Path(run), cache, limit=limit)
        if way.serial:
            settings = replace(settings, workers=1)
        session = Session(file, settings)
        if not way.serial:
            session.expect(cells)
        results = [
            session.measure(cell, f"{path.name}::{cell.name}", without_fixtures, lambda *told: None).result
            for cell in cells
        ]
        session.close()
    bad = [f"{result.id}: {result.reason}" for result in results if result.verdict in ("error", "codec_error")]
    if bad:
        raise SystemExit(f"{bad[0]}; a run with errors has no figures")
    return Run(
        0.0,
        sum((result.encodes or 0.0) * (result.images or 0) for result in results),
        sum(result.predictions or 0 for result in results),
        dict(spent),
    )


@contextmanager
def _watched(spent: defaultdict[str, float]) -> Iterator[None]:
    """Count the time that the one thread of a serial run spends in codecs and models, while inside."""
    from compress_guard.engine.coding import coder
    from compress_guard.engine.prediction import asked_model

    def counted(function: Callable[..., Any], what: str) -> Callable[..., Any]:
        @wraps(function)
        def watched(*arguments: Any, **keywords: Any) -> Any:
            before = time.thread_time()
            try:
                return function(*arguments, **keywords)
            finally:
                spent[what] += time.thread_time() - before

        return watched

    places = (
        (coder.Coder, "_encode", "encode"),
        (coder.Coder, "decode", "decode"),
        (asked_model, "predictions", "predict"),
    )
    functions = [getattr(owner, name) for owner, name, _ in places]
    for (owner, name, what), function in zip(places, functions, strict=True):
        setattr(owner, name, counted(function, what))
    try:
        yield
    finally:
        for (owner, name, _), function in zip(places, functions, strict=True):
            setattr(owner, name, function)


def in_own_process(path: Path, way: Way, cache: Path, limit: int | None) -> Run:
    """Return a run in a fresh process, with the time of its start and its imports."""
    if way.parted:
        return _by_pytest(path, cache, limit)
    command = [sys.executable, "-m", "benchmarks.gate.pipeline", "--child", json.dumps([way.serial, way.fingerprints])]
    command += ["--thresholds", str(path), "--cache", str(cache), *([] if limit is None else ["--limit", str(limit)])]
    environment = dict(os.environ) | ({"OMP_NUM_THREADS": "1"} if way.serial else {"OMP_WAIT_POLICY": "passive"})
    before = time.perf_counter()
    done = subprocess.run(  # noqa: S603 - this module
        command, env=environment, stdout=subprocess.PIPE, text=True, check=False
    )
    wall = time.perf_counter() - before
    if done.returncode:
        raise SystemExit(f"a run ended with {done.returncode}")
    _, encodes, predictions, spent = json.loads(done.stdout.splitlines()[-1])
    return Run(wall, encodes, predictions, spent)


def _by_pytest(path: Path, cache: Path, limit: int | None) -> Run:
    """Return a run as users start it; its cells may fail."""
    written = cache.with_suffix(".json")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", str(cores()), "--compress-guard"]
    command += [str(path), "--cg-cache", str(cache), "--cg-json", str(written)]
    if limit is not None:
        command += ["--cg-limit", str(limit)]
    # A process per core leaves nothing for torch's own threads, which would wait for one another.
    environment = dict(os.environ) | {"OMP_NUM_THREADS": "1"}
    before = time.perf_counter()
    done = subprocess.run(  # noqa: S603 - pytest
        command, env=environment, stdout=subprocess.DEVNULL, check=False
    )
    wall = time.perf_counter() - before
    if done.returncode not in (0, 1):
        raise SystemExit(f"pytest ended with {done.returncode}")
    cells = json.loads(written.read_text(encoding="utf-8"))["cells"]
    bad = [f"{cell['id']}: {cell['reason']}" for cell in cells if cell["verdict"] in ("error", "codec_error")]
    if bad:
        raise SystemExit(f"{bad[0]}; a run with errors has no figures")
    encodes = sum((cell["encodes"] or 0.0) * (cell["images"] or 0) for cell in cells)
    return Run(wall, encodes, sum(cell["predictions"] or 0 for cell in cells), {})


def table(path: Path, limit: int | None, run: Callable[..., Run] = in_own_process) -> Iterator[str]:
    """Yield a line per run, as soon as it is made."""
    with tempfile.TemporaryDirectory() as folder:
        one, other = Path(folder, "serial"), Path(folder, "cache")
        serial = run(path, Way(serial=True), one, limit)
        encode, decode, predict = (serial.spent.get(what, 0.0) for what in ("encode", "decode", "predict"))
        yield (
            f"CPU seconds on one thread: encoding {encode:.0f}, decoding {decode:.0f}, prediction {predict:.0f}; that "
            f"run took {serial.wall:.0f} s."
        )
        yield ""
        yield from HEADER.splitlines()
        work, beside = (encode + decode + predict) / cores(), f"(coding + prediction) / {cores()} cores"
        cold = run(path, Way(), other, limit)
        yield _row("cold, one process", cold, beside, work, BAR)
        parted = run(path, Way(parted=True), Path(folder, "parted"), limit)
        yield _row(f"cold, OMP_NUM_THREADS=1 pytest -n {cores()}", parted, beside, work, BAR)
        yield _row("again", run(path, Way(), other, limit), "the first cold run", cold.wall, None)
        fresh = run(path, Way(fingerprints=False), other, limit)
        yield _row("new models, streams kept", fresh, "decoding + prediction", decode + predict, BAR)
        yield ""


def _row(name: str, run: Run, beside: str, seconds: float, bar: float | None) -> str:
    ratio, allowed = run.wall / seconds, "" if bar is None else f"{bar:g}"
    return (
        f"| {name} | {run.encodes:.0f} | {run.predictions} | {run.wall:.0f} | {beside}: {seconds:.0f} s | {ratio:.2f} "
        f"| {allowed} |"
    )


def arguments_of(given: Sequence[str] | None) -> argparse.Namespace:
    parser = Command("gate.pipeline", __doc__)
    parser.add_thresholds("default: thresholds.yaml")
    parser.add_argument("--limit", type=int, help="images per guard (default: as the file says)")
    parser.add_write()
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--cache", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args(given)
    parser.check_thresholds(chosen.thresholds)
    return chosen


def main(arguments: Sequence[str] | None = None) -> None:
    chosen = arguments_of(arguments)
    if chosen.child is not None:
        serial, fingerprints = json.loads(chosen.child)
        found = measure(chosen.thresholds, Way(serial, fingerprints), chosen.cache, chosen.limit)
        print(json.dumps([found.wall, found.encodes, found.predictions, found.spent]))  # noqa: T201
        return
    check_document(chosen.write, MARK)
    given = given_words(arguments)
    document.publish(lines(chosen, given), chosen.write, MARK)


def lines(chosen: argparse.Namespace, given: Sequence[str]) -> Iterator[str]:
    """Yield the command and the machine, then the table."""
    yield from preamble("gate.pipeline", given)
    yield from table(chosen.thresholds, chosen.limit)


if __name__ == "__main__":
    main()
