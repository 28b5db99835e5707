"""The rates of `RandomCompression`, and its cost: ``python -m benchmarks.rates.transforms WHAT --images FOLDER``.

`rates` takes eight rates for each image, spread evenly in the logarithm over that part of 0.1 to 2 bpp which the codec
reaches with it, as draws are, and says how far from them its streams come out: a row per codec.

`speed` is the transform on PIL images beside a bare round trip through Pillow's JPEG at the same qualities, which saves
to memory and opens again and does nothing else: in one process (CPU time) and in a DataLoader with two workers (wall
time). The two take turns; the median of the ratios counts.

``--write docs/howto/transforms.md`` puts the table between ``<!-- transform WHAT FOLDER -->`` and
``<!-- end of transform WHAT FOLDER -->``.
"""

from __future__ import annotations

import io
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset

from benchmarks import document
from benchmarks.command import Command, check_document, conditions
from benchmarks.rates.reached import load
from compress_guard.augment.aim import entry, table
from compress_guard.augment.roundtrip import RateRange, RoundTrip
from compress_guard.codecs.pixels import from_pil, to_pil
from compress_guard.engine.coding.available import available_codec, codec_options
from compress_guard.errors import CodecUnavailable, OptionError
from compress_guard.registry import codec_named
from compress_guard.transforms import RandomCompression

if TYPE_CHECKING:
    import numpy as np

CODECS: Final = ("jpeg", "jpeg subsampling=4:4:4", "webp", "avif", "heic", "jp2", "jxl", "neural")
BPP: Final = (0.1, 2.0)
DRAWS: Final = 8
"""Number of rates for each image."""
WORKERS: Final = 2
RATES_HEADER: Final = """\
| codec | streams | within 10 % | within 20 % | median miss |
|---|--:|--:|--:|--:|"""
SPEED_HEADER: Final = """\
| | transform, ms an image | bare Pillow | ratio, median | quartiles |
|---|--:|--:|--:|--:|"""


def misses(name: str, images: Sequence[torch.Tensor], draws: int) -> np.ndarray[Any, Any]:
    """Return rates of streams as shares of the wanted rates, one for each image and draw.

    Raises `CodecUnavailable`, and `OptionError` for a codec that the table of rates does not know.
    """
    import numpy as np

    kind, *options = name.split(" ")
    codec = available_codec(codec_named(kind, dict(codec_options(dict(one.split("=") for one in options)))))
    if entry(codec) not in table():
        raise OptionError(f"nothing was learnt of the codec {name!r}; learnt: {', '.join(table())}")
    trip = RoundTrip(codec)
    chances = [(number + 0.5) / draws for number in range(draws)]
    jobs = [(image, *trip.aimed(image, RateRange(*BPP), chance)) for chance in chances for image in images]
    found = []
    for image, wanted, setting in jobs:
        (stream,) = codec.encode([image], [setting])
        found.append(8 * codec.cost(stream) / image[0].numel() / wanted)
    return np.array(found)


def rates(folder: Path, codecs: Sequence[str], limit: int | None) -> Iterator[str]:
    """Yield the table of rates, each codec's row as soon as it is measured."""
    import numpy as np

    _, images = load(folder, limit)
    yield f"{folder.name}: {len(images)} images, {DRAWS} rates each from {BPP[0]:g} to {BPP[1]:g} bpp."
    yield from ("", *RATES_HEADER.splitlines())
    unmeasured = []
    for name in codecs:
        try:
            found = misses(name, images, DRAWS)
        except CodecUnavailable as problem:
            unmeasured.append(f"{name}: {problem}")
            continue
        off = np.abs(found - 1)
        shares = " | ".join(f"{100 * float((off <= bar).mean()):.1f} %" for bar in (0.1, 0.2))
        yield f"| {name} | {len(found)} | {shares} | {100 * float(np.median(off)):.1f} % |"
    yield from ("", *unmeasured)


class Coded(Dataset[int]):
    """Pictures in memory, `repeats` times over, each coded when it is asked for; seeded by its number."""

    def __init__(
        self, pictures: Sequence[Image.Image], repeats: int, code: Callable[[Image.Image, int], object]
    ) -> None:
        self.pictures: Final = pictures
        self.repeats: Final = repeats
        self.code: Final = code

    def __len__(self) -> int:
        return self.repeats * len(self.pictures)

    def __getitem__(self, index: int) -> int:
        torch.manual_seed(index)
        self.code(self.pictures[index % len(self.pictures)], index)
        return index


