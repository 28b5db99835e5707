"""The base of all codecs behind Pillow: lists in, lists out, threads, errors that name the image."""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import partial
from typing import IO, TYPE_CHECKING, Any, ClassVar, Final

from compress_guard.codecs.contract import RealStreams
from compress_guard.codecs.execution.pool import map_ordered, map_processes
from compress_guard.codecs.ladder import Scale
from compress_guard.codecs.pictures.metadata import NOTHING, PARTS, Metadata
from compress_guard.codecs.pixels import from_pil, read_pil, to_pil
from compress_guard.errors import CodecError, CodecUnavailable, error_text

if TYPE_CHECKING:
    import torch
    from PIL import Image

WORTH_A_PROCESS: Final = 2**19
"""Pixels of a call from which on processes are faster than this one."""
STREAM_SHARE: Final = 1 / 16
"""Approximate bytes of a stream per pixel, since streams do not tell their number of pixels here."""


class PillowCodec(RealStreams, ABC):
    """A codec whose streams Pillow writes and reads; a subclass says how.

    The pixels alone are coded: streams hold no EXIF and no ICC profile unless a `MetadataCodec` is asked to keep them.
    Decoding applies neither a profile nor an orientation.
    """

    __slots__ = ()

    type: ClassVar[str]
    format: ClassVar[str]
    """Pillow's name of the format."""
    feature: ClassVar[str]
    """Name of the library behind it in PIL.features."""
    library: ClassVar[str]
    """Name of that library in messages."""
    max_side: ClassVar[int]
    """The longest side in pixels that the format or its library can code."""
    holds_lock: ClassVar[bool] = False
    """True if Python's lock is kept while images are coded, so that threads would only wait for each other."""

    @property
    @abstractmethod
    def ladder(self) -> tuple[float, ...]:
        """See `Codec.ladder`."""

    @property
    @abstractmethod
    def scale(self) -> Scale:
        """Settings that the encoder takes: those of the ladder are some of them."""

    def setting_fault(self, setting: float) -> str | None:
        """See `SettingRange.setting_fault`."""
        return self.scale.fault(setting)

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
        if self.holds_lock and sum(image.shape[-2] * image.shape[-1] for image in images) >= WORTH_A_PROCESS:
            pictures = [(at, count, self._picture(at, count, image), setting) for at, count, image, setting in jobs]
            return map_processes(partial(_encoded, self), pictures, workers)
        return map_ordered(lambda job: self._encode_one(*job), jobs, workers)

    def decode(self, streams: Sequence[bytes], workers: int = 1) -> list[torch.Tensor]:
        """See `Codec.decode`."""
        self._require_available()
        jobs = [(at, len(streams), stream) for at, stream in enumerate(streams)]
        if self.holds_lock and sum(map(len, streams)) >= WORTH_A_PROCESS * STREAM_SHARE:
            return [from_pil(image) for image in map_processes(partial(_decoded, self), jobs, workers)]
        return map_ordered(lambda job: self._decode_one(*job), jobs, workers)

    def passed(self, image: Image.Image, setting: float) -> Image.Image:
        """Return a PIL image of mode RGB as `encode` and `decode` would return it, without tensors and without a
        stream.

        Raises `CodecError`.
        """
        what = f"{self.type} could not code an image of {image.width}x{image.height} pixels"
        self._check_setting(what, setting)
        if max(image.size) > self.max_side:
            raise CodecError(f"{what}: sides of at most {self.max_side} pixels can be coded")
        try:
            read = self._read(self._passing(image, setting))
        except Exception as error:  # codec libraries raise any exception, also classes of their own
            raise CodecError(f"{what} at setting {setting:g}: {error_text(error)}") from error
        return read if read.mode == "RGB" else read.convert("RGB")

    def _passing(self, image: Image.Image, setting: float) -> bytes:
        """Return a stream that is decoded at once, and whose length does not matter."""
        # Formats write metadata of the image, and a damaged EXIF block would make them fail.
        bare = image.copy()
        bare.info.clear()
        return self._write(bare, setting)

    def _encode_one(self, at: int, count: int, image: torch.Tensor, setting: float) -> bytes:
        """Return the stream of image number `at` of `count`, which an error names."""
        return self._encode_picture(at, count, self._picture(at, count, image), setting)

    def _picture(self, at: int, count: int, image: torch.Tensor) -> Image.Image:
        try:
            return to_pil(image)
        except Exception as error:
            raise CodecError(
                f"{self._what(at, count, image.shape[-1], image.shape[-2])}: {error_text(error)}"
            ) from error

    def _encode_picture(
        self, at: int, count: int, image: Image.Image, setting: float, metadata: Metadata = NOTHING
    ) -> bytes:
        what = self._what(at, count, *image.size)
        self._check_setting(what, setting)
        if max(image.size) > self.max_side:
            raise CodecError(f"{what}: sides of at most {self.max_side} pixels can be coded")
        try:
            return self._write(image, setting, metadata)
        except Exception as error:  # codec libraries raise any exception, also classes of their own
            raise CodecError(f"{what} at setting {setting:g}: {error_text(error)}") from error

    def _check_setting(self, what: str, setting: float) -> None:
        if (taken := self.setting_fault(setting)) is not None:
            raise CodecError(f"{what}: {setting!r} is not a setting of it, which takes {taken}")

    def _what(self, at: int, count: int, width: int, height: int) -> str:
        return f"{self.type} could not encode image {at + 1} of {count} ({width}x{height} pixels)"

    def _decode_one(self, at: int, count: int, stream: bytes) -> torch.Tensor:
        """Return the image of stream number `at` of `count`."""
        return from_pil(self._decode_picture(at, count, stream))

    def _decode_picture(self, at: int, count: int, stream: bytes) -> Image.Image:
        try:
            return self._read(stream)
        except Exception as error:
            what = f"{self.type} could not decode stream {at + 1} of {count} ({len(stream)} bytes)"
            raise CodecError(f"{what}: {error_text(error)}") from error

    def _save_options(self, setting: float) -> Mapping[str, Any]:
        """Return the arguments of Image.save for a setting; none for a codec that writes in another way."""
        return {}

    def _metadata_options(self, metadata: Metadata) -> Mapping[str, bytes]:
        """Return the arguments of Image.save for metadata. They are given without any too, or Pillow's writers of some
        formats would take what the image carries."""
        return {}

    def _write(self, image: Image.Image, setting: float, metadata: Metadata = NOTHING) -> bytes:
        options = {**self._save_options(setting), **self._metadata_options(metadata)}
        with self._file() as file:
            image.save(file, self.format, **options)
            file.seek(0)
            return file.read()

    def _file(self) -> IO[bytes]:
        """Return an empty file to write a stream to."""
        return io.BytesIO()

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


