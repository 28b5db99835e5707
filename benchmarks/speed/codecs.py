"""The speed and memory of one codec, measured in the process that calls this."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compress_guard.engine.coding.available import available_codec
from compress_guard.engine.machine.clock import timed
from compress_guard.engine.machine.memory import Peak
from compress_guard.errors import CompressGuardError
from compress_guard.rate import plan
from compress_guard.records import ImageInfo, PlannedRate
from compress_guard.registry import codec_named

if TYPE_CHECKING:
    import torch

    from compress_guard.codecs.contract import Codec

TOLERANCE = 0.05
"""Tolerance of the mean rate; a few per cent of rate do not change the speed."""


@dataclass(frozen=True)
class Job:
    """The measurement of one process: a codec at its rates on a device."""

    codec: str
    device: str
    rates: tuple[float, ...]
    folder: Path | None
    limit: int
    batch: int
    repeats: int
    workers: int


@dataclass(frozen=True)
class Row:
    """A codec at a rate."""

    target: float
    bpp: float | None
    encode: float | None = None
    """Megapixels per second."""
    decode: float | None = None
    memory: float | None = None
    """Megabytes; None if the system does not report it."""
    why: str = ""
    """Reason why nothing was measured."""


@dataclass(frozen=True)
class Findings:
    """The findings of a process about its codec."""

    rows: tuple[Row, ...]
    version: str = ""
    remark: str | None = None
    unavailable: str = ""


def load(folder: Path | None, limit: int) -> list[torch.Tensor]:
    """Return the first photographs of a folder by name, or rendered scenes, as uint8 RGB tensors (3, H, W)."""
    from PIL import Image

    from compress_guard.codecs.pixels import to_rgb

    if folder is None:
        import torch

        from examples.world import GROUP, render

        return [
            torch.from_numpy(render(GROUP, 20230410, at).image).permute(2, 0, 1).contiguous() for at in range(limit)
        ]
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in {".png", ".jpg", ".jpeg", ".webp"})
    if not paths:
        raise SystemExit(f"--photographs: {folder} has no png, jpg, jpeg or webp files; name a folder of photographs")
    return [to_rgb(Image.open(path)) for path in paths[:limit]]


def measure(job: Job) -> Findings:
    """Code the images at each rate, again and again."""
    import torch

    torch.set_num_threads(job.workers)
    images = load(job.folder, job.limit)
    try:
        codec = available_codec(named(job.codec), job.device)
        rows = tuple(row(codec, images, planned, job) for planned in planned_rates(codec, images, job))
        return Findings(rows, codec.version, codec.remark)
    except Exception as problem:  # noqa: BLE001 - one codec that fails must not take the others' figures along
        kind = "" if isinstance(problem, CompressGuardError) else f"{type(problem).__name__}: "
        # Where to find it is told at length; a document wants neither that nor somebody's home.
        return Findings((), unavailable=f"{kind}{problem}".split("; ")[0].replace(str(Path.home()), "~"))


def named(text: str) -> Any:
    """Return the codec of a text such as ``avif``, ``zoo:mbt2018-mean`` or ``jpeg?subsampling=4:4:4``."""
    name, _, query = text.partition("?")
    if ":" in name:
        return codec_named(text)
    return codec_named(name, dict(part.split("=", 1) for part in query.split("&") if part))


def planned_rates(codec: Codec, images: Sequence[torch.Tensor], job: Job) -> tuple[PlannedRate, ...]:
    """Return the settings of each image at each rate."""

    def encode(requests: Sequence[tuple[int, float]]) -> list[int | None]:
        found: list[int | None] = []
        for start in range(0, len(requests), job.batch):
            chunk = requests[start : start + job.batch]
            streams = codec.encode([images[at] for at, _ in chunk], [setting for _, setting in chunk], job.workers)
            found.extend(codec.cost(stream) for stream in streams)
        return found

    infos = [ImageInfo(str(at), image.shape[-2] * image.shape[-1]) for at, image in enumerate(images)]
    found = plan(infos, codec.ladder, job.rates, mode="dataset", tolerance=TOLERANCE, seed=0, encode=encode)
    return found.rates


def row(codec: Codec, images: Sequence[torch.Tensor], planned: PlannedRate, job: Job) -> Row:
    """Return speed and memory at one rate."""
    if not planned.reachable:
        floor = "" if planned.floor is None else f", its floor is {planned.floor:.2f}"
        return Row(planned.nominal_bpp, planned.bpp_mean, why=f"cannot be reached on these images{floor}")
    settings = [setting for setting in planned.settings if setting is not None]
    batches = [slice(start, start + job.batch) for start in range(0, len(images), job.batch)]
    megapixels = sum(image.shape[-2] * image.shape[-1] for image in images) / 1e6

    def encode() -> list[bytes]:
        return [stream for part in batches for stream in codec.encode(images[part], settings[part], job.workers)]

    def decode(streams: Sequence[bytes]) -> None:
        for part in batches:
            for image in codec.decode(streams[part], job.workers):
                image.to(job.device)

    codec.decode(codec.encode(images[batches[0]], settings[batches[0]], job.workers), job.workers)
    memory = Peak(job.device)
    encoding, decoding = [], []
    for _ in range(job.repeats):
        seconds, streams = timed(encode, job.device)
        encoding.append(seconds)
        decoding.append(timed(partial(decode, streams), job.device)[0])
    return Row(
        planned.nominal_bpp,
        planned.bpp_mean,
        megapixels / statistics.median(encoding),
        megapixels / statistics.median(decoding),
        memory.megabytes(),
    )
