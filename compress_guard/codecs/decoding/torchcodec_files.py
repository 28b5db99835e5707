"""torchcodec as a decoder: its functions for still images, which came with 0.16 and need no FFmpeg."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, ClassVar, Final

from compress_guard.codecs.decoding.contract import StreamDecoder
from compress_guard.codecs.pictures.orientation import exif_turn, stored
from compress_guard.codecs.pixels import opened_pil

if TYPE_CHECKING:
    import torch

_INSTALL: Final = 'pip install "torchcodec>=0.16"'
_FUNCTIONS: Final = {"avif": "decode_avif", "heic": "decode_heic", "jpeg": "decode_jpeg", "webp": "decode_webp"}
"""Function that decodes a type, in `torchcodec.decoders`."""
_FORMATS: Final = {"avif": "AVIF", "jpeg": "JPEG", "webp": "WEBP"}
"""Pillow's name of the formats whose orientation Pillow tells and does not apply."""
_ONE: Final = 4
"""Dimensions of what files of several pictures decode to."""


class TorchCodecFiles(StreamDecoder):
    """torchcodec's decoders of still images on the CPU."""

    __slots__ = ()

    name: ClassVar[str] = "torchcodec"

    @property
    def version(self) -> str:
        """See `Decoder.version`."""
        return f"torchcodec {version('torchcodec')}"

    def unavailable(self) -> str | None:
        """See `Decoder.unavailable`."""
        try:
            from torchcodec import decoders
        except (ImportError, OSError, RuntimeError) as problem:  # its native libraries may not load
            if isinstance(problem, ModuleNotFoundError):
                return f"torchcodec is not installed; {_INSTALL}"
            return f"torchcodec cannot be imported ({str(problem).strip().splitlines()[0]}); {_INSTALL}"
        if not hasattr(decoders, _FUNCTIONS[self.codec.type]):
            return f"{self.version} does not decode {self.codec.type.upper()} images; {_INSTALL}"
        return None

    def _image(self, stream: bytes) -> torch.Tensor:
        from torchcodec import decoders

        image: torch.Tensor = getattr(decoders, _FUNCTIONS[self.codec.type])(stream, mode="RGB")
        image = image[0] if image.ndim == _ONE and len(image) == 1 else image
        # It turns pictures by their EXIF, which no other decoder here does.
        kind = _FORMATS.get(self.codec.type)
        if kind is None or b"exif" not in stream.lower():
            return image
        return stored(image, exif_turn(opened_pil(kind, stream)))
