"""Cost of bringing each image to each rate, in three ways: ``python -m benchmarks.rates.search --photographs FOLDER``.

A row per codec and way: encodes per image and rate, CPU seconds, the share of images within 5 % of their rate, and what
the seconds are to those of ours. The ways are

- ours: `compress_guard.rate.plan` in image mode, its own arithmetic included;
- bisection: per image and rate, between the ends of the codec's ladder, until a stream is within 5 %; nothing is
  decoded. It codes with the same encoder, called in the same way;
- find_close: CompressAI's own function on the same files (JPEG and WebP), where CompressAI is installed. It reads the
  file, encodes, decodes and compares at every step, and does not stop early. Beside it ours includes reading each file
  once.

All of it is done on one core, by one thread, codec after codec in one process, ours first and last in turn. ``--write
docs/explanation/performance.md`` puts the table between the marks ``<!-- search -->`` and ``<!-- end of search -->``.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import io
import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import document
from benchmarks.command import Command, check_document, command_line, conditions, given_words

if TYPE_CHECKING:
    import torch

    from compress_guard.codecs.contract import Codec

TOLERANCE = 0.05
CODECS = ("jpeg", "webp", "avif", "jp2")
RATES = (0.25, 0.5, 0.75, 1.0, 2.0)
MARK = "search"
HEADER = """\
| codec | way | encodes | CPU seconds | within 5 % | ours / this |
|---|---|--:|--:|--:|--:|"""


@dataclass(frozen=True)
class Work:
    """The work of a codec."""

    codec: Codec
    paths: tuple[Path, ...]
    images: tuple[torch.Tensor, ...]
    rates: tuple[float, ...]

    def bpp(self, at: int, length: int) -> float:
        height, width = self.images[at].shape[-2:]
        return 8 * length / (height * width)


@dataclass
class Way:
    """One way's figures."""

    search: Callable[[Work], tuple[int, list[float]]]
    """Function that returns the number of encodes and, per image and rate, the relative error of the kept stream."""
    seconds: list[float] = field(default_factory=list)
    encodes: float = 0.0
    """Number of encodes per image and rate."""
    within: float = 0.0

    def run(self, work: Work) -> None:
        """Do it once more."""
        start = time.process_time()
        count, misses = self.search(work)
        self.seconds.append(time.process_time() - start)
        self.encodes = count / len(misses)
        self.within = sum(miss <= TOLERANCE for miss in misses) / len(misses)

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


def ours(work: Work) -> tuple[int, list[float]]:
    """Return the plan of all images and rates."""
    from compress_guard.rate import plan
    from compress_guard.records import ImageInfo

    count = 0

    def encode(requests: Sequence[tuple[int, float]]) -> list[int | None]:
        nonlocal count
        count += len(requests)
        streams = work.codec.encode([work.images[at] for at, _ in requests], [setting for _, setting in requests])
        return [work.codec.cost(stream) for stream in streams]

    infos = [
        ImageInfo(path.name, image.shape[-2] * image.shape[-1])
        for path, image in zip(work.paths, work.images, strict=True)
    ]
    found = plan(infos, work.codec.ladder, work.rates, mode="image", tolerance=TOLERANCE, seed=0, encode=encode)
    return count, [abs(bpp / one.nominal_bpp - 1) for one in found.rates for bpp in one.bpp if bpp is not None]


def bisection(work: Work) -> tuple[int, list[float]]:
    """Halve the ladder until a stream is near enough, or nothing is left."""
    count, misses = 0, []
    for at, image in enumerate(work.images):
        for rate in work.rates:
            low, high, miss = 0, len(work.codec.ladder) - 1, float("inf")
            while low <= high and miss > TOLERANCE:
                middle = (low + high) // 2
                (stream,) = work.codec.encode([image], [work.codec.ladder[middle]])
                count += 1
                bpp = work.bpp(at, work.codec.cost(stream))
                miss = min(miss, abs(bpp / rate - 1))
                if bpp > rate:
                    high = middle - 1
                else:
                    low = middle + 1
            misses.append(miss)
    return count, misses


