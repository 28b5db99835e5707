"""Image files of every kind, made by Pillow."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from compress_guard.traffic.formats import read_header
from compress_guard.traffic.headers import FileHeader


def picture(width: int = 40, height: int = 24, mode: str = "RGB") -> Image.Image:
    """A picture with some structure, the same each time."""
    channels = {"L": (), "RGB": (3,), "RGBA": (4,), "CMYK": (4,)}[mode]
    generator = np.random.default_rng(7)
    return Image.fromarray(generator.integers(0, 256, (height, width, *channels), dtype=np.uint8), mode=None)


def coded(image: Image.Image, format_name: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, format_name, **options)
    return stream.getvalue()


@pytest.fixture
def header_of(tmp_path) -> Callable[[bytes], FileHeader]:
    """Reads the header of a file with these bytes."""

    def read(data: bytes) -> FileHeader:
        path = tmp_path / "file"
        path.write_bytes(data)
        return read_header(path)

    return read