class Transformed:
    """The pictures, compressed by `RandomCompression`."""

    def __init__(self) -> None:
        self.transform: Final = RandomCompression("jpeg", BPP)

    def __call__(self, picture: Image.Image, index: int) -> object:
        return self.transform(picture)


class Bare:
    """The pictures, compressed by Pillow at the qualities that `RandomCompression` takes for the same seeds."""

    def __init__(self, pictures: Sequence[Image.Image], repeats: int) -> None:
        trip = RoundTrip(available_codec(codec_named("jpeg")))
        transform = RandomCompression("jpeg", BPP)
        self.qualities: Final = []
        for index in range(repeats * len(pictures)):
            torch.manual_seed(index)
            chance = transform.make_params([])["chance"]
            _, quality = trip.aimed(from_pil(pictures[index % len(pictures)]), RateRange(*BPP), chance)
            self.qualities.append(int(quality))

    def __call__(self, picture: Image.Image, index: int) -> object:
        stream = io.BytesIO()
        picture.save(stream, "JPEG", quality=self.qualities[index])
        return Image.open(stream).convert("RGB")


def in_one_process(data: Coded) -> Callable[[], float]:
    """Return CPU seconds for all of it."""

    def measure() -> float:
        began = time.process_time()
        for index in range(len(data)):
            data[index]
        return time.process_time() - began

    return measure


def in_workers(data: Coded) -> Callable[[], float]:
    """Return wall seconds for all of it, by workers that were started before."""
    loader = DataLoader(data, batch_size=5, num_workers=WORKERS, persistent_workers=True)

    def measure() -> float:
        began = time.perf_counter()
        for _ in loader:
            pass
        return time.perf_counter() - began

    return measure


def speed(folder: Path, limit: int | None, repeats: int, rounds: int) -> Iterator[str]:
    """Yield the table of times."""
    torch.set_num_threads(1)
    _, images = load(folder, limit)
    pictures = [to_pil(image) for image in images]
    count = repeats * len(pictures)
    yield f"{folder.name}: {count} images a round, {rounds} rounds, jpeg at {BPP[0]:g} to {BPP[1]:g} bpp."
    yield from ("", *SPEED_HEADER.splitlines())
    ours, bare = Coded(pictures, repeats, Transformed()), Coded(pictures, repeats, Bare(pictures, repeats))
    for name, way in (("one process, CPU time", in_one_process), (f"DataLoader, {WORKERS} workers", in_workers)):
        taken = turns(way(ours), way(bare), rounds)
        ratios = sorted(mine / theirs for mine, theirs in taken)
        first, middle, last = statistics.quantiles(ratios, n=4)
        mine, theirs = (1000 * statistics.median(one) / count for one in zip(*taken, strict=True))
        yield f"| {name} | {mine:.2f} | {theirs:.2f} | {middle:.3f} | {first:.3f} to {last:.3f} |"


def turns(ours: Callable[[], float], bare: Callable[[], float], rounds: int) -> list[tuple[float, float]]:
    """Return seconds of both, round by round, now one first and now the other; a first round of each is not counted."""
    ours(), bare()
    taken = []
    for number in range(rounds):
        if number % 2:
            theirs, mine = bare(), ours()
        else:
            mine, theirs = ours(), bare()
        taken.append((mine, theirs))
    return taken


def main(arguments: Sequence[str] | None = None) -> None:
    parser = Command("rates.transforms", __doc__)
    parser.add_argument("what", choices=("rates", "speed"))
    parser.add_folder("--images")
    parser.add_argument("--codecs", nargs="+", default=CODECS, help="for `rates`: 'jpeg', 'jpeg subsampling=4:4:4'")
    parser.add_argument("--limit", type=int, help="use the first so many images")
    parser.add_argument("--repeats", type=int, default=8, help="for `speed`: how often a round goes over the images")
    parser.add_argument("--rounds", type=int, default=15, help="for `speed`")
    parser.add_write()
    chosen = parser.parse_args(arguments)
    parser.check_folder(chosen.images, "--images")
    if chosen.rounds < 2:
        parser.error(f"--rounds: {chosen.rounds} is too few; a median with quartiles takes at least 2")
    mark = f"transform {chosen.what} {chosen.images.name}"
    check_document(chosen.write, mark)
    measured = (
        rates(chosen.images, chosen.codecs, chosen.limit)
        if chosen.what == "rates"
        else speed(chosen.images, chosen.limit, chosen.repeats, chosen.rounds)
    )
    try:
        document.publish(chain(conditions(), measured), chosen.write, mark)
    except OptionError as problem:
        raise SystemExit(f"--codecs: {problem}") from problem


if __name__ == "__main__":
    main()
