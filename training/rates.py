"""Learn which setting of a codec brings an image to which rate: python -m training.rates ROOT [CODEC ...].

ROOT holds the photographs of clic2025 (PNG) and coco128 (JPEG), those of `training.photographs` that are held out left
out; gb82 is never seen. Beside crops of these at several scales it looks at scenes of the bundled world and at noise.
Codecs take 20 to 120 seconds each on one core.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageEnhance

from compress_guard.augment.activity import CLOSE, QUICK, THOROUGH, of_tensor
from compress_guard.augment.aim import TABLE
from compress_guard.codecs.contract import Codec
from compress_guard.engine.coding.available import available_codec, codec_options
from compress_guard.records import CodecSpec
from examples.data import TRAINING_SEED
from examples.world import GROUP, SINGLE, render
from training.photographs import files

Picture: TypeAlias = NDArray[np.uint8]
"""(H, W, 3), RGB."""
Values: TypeAlias = NDArray[np.float64]

CODECS = {
    "jpeg": (QUICK, 1),
    "jpeg subsampling=4:4:4": (QUICK, 1),
    "webp": (CLOSE, 1),
    "avif": (CLOSE, 1),
    "jp2": (QUICK, 1),
    "jxl": (CLOSE, 2),
    "heic": (CLOSE, 2),
    "neural": (THOROUGH, 1),
}
"""Features that predict the rate of a codec, and the step between its training images: slow codecs get fewer."""
KNOTS = 10
SPAN = (0.03, 4.0)
"""Range of bpp; knots are spread, evenly in log rate, over the settings that bring the median image into it."""
RIDGE = 0.02
"""Penalty of ridge regression on centred features, which are octaves."""
PASSES = 2
SEED = 1


def crops(root: Path) -> Iterator[Picture]:
    """Yield about 360 pictures, uint8 (H, W, 3), of many kinds and sizes."""
    rng = np.random.Generator(np.random.PCG64(SEED))
    lossless = files(root, held_out=False)["clic2025"]
    coded = sorted((root / "coco128/images").glob("*.jpg"))[:60]
    for number in range(PASSES):
        for path in lossless:
            picture = Image.open(path).convert("RGB")
            for scale in (1.0, 0.5, 0.3):
                yield varied(cut(scaled(picture, scale * float(rng.uniform(0.8, 1.1))), rng), rng)
        for path in coded:
            # Half the size: what JPEG left of itself in the files is gone.
            yield varied(cut(scaled(Image.open(path).convert("RGB"), float(rng.uniform(0.4, 0.6))), rng), rng)
        for index in range(24 * number, 24 * (number + 1)):
            yield render(GROUP if index % 2 else SINGLE, TRAINING_SEED, index).image
        for _ in range(16):
            yield noise(rng)


def varied(picture: Picture, rng: np.random.Generator) -> Picture:
    """Return half of the pictures unchanged; change sharpness, contrast, colour and grain of the others."""
    if rng.random() < 0.5:
        return picture
    image = Image.fromarray(picture)
    image = ImageEnhance.Sharpness(image).enhance(float(rng.uniform(0, 2)))
    image = ImageEnhance.Contrast(image).enhance(float(rng.uniform(0.5, 1.3)))
    image = ImageEnhance.Color(image).enhance(float(rng.uniform(0, 1.6)))
    grain = rng.normal(size=picture.shape[:2])[..., None] * rng.choice([0, 0, 3, 6])
    grainy: Picture = (np.asarray(image) + grain).clip(0, 255).astype(np.uint8)
    return grainy


def scaled(picture: Image.Image, scale: float) -> Image.Image:
    """Scale a picture by this factor."""
    size = (max(64, round(picture.width * scale)), max(64, round(picture.height * scale)))
    return picture.resize(size, Image.Resampling.LANCZOS)


def cut(picture: Image.Image, rng: np.random.Generator) -> Picture:
    """Cut out a window of 160 to 640 pixels."""
    width, height = (min(length, int(rng.integers(160, 641))) for length in picture.size)
    left, top = int(rng.integers(picture.width - width + 1)), int(rng.integers(picture.height - height + 1))
    return np.asarray(picture.crop((left, top, left + width, top + height)))


def noise(rng: np.random.Generator) -> Picture:
    """Draw noise of little colour whose spectrum falls with a power of the frequency, 1 to 2."""
    side = int(rng.integers(192, 449))
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(side), np.fft.fftfreq(side)))
    frequency[0, 0] = 1
    planes = np.fft.ifft2(np.fft.fft2(rng.normal(size=(3, side, side))) / frequency ** rng.uniform(1, 2)).real
    planes = planes[0] + 0.3 * (planes - planes[0])
    planes = 128 + planes / planes.std() * rng.uniform(15, 60)
    picture: Picture = planes.clip(0, 255).astype(np.uint8).transpose(1, 2, 0)
    return picture


def knots(codec: Codec, images: list[torch.Tensor]) -> list[float]:
    """Return settings of the ladder, spread evenly over the log rate of ten of the images."""
    positions = np.unique(np.linspace(0, len(codec.ladder) - 1, 14).round().astype(int))
    some = images[:: max(1, len(images) // 10)]
    medians = [np.median(np.log(rate(codec, some, codec.ladder[at]))) for at in positions]
    rates = np.maximum.accumulate(medians)
    wanted = np.linspace(max(rates[0], np.log(SPAN[0])), min(rates[-1], np.log(SPAN[1])), KNOTS)
    inner = np.unique(np.interp(wanted, rates, positions).round().astype(int))
    ends = (0, len(codec.ladder) - 1)
    return [codec.ladder[at] for at in sorted({*ends, *inner.tolist()})]


def rate(codec: Codec, images: list[torch.Tensor], setting: float) -> Values:
    """Return bpp of each image."""
    streams = codec.encode(images, [setting] * len(images), 1)
    return np.array([8 * codec.cost(stream) / image[0].numel() for stream, image in zip(streams, images, strict=True)])


def learnt(codec: Codec, images: list[torch.Tensor], count: int) -> dict[str, object]:
    """Return the codec's entry of the table."""
    ladder = codec.ladder
    flat = torch.full((3, 16, 16), 128, dtype=torch.uint8)
    header = codec.cost(codec.encode([flat], [ladder[0]])[0])
    settings = knots(codec, images)
    features = np.stack([of_tensor(image, count) for image in images]).astype(np.float64)
    weights, errors = [], []
    for setting in settings:
        bpp = rate(codec, images, setting)
        own = bpp - np.array([8 * header / image[0].numel() for image in images])
        wanted = np.log2(own.clip(0.002))
        fitted = solved(features, wanted)
        weights.append([float(f"{value:.5g}") for value in fitted])
        errors.append(float(np.std(features @ fitted - wanted)))
    print("  header", header, "settings", settings, "errors in octaves", [round(error, 3) for error in errors])
    return {"header": header, "settings": settings, "weights": weights}


