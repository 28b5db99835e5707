"""The header of a JPEG file: its markers up to the first scan, and where the image ends."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from io import BufferedReader
from typing import Final

from compress_guard.traffic.exif import Exif, read_exif
from compress_guard.traffic.headers import FileHeader, JpegQuality, LeftOut
from compress_guard.traffic.quantisation import ZIGZAG, quality_of

TRACES: Final = (
    "EXIF thumbnail",
    "resized since capture",
    "Photoshop data",
    "Adobe marker",
    "Save for Web marker",
    "comment",
)
"""Marks of programs that wrote or changed a file, in the order of a report."""

_SOI, _EOI, _SOS, _DQT, _COM = 0xD8, 0xD9, 0xDA, 0xDB, 0xFE
_APP0, _APP1, _APP2, _APP12, _APP13, _APP14, _APP15 = 0xE0, 0xE1, 0xE2, 0xEC, 0xED, 0xEE, 0xEF
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE: Final = frozenset([0xC2, 0xC6, 0xCA, 0xCE])
_LOSSLESS: Final = frozenset([0xC3, 0xC7, 0xCB, 0xCF])
_ALONE: Final = frozenset([0x01, *range(0xD0, 0xD8)])
"""Markers without a length."""
_CHROMA: Final = {(1, 1): "4:4:4", (2, 1): "4:2:2", (2, 2): "4:2:0", (1, 2): "4:4:0", (4, 1): "4:1:1"}
_MOST_SEGMENTS: Final = 10_000
_CHUNK: Final = 2**20
_END: Final = b"\xff\xd9"


@dataclass(slots=True)
class _Segments:
    """Contents of the segments up to the first scan, as far as they were read."""

    frame: int | None = None
    size: tuple[int, int] = (0, 0)
    sampling: list[tuple[int, int, int]] = field(default_factory=list)
    """Horizontal and vertical sampling, and number of the table, of each component."""
    tables: dict[int, tuple[int, ...]] = field(default_factory=dict)
    exif: Exif = field(default_factory=Exif)
    icc: int = 0
    metadata: int = 0
    adobe: bool = False
    marks: set[str] = field(default_factory=set)

    def take(self, marker: int, body: bytes) -> None:
        """Take the body of a segment; raises `LeftOut` for a damaged one."""
        if marker == _DQT:
            self._take_tables(body)
        elif marker in _FRAMES:
            self._take_frame(marker, body)
        elif _APP0 <= marker <= _APP15 or marker == _COM:
            self._take_metadata(marker, body)

    def _take_tables(self, body: bytes) -> None:
        at = 0
        while at < len(body):
            wide, number = divmod(body[at], 16)
            length = 128 if wide else 64
            values = body[at + 1 : at + 1 + length]
            if len(values) < length or wide > 1:
                raise LeftOut("damaged header")
            table = [0] * 64
            for place, value in zip(ZIGZAG, struct.unpack(">64H" if wide else "64B", values), strict=True):
                table[place] = value
            if min(table) < 1:
                raise LeftOut("damaged header")
            self.tables[number] = tuple(table)
            at += 1 + length

    def _take_frame(self, marker: int, body: bytes) -> None:
        if len(body) < 6 or len(body) < 6 + 3 * body[5] or not body[5]:
            raise LeftOut("damaged header")
        height, width = struct.unpack_from(">HH", body, 1)
        self.frame, self.size = marker, (width, height)
        parts = [body[6 + 3 * number : 9 + 3 * number] for number in range(body[5])]
        self.sampling = [(part[1] >> 4, part[1] & 15, part[2]) for part in parts]

    def _take_metadata(self, marker: int, body: bytes) -> None:
        if marker == _APP14 and body.startswith(b"Adobe"):
            self.adobe = True
            self.marks.add("Adobe marker")
            return
        if marker == _APP0 and body.startswith(b"JFIF\0"):
            return
        self.metadata += len(body) + 4
        if marker == _APP1 and body.startswith(b"Exif\0\0"):
            self.exif = read_exif(body[6:])
        elif marker == _APP2 and body.startswith(b"ICC_PROFILE\0"):
            self.icc += max(len(body) - 14, 0)
        elif marker == _APP13 and body.startswith(b"Photoshop"):
            self.marks.add("Photoshop data")
        elif marker == _APP12 and body.startswith(b"Ducky"):
            self.marks.add("Save for Web marker")
        elif marker == _COM:
            self.marks.add("comment")

    def chroma(self) -> str | None:
        """Return the chroma resolution, None for one without a common name."""
        if len(self.sampling) == 1:
            return "grey"
        if len(self.sampling) == 4:
            return "CMYK"
        if len(self.sampling) != 3 or self.sampling[1][:2] != self.sampling[2][:2]:
            return None
        (across, down, _), (less_across, less_down, _) = self.sampling[:2]
        if not less_across or not less_down or across % less_across or down % less_down:
            return None
        return _CHROMA.get((across // less_across, down // less_down))

    def quality(self) -> JpegQuality | None:
        """Return the quality of the tables in use; None for lossless files and those without tables."""
        used = [self.tables.get(number) for _, _, number in self.sampling]
        if self.frame in _LOSSLESS or not used or used[0] is None:
            return None
        return quality_of(used[0], [table for table in used[1:] if table is not None])


def read_jpeg(file: BufferedReader, size: int) -> FileHeader:
    """Return the header of a JPEG file of so many bytes; raises `LeftOut`."""
    segments = _read_segments(file)
    if segments.frame is None:
        raise LeftOut("damaged header")
    end = _end_of_image(file)
    width, height = segments.size
    marks = segments.marks | ({"EXIF thumbnail"} if segments.exif.thumbnail else set())
    if segments.exif.size is not None and sorted(segments.exif.size) != sorted((width, height)):
        marks.add("resized since capture")
    return FileHeader(
        format="jpeg",
        width=width,
        height=height,
        size=size,
        coded_size=max(end - segments.metadata, 1),
        lossy=segments.frame not in _LOSSLESS,
        quality=segments.quality(),
        chroma=segments.chroma(),
        progressive=segments.frame in _PROGRESSIVE,
        turned=segments.exif.turned,
        icc=segments.icc,
        traces=frozenset(marks),
    )


def _read_segments(file: BufferedReader) -> _Segments:
    """Read the segments up to the first scan; the file is then at the first byte of that segment's body."""
    segments = _Segments()
    file.seek(2)
    for _ in range(_MOST_SEGMENTS):
        marker = _next_marker(file)
        if marker in _ALONE:
            continue
        if marker in (_SOI, _EOI):
            raise LeftOut("damaged header")
        length = int.from_bytes(_exactly(file, 2), "big")
        if length < 2:
            raise LeftOut("damaged header")
        if marker == _SOS:
            return segments
        segments.take(marker, _exactly(file, length - 2))
    raise LeftOut("damaged header")


def _next_marker(file: BufferedReader) -> int:
    """Return the next marker; the bytes 0xFF that may fill the space before it are passed over."""
    if _exactly(file, 1) != b"\xff":
        raise LeftOut("damaged header")
    for _ in range(_CHUNK):
        if (byte := _exactly(file, 1)) != b"\xff":
            return byte[0]
    raise LeftOut("damaged header")


def _exactly(file: BufferedReader, count: int) -> bytes:
    data = file.read(count)
    if len(data) < count:
        raise LeftOut("truncated")
    return data


def _end_of_image(file: BufferedReader) -> int:
    """Return where the end marker of the image ends, looked for from here; coded data cannot hold its two bytes.

    Phones write a second picture or a film behind it.
    """
    before, start = b"", file.tell()
    while chunk := file.read(_CHUNK):
        data = before + chunk
        if (at := data.find(_END)) >= 0:
            return start - len(before) + at + len(_END)
        before, start = chunk[-1:], start + len(chunk)
    raise LeftOut("truncated")
