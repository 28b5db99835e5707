"""Files that a program writes: read only if they are regular files of a plausible size."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from compress_guard.codecs.pixels import opened_pil, to_rgb
from compress_guard.errors import CodecError
from compress_guard.files import Foreign, kind_of, open_regular

if TYPE_CHECKING:
    import torch

_HEADERS: Final = 2**20
"""Most bytes of a file of the smallest image."""
_STREAM_FACTOR: Final = 8
"""Most bytes of a stream, as a multiple of the pixels' bytes: 192 bits per pixel; the highest rate of a guard is 8."""
_IMAGE_FACTOR: Final = 16
"""Most bytes of a file per byte of the image: plain PPM of 16 bits takes 6 characters per value, and writers add
spaces."""
_LARGEST_IMAGE: Final = 2**28
"""Most pixels where the size of the image is not known."""


@dataclass(frozen=True, slots=True)
class Output:
    """The file that a program has to write."""

    path: Path
    limit: int
    """Most bytes of the file."""
    what: str
    """End of the sentence "at most N bytes make sense", e.g. ``for an image of 5x4 pixels``."""

    def check_size(self, program: str) -> None:
        """Raise `CodecError` for a file that is too large, also while it is written; links are not followed."""
        try:
            size = os.lstat(self.path).st_size
        except OSError:
            return
        if size > self.limit:
            raise CodecError(f"{program} wrote {size} bytes, where at most {self.limit} make sense {self.what}")

    def read(self, program: str) -> bytes:
        """Return the bytes that the program has written, after its end; raise `CodecError`."""
        try:
            status = os.lstat(self.path)
        except FileNotFoundError:
            raise CodecError(f"{program} ended well but wrote no output") from None
        try:
            with open_regular(self.path) as file:
                self.check_size(program)
                before = os.fstat(file.fileno())
                data = file.read(before.st_size + 1)
                after = os.fstat(file.fileno())
        except Foreign:
            remedy = "let it write a file of its own"
            raise CodecError(f"{program} left {kind_of(status)} in place of its output; {remedy}") from None
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns) or len(data) != after.st_size:
            raise CodecError(f"{program} ended before its output was whole: it changed while it was read")
        if not data:
            raise CodecError(f"{program} ended well but wrote no output")
        return data


def stream_limit(size: tuple[int, int]) -> int:
    """Return the most bytes of a stream of an image of this size (H, W)."""
    return _STREAM_FACTOR * 3 * size[0] * size[1] + _HEADERS


def image_limit(size: tuple[int, int] | None) -> int:
    """Return the most bytes of a file with the decoded image; `size` is (H, W), None where it is not known."""
    pixels = _LARGEST_IMAGE // _IMAGE_FACTOR if size is None else size[0] * size[1]
    return _IMAGE_FACTOR * 3 * pixels + _HEADERS


def read_image(kind: str, data: bytes, size: tuple[int, int] | None) -> torch.Tensor:
    """Decode an image file, ``ppm`` or ``png``, to uint8 RGB (3, H, W).

    What its header says is compared with the size (H, W) of the source, where it is known, before anything else is
    decoded: a few bytes can stand for gigabytes of pixels. Raises `CodecError`, and what Pillow raises.
    """
    image = opened_pil(kind.upper(), data)
    width, height = image.size
    if size is not None and (height, width) != size:
        raise CodecError(f"it came back as {width}x{height} pixels, expected {size[1]}x{size[0]}")
    if width * height > _LARGEST_IMAGE:
        raise CodecError(f"it came back as {width}x{height} pixels, more than any source has")
    image.load()
    return to_rgb(image)