def find_close(work: Work) -> tuple[int, list[float]]:
    """Run CompressAI's search in this process."""
    from compressai.utils.bench import codecs
    from compressai.utils.find_close.__main__ import find_closest

    theirs: Any = {"jpeg": codecs.JPEG, "webp": codecs.WebP}[work.codec.type](None)
    count, run = 0, theirs.run

    def counted(*given: Any, **named: Any) -> Any:
        nonlocal count
        count += 1
        return run(*given, **named)

    theirs.run = counted
    misses = []
    for path in work.paths:
        for rate in work.rates:
            # It shows its progress.
            with contextlib.redirect_stderr(io.StringIO()):
                _, found, _ = find_closest(theirs, str(path), rate, "bpp")
            misses.append(abs(found["bpp"] / rate - 1))
    return count, misses


def compare(work: Work, passes: int) -> dict[str, Way]:
    """Return all ways that exist for a codec, run in turn."""
    ways = {"ours": Way(ours), "bisection": Way(bisection)}
    if work.codec.type in ("jpeg", "webp") and importlib.util.find_spec("compressai") is not None:
        ways["find_close"] = Way(find_close)
    for one in ways.values():
        # The first call imports libraries.
        one.search(replace(work, paths=work.paths[:1], images=work.images[:1], rates=work.rates[:1]))
    for turn in range(passes):
        names = list(ways)
        for name in names if turn % 2 == 0 else reversed(names):
            ways[name].run(work)
    return ways


def rows(name: str, ways: dict[str, Way], reading: float) -> Iterator[str]:
    """Yield the lines of one codec; `reading` are the CPU seconds of reading all files once."""
    base = ways["ours"].median
    for way, one in ways.items():
        own = base + (reading if way == "find_close" else 0.0)
        ratio = "" if way == "ours" else f"{own / one.median:.2f}"
        yield f"| {name} | {way} | {one.encodes:.2f} | {one.median:.2f} | {100 * one.within:.0f} % | {ratio} |"


def table(chosen: argparse.Namespace) -> Iterator[str]:
    """Yield the lines, a codec's as soon as it is measured."""
    import torch
    from PIL import Image

    from compress_guard.codecs.pixels import to_rgb
    from compress_guard.registry import CODECS as REGISTRY

    torch.set_num_threads(1)
    found = sorted(path for path in chosen.photographs.iterdir() if path.suffix.lower() in {".png", ".jpg", ".jpeg"})
    paths = tuple(found[: chosen.limit])
    if not paths:
        raise SystemExit(f"--photographs: {chosen.photographs} has no png or jpg files; name a folder of photographs")
    start = time.process_time()
    images = tuple(to_rgb(Image.open(path)) for path in paths)
    reading = time.process_time() - start
    yield from conditions()
    megapixels = sum(image.shape[-2] * image.shape[-1] for image in images) / 1e6
    rates = ", ".join(f"{rate:g}" for rate in chosen.rates)
    yield (
        f"{chosen.photographs.name}: {len(images)} photographs, {megapixels:.1f} megapixels, each at {rates} bpp; one "
        f"core, one thread, CPU seconds, medians of {chosen.passes}. Reading the files once takes {reading:.2f} s, "
        "which the ratio to find_close counts as ours."
    )
    yield from ("", *HEADER.splitlines())
    for name in chosen.codecs:
        codec: Codec = REGISTRY.resolve(name)()
        if (reason := codec.unavailable()) is not None:
            yield f"| {name} | not measured: {reason} | | | | |"
            continue
        yield from rows(name, compare(Work(codec, paths, images, tuple(chosen.rates)), chosen.passes), reading)


def on_one_core() -> None:
    """Bind this process to one of its cores if the system can, and libraries to one thread."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def arguments_of(given: Sequence[str] | None) -> argparse.Namespace:
    parser = Command("rates.search", __doc__)
    parser.add_folder()
    parser.add_argument("--codecs", nargs="+", default=CODECS, choices=CODECS)
    parser.add_rates(RATES)
    parser.add_whole("--limit", 25, "use the first so many images")
    parser.add_whole("--passes", 1, "how often each way is timed")
    parser.add_write()
    chosen = parser.parse_args(given)
    parser.check_whole(chosen, "limit", "passes")
    parser.check_folder(chosen.photographs)
    return chosen


def main(arguments: Sequence[str] | None = None) -> None:
    chosen = arguments_of(arguments)
    check_document(chosen.write, MARK)
    on_one_core()
    document.publish(_published(chosen, given_words(arguments)), chosen.write, MARK)


def _published(chosen: argparse.Namespace, words: Sequence[str]) -> Iterator[str]:
    yield command_line("rates.search", words)
    yield ""
    yield from table(chosen)


if __name__ == "__main__":
    main()