def solved(features: Values, wanted: Values) -> Values:
    """Solve a ridge regression with a constant as the last feature; outliers count for less."""
    means = np.append(features[:, :-1].mean(0), 0.0)
    centred = features - means
    penalty = RIDGE * len(wanted) * np.diag([1.0] * (len(means) - 1) + [0.0])
    share = np.ones(len(wanted))
    weights = np.zeros(len(means))
    for _ in range(5):
        weighted = centred * share[:, None]
        weights = np.linalg.solve(weighted.T @ centred + penalty, weighted.T @ wanted)
        miss = np.abs(centred @ weights - wanted)
        share = 1 / np.maximum(1, miss / 0.3)
    weights[-1] -= means @ weights
    return weights


def main() -> None:
    """Write the table, or the entries of some codecs of it."""
    torch.set_num_threads(1)
    root, names = Path(sys.argv[1]), sys.argv[2:] or list(CODECS)
    images = [torch.from_numpy(picture.copy()).permute(2, 0, 1).contiguous() for picture in crops(root)]
    table = json.loads(TABLE.read_text(encoding="utf-8")) if TABLE.is_file() and sys.argv[2:] else {}
    for name in names:
        count, every = CODECS[name]
        some = images[::every]
        print(name, f"{len(some)} images, {sum(image[0].numel() for image in some) / 1e6:.1f} megapixels", flush=True)
        kind, *options = name.split(" ")
        given = codec_options(dict(option.split("=", maxsplit=1) for option in options))
        codec = available_codec(CodecSpec(name, kind, given))
        table[name] = learnt(codec, some, count)
        lines = ",\n".join(f'  "{key}": {json.dumps(table[key])}' for key in sorted(table))
        TABLE.write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
