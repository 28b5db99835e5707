"""Gain by a GPU: ``python -m benchmarks.speed.gpu --photographs FOLDER``.

Three tables, each of what is done on a GPU beside what is done without it, in one run:

- learned codecs, encoded and decoded in batches, beside CompressAI's `eval_model` loop on the same device and network
  (`benchmarks.speed.loop`); the bar for the bundled codec at 512x512 is 10 times the loop's images per second;
- jpeg by nvJPEG beside jpeg on the CPU (`benchmarks.speed.codecs`), with copies to the GPU on the clock;
- a whole guard: a thresholds file, the bundled one by default, with models and codecs on the GPU and on the CPU, by
  ``compress-guard run`` on an empty cache. The bar is 1.25 times the larger of coding and prediction, which a run
  without threads tells (`benchmarks.speed.apart`).

Each figure comes from a process of its own. ``--device cpu`` tries all of it without a GPU. ``--write
docs/explanation/performance.md`` puts the tables between the marks ``<!-- gpu -->`` and ``<!-- end of gpu -->``.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from benchmarks import document
from benchmarks.command import Command, check_document, given_words, preamble
from benchmarks.speed import apart
from benchmarks.speed import codecs as speed
from benchmarks.speed.apart import Apart
from benchmarks.speed.codecs import Findings, Job, named
from benchmarks.speed.throughput import devices
from compress_guard.engine.settings import cores, device_name
from compress_guard.errors import CodecUnavailable, OptionError, UsageError

if TYPE_CHECKING:
    from benchmarks.speed.loop import Pace

MARK: Final = "gpu"
LEARNED: Final = ("neural", "zoo:bmshj2018-hyperprior", "zoo:mbt2018-mean")
JPEG: Final = ("jpeg?subsampling=4:4:4", "jpeg")
RATE: Final = 0.5
LOOP_BAR: Final = 10
"""The bundled codec's images per second, as a multiple of the loop's."""
GUARD_BAR: Final = 1.25
"""A whole guard's wall time, as a multiple of the larger of coding and prediction."""
PACES: Final = """\
| codec | bpp | batch | ours, images/s | `eval_model`, images/s | with files and scores | ours / `eval_model` | bar |
|---|--:|--:|--:|--:|--:|--:|--:|"""
SPEEDS: Final = """\
| codec | bpp | encode MP/s, CPU | GPU | GPU / CPU | decode MP/s, CPU | GPU | GPU / CPU |
|---|--:|--:|--:|--:|--:|--:|--:|"""
RUNS: Final = """\
| run | predictions | wall s | beside | ratio | bar |
|---|--:|--:|---|--:|--:|"""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Gate:
    """One run of a whole file."""

    path: Path
    device: str
    limit: int | None
    cache: Path


@dataclass(frozen=True, slots=True)
class Ran:
    """The time and work of a run."""

    wall: float
    """Seconds from the start of the process to its end."""
    predictions: int


@dataclass(frozen=True)
class Ways:
    """The functions that measure; tests replace them."""

    pace: Callable[[Job, int], Pace | str]
    speed: Callable[[Job], Findings]
    gate: Callable[[Gate], Ran]
    apart: Callable[[Gate], Apart]


