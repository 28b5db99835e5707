"""Ways to bring photographs to given rates and hand them to a model, decoded: the gate's, and those without it.

Each contender takes the same files, codec and rates, keeps to 5 % of the rate for each image, and ends with a call of
`brightness` on every decoded image. CPU seconds are those of all threads of the process.
"""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from compress_guard.store import key

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

TOLERANCE: Final = 0.05
QUALITIES: Final = {"jpeg": (1, 95), "webp": (0, 100)}
"""Settings that Pillow's manual gives for each format."""
BATCH: Final = 8
"""Number of images in a batch."""
PROBES: Final = 7
"""Number of probes of `find_close` among 102 qualities, each encoded, decoded and compared with its source."""


@dataclass(frozen=True, slots=True)
class Task:
    """The task of all contenders."""

    paths: tuple[Path, ...]
    codec: str
    rates: tuple[float, ...]

    @property
    def images(self) -> int:
        """Images brought to a rate, over all rates."""
        return len(self.paths) * len(self.rates)


@dataclass(frozen=True, slots=True)
class Effort:
    """The effort of one contender for a task, over all images and rates."""

    seconds: float
    """CPU time."""
    encodes: float | None
    """Number of encoder calls; None if they were not counted."""
    held: float | None = None
    """Share of the images within 5 % of their rate; None if it was not measured."""


class Photographs:
    """Files as a map-style data set of (picture, target, id), each opened when asked for."""

    def __init__(self, paths: Sequence[str | Path]) -> None:
        self._paths = [Path(path) for path in paths]

    def __len__(self) -> int:
        return len(self._paths)

    def __getitem__(self, index: int) -> tuple[Image, int, str]:
        return opened(self._paths[index]), 0, self._paths[index].name


def opened(path: Path) -> Image:
    """Return a file as an RGB picture, decoded."""
    from PIL import Image

    with Image.open(path) as picture:
        return picture.convert("RGB")


