"""PSNR of photographs by codec at given rates: ``python -m benchmarks.quality.photographs --photographs FOLDER``.

Mean PSNR over photographs that the bundled codec was not trained on (see `training.photographs`): those of gb82 as they
are, those of clic2025 scaled to a long side of 768 pixels, as which cameras' pictures travel. Every point is a real
stream, decoded again. Each image's curve is interpolated, linear in log bpp; the mean at a rate is over the images that
every codec of the table brings to that rate, and their number stands below it.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.command import Command
from compress_guard.codecs.pictures.fidelity import psnr
from compress_guard.engine.coding.available import build_codec
from compress_guard.records import CodecSpec
from training.photographs import files

if TYPE_CHECKING:
    import torch

    from compress_guard.codecs.contract import Codec

RATES: Final = (0.1, 0.25, 0.5, 1.0, 2.0)
LONG_SIDE: Final = 768
POINTS: Final = 24
"""Number of settings at which each image is coded, evenly along the ladder."""


def photographs(root: Path) -> list[torch.Tensor]:
    """Return uint8 tensors (3, H, W); raises `SystemExit` if there are none."""
    from PIL import Image

    from compress_guard.codecs.pixels import to_rgb

    found = []
    for name, paths in files(root, held_out=True).items():
        for path in paths:
            picture = Image.open(path).convert("RGB")
            if name == "clic2025":
                share = LONG_SIDE / max(picture.size)
                size = (round(picture.width * share), round(picture.height * share))
                picture = picture.resize(size, Image.Resampling.LANCZOS)
            found.append(to_rgb(picture))
    if not found:
        raise SystemExit(f"{root}: no held-out photographs; expected gb82/*.png and clic2025/*.png")
    return found


def curve(codec: Codec, image: torch.Tensor, settings: Sequence[float]) -> list[tuple[float, float]]:
    """Return (bpp, PSNR in dB) of an image at each setting, in ascending order, up to twice the highest target rate."""
    pixels = image.shape[-2] * image.shape[-1]
    points = []
    for setting in settings:
        (stream,) = codec.encode([image], [setting], 1)
        (decoded,) = codec.decode([stream], 1)
        points.append((8 * codec.cost(stream) / pixels, psnr(image, decoded)))
        if points[-1][0] > 2 * RATES[-1]:
            break
    return sorted(points)


def at_rate(points: Sequence[tuple[float, float]], bpp: float) -> float | None:
    """Return PSNR at a rate, None outside the curve."""
    import numpy as np

    rates = [math.log(rate) for rate, _ in points]
    if not rates[0] <= math.log(bpp) <= rates[-1]:
        return None
    return float(np.interp(math.log(bpp), rates, [quality for _, quality in points]))


def spread(ladder: Sequence[float]) -> list[float]:
    """Return settings evenly along a ladder, both ends included."""
    count = min(POINTS, len(ladder))
    return [ladder[round(at * (len(ladder) - 1) / (count - 1))] for at in range(count)]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table as Markdown."""
    parser = Command("quality.photographs", __doc__)
    parser.add_argument("--photographs", type=Path, required=True, metavar="FOLDER", help="holds gb82/ and clic2025/")
    parser.add_argument("--codecs", nargs="+", default=["neural", "jpeg", "webp", "avif"], metavar="NAME")
    options = parser.parse_args(arguments)
    images = photographs(options.photographs)
    found: dict[str, list[list[float | None]]] = {}
    for name in options.codecs:
        codec = build_codec(CodecSpec(name, name))
        curves = [curve(codec, image, spread(codec.ladder)) for image in images]
        found[name] = [[at_rate(points, rate) for points in curves] for rate in RATES]
        sys.stderr.write(f"{name}: {len(images)} images coded\n")
    sys.stdout.write("| codec | " + " | ".join(f"{rate:g} bpp" for rate in RATES) + " |\n")
    sys.stdout.write("|---|" + "--:|" * len(RATES) + "\n")
    common = [
        [at for at in range(len(images)) if all(found[name][number][at] is not None for name in found)]
        for number in range(len(RATES))
    ]
    for name, rows in found.items():
        cells = [
            f"{sum(row[at] or 0.0 for at in chosen) / len(chosen):.2f}" if chosen else "-"
            for row, chosen in zip(rows, common, strict=True)
        ]
        sys.stdout.write(f"| {name} | " + " | ".join(cells) + " |\n")
    sys.stdout.write("| images | " + " | ".join(str(len(chosen)) for chosen in common) + " |\n")


if __name__ == "__main__":
    main()
