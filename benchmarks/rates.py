"""What bringing images to target rates costs: ``python -m benchmarks.rates --images FOLDER``.

Prints a row per codec and rate: mean bpp, its distance from the target in per cent, encodes per image (the kept one
included, weighted by pixels), images at an end of the ladder, share of images within 5 % of the target, and settings.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from compress_guard.rate import plan
from compress_guard.records import ImageInfo, PlannedRate, RateMode
from compress_guard.registry import CODECS

if TYPE_CHECKING:
    import torch

    from compress_guard.codecs.contract import Codec

TOLERANCE: dict[RateMode, float] = {"dataset": 0.02, "image": 0.05}
HEADER = f"{'codec':8}{'bpp':>6}{'mean':>8}{'error %':>9}{'encodes':>9}{'off':>5}{'in 5 %':>8}  settings"


def load(folder: Path, limit: int | None) -> tuple[list[ImageInfo], list[torch.Tensor]]:
    """The images of a folder, in order of name, as infos and uint8 RGB tensors (3, H, W)."""
    from PIL import Image

    from compress_guard.codecs.pixels import to_rgb

    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in {".png", ".jpg", ".jpeg", ".webp"})
    images = [to_rgb(Image.open(path)) for path in paths[:limit]]
    infos = [
        ImageInfo(path.name, image.shape[-2] * image.shape[-1]) for path, image in zip(paths, images, strict=False)
    ]
    return infos, images


def encoder(
    codec: Codec, images: Sequence[torch.Tensor], workers: int
) -> Callable[[Sequence[tuple[int, float]]], list[int | None]]:
    """Stream lengths by really coding; nothing is remembered."""

    def encode(requests: Sequence[tuple[int, float]]) -> list[int | None]:
        streams = codec.encode(
            [images[index] for index, _ in requests], [setting for _, setting in requests], workers=workers
        )
        return [len(stream) for stream in streams]

    return encode


def row(name: str, rate: PlannedRate) -> str:
    """One line of the table."""
    rates = [bpp for bpp in rate.bpp if bpp is not None]
    mean = rate.bpp_mean or float("nan")
    near = sum(abs(bpp / rate.target - 1) <= 0.05 for bpp in rates) / max(1, len(rates))
    counts = rate.setting_counts
    used = (
        ", ".join(f"{setting:g} x {count}" for setting, count in counts.items())
        if len(counts) <= 2
        else f"{len(counts)} different"
    )
    floor = "" if rate.reachable else f"  unreachable, floor {rate.floor:.3f}"
    return (
        f"{name:8}{rate.target:6g}{mean:8.4f}{100 * (mean / rate.target - 1):+9.2f}{rate.encodes:9.2f}"
        f"{rate.off_target:5d}{100 * near:7.0f}%  {used}{floor}"
    )


def table(
    folder: Path, codecs: Sequence[str], rates: Sequence[float], mode: RateMode, limit: int | None, workers: int
) -> Iterator[str]:
    """The lines of the table, each codec's as soon as it is measured."""
    infos, images = load(folder, limit)
    pixels = sum(info.pixels for info in infos) / 1e6
    yield f"{folder.name}: {len(infos)} images, {pixels:.1f} megapixels, {mode} mode"
    yield HEADER
    means = []
    for name in codecs:
        codec: Codec = CODECS.resolve(name)()
        reason = codec.unavailable()
        if reason:
            yield f"{name}: {reason}"
            continue
        start = time.perf_counter()
        planned = plan(
            infos,
            codec.ladder,
            rates,
            mode=mode,
            tolerance=TOLERANCE[mode],
            seed=0,
            encode=encoder(codec, images, workers),
        )
        seconds = time.perf_counter() - start
        for rate in planned.rates:
            yield row(name, rate)
        means.append(sum(rate.encodes for rate in planned.rates) / len(planned.rates))
        yield f"{name}: {means[-1]:.2f} encodes per image and rate, {seconds:.1f} s"
    if means:
        yield f"average over codecs: {sum(means) / len(means):.2f} encodes per image and rate"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rates", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--images", type=Path, required=True, help="folder of photographs")
    parser.add_argument("--codecs", nargs="+", default=["jpeg", "webp", "avif", "jp2"], choices=list(CODECS))
    parser.add_argument("--rates", nargs="+", type=float, default=[0.25, 0.5, 1.0, 2.0], help="bits per pixel")
    parser.add_argument("--mode", choices=get_args(RateMode), default="dataset")
    parser.add_argument("--limit", type=int, help="use the first so many images")
    parser.add_argument("--workers", type=int, default=2, help="encoder threads")
    chosen = parser.parse_args(arguments)
    for line in table(chosen.images, chosen.codecs, chosen.rates, chosen.mode, chosen.limit, chosen.workers):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
