"""Source images that are lossily coded files already: at their own rate, coding them again tells little."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence, Sized
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from compress_guard.engine.trouble import pass_on
from compress_guard.records import SourceFigures, seeded_fraction

if TYPE_CHECKING:
    from PIL import Image

FILES: Final = 300
"""Files that are looked at, by their headers."""
ITEMS: Final = 50
"""Items that are read where a data set names no files."""
SILENT: Final = 3
"""Items without a word on their origin after which no more are read: all items of most data sets are alike."""

LOSSY: Final = frozenset(["JPEG", "MPO", "WEBP", "AVIF", "HEIF"])
"""Pillow's names of formats that are lossy, WebP where its file says so. Lossless AVIF and HEIF, which are rare, count
too."""

_LISTS: Final = ("samples", "imgs", "images", "_samples", "_images", "_image_files")
"""Where torchvision's data sets keep their files, as paths or as tuples that begin with one."""


@dataclass(frozen=True, slots=True)
class Sources:
    """What is known of the files that a guard's images come from."""

    looked: int
    """Images that were looked at and told their origin; all the images only where those are few."""
    count: int
    """How many of these are lossily coded files."""
    mean_bpp: float | None
    """Mean over the latter of 8 x file size / pixels; None without any whose size is known."""

    def figures(self) -> SourceFigures:
        """Return the part of a result that this makes."""
        return SourceFigures(self.mean_bpp, self.count, self.looked)


@dataclass(frozen=True, slots=True)
class _Origin:
    pixels: int
    lossy: bool
    size: int | None
    """Bytes of the file."""


def lossy_sources(data: Any, positions: Sequence[int], pixels: Sequence[int], seed: int) -> Sources | None:
    """How many of the images at these positions of a data set are lossily coded files, and at what rate.

    Data sets tell by the files that they list (torchvision's ImageFolder, CocoDetection, VOC and others, and
    torch.utils.data.Subset of any of these), of which headers alone are read; or by handing out PIL images as Pillow
    opened them. At most 300 files or 50 items are looked at, a seeded choice. An image with another number of pixels
    than its file has been scaled or cropped since, and tells nothing: nor do tensors, or images that were converted.
    None where no image tells.

    Args:
        data: A data set, by position. It is read here without any lock, so before its images are coded on threads.
        positions: Of the usable images.
        pixels: Of each of these images as the guard codes it.
        seed: Of the choice.
    """
    expected = dict(zip(positions, pixels, strict=True))
    order = sorted(positions, key=lambda position: seeded_fraction(seed, f"source {position}"))
    origins = _files(data, order[:FILES]) or _items(data, order[:ITEMS])
    told = [origin for position, origin in origins.items() if origin.pixels == expected[position]]
    if not told:
        return None
    lossy = [origin for origin in told if origin.lossy]
    rates = [8 * origin.size / origin.pixels for origin in lossy if origin.size is not None]
    return Sources(len(told), len(lossy), sum(rates) / len(rates) if rates else None)


def _files(data: Any, positions: Iterable[int]) -> dict[int, _Origin]:
    """What the files say that the data set lists, by position."""
    return _told(positions, lambda position: _of_file(path) if (path := _path(data, position)) is not None else None)


def _items(data: Any, positions: Iterable[int]) -> dict[int, _Origin]:
    return _told(positions, lambda position: _of_item(data[position]))


def _told(positions: Iterable[int], look: Callable[[int], _Origin | None]) -> dict[int, _Origin]:
    """Origins by position; nothing once the first few say nothing."""
    found: dict[int, _Origin] = {}
    for number, position in enumerate(positions):
        if number >= SILENT and not found:
            break
        # People's data sets and files raise what they like, and no verdict hangs on this.
        try:
            origin = look(position)
        except BaseException as problem:  # noqa: BLE001
            pass_on(problem)
            continue
        if origin is not None:
            found[position] = origin
    return found


def _path(data: Any, position: int) -> Path | None:
    """The file of the image at this position, if the data set says which."""
    while hasattr(data, "dataset") and hasattr(data, "indices"):
        data, position = data.dataset, int(data.indices[position])
    if hasattr(data, "coco") and hasattr(data, "ids"):
        return Path(data.root, data.coco.loadImgs(data.ids[position])[0]["file_name"])
    for name in _LISTS:
        entries = getattr(data, name, None)
        # Not an attribute that happens to have such a name.
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


def _of_item(item: Any) -> _Origin | None:
    from PIL import Image

    image = item[0]
    return _of_image(image) if isinstance(image, Image.Image) else None


def _of_image(image: Image.Image) -> _Origin | None:
    """The origin of an image as Pillow opened it, loaded since or not; None where it does not tell."""
    kind = image.format
    if kind is None:
        return None
    pixels = image.width * image.height
    if kind not in LOSSY:
        return _Origin(pixels, False, None)
    # Once loaded an image has let its file go, but not its name.
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
    """Whether the first frame of a WebP file is lossy (a VP8 chunk) or not (VP8L); None for what is no such file.

    RFC 9649, section 2.3 and following.
    """
    head = file.read(12)
    if head[:4] != b"RIFF" or head[8:] != b"WEBP":
        return None
    while len(chunk := file.read(8)) == 8:
        name, size = chunk[:4], int.from_bytes(chunk[4:], "little")
        if name in (b"VP8 ", b"VP8L"):
            return name == b"VP8 "
        # A frame of an animation has 16 bytes of its own, then chunks.
        file.seek(16 if name == b"ANMF" else size + size % 2, os.SEEK_CUR)
    return None
