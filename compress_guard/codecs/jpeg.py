"""JPEG: by Pillow and libjpeg-turbo, or by nvJPEG on a CUDA device."""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any, ClassVar, Final, Self

from compress_guard.codecs import cuda_jpeg
from compress_guard.codecs.execution.batching import Device, Placed
from compress_guard.codecs.execution.insulation import Globals
from compress_guard.codecs.execution.pool import map_ordered
from compress_guard.codecs.ladder import Scale
from compress_guard.codecs.options import METADATA, SUBSAMPLINGS, require_choice, require_flag, require_whole
from compress_guard.codecs.pictures.metadata import NOTHING, Metadata
from compress_guard.codecs.pillow import MetadataCodec, PillowCodec
from compress_guard.errors import CodecUnavailable, OptionError

if TYPE_CHECKING:
    import torch
    from PIL import Image

_ROOM: Final = threading.Lock()
"""Guards temporary changes of `ImageFile.MAXBLOCK`."""
_LADDER: Final = tuple(float(quality) for quality in range(1, 101))
_SCALE: Final = Scale(1, 100, whole=True)
_LONGEST_INTERVAL: Final = 65535
"""The largest restart interval that a JPEG file can state."""


@dataclass(frozen=True, slots=True)
class Jpeg(Placed, MetadataCodec):
    """Baseline or progressive JPEG; the setting is libjpeg's quality, 1 to 100.

    On a CUDA device nvJPEG decodes, and encodes what it can: baseline with 4:4:4 chroma, with the standard Huffman
    tables. Files with other chroma, and images that fail there, are left to the CPU, which `remark` says.
    """

    type: ClassVar[str] = "jpeg"
    format: ClassVar[str] = "JPEG"
    feature: ClassVar[str] = "jpg"
    library: ClassVar[str] = "libjpeg"
    max_side: ClassVar[int] = 65500  # JPEG_MAX_DIMENSION of libjpeg

    subsampling: str = "4:2:0"
    """Chroma resolution: 4:2:0, 4:2:2 or 4:4:4."""
    progressive: bool = False
    """True for a progressive file, whose Huffman tables libjpeg always optimises."""
    optimize: bool = True
    """True for Huffman tables made for the image; false for the standard's own, as many encoders use."""
    restart: int = 0
    """Number of blocks (MCUs) between two restart markers; 0 for none."""
    restart_rows: int = 0
    """Number of rows of blocks between two restart markers, instead of `restart`; 0 for none."""
    metadata: str = "strip"
    """``keep`` puts the source's ICC profile and EXIF into the stream."""
    _place: Device = field(default_factory=Device, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        require_choice("subsampling", self.subsampling, SUBSAMPLINGS)
        require_flag("progressive", self.progressive)
        require_flag("optimize", self.optimize)
        require_choice("metadata", self.metadata, METADATA)
        require_whole("restart", self.restart, 0, _LONGEST_INTERVAL)
        require_whole("restart_rows", self.restart_rows, 0, _LONGEST_INTERVAL)
        if self.restart and self.restart_rows:
            raise OptionError(
                f"restart and restart_rows exclude each other, found {self.restart} and {self.restart_rows}; set one"
            )

    @property
    def ladder(self) -> tuple[float, ...]:
        """Settings: qualities 1 to 100."""
        return _LADDER

    @property
    def scale(self) -> Scale:
        """See `PillowCodec.scale`."""
        return _SCALE

    def on(self, device: str) -> Self:
        """See `Codec.on`; on the CPU with a remark where there is no nvJPEG."""
        if device in ("cpu", self.device):
            return Placed.on(self, device)
        try:
            nvjpeg = cuda_jpeg.library().name
        except CodecUnavailable as problem:
            place = Device()
            place.note(f"coded on the CPU: {problem}")
            return self._at(place)
        place = Device(device)
        if self._not_on_cuda:
            place.note(f"encoded by libjpeg on the CPU: {nvjpeg} writes {self._not_on_cuda}")
        elif self.optimize:
            place.note(f"{nvjpeg} writes the standard Huffman tables: larger files than the optimised ones of the CPU")
        if self.subsampling != cuda_jpeg.SUBSAMPLING:
            place.note(f"decoded by {nvjpeg}, which repeats the chroma that libjpeg interpolates")
        return self._at(place)

    def encode(self, images: Sequence[torch.Tensor], settings: Sequence[float], workers: int = 1) -> list[bytes]:
        """See `Codec.encode`."""
        if self.device == "cpu" or self._not_on_cuda:
            return PillowCodec.encode(self, images, settings, workers)
        self._require_available()
        fit = [
            at
            for at, (image, setting) in enumerate(zip(images, settings, strict=True))
            if setting in _LADDER and max(image.shape[-2:]) <= self.max_side
        ]
        coded = cuda_jpeg.encode([images[at] for at in fit], [int(settings[at]) for at in fit], self._place)
        streams = {at: stream for at, stream in zip(fit, coded, strict=True) if stream is not None}
        left = [at for at in range(len(images)) if at not in streams]
        count = len(images)
        made = map_ordered(lambda at: self._encode_one(at, count, images[at], settings[at]), left, workers)
        streams.update(zip(left, made, strict=True))
        return [streams[at] for at in range(count)]

    def decode(self, streams: Sequence[bytes], workers: int = 1) -> list[torch.Tensor]:
        """See `Codec.decode`."""
        if self.device == "cpu":
            return PillowCodec.decode(self, streams, workers)
        self._require_available()
        decoded = dict(enumerate(cuda_jpeg.decode(streams, self._place)))
        left = [at for at, image in decoded.items() if image is None]
        made = map_ordered(lambda at: self._decode_one(at, len(streams), streams[at]), left, workers)
        there = [image.to(self.device) for image in made]
        images = {at: image for at, image in decoded.items() if image is not None} | dict(zip(left, there, strict=True))
        return [images[at] for at in range(len(streams))]

    @property
    def _not_on_cuda(self) -> str | None:
        """The reason why the CUDA encoder cannot write what these options ask for; None if it can."""
        if self.subsampling != cuda_jpeg.SUBSAMPLING:
            return f"{cuda_jpeg.SUBSAMPLING} only, asked for {self.subsampling}"
        if self.progressive:
            return "baseline files only, asked for progressive"
        if self.keeps:
            return "files without metadata only, asked for metadata: keep"
        return "files without restart markers only, asked for some" if self.restart or self.restart_rows else None

    def _save_options(self, setting: float) -> Mapping[str, Any]:
        # Standard Huffman tables would put the floor of a flat 224x224 image at 0.225 bpp instead of 0.092.
        return {
            "quality": int(setting),
            "subsampling": self.subsampling,
            "progressive": self.progressive,
            "optimize": self.optimize,
            "restart_marker_blocks": self.restart,
            "restart_marker_rows": self.restart_rows,
        }

    def _metadata_options(self, metadata: Metadata) -> Mapping[str, bytes]:
        return {"icc_profile": metadata.icc, "exif": metadata.jpeg_exif}

    def _write(self, image: Image.Image, setting: float, metadata: Metadata = NOTHING) -> bytes:
        try:
            return PillowCodec._write(self, image, setting, metadata)
        except OSError:
            # Pillow gives optimised files a buffer of a byte per pixel, which noise at high quality does not fit into.
            room = 2**16 + 4 * image.width * image.height + 2 * len(metadata.icc) + len(metadata.exif)
            with _ROOM, Globals("PIL.ImageFile", MAXBLOCK=room).set():
                return PillowCodec._write(self, image, setting, metadata)

    def _file(self) -> IO[bytes]:
        # Pillow keeps Python's lock while it writes to memory, not while it writes to a file.
        return os.fdopen(os.memfd_create("jpeg"), "w+b") if hasattr(os, "memfd_create") else io.BytesIO()

    def _passing(self, image: Image.Image, setting: float) -> bytes:
        # Optimised Huffman tables and another order of coefficients take half as much time again, and change no pixels.
        # The only metadata that Pillow would write is a comment.
        stream = io.BytesIO()
        image.save(stream, self.format, quality=int(setting), subsampling=self.subsampling, comment=b"")
        return stream.getvalue()

    def _version(self) -> str:
        import PIL
        from PIL import features

        if self.device != "cpu" and not self._not_on_cuda:
            return f"{cuda_jpeg.library().name}, 4:4:4, standard Huffman tables"
        turbo = features.version("libjpeg_turbo")
        libjpeg = f"libjpeg-turbo {turbo}" if turbo else f"libjpeg {features.version('jpg')}"
        version = f"{libjpeg} (Pillow {PIL.__version__})"
        return version if self.device == "cpu" else f"{version}, decoded by {cuda_jpeg.library().name}"
