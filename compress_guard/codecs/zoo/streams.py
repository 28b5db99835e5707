"""Streams of the learned codecs: a few bytes of header, then strings of an entropy coder or an estimate.

A coded stream holds, each number in 7-bit groups: position on the ladder, height, width, a check byte, the length of
each string but the last, the strings. Seven to nine bytes for a photograph, all of them counted. An estimated one
holds instead of the strings the bytes that it counts for and the quantised latents, packed without loss.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from compress_guard.errors import CodecError

if TYPE_CHECKING:
    import torch

_LARGEST_SIDE: Final = 2**16
_WORD: Final = 4
"""Bytes of a word: the entropy coder writes at least one, and must not get less to read."""
_WHOLE, _FLOAT = 0, 1


@dataclass(frozen=True, slots=True)
class LearnedHeader:
    """The header of a learned codec's stream."""

    position: int
    """Position of the setting on the codec's ladder."""
    size: tuple[int, int]
    """(H, W) of the source in pixels."""
    estimated: bool


def pack_coded(position: int, size: tuple[int, int], strings: Sequence[bytes]) -> bytes:
    """Return a real stream."""
    body = b"".join(_varint(len(string)) for string in strings[:-1]) + b"".join(strings)
    return _header(position, size, estimated=False) + bytes([zlib.crc32(body) & 0xFF]) + body


def unpack_coded(stream: bytes, strings: int) -> tuple[LearnedHeader, list[bytes]]:
    """Return header and strings of a real stream; raise `CodecError` for bytes that cannot be one."""
    header, at = _read_header(stream)
    if header.estimated or at >= len(stream):
        raise CodecError("not a coded stream")
    body = stream[at + 1 :]
    # The native decoder reads past the end of a cut string.
    if zlib.crc32(body) & 0xFF != stream[at]:
        raise CodecError("its check byte does not fit: the stream was cut or changed")
    at, found = 0, []
    lengths = []
    for _ in range(strings - 1):
        length, at = _read_varint(body, at)
        lengths.append(length)
    for length in [*lengths, len(body) - at - sum(lengths)]:
        if length < _WORD or length % _WORD:
            raise CodecError(f"a string of {length} bytes; expected whole words of {_WORD}")
        found.append(body[at : at + length])
        at += length
    return header, found


def overhead(position: int, size: tuple[int, int], strings: int) -> int:
    """Bytes of a real stream that no likelihood tells of: its header, what the lengths of strings take (two bytes for
    each but the last), and the last states of the range coder: two words for each string, which hold two bytes of its
    symbols."""
    return len(_header(position, size, estimated=False)) + 1 + 2 * (strings - 1) + 6 * strings


def pack_estimated(position: int, size: tuple[int, int], cost: int, latents: torch.Tensor) -> bytes:
    """Return a stream with the bytes that it counts for, and latents (1, M, h, w)."""
    import numpy as np

    values = latents[0].cpu().numpy().astype("<f4")
    whole = values.astype("<i2") if float(np.abs(values).max(initial=0.0)) < 2**15 else None
    exact = whole is not None and bool((whole == values).all())
    # Bytes of equal weight pack better together.
    data = np.ascontiguousarray(whole if exact else values)
    planes = data.reshape(-1).view(np.uint8).reshape(-1, data.itemsize).T.tobytes()
    numbers = (cost, *values.shape, _WHOLE if exact else _FLOAT)
    return _header(position, size, estimated=True) + b"".join(map(_varint, numbers)) + zlib.compress(planes)


def unpack_estimated(stream: bytes) -> tuple[LearnedHeader, torch.Tensor]:
    """Return header and latents, float32 (1, M, h, w); raise `CodecError` for bytes that cannot be such a stream."""
    import numpy as np
    import torch

    header, at = _read_header(stream)
    if not header.estimated:
        raise CodecError("not an estimated stream")
    _, at = _read_varint(stream, at)
    shape = []
    for _ in range(3):
        number, at = _read_varint(stream, at)
        shape.append(number)
    kind, at = _read_varint(stream, at)
    form = np.dtype("<i2" if kind == _WHOLE else "<f4")
    try:
        planes = np.frombuffer(zlib.decompress(stream[at:]), np.uint8)
        data = np.ascontiguousarray(planes.reshape(form.itemsize, -1).T).view(form).reshape(shape)
    except (zlib.error, ValueError) as problem:
        raise CodecError(f"its latents do not unpack ({problem})") from problem
    return header, torch.from_numpy(data.astype(np.float32))[None]


def header_of(stream: bytes) -> LearnedHeader:
    """Return the header of a stream; raise `CodecError` for bytes that cannot be one."""
    return _read_header(stream)[0]


def cost_of(stream: bytes) -> int:
    """Return the bytes that a stream counts for: its own length, or the estimate that it carries."""
    header, at = _read_header(stream)
    return _read_varint(stream, at)[0] if header.estimated else len(stream)


def _header(position: int, size: tuple[int, int], *, estimated: bool) -> bytes:
    return _varint(2 * position + estimated) + _varint(size[0]) + _varint(size[1])


def _read_header(stream: bytes) -> tuple[LearnedHeader, int]:
    first, at = _read_varint(stream, 0)
    height, at = _read_varint(stream, at)
    width, at = _read_varint(stream, at)
    if not (0 < height <= _LARGEST_SIDE and 0 < width <= _LARGEST_SIDE):
        raise CodecError(f"a picture of {width}x{height} pixels; this is no stream of the codec")
    return LearnedHeader(first // 2, (height, width), bool(first % 2)), at


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    """Return a number and the place of its end."""
    number = shift = 0
    while at < len(data) and shift < 42:
        byte = data[at]
        number |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return number, at
    raise CodecError("the stream ends in its header")