def in_own_process(work: Callable[..., T], *given: Any) -> T:
    """Work in a fresh process, so that libraries, threads and memory are not shared."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(work, *given).result()


def pace(job: Job, side: int) -> Pace | str:
    """Return a codec compared with the loop, or the reason why it was not measured."""
    try:
        from benchmarks.speed.loop import measure

        return measure(job, side)
    except (CodecUnavailable, ImportError) as problem:
        return str(problem).split("; ")[0].replace(str(Path.home()), "~")


def gate(run: Gate) -> Ran:
    """Run ``compress-guard run`` as users start it; cells may fail. Raises `SystemExit` if the run itself fails."""
    with tempfile.TemporaryDirectory() as name:
        results = Path(name, "results.json")
        command = [sys.executable, "-m", "compress_guard", "run", str(run.path), "--device", run.device]
        command += ["--cache", str(run.cache), "--json", str(results)]
        command += [] if run.limit is None else ["--limit", str(run.limit)]
        before = time.perf_counter()
        done = subprocess.run(  # noqa: S603 - our own command
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False
        )
        wall = time.perf_counter() - before
        if done.returncode not in (0, 1) or not results.exists():
            raise SystemExit(f"compress-guard run ended with {done.returncode}: {done.stderr.strip()}")
        cells = json.loads(results.read_text(encoding="utf-8"))["cells"]
    bad = [f"{cell['id']}: {cell['reason']}" for cell in cells if cell["verdict"] in ("error", "codec_error")]
    if bad:
        raise SystemExit(f"{bad[0]}; a run with errors has no figures")
    return Ran(wall, sum(cell["predictions"] or 0 for cell in cells))


def work_apart(run: Gate) -> Apart:
    """Return the same file without threads, coding and prediction timed apart."""
    return in_own_process(apart.measure, run.path, run.device, run.limit, run.cache)


OUR_WAYS: Final = Ways(
    lambda job, side: in_own_process(pace, job, side),
    lambda job: in_own_process(speed.measure, job),
    gate,
    work_apart,
)


def paces(jobs: Sequence[Job], side: int, ways: Ways) -> Iterator[str]:
    """Yield learned codecs beside the loop."""
    yield from PACES.splitlines()
    notes = []
    for job in jobs:
        found = ways.pace(job, side)
        if isinstance(found, str):
            notes.append(f"- {job.codec}: not measured: {found}")
            continue
        bar = str(LOOP_BAR) if named(job.codec).type == "neural" else ""
        figures = " | ".join(f"{one:.3g}" for one in (found.ours, found.loop, found.whole_loop))
        ratio = found.ours / found.loop
        yield f"| {job.codec} | {found.bpp:.2f} | {job.batch} | {figures} | {ratio:.2f} | {bar} |"
    yield from ("", *notes, *([""] if notes else []))


def speeds(jobs: Sequence[Job], ways: Ways) -> Iterator[str]:
    """Yield the jobs' codecs on their device beside the same on the CPU."""
    yield from SPEEDS.splitlines()
    notes = []
    for job in jobs:
        label = job.codec.replace("?", " ")
        here, there = ways.speed(replace(job, device="cpu")), ways.speed(job)
        if reason := here.unavailable or there.unavailable:
            notes.append(f"- {label}: not measured: {reason}")
            continue
        for one, other in zip(here.rows, there.rows, strict=True):
            pairs = ((one.encode, other.encode), (one.decode, other.decode))
            figures = " | ".join(_beside(*pair) for pair in pairs)
            yield f"| {label} | {other.target:g} | {figures} |"
        notes.append(f"- {label}: {there.version}{f'; {there.remark}' if there.remark else ''}")
    yield from ("", *notes, "")


def _beside(one: float | None, other: float | None) -> str:
    if one is None or other is None:
        return " | | "
    return f"{one:.3g} | {other:.3g} | {other / one:.2f}"


