"""ICC profile and EXIF of a source file, for codecs that keep them in their streams."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

PARTS: Final = frozenset({"icc", "exif"})
"""Parts of the metadata that a codec may keep."""

_ORIENTATION: Final = 0x0112
_SHORT: Final = 3
"""Number by which TIFF knows a value of 16 bits."""
_ENTRY: Final = 12
"""Bytes of an entry in a directory of a TIFF file."""
_PREFIX: Final = b"Exif\0\0"
"""Beginning of an EXIF block in JPEG files, which other formats leave out."""
_OTHER_SPACES: Final = frozenset({b"GRAY", b"CMYK", b"Lab "})
"""Colour spaces of profiles that no longer fit once a picture has become RGB."""
_DIGEST_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Metadata:
    """ICC profile and EXIF block of a picture, byte by byte as its file has them, but for the orientation."""

    icc: bytes = b""
    """ICC profile; empty without one for RGB."""
    exif: bytes = b""
    """EXIF in the form of a TIFF file, with orientation 1 if it has any; empty without a readable block."""

    @classmethod
    def of(cls, image: object) -> Metadata:
        """Read the metadata of a PIL image that has been loaded; anything else has none.

        The pixels reach a codec as they are to be shown, so no reader may turn them again by an orientation.
        """
        info = getattr(image, "info", None)
        if type(info) is not dict:
            return NOTHING
        icc, exif = info.get("icc_profile"), info.get("exif")
        return cls(
            icc if type(icc) is bytes and icc[16:20] not in _OTHER_SPACES else b"",
            _upright(exif.removeprefix(_PREFIX)) if type(exif) is bytes else b"",
        )

    def only(self, parts: Collection[str]) -> Metadata:
        """Return these parts of the metadata."""
        return Metadata(self.icc if "icc" in parts else b"", self.exif if "exif" in parts else b"")

    def __bool__(self) -> bool:
        return bool(self.icc or self.exif)

    @property
    def jpeg_exif(self) -> bytes:
        """The EXIF block as JPEG files hold it; empty without one."""
        return _PREFIX + self.exif if self.exif else b""

    @property
    def unturned_exif(self) -> bytes:
        """The EXIF block of the same length without the orientation."""
        return _without_orientation(self.exif)

    @property
    def summary(self) -> MetadataSummary:
        """Hash and sizes of the metadata."""
        if not self:
            return MetadataSummary()
        digest = hashlib.blake2b(len(self.icc).to_bytes(8, "big") + self.icc + self.exif, digest_size=_DIGEST_BYTES)
        return MetadataSummary(digest.digest(), len(self.icc), len(self.exif))


@dataclass(frozen=True, slots=True)
class MetadataSummary:
    """Hash and sizes of a picture's metadata."""

    digest: bytes = b""
    """Content hash; empty without metadata."""
    icc: int = 0
    """Bytes of the ICC profile."""
    exif: int = 0
    """Bytes of the EXIF block."""

    def size(self, parts: Collection[str]) -> int:
        """Return the bytes of these parts."""
        return (self.icc if "icc" in parts else 0) + (self.exif if "exif" in parts else 0)


NOTHING: Final = Metadata()
"""The metadata of a picture without any."""


def _order(block: bytes) -> str:
    """Return the byte order of a TIFF file as `struct` writes it; raises KeyError for anything else."""
    return {b"II*\0": "<", b"MM\0*": ">"}[block[:4]]


def _entries(block: bytes) -> Iterator[tuple[int, int]]:
    """Yield position and tag of each entry of the first directory; raises KeyError and `struct.error`."""
    order = _order(block)
    (start,) = struct.unpack_from(f"{order}L", block, 4)
    (count,) = struct.unpack_from(f"{order}H", block, start)
    for number in range(count):
        at = start + 2 + _ENTRY * number
        yield at, struct.unpack_from(f"{order}HHLL", block, at)[0]


def _upright(block: bytes) -> bytes:
    """Return an EXIF block with an orientation of 1 if it has any; empty if its directory cannot be read."""
    made = bytearray(block)
    try:
        for at, tag in _entries(block):
            if tag == _ORIENTATION:
                struct.pack_into(f"{_order(block)}HHLHH", made, at, tag, _SHORT, 1, 1, 0)
    except (KeyError, struct.error):
        return b""
    return bytes(made)


def _without_orientation(block: bytes) -> bytes:
    """Return a readable EXIF block without its orientation; later entries and the next directory's place move up."""
    if not block:
        return block
    entries = list(_entries(block))
    kept = [block[at : at + _ENTRY] for at, tag in entries if tag != _ORIENTATION]
    if len(kept) == len(entries):
        return block
    (start,) = struct.unpack_from(f"{_order(block)}L", block, 4)
    end = start + 2 + _ENTRY * len(entries)
    directory = struct.pack(f"{_order(block)}H", len(kept)) + b"".join(kept) + block[end : end + 4]
    return block[:start] + directory + bytes(_ENTRY * (len(entries) - len(kept))) + block[end + 4 :]