class MetadataCodec(PillowCodec):
    """A codec that keeps a source's metadata where its option `metadata` says so."""

    __slots__ = ()

    metadata: str
    holds: ClassVar[frozenset[str]] = PARTS
    """Parts that the library can write."""

    @property
    def keeps(self) -> frozenset[str]:
        """See `MetadataKeeper.keeps`."""
        return self.holds if self.metadata == "keep" else frozenset()

    def encode_with(
        self, images: Sequence[torch.Tensor], metadata: Sequence[Metadata], settings: Sequence[float], workers: int = 1
    ) -> list[bytes]:
        """See `MetadataKeeper.encode_with`."""
        self._require_available()
        jobs = list(enumerate(zip(images, metadata, settings, strict=True)))

        def coded(job: tuple[int, tuple[torch.Tensor, Metadata, float]]) -> bytes:
            at, (image, carried, setting) = job
            picture = self._picture(at, len(images), image)
            return self._encode_picture(at, len(images), picture, setting, carried.only(self.keeps))

        return map_ordered(coded, jobs, workers)

    def _metadata_options(self, metadata: Metadata) -> Mapping[str, bytes]:
        return {"icc_profile": metadata.icc, "exif": metadata.exif}


# Functions that worker processes import by name. They import neither this codec's caller nor torch.


def _encoded(codec: PillowCodec, job: tuple[int, int, Image.Image, float]) -> bytes:
    return codec._encode_picture(*job)


def _decoded(codec: PillowCodec, job: tuple[int, int, bytes]) -> Image.Image:
    return codec._decode_picture(*job).copy()  # a plain image, which can be pickled
