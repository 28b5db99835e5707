"""Speed of codecs: ``python -m benchmarks.speed.throughput --photographs FOLDER``.

For each device a table in Markdown, a row per codec and target rate: megapixels per second of encoding, of decoding and
of both, on batches as a gate makes them, and the memory that the work took. ``--write docs/explanation/performance.md``
puts it between the marks ``<!-- throughput -->`` and ``<!-- end of throughput -->`` of that file.

How it is measured. The photographs are brought to the rate as a gate in dataset mode does. Each codec has a process of
its own; a first pass over a batch is not counted. Images start on the CPU, as data sets give them, and decoded ones end
on the device, so copies count. A GPU is synchronised before and after what is timed. The figures are the medians of
`--repeats` passes. Memory is the most that was held during the passes less what was held before them, so that
libraries, weights and the photographs do not count: on a GPU of what torch allocates (nvJPEG's own buffers are not in
it), on a CPU of the resident set of the process.
"""

from __future__ import annotations

import argparse
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor

from benchmarks import document
from benchmarks.command import Command, check_document, cpu, given_words, preamble
from benchmarks.speed.codecs import Findings, Job, Row, load, measure, named
from compress_guard.engine.settings import check_device, cores, device_name
from compress_guard.errors import OptionError, UsageError

CODECS = [
    "jpeg",
    "jpeg?subsampling=4:4:4",
    "webp",
    "avif",
    "jp2",
    "heic",
    "jxl",
    "neural",
    "zoo:bmshj2018-hyperprior",
    "zoo:mbt2018-mean",
]
MARK = "throughput"
HEADER = """\
| codec | bpp | batch | encode MP/s | decode MP/s | both MP/s | peak memory MB |
|---|--:|--:|--:|--:|--:|--:|"""


def in_own_process(job: Job) -> Findings:
    """Return a fresh process, so that codecs share no libraries, threads or memory."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(measure, job).result()


def report(jobs: Sequence[Job], run: Callable[[Job], Findings] = in_own_process) -> Iterator[str]:
    """Yield the lines of one device, a codec's as soon as it is measured."""
    first = jobs[0]
    images = load(first.folder, first.limit)
    pixels = sum(image.shape[-2] * image.shape[-1] for image in images) / 1e6
    what = "rendered scenes of 256x256 pixels, no photographs given" if first.folder is None else "photographs"
    yield f"### {device_name(first.device) if first.device.startswith('cuda') else cpu()}"
    yield ""
    yield f"{len(images)} {what}, {pixels:.1f} megapixels; {first.workers} threads; medians of {first.repeats} passes."
    yield ""
    yield from HEADER.splitlines()
    notes = []
    for job in jobs:
        found = run(job)
        label = job.codec.replace("?", " ").replace("&", " ")
        if found.unavailable:
            notes.append(f"- {label}: not measured: {found.unavailable}")
            continue
        yield from (line(label, one, job.batch) for one in found.rows)
        notes += [f"- {label} at {one.target:g} bpp: {one.why}" for one in found.rows if one.why]
        notes.append(f"- {label}: {found.version}{f'; {found.remark}' if found.remark else ''}")
    yield ""
    yield from notes
    yield ""


def line(codec: str, found: Row, batch: int) -> str:
    """Return one row of the table."""
    if found.encode is None or found.decode is None:
        return f"| {codec} | {found.target:g} | {batch} | | | | |"
    both = 1 / (1 / found.encode + 1 / found.decode)
    numbers = " | ".join(f"{speed:.3g}" for speed in (found.encode, found.decode, both))
    memory = "" if found.memory is None else f"{found.memory:.0f}"
    return f"| {codec} | {found.bpp:.2f} | {batch} | {numbers} | {memory} |"


def devices(asked: Sequence[str]) -> list[str]:
    """Return the devices to measure; ``auto`` is the CPU and, if torch finds one, the first GPU."""
    import torch

    found: list[str] = []
    for device in asked:
        check_device(device, "--device")
        names = ["cpu", *(["cuda:0"] if torch.cuda.is_available() else [])] if device == "auto" else [device]
        found += [f"{name}:0" if name == "cuda" else name for name in names]
    return list(dict.fromkeys(found))


def arguments_of(given: Sequence[str] | None) -> argparse.Namespace:
    parser = Command("speed.throughput", __doc__)
    parser.add_argument(
        "--device", nargs="+", default=["auto"], help="auto (the CPU, and a GPU if there is one), cpu, cuda:N"
    )
    parser.add_folder(rendered=True)
    parser.add_argument("--codecs", nargs="+", default=CODECS, help="also jpeg?subsampling=4:4:4, zoo:mbt2018-mean")
    parser.add_rates([0.25, 0.5, 1.0])
    parser.add_whole("--limit", 16, "use the first so many images")
    parser.add_whole("--batch", 8, "images in a call")
    parser.add_whole("--repeats", 3, "passes that are timed")
    parser.add_argument("--workers", type=int, default=cores(), help="CPU threads (all cores)")
    parser.add_write()
    chosen = parser.parse_args(given)
    parser.check_whole(chosen, "limit", "batch", "repeats", "workers")
    parser.check_folder(chosen.photographs)
    return chosen


def main(arguments: Sequence[str] | None = None) -> None:
    chosen = arguments_of(arguments)
    try:
        for codec in chosen.codecs:
            named(codec)
        places = devices(chosen.device)
    except (OptionError, UsageError) as problem:
        raise SystemExit(str(problem)) from problem
    check_document(chosen.write, MARK)
    given = given_words(arguments)
    document.publish(tables(chosen, places, given), chosen.write, MARK)


def tables(chosen: argparse.Namespace, places: Sequence[str], given: Sequence[str]) -> Iterator[str]:
    """Yield the command and, device by device, what it measures."""
    yield from preamble("speed.throughput", given)
    for device in places:
        yield from report(
            [
                Job(
                    codec,
                    device,
                    tuple(chosen.rates),
                    chosen.photographs,
                    chosen.limit,
                    chosen.batch,
                    chosen.repeats,
                    chosen.workers,
                )
                for codec in chosen.codecs
            ]
        )
    if not any(device.startswith("cuda") for device in places):
        yield from ("### CUDA", "", "No GPU at hand: not measured.")


if __name__ == "__main__":
    main()
