"""What the codecs behind Pillow share: lists in, lists out, threads, errors that name the image."""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from compress_guard.codecs.contract import RealStreams
from compress_guard.codecs.pixels import from_pil, read_pil, to_pil
from compress_guard.codecs.pool import map_ordered
from compress_guard.errors import CodecError, CodecUnavailable

if TYPE_CHECKING:
    import torch
    from PIL import Image


class PillowCodec(RealStreams, ABC):
    """A codec whose streams Pillow writes and reads; a subclass says how.

    The pixels alone are coded: streams hold no EXIF and no ICC profile, and no orientation is applied on decoding.
    """

    __slots__ = ()

    type: ClassVar[str]
    format: ClassVar[str]
    """Pillow's name of the format."""
    feature: ClassVar[str]
    """The name under which PIL.features knows the library behind it."""
    library: ClassVar[str]
    """What that library is called."""
    max_side: ClassVar[int]
    """The longest side in pixels that the format or its library can code."""

    @property
    @abstractmethod
    def ladder(self) -> tuple[float, ...]:
        """See `Codec.ladder`."""

    @property
    def version(self) -> str:
        """See `Codec.version`."""
        self._require_available()
        return self._version()

    def unavailable(self) -> str | None:
        """See `Codec.unavailable`."""
        try:
            import PIL
            from PIL import features
        except ImportError:
            return "Pillow is not installed; pip install pillow"
        if not features.check(self.feature):
            return f"Pillow {PIL.__version__} was built without {self.library}; pip install --upgrade pillow"
        return None

    def encode(self, images: Sequence[torch.Tensor], settings: Sequence[float], workers: int = 1) -> list[bytes]:
        """See `Codec.encode`."""
        self._require_available()
        jobs = [(at, len(images), *pair) for at, pair in enumerate(zip(images, settings, strict=True))]
        return map_ordered(lambda job: self._encode_one(*job), jobs, workers)

    def decode(self, streams: Sequence[bytes], workers: int = 1) -> list[torch.Tensor]:
        """See `Codec.decode`."""
        self._require_available()
        jobs = [(at, len(streams), stream) for at, stream in enumerate(streams)]
        return map_ordered(lambda job: self._decode_one(*job), jobs, workers)

    def _encode_one(self, at: int, count: int, image: torch.Tensor, setting: float) -> bytes:
        """The stream of image number `at` of `count`, which an error names."""
        height, width = image.shape[-2:]
        what = f"{self.type} could not encode image {at + 1} of {count} ({width}x{height} pixels)"
        if setting not in self.ladder:
            raise CodecError(f"{what}: {setting!r} is not a setting of its ladder")
        if max(height, width) > self.max_side:
            raise CodecError(f"{what}: sides of at most {self.max_side} pixels can be coded")
        try:
            return self._write(to_pil(image), setting)
        except Exception as error:  # codec libraries raise what they like, also classes of their own
            raise CodecError(f"{what} at setting {setting:g}: {error}") from error

    def _decode_one(self, at: int, count: int, stream: bytes) -> torch.Tensor:
        """The image of stream number `at` of `count`."""
        try:
            return from_pil(self._read(stream))
        except Exception as error:
            what = f"{self.type} could not decode stream {at + 1} of {count} ({len(stream)} bytes)"
            raise CodecError(f"{what}: {error}") from error

    def _save_options(self, setting: float) -> Mapping[str, Any]:
        """The arguments of Image.save for a setting; none for a codec that writes in another way."""
        return {}

    def _write(self, image: Image.Image, setting: float) -> bytes:
        stream = io.BytesIO()
        image.save(stream, self.format, **self._save_options(setting))
        return stream.getvalue()

    def _read(self, stream: bytes) -> Image.Image:
        return read_pil(self.format, stream)

    def _version(self) -> str:
        import PIL
        from PIL import features

        return f"{self.library} {features.version(self.feature)} (Pillow {PIL.__version__})"

    def _require_available(self) -> None:
        reason = self.unavailable()
        if reason is not None:
            raise CodecUnavailable(reason)
