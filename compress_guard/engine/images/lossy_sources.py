"""Sources that are lossily coded files already: coding them again at their own rate tells little."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Iterable, Sequence, Sized
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from compress_guard.engine.trouble import pass_on
from compress_guard.records import SourceFigures, seeded_fraction

if TYPE_CHECKING:
    from PIL import Image

FILES: Final = 300
"""Largest number of files whose headers are read."""
ITEMS: Final = 50
"""Largest number of items that are read if a data set names no files."""
SILENT: Final = 3
"""Number of first items without a known origin after which reading stops: most data sets are uniform."""

LOSSY: Final = frozenset(["JPEG", "MPO", "WEBP", "AVIF", "HEIF"])
"""Pillow's names of lossy formats, WebP if its file says so. Lossless AVIF and HEIF, which are rare, count too."""

LISTS: Final = ("samples", "imgs", "images", "_samples", "_images", "_image_files")
"""Attributes in which torchvision's data sets keep their files, as paths or as tuples that begin with one."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Facts about the files that a guard's images come from."""

    looked: int
    """Images whose origin was found; not all images are looked at unless they are few."""
    count: int
    """Number of these that are lossily coded files."""
    mean_bpp: float | None
    """Mean of 8 x file size / pixels over the lossy files; None if no size is known."""

    def figures(self) -> SourceFigures:
        """Return the part of a result that this makes."""
        return SourceFigures(source_bpp=self.mean_bpp, lossy_sources=self.count, sources_looked=self.looked)


@dataclass(frozen=True, slots=True)
class _Origin:
    pixels: int
    lossy: bool
    size: int | None
    """Bytes of the file."""


def lossy_sources(data: Any, positions: Sequence[int], pixels: Sequence[int], seed: int) -> Sources | None:
    """Count the images at these positions of a data set that are lossily coded files, and find their mean rate.

    The origin is known if a data set lists its files (torchvision's ImageFolder, CocoDetection, VOC and others, and
    torch.utils.data.Subset of any of these), of which only headers are read, or if it returns PIL images as Pillow
    opened them. A seeded choice of at most 300 files or 50 items is looked at. An image with another number of pixels
    than its file was scaled or cropped, so its origin does not count; tensors and converted images have none. Return
    None if no origin is known.

    Args:
        data: A data set, by position. It is read here without any lock, so before its images are coded on threads.
        positions: Positions of the usable images.
        pixels: Number of pixels of each of these images as the guard codes it.
        seed: Seed of the choice.
    """
    expected = dict(zip(positions, pixels, strict=True))
    order = sorted(positions, key=lambda position: seeded_fraction(seed, f"source {position}"))
    origins = _files(data, order[:FILES]) or _items(data, order[:ITEMS])
    matching = [origin for position, origin in origins.items() if origin.pixels == expected[position]]
    if not matching:
        return None
    lossy = [origin for origin in matching if origin.lossy]
    rates = [8 * origin.size / origin.pixels for origin in lossy if origin.size is not None]
    return Sources(len(matching), len(lossy), sum(rates) / len(rates) if rates else None)


def _files(data: Any, positions: Iterable[int]) -> dict[int, _Origin]:
    """Return the origins by position, from the files that the data set lists."""

    def look(position: int) -> _Origin | None:
        path = file_of(data, position)
        return None if path is None else _of_file(path)

    return _origins(positions, look)


def _items(data: Any, positions: Iterable[int]) -> dict[int, _Origin]:
    return _origins(positions, lambda position: _of_item(data, position))


def _origins(positions: Iterable[int], look: Callable[[int], _Origin | None]) -> dict[int, _Origin]:
    """Return the origins by position; stop early if the first few have none."""
    origins: dict[int, _Origin] = {}
    for number, position in enumerate(positions):
        if number >= SILENT and not origins:
            break
        # Data sets and files of users may raise anything, and no verdict depends on this.
        try:
            origin = look(position)
        except BaseException as problem:  # noqa: BLE001
            pass_on(problem)
            continue
        if origin is not None:
            origins[position] = origin
    return origins


def file_of(data: Any, position: int) -> Path | None:
    """Return the file of the image at this position; None if the data set does not tell."""
    while hasattr(data, "dataset") and hasattr(data, "indices"):
        data, position = data.dataset, int(data.indices[position])
    if hasattr(data, "coco") and hasattr(data, "ids"):
        return Path(data.root, data.coco.loadImgs(data.ids[position])[0]["file_name"])
    for name in LISTS:
        entries = getattr(data, name, None)
        # This excludes attributes that have such a name by chance.
        if not isinstance(entries, Sequence) or isinstance(entries, str) or len(entries) != _length(data):
            continue
        entry = entries[position]
        entry = entry[0] if isinstance(entry, tuple | list) and entry else entry
        if isinstance(entry, str | os.PathLike):
            return Path(entry)
    return None


def _length(data: object) -> int | None:
    return len(data) if isinstance(data, Sized) else None


def _of_file(path: Path) -> _Origin | None:
    from PIL import Image

    with Image.open(path) as image:
        return _of_image(image)


def _of_item(data: Any, position: int) -> _Origin | None:
    """Return the origin of the image of an item; a file that Pillow opened for this reading alone is closed again."""
    from PIL import Image

    item = data[position]
    image = item[0]
    if not isinstance(image, Image.Image):
        return None
    try:
        return _of_image(image)
    finally:
        # Pillow's own mark of a file that it opened itself: a caller may go on with one of its own.
        file = getattr(image, "fp", None) if getattr(image, "_exclusive_fp", False) else None
        kept = weakref.ref(image)
        del item, image
        # A data set that keeps its images still needs their files.
        if file is not None and kept() is None:
            file.close()


def _of_image(image: Image.Image) -> _Origin | None:
    """Return the origin of an image that Pillow opened, loaded since or not; None if it is unknown."""
    kind = image.format
    if kind is None:
        return None
    pixels = image.width * image.height
    if kind not in LOSSY:
        return _Origin(pixels, False, None)
    # A loaded image has closed its file but keeps its name.
    name = getattr(image, "filename", "")
    if name and (path := Path(os.fsdecode(name))).is_file():
        if kind != "WEBP":
            return _Origin(pixels, True, path.stat().st_size)
        with path.open("rb") as file:
            return _of_stream(file, kind, pixels)
    stream: BinaryIO | None = getattr(image, "fp", None)
    if stream is None:
        return None if kind == "WEBP" else _Origin(pixels, True, None)
    before = stream.tell()
    try:
        return _of_stream(stream, kind, pixels)
    finally:
        stream.seek(before)


def _of_stream(stream: BinaryIO, kind: str, pixels: int) -> _Origin | None:
    stream.seek(0)
    lossy = _lossy_webp(stream) if kind == "WEBP" else True
    return None if lossy is None else _Origin(pixels, lossy, stream.seek(0, os.SEEK_END))


def _lossy_webp(file: BinaryIO) -> bool | None:
    """Return True if the first frame of a WebP file is lossy (a VP8 chunk), False for VP8L; None for other files.

    RFC 9649, section 2.3 and following.
    """
    head = file.read(12)
    if head[:4] != b"RIFF" or head[8:] != b"WEBP":
        return None
    while len(chunk := file.read(8)) == 8:
        name, size = chunk[:4], int.from_bytes(chunk[4:], "little")
        if name in (b"VP8 ", b"VP8L"):
            return name == b"VP8 "
        # A frame of an animation begins with 16 bytes of its own, then come chunks.
        file.seek(16 if name == b"ANMF" else size + size % 2, os.SEEK_CUR)
    return None