def brightness(images: list[Tensor]) -> list[Tensor]:
    """Return the mean of some pixels in each quarter of uint8 RGB tensors (3, H, W): a model at almost no cost."""
    import torch

    grids = [image[:, image.shape[1] % 16 // 2 :: 16, image.shape[2] % 16 // 2 :: 16].float() for image in images]
    return [torch.nn.functional.adaptive_avg_pool2d(grid, 2).mean(0).reshape(4) for grid in grids]


def model() -> Callable[[list[Tensor]], list[Tensor]]:
    """Return `brightness`, as a factory for a thresholds file."""
    return brightness


def predicted(picture: Image) -> Tensor:
    """Return one decoded picture through the model, as a loop hands it over."""
    import numpy as np
    import torch

    (scores,) = brightness([torch.from_numpy(np.array(picture)).permute(2, 0, 1)])
    return scores


def plain_loop(task: Task) -> Effort:
    """Run the usual loop: for each rate and image a bisection over the quality with Pillow, in memory.

    It stops at 5 %, decodes the stream it keeps and nothing else, and predicts one image at a time.
    """
    started, encodes, held = time.process_time(), 0, 0
    for rate in task.rates:
        for path in task.paths:
            picture = opened(path)
            stream, probes = bisected(picture, task.codec, rate)
            predicted(decoded(stream))
            encodes += probes
            held += _holds(len(stream), picture, rate)
    return Effort(time.process_time() - started, encodes, held / task.images)


def bisected(picture: Image, codec: str, rate: float) -> tuple[bytes, int]:
    """Return the stream of a bisection that is nearest to a rate in bits per pixel, and the number of streams."""
    low, high = QUALITIES[codec]
    pixels, best, probes = picture.width * picture.height, b"", 0
    while low <= high:
        quality = (low + high) // 2
        buffer = io.BytesIO()
        picture.save(buffer, codec, quality=quality)
        stream, probes = buffer.getvalue(), probes + 1
        bpp = 8 * len(stream) / pixels
        if not best or abs(bpp - rate) < abs(8 * len(best) / pixels - rate):
            best = stream
        if abs(bpp - rate) <= TOLERANCE * rate:
            break
        low, high = (quality + 1, high) if bpp < rate else (low, quality - 1)
    return best, probes


def decoded(stream: bytes) -> Image:
    """Return a stream as Pillow decodes it."""
    from PIL import Image

    with Image.open(io.BytesIO(stream)) as picture:
        return picture.convert("RGB")


def _holds(length: int, picture: Image, rate: float) -> bool:
    return abs(8 * length / (picture.width * picture.height) - rate) <= TOLERANCE * rate


def find_close(task: Task) -> Effort:
    """Run CompressAI's `find_close` on each file and rate; its reconstructions go to the model."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # compressai's libraries warn of one another when they are imported
        from compressai.utils.bench.codecs import JPEG, WebP
        from compressai.utils.find_close.__main__ import find_closest

    codec = {"jpeg": JPEG, "webp": WebP}[task.codec](None)
    started, held = time.process_time(), 0
    with contextlib.redirect_stderr(io.StringIO()):
        for rate in task.rates:
            for path in task.paths:
                _, found, picture = find_closest(codec, str(path), rate, "bpp")
                predicted(picture.convert("RGB"))
                held += abs(found["bpp"] - rate) <= TOLERANCE * rate
    return Effort(time.process_time() - started, PROBES * task.images, held / task.images)


def gate(task: Task, cache: Path) -> Effort:
    """Run `compress-guard run` with its streams kept in `cache`: a whole gate, on one thread of coding.

    It does more than the others: clean predictions, predictions after a lossless codec, images that are decoded again,
    PSNR, intervals and verdicts. Raises `RuntimeError` if a cell could not be measured.
    """
    from compress_guard.cli import main as command

    told = io.StringIO()
    with tempfile.TemporaryDirectory() as name:
        file, results = project(Path(name), task), Path(name, "results.json")
        given = ["run", str(file), "--device=cpu", "--workers=1", f"--cache={cache}", f"--json={results}"]
        started = time.process_time()
        with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
            code = command(given)
        seconds = time.process_time() - started
        if code:
            raise RuntimeError(f"compress-guard run left with {code}: {told.getvalue()}")
        cells = json.loads(results.read_text(encoding="utf-8"))["cells"]
    return Effort(seconds, len(task.paths) * sum(cell["encodes"] for cell in cells))


def batches(task: Task, cache: Path) -> Effort:
    """Run the fixture `compressed_batches` on the same images: the work of the loops, and no more.

    A sample is still decoded again, and files are hashed, as in a gate.
    """
    from compress_guard.engine.compressed_batches import CodedData
    from compress_guard.engine.settings import RunSettings
    from compress_guard.thresholds import load

    held = 0
    with tempfile.TemporaryDirectory() as name:
        (guard,) = load(project(Path(name), task)).guards
        settings = RunSettings(run_folder=Path(name), store_folder=cache, device="cpu", workers=1)
        started, data, coded = time.process_time(), Photographs(task.paths), CodedData(settings, "cpu")
        for cell in guard.cells:
            for batch in coded.batches(data, guard, cell, BATCH):
                brightness(batch.images)
                target = cell.bpp or 0.0
                held += sum(abs(bpp - target) <= TOLERANCE * target for bpp in batch.bpp)
        return Effort(time.process_time() - started, None, held / task.images)


def project(folder: Path, task: Task) -> Path:
    """Return a thresholds file for the task, its cells bound to hold, with the factory of its data beside it."""
    names = [str(path.resolve()) for path in task.paths]
    factory = f"photographs_{key(*names)}"  # modules are imported once
    (folder / f"{factory}.py").write_text(
        f"from benchmarks.gate.contenders import Photographs\n\n\ndef data():\n    return Photographs({names!r})\n",
        encoding="utf-8",
    )
    guard = {
        "task": "classification",
        "model": "benchmarks.gate.contenders:model",
        "data": f"{factory}:data",
        "codecs": [task.codec],
        "bpp": list(task.rates),
        "rate": "image",
        "rate_tolerance": TOLERANCE,
        "max_drop": 100,
    }
    file = folder / "thresholds.yaml"
    file.write_text(json.dumps({"version": 1, "guards": {"photographs": guard}}), encoding="utf-8")  # JSON is YAML
    return file


@dataclass(frozen=True, slots=True)
class Speed:
    """Megapixels per second of a codec at one quality."""

    encode: float
    decode: float


def speed_by_bench(task: Task, quality: int) -> Speed:
    """Return speed by CompressAI's `bench`: wall time of single images, with each file opened and compared."""
    from compressai.utils.bench.__main__ import collect
    from compressai.utils.bench.codecs import JPEG, WebP

    codec = {"jpeg": JPEG, "webp": WebP}[task.codec](None)
    with tempfile.TemporaryDirectory() as name:
        for number, path in enumerate(task.paths):
            Path(name, f"{number}{path.suffix}").symlink_to(path.resolve())
        found = collect(codec, name, [quality], ["psnr-rgb"])
    pixels = _megapixels(task) / len(task.paths)
    return Speed(pixels / found["encoding_time"][0], pixels / found["decoding_time"][0])


def speed_of_ours(task: Task, quality: int) -> Speed:
    """Return speed of the gate's codec on the same files and one thread, at its nearest setting, in batches."""
    from compress_guard.codecs.pixels import to_rgb
    from compress_guard.engine.coding.available import available_codec
    from compress_guard.engine.machine.clock import timed
    from compress_guard.registry import codec_named

    codec, encoding, decoding = available_codec(codec_named(task.codec)), 0.0, 0.0
    setting = min(codec.ladder, key=lambda one: abs(one - quality))
    for start in range(0, len(task.paths), BATCH):
        images = [to_rgb(opened(path)) for path in task.paths[start : start + BATCH]]
        seconds, streams = timed(partial(codec.encode, images, [setting] * len(images), 1), "cpu")
        encoding += seconds
        decoding += timed(partial(codec.decode, streams, 1), "cpu")[0]
    pixels = _megapixels(task)
    return Speed(pixels / encoding, pixels / decoding)


def _megapixels(task: Task) -> float:
    sizes = [opened(path).size for path in task.paths]
    return sum(width * height for width, height in sizes) / 1e6
