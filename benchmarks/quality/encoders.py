"""Effect of an encoder's own options: ``python -m benchmarks.quality.encoders --photographs FOLDER --weights FILE``.

Codes the labelled photographs of a folder (sorted by name, the n-th has class n of ImageNet) by every variant of an
encoder, once at one quality and once at one mean rate, and asks SqueezeNet for their classes. Prints a table in
Markdown, a row per variant: bits per pixel, PSNR and top-1 at the quality; bits per pixel, the mean setting, PSNR and
top-1 at the rate, or at the floor of a variant that does not go so low; and by how much top-1 differs there from the
encoder's first row, with the 95 % interval of the paired difference. ``--write docs/reference/codecs.md`` puts it
between the marks ``<!-- encoders FOLDER -->`` and ``<!-- end of encoders FOLDER -->``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any, Final

from benchmarks import document
from benchmarks.command import Command, check_document, given_words, preamble
from compress_guard import compress
from compress_guard.codecs import calls
from compress_guard.codecs.pictures.fidelity import psnr
from compress_guard.codecs.pictures.metadata import Metadata
from compress_guard.codecs.pixels import to_rgb
from compress_guard.engine.coding.available import build_codec
from compress_guard.records import CodecSpec
from compress_guard.verdict.paired import drop_interval

if TYPE_CHECKING:
    import torch
    from PIL import Image

    from compress_guard.codecs.contract import Codec

CONFIDENCE: Final = 0.95
VARIANTS: Final[Mapping[str, Sequence[Mapping[str, Any]]]] = {
    "jpeg": (
        {},
        {"optimize": False},
        {"progressive": True},
        {"restart_rows": 1},
        {"subsampling": "4:2:2"},
        {"subsampling": "4:4:4"},
        {"metadata": "keep"},
    ),
    "webp": (
        {},
        {"method": 0},
        {"method": 6},
        {"preset": "photo"},
        {"sharp_yuv": True},
        {"metadata": "keep"},
    ),
    "avif": (
        {},
        {"tune": "psnr"},
        {"tune": "ssim"},
        {"tune": "ssimulacra2"},
        {"subsampling": "4:4:4"},
        {"speed": 6},
        {"metadata": "keep"},
    ),
    "jxl": ({}, {"effort": 3}, {"effort": 7}, {"metadata": "keep"}),
    "heic": ({}, {"preset": "ultrafast"}, {"preset": "slow"}),
}
"""Options of each row; the first is what the others are compared with."""
HEADER: Final = """\
| codec | options | bpp | PSNR | top-1 | bpp | setting | PSNR | top-1 | against the first row |
|---|---|--:|--:|--:|--:|--:|--:|--:|--:|"""


@dataclass(frozen=True, slots=True)
class Photographs:
    """Labelled photographs and the model that is asked for their classes."""

    pictures: Sequence[Image.Image]
    """Loaded PIL images, with the metadata of their files."""
    pixels: Sequence[torch.Tensor]
    """Pixels of `pictures` as uint8 RGB tensors (3, H, W), upright."""
    labels: Sequence[int]
    model: torch.nn.Module
    """SqueezeNet in evaluation mode, in the memory layout channels_last: twice as fast on a CPU."""

    @classmethod
    def of(cls, folder: Path, weights: Path, limit: int) -> Photographs:
        """Read up to `limit` photographs, evenly from the folder; raises `SystemExit` where there are none."""
        import torch
        from PIL import Image
        from torchvision.models import squeezenet1_0

        paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in {".png", ".jpg", ".jpeg"})
        if not paths:
            raise SystemExit(f"{folder}: no photographs; expected PNG or JPEG files")
        labels = list(range(0, len(paths), max(1, len(paths) // limit)))[:limit]
        pictures = [Image.open(paths[label]) for label in labels]
        model = squeezenet1_0()
        model.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
        fast: torch.nn.Module = model.eval().to(memory_format=torch.channels_last)
        return cls(pictures, [to_rgb(picture) for picture in pictures], labels, fast)

    def right(self, images: Sequence[torch.Tensor]) -> list[bool]:
        """Return for each image whether the model names its class."""
        import torch
        from torchvision.models import SqueezeNet1_0_Weights

        prepare = SqueezeNet1_0_Weights.IMAGENET1K_V1.transforms()
        with torch.no_grad():
            batches = (prepare(image)[None].to(memory_format=torch.channels_last) for image in images)
            named = [int(self.model(batch).argmax()) for batch in batches]
        return [answer == label for answer, label in zip(named, self.labels, strict=True)]


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures of the photographs at one operating point."""

    bpp: float
    setting: float
    psnr: float
    right: Sequence[bool]

    @property
    def top1(self) -> float:
        """Share of right classes in per cent."""
        return 100 * fmean(self.right)