def gates(path: Path, device: str, limit: int | None, ways: Ways) -> Iterator[str]:
    """Yield a whole file on the CPU and on the device, beside the work that a run on the device cannot avoid."""
    with tempfile.TemporaryDirectory() as name:
        run = Gate(path, device, limit, Path(name, "apart"))
        work = ways.apart(run)
        coding = work.coding_cpu / cores() + work.coding_device
        yield (
            f"Without threads on {device}: {work.coding_cpu:.1f} s of coding on the CPU, {work.coding_device:.1f} s on "
            f"the GPU, {work.prediction:.1f} s of prediction."
        )
        yield from ("", *RUNS.splitlines())
        cpu = ways.gate(replace(run, device="cpu", cache=Path(name, "cpu")))
        cold = ways.gate(replace(run, cache=Path(name, "device")))
        again = ways.gate(replace(run, cache=Path(name, "device")))
    least = max(coding, work.prediction)
    what = "prediction" if least == work.prediction else f"coding, on the CPU by {cores()} cores"
    yield f"| cold, cpu | {cpu.predictions} | {cpu.wall:.1f} |  |  |  |"
    ratio = f"{cold.wall / least:.2f}" if least else ""
    yield f"| cold, {device} | {cold.predictions} | {cold.wall:.1f} | {what}: {least:.1f} s | {ratio} | {GUARD_BAR:g} |"
    beside = f"cold, cpu: {cpu.wall:.1f} s"
    yield f"| the same | {cold.predictions} | {cold.wall:.1f} | {beside} | {cold.wall / cpu.wall:.2f} |  |"
    beside = f"cold, {device}: {cold.wall:.1f} s"
    yield f"| again, {device} | {again.predictions} | {again.wall:.1f} | {beside} | {again.wall / cold.wall:.2f} |  |"
    yield ""


def arguments_of(given: Sequence[str] | None) -> argparse.Namespace:
    parser = Command("speed.gpu", __doc__)
    parser.add_argument("--device", default="cuda:0", help="cuda:N (cuda:0), or cpu to try the command without a GPU")
    parser.add_folder(rendered=True)
    parser.add_argument("--codecs", nargs="+", default=LEARNED, help=f"learned codecs ({' '.join(LEARNED)})")
    parser.add_whole("--side", 512, "width and height of images for learned codecs")
    parser.add_whole("--limit", 64, "use the first so many images")
    parser.add_whole("--batch", 32, "images in a call")
    parser.add_whole("--repeats", 3, "passes that are timed")
    parser.add_thresholds("the file of the whole guard")
    parser.add_argument("--guard-limit", type=int, help="images per guard (default: as the file says)")
    parser.add_write()
    chosen = parser.parse_args(given)
    parser.check_whole(chosen, "limit", "batch", "repeats")
    if chosen.side <= 160:
        parser.error(f"--side: {chosen.side} is too small for MS-SSIM, which `eval_model` asks for; use more than 160")
    parser.check_folder(chosen.photographs)
    parser.check_thresholds(chosen.thresholds)
    return chosen


def report(chosen: argparse.Namespace, device: str, given: Sequence[str], ways: Ways) -> Iterator[str]:
    """Yield all tables, each row as soon as it is measured."""
    yield from preamble("speed.gpu", given)

    def job(codec: str) -> Job:
        size = (chosen.limit, chosen.batch, chosen.repeats, cores())
        return Job(codec, device, (RATE,), chosen.photographs, *size)

    yield f"{chosen.limit} images at {RATE:g} bpp on {device_name(device)}; medians of {chosen.repeats} passes."
    yield from ("", f"Learned codecs, {chosen.side}x{chosen.side} pixels:", "")
    yield from paces([job(codec) for codec in chosen.codecs], chosen.side, ways)
    yield from ("JPEG:", "")
    yield from speeds([job(codec) for codec in JPEG], ways)
    yield from (f"{chosen.thresholds.name}, whole:", "")
    yield from gates(chosen.thresholds, device, chosen.guard_limit, ways)


def main(arguments: Sequence[str] | None = None) -> None:
    chosen = arguments_of(arguments)
    try:
        for codec in chosen.codecs:
            named(codec)
        (device,) = devices([chosen.device]) if chosen.device != "auto" else devices(["auto"])[-1:]
    except (OptionError, UsageError) as problem:
        raise SystemExit(str(problem)) from problem
    check_document(chosen.write, MARK)
    given = given_words(arguments)
    document.publish(report(chosen, device, given, OUR_WAYS), chosen.write, MARK)


if __name__ == "__main__":
    main()
