"""Encodes that bring images to target rates: ``python -m benchmarks.rates.reached --images FOLDER``.

Prints a table in Markdown, a row per codec and rate: mean bpp, its distance from the target in per cent, encodes per
image (the kept one included, weighted by pixels), images at an end of the ladder, and the share of images within 5 % of
the target. In image mode the column `held` counts the images that are within 5 % or at their nearest step: the three
steps on either side of every other image are coded too, and none may come nearer. ``--write
docs/explanation/performance.md`` puts the table between the marks ``<!-- rates MODE FOLDER -->`` and ``<!-- end of
rates MODE FOLDER -->``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from benchmarks import document
from benchmarks.command import Command, check_document
from compress_guard.rate import plan
from compress_guard.records import ImageInfo, PlannedRate, RateMode
from compress_guard.registry import CODECS

if TYPE_CHECKING:
    import torch

    from compress_guard.codecs.contract import Codec

TOLERANCE: dict[RateMode, float] = {"dataset": 0.02, "image": 0.05}
RATES = (0.25, 0.5, 0.75, 1.0, 2.0)
HEADER = """\
| codec | bpp | mean | error % | encodes | off target | within 5 % | held | |
|---|--:|--:|--:|--:|--:|--:|--:|---|"""


def load(folder: Path, limit: int | None) -> tuple[list[ImageInfo], list[torch.Tensor]]:
    """Return the images of a folder, in order of name, as infos and uint8 RGB tensors (3, H, W)."""
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
    """Return a function that codes images and returns stream lengths; it remembers nothing."""

    def encode(requests: Sequence[tuple[int, float]]) -> list[int | None]:
        streams = codec.encode(
            [images[index] for index, _ in requests], [setting for _, setting in requests], workers=workers
        )
        return [len(stream) for stream in streams]

    return encode


def held(
    rate: PlannedRate, ladder: Sequence[float], infos: Sequence[ImageInfo], encode: Callable[..., list[int | None]]
) -> int:
    """Return the number of images within 5 % of the target, or with no nearer step among three on either side."""
    step_of = {setting: step for step, setting in enumerate(ladder)}
    doubtful = [
        (index, step_of[setting], abs(math.log(bpp / rate.nominal_bpp)))
        for index, (setting, bpp) in enumerate(zip(rate.settings, rate.bpp, strict=True))
        if setting is not None and bpp is not None and abs(bpp / rate.nominal_bpp - 1) > TOLERANCE["image"]
    ]
    requests = [
        (index, ladder[step])
        for index, at, _ in doubtful
        for step in range(max(0, at - 3), min(len(ladder), at + 4))
        if step != at
    ]
    nearest: dict[int, float] = {}
    for (index, _), length in zip(requests, encode(requests), strict=True):
        if length is not None:
            miss = abs(math.log(8 * length / infos[index].pixels / rate.nominal_bpp))
            nearest[index] = min(miss, nearest.get(index, miss))
    beaten = sum(nearest.get(index, math.inf) < miss - 1e-9 for index, _, miss in doubtful)
    return sum(setting is not None for setting in rate.settings) - beaten


def row(name: str, rate: PlannedRate, at_best: int | None) -> str:
    """Return one line of the table."""
    rates = [bpp for bpp in rate.bpp if bpp is not None]
    mean = rate.bpp_mean or float("nan")
    near = sum(abs(bpp / rate.nominal_bpp - 1) <= 0.05 for bpp in rates) / max(1, len(rates))
    best = "" if at_best is None else f"{at_best} of {len(rates)}"
    floor = "" if rate.reachable else f"unreachable, floor {rate.floor:.3f}"
    target = rate.nominal_bpp
    return (
        f"| {name} | {target:g} | {mean:.4f} | {100 * (mean / target - 1):+.2f} | {rate.encodes:.2f} "
        f"| {rate.off_target} | {100 * near:.0f} % | {best} | {floor} |"
    )


def table(
    folder: Path, codecs: Sequence[str], rates: Sequence[float], mode: RateMode, limit: int | None, workers: int
) -> Iterator[str]:
    """Yield the lines of the table, each codec's as soon as it is measured."""
    infos, images = load(folder, limit)
    pixels = sum(info.pixels for info in infos) / 1e6
    yield f"{folder.name}: {len(infos)} images, {pixels:.1f} megapixels, {mode} mode, tolerance {TOLERANCE[mode]:.0%}."
    yield from ("", *HEADER.splitlines())
    means, unmeasured = {}, []
    for name in codecs:
        codec: Codec = CODECS.resolve(name)()
        reason = codec.unavailable()
        if reason:
            unmeasured.append(f"{name}: {reason}")
            continue
        encode = encoder(codec, images, workers)
        planned = plan(infos, codec.ladder, rates, mode=mode, tolerance=TOLERANCE[mode], seed=0, encode=encode)
        for rate in planned.rates:
            yield row(name, rate, held(rate, codec.ladder, infos, encode) if mode == "image" else None)
        means[name] = sum(rate.encodes for rate in planned.rates) / len(planned.rates)
    yield ""
    if means:
        each = ", ".join(f"{name} {mean:.2f}" for name, mean in means.items())
        yield f"Encodes per image and rate: {each}; all of them {sum(means.values()) / len(means):.2f}."
    yield from unmeasured


def main(arguments: Sequence[str] | None = None) -> None:
    parser = Command("rates.reached", __doc__)
    parser.add_folder("--images")
    parser.add_argument(
        "--codecs",
        nargs="+",
        default=["jpeg", "webp", "avif", "jp2"],
        choices=[name for name in CODECS if name != "command"],
    )
    parser.add_rates(RATES)
    parser.add_argument("--mode", choices=get_args(RateMode), default="dataset")
    parser.add_argument("--limit", type=int, help="use the first so many images")
    parser.add_argument("--workers", type=int, default=2, help="encoder threads")
    parser.add_write()
    chosen = parser.parse_args(arguments)
    parser.check_folder(chosen.images, "--images")
    mark = f"rates {chosen.mode} {chosen.images.name}"
    check_document(chosen.write, mark)
    lines = table(chosen.images, chosen.codecs, chosen.rates, chosen.mode, chosen.limit, chosen.workers)
    document.publish(lines, chosen.write, mark)


if __name__ == "__main__":
    main()
