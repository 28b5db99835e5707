"""Learned codecs in batches beside CompressAI's `eval_model`, which takes one image after the other.

Both work on the same network and setting, and on the same files. The loop reads each file, encodes, decodes and
compares; what is held against ours is only the time that it gives itself for encoding and decoding, in which it does
not wait for what a GPU has not finished when it decodes.
"""

from __future__ import annotations

import statistics
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn

from benchmarks.speed.codecs import Job, load, named, planned_rates
from compress_guard.codecs.contract import Codec
from compress_guard.codecs.pixels import to_pil
from compress_guard.codecs.zoo.learned import Learned
from compress_guard.engine.coding.available import available_codec
from compress_guard.engine.machine.clock import timed, torch_threads
from compress_guard.errors import CodecUnavailable

PRECISION: Final = 255
"""Levels of a pixel between the 0 and 1 of CompressAI's images."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Images per second, one way beside the other."""

    bpp: float
    """Rate of our streams."""
    ours: float
    """Images per second, encoded and decoded in batches."""
    loop: float
    """Images per second, encoded and decoded by the loop."""
    whole_loop: float
    """Images per second of the loop, with files read and images compared."""


class Looped(nn.Module):
    """A codec at one setting as a model that `eval_model` takes."""

    def __init__(self, codec: Codec, setting: float) -> None:
        super().__init__()
        self._codec, self._setting = codec, setting
        # The loop looks at a parameter to know where images go.
        self.place = nn.Parameter(torch.zeros(1, device=codec.device), requires_grad=False)

    def compress(self, images: Tensor) -> dict[str, Any]:
        """Return strings of one image (1, 3, H, W) between 0 and 1."""
        pixels = (images[0] * PRECISION).round().to(torch.uint8)
        return {"strings": [self._codec.encode([pixels], [self._setting])], "shape": tuple(pixels.shape[1:])}

    def decompress(self, strings: Sequence[Sequence[bytes]], shape: tuple[int, int]) -> dict[str, Tensor]:
        """Return the image of these strings, as it was given; `shape` is in the streams too."""
        (image,) = self._codec.decode(strings[0])
        if tuple(image.shape[1:]) != shape:
            raise ValueError(f"an image of {tuple(image.shape[1:])} came back as one of {shape}")
        return {"x_hat": image[None].to(self.place.device).float() / PRECISION}


def as_model(codec: Codec, setting: float, device: str) -> nn.Module:
    """Return this codec at this setting as a model for the loop; raises `CodecUnavailable` for a network of all rates.

    For CompressAI's own architectures that is the network itself.
    """
    if not isinstance(codec, Learned):
        return Looped(codec, setting)
    if codec.architecture.variable:
        raise CodecUnavailable(f"{codec.architecture_name}: the loop is measured with networks of one rate")
    network: nn.Module = codec.checkpoints()[codec.ladder.index(setting)].load()
    return network.to(device)


def squares(folder: Path | None, limit: int, side: int) -> list[Tensor]:
    """Return photographs, or rendered scenes, cut to (3, side, side); smaller ones are repeated."""
    found = []
    for image in load(folder, limit):
        height, width = image.shape[-2:]
        tiled = image.repeat(1, -(-side // height), -(-side // width))
        found.append(tiled[:, :side, :side].contiguous())
    return found


def measure(job: Job, side: int) -> Pace:
    """Take turns at the first of the job's rates, in this process; raises `CodecUnavailable`."""
    codec = available_codec(named(job.codec), job.device)
    images = squares(job.folder, job.limit, side)
    counts = planned_rates(codec, images, job)[0].setting_counts
    setting = max(counts, key=lambda one: counts[one])
    model, ours, loop, whole = as_model(codec, setting, job.device), [], [], []
    streams: list[bytes] = []
    with tempfile.TemporaryDirectory() as name:
        paths = [Path(name, f"{at:04}.png") for at in range(len(images))]
        for path, image in zip(paths, images, strict=True):
            to_pil(image).save(path)
        for number in range(-1, job.repeats):  # the first turn warms up
            seconds, streams = in_batches(codec, images, setting, job)
            coding, all_of_it = by_the_loop(model, paths, job.device)
            if number >= 0:
                ours.append(seconds)
                loop.append(coding)
                whole.append(all_of_it)
    bits = 8 * sum(codec.cost(stream) for stream in streams)
    rates = (len(images) / statistics.median(each) for each in (ours, loop, whole))
    return Pace(bits / (len(images) * side * side), *rates)


def in_batches(codec: Codec, images: Sequence[Tensor], setting: float, job: Job) -> tuple[float, list[bytes]]:
    """Return seconds of encoding and decoding all images, and their streams."""
    seconds = 0.0
    streams: list[bytes] = []
    for start in range(0, len(images), job.batch):
        part = images[start : start + job.batch]
        encoding, coded = timed(partial(codec.encode, part, [setting] * len(part), job.workers), job.device)
        decoding, _ = timed(partial(codec.decode, coded, job.workers), job.device)
        seconds += encoding + decoding
        streams += coded
    return seconds, streams


def by_the_loop(model: nn.Module, paths: Sequence[Path], device: str) -> tuple[float, float]:
    """Return the seconds that `eval_model` reports for encoding and decoding all files, and its total seconds."""
    given = {"architecture": "codec", "half": False, "per_image": False}
    with _as_its_command() as eval_model:
        whole, found = timed(lambda: eval_model(model, Path(), Path(), paths, **given), device)
    return (found["encoding_time"] + found["decoding_time"]) * len(paths), whole


@contextmanager
def _as_its_command() -> Iterator[Callable[..., dict[str, float]]]:
    """Yield CompressAI's function, with torch set as CompressAI's command sets it, inside the context."""
    deterministic = torch.backends.cudnn.deterministic
    with torch_threads(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # compressai's libraries warn of one another when they are imported
        from compressai.utils.eval_model.__main__ import eval_model

        torch.backends.cudnn.deterministic = True
        try:
            yield eval_model
        finally:
            torch.backends.cudnn.deterministic = deterministic
