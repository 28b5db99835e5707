"""Scores of one model by decoders of the same streams: ``python -m benchmarks.quality.decoders --photographs FOLDER``.

SqueezeNet 1.0 on photographs with ImageNet labels (see examples/photos), coded by JPEG. Beside the decoders that a
guard may name stands one that repeats chroma, as nvJPEG does, so that the table needs no GPU.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from benchmarks.command import Command, check_document, given_words, preamble
from benchmarks.document import publish
from compress_guard.cli import main as run_command
from compress_guard.codecs.decoding.contract import Decoder
from compress_guard.codecs.decoding.second import second_decoder
from compress_guard.registry import DECODERS, KnownDecoder

if TYPE_CHECKING:
    import torch

MARK: Final = "decoders of one model"
NAMES: Final = ("pillow", "opencv", "torchvision", "repeated")
FILE: Final = """\
version: 1
guards:
  photos:
    task: classification
    model: examples.photos.photos:squeezenet
    data: examples.photos.photos:images
    codecs: [jpeg]
    quality: [75, 50]
    bpp: [0.25]
    decoders: [{names}]
    limit: {limit}
"""


class RepeatedChroma(Decoder):
    """Pillow with chroma repeated."""

    __slots__ = ()

    name = "repeated"

    @property
    def version(self) -> str:
        """See `Decoder.version`."""
        return f"{self.codec.version}, chroma repeated"

    def unavailable(self) -> str | None:
        """See `Decoder.unavailable`."""
        return None

    def decode(self, streams: Sequence[bytes], workers: int = 1) -> list[torch.Tensor]:
        """See `Decoder.decode`."""
        second = second_decoder(self.codec)
        if second is None:
            raise ValueError("only JPEG with 4:2:0 chroma can be decoded by repeating it")
        return second.decode(streams, workers)


def measured(limit: int | None, folder: Path) -> list[dict[str, Any]]:
    """Return the cells of the guard by all decoders."""
    cast("dict[str, KnownDecoder]", DECODERS)["repeated"] = KnownDecoder(f"{__name__}:RepeatedChroma", ("jpeg",))
    file, results = folder / "thresholds.yaml", folder / "results.json"
    limited = "null" if limit is None else str(limit)
    file.write_text(FILE.format(names=", ".join(NAMES), limit=limited), encoding="utf-8")
    run_command(["run", str(file), "--json", str(results)])
    cells: list[dict[str, Any]] = json.loads(results.read_text(encoding="utf-8"))["cells"]
    return cells


def table(cells: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the rows: operating points, in each of them the decoders."""
    yield "| JPEG | bpp | decoder | top1 | points below the first (interval) | largest and mean difference |"
    yield "|---|--:|---|--:|--:|--:|"
    for cell in cells:
        if cell["score"] is None:
            raise SystemExit(f"{cell['id']}: {cell['reason']}")
        point = f"{cell['target_bpp']:g} bpp" if cell["target_bpp"] else f"quality {cell['target_quality']:g}"
        row = [point, f"{cell['bpp_mean']:.2f}", _named(cell), f"{cell['score']:.1f}"]
        if cell["decoder_drop"] is None:
            row += ["", ""]
        else:
            row.append(
                f"{cell['decoder_drop']:.1f} ({cell['decoder_drop_low']:.1f} to {cell['decoder_drop_high']:.1f})"
            )
            row.append(f"{cell['decoder_difference_max']}, {cell['decoder_difference_mean']:.2f} levels")
        yield f"| {' | '.join(row)} |"
    used = {cell["images_used"] for cell in cells}
    yield ""
    yield f"{', '.join(map(str, sorted(used)))} images, top1 {cells[0]['clean_score']:.1f} when clean."


def _named(cell: Mapping[str, Any]) -> str:
    name = "repeated chroma" if cell["decoder"] == "repeated" else f"`{cell['decoder']}`"
    return f"{name} ({cell['decoder_version']})"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table as Markdown."""
    parser = Command("quality.decoders", __doc__)
    parser.add_folder()
    parser.add_argument("--weights", type=Path, required=True, help="state dict of torchvision's squeezenet1_0")
    parser.add_argument("--limit", type=int, default=None, help="images (all)")
    parser.add_write()
    options = parser.parse_args(arguments)
    parser.check_folder(options.photographs)
    check_document(options.write, MARK)
    os.environ["PHOTOS"], os.environ["PHOTOS_WEIGHTS"] = str(options.photographs), str(options.weights)
    with tempfile.TemporaryDirectory() as folder:
        cells = measured(options.limit, Path(folder))
    publish([*preamble("quality.decoders", given_words(arguments)), *table(cells)], options.write, MARK)


if __name__ == "__main__":
    main()