def at_quality(photographs: Photographs, codec: Codec, quality: float) -> Figures:
    """Return the figures at the setting of the ladder that is nearest to a quality."""
    setting = min(codec.ladder, key=lambda step: abs(step - quality))
    sources, settings = photographs.pixels, [setting] * len(photographs.pixels)
    metadata = [Metadata.of(picture) for picture in photographs.pictures]
    streams = calls.encode(codec, sources, settings, metadata=metadata)
    decoded = codec.decode(streams)
    rates = [8 * len(each) / image[0].numel() for each, image in zip(streams, sources, strict=True)]
    return _figures(photographs, decoded, rates, settings)


def at_rate(photographs: Photographs, name: str, options: Mapping[str, Any], bpp: float) -> Figures:
    """Return the figures at a mean rate."""
    coded = compress(photographs.pictures, codec=name, bpp=bpp, rate="dataset", **options)
    return _figures(photographs, coded.images, coded.bpp, coded.settings)


def _figures(
    photographs: Photographs, decoded: Sequence[torch.Tensor], rates: Sequence[float], settings: Sequence[float]
) -> Figures:
    quality = fmean(psnr(*pair) for pair in zip(photographs.pixels, decoded, strict=True))
    return Figures(fmean(rates), fmean(settings), quality, photographs.right(decoded))


def row(name: str, options: Mapping[str, Any], quality: Figures, rate: Figures, first: Figures) -> str:
    """Return one line of the table."""
    pairs = list(zip(first.right, rate.right, strict=True))
    lost, gained = pairs.count((True, False)), pairs.count((False, True))
    drop = drop_interval(len(pairs), lost, gained, CONFIDENCE)
    against = "" if rate is first else f"{_points(drop.value)} ({_points(drop.high)} to {_points(drop.low)})"
    written = ", ".join(f"`{key}: {_written(value)}`" for key, value in options.items()) or "the defaults"
    return (
        f"| {name} | {written} | {quality.bpp:.3f} | {quality.psnr:.2f} | {quality.top1:.1f} "
        f"| {rate.bpp:.3f} | {rate.setting:.1f} | {rate.psnr:.2f} | {rate.top1:.1f} | {against} |"
    )


def _points(drop: float) -> str:
    """Return the gain that is this loss, without a negative zero."""
    return f"{0.0 - drop:+.1f}"


def _written(value: object) -> str:
    """Return a value as YAML has it."""
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) and ":" in value else str(value)


def table(photographs: Photographs, codecs: Sequence[str], quality: float, bpp: float) -> Iterator[str]:
    """Yield the lines of the table, each variant's as soon as it is measured."""
    with_metadata = [bool(Metadata.of(picture)) for picture in photographs.pictures]
    pixels = sum(image[0].numel() for image in photographs.pixels) / 1e6
    clean = photographs.right(photographs.pixels)
    yield (
        f"{len(clean)} photographs, {pixels:.1f} megapixels, {sum(with_metadata)} with an ICC profile or EXIF; clean "
        f"top-1 {100 * fmean(clean):.1f}. The first three figures are at the step nearest to quality {quality:g}, the "
        f"others at a mean of {bpp:g} bpp."
    )
    yield from ("", *HEADER.splitlines())
    for name in codecs:
        first = None
        for options in VARIANTS[name]:
            codec = build_codec(CodecSpec(name, name, tuple(options.items())))
            if (reason := codec.unavailable()) is not None:
                yield f"| {name} | not measured: {reason} ||||||||"
                continue
            rate = at_rate(photographs, name, options, bpp)
            first = first or rate
            yield row(name, options, at_quality(photographs, codec, quality), rate, first)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table as Markdown."""
    words = given_words(arguments)
    parser = Command("quality.encoders", __doc__)
    parser.add_folder()
    parser.add_argument("--weights", type=Path, required=True, help="state dict of squeezenet1_0")
    parser.add_argument("--codecs", nargs="+", default=list(VARIANTS), choices=list(VARIANTS))
    parser.add_argument("--quality", type=float, default=75.0, help="quality of the first half of the table (75)")
    parser.add_argument("--bpp", type=float, default=0.25, help="mean bits per pixel of the second half (0.25)")
    parser.add_whole("--limit", 100, "photographs, evenly from the folder")
    parser.add_write()
    chosen = parser.parse_args(words)
    parser.check_folder(chosen.photographs)
    parser.check_whole(chosen, "limit")
    mark = f"encoders {chosen.photographs.name}"
    check_document(chosen.write, mark)
    photographs = Photographs.of(chosen.photographs, chosen.weights, chosen.limit)

    def lines() -> Iterator[str]:
        yield from preamble("quality.encoders", words)
        yield from table(photographs, chosen.codecs, chosen.quality, chosen.bpp)

    document.publish(lines(), chosen.write, mark)


if __name__ == "__main__":
    main()
