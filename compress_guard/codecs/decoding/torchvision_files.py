"""torchvision as a decoder: its operators for JPEG and WebP.

`torchvision.io.decode_jpeg` and `decode_webp` call just these operators, and from 0.29 warn at every call that they
will go. AVIF and HEIC need a package of their own, torchvision-extra-decoders; torchcodec, to which torchvision sends
its users, reads both.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, ClassVar, Final

from compress_guard.codecs.decoding.contract import StreamDecoder

if TYPE_CHECKING:
    import torch

_RGB: Final = 3
"""torchvision's ImageReadMode.RGB."""
_OPERATORS: Final = {"jpeg": "decode_jpeg", "webp": "decode_webp"}
"""Operator that decodes a type, in the namespace torch.ops.image."""


class TorchVisionFiles(StreamDecoder):
    """torchvision's decoders on the CPU; the orientation of EXIF is left alone."""

    __slots__ = ()

    name: ClassVar[str] = "torchvision"

    @property
    def version(self) -> str:
        """See `Decoder.version`."""
        return f"torchvision {version('torchvision')}"

    def unavailable(self) -> str | None:
        """See `Decoder.unavailable`."""
        import torch

        install = "pip install --upgrade torchvision"
        try:
            import torchvision.io  # noqa: F401 - brings the operators
        except (ImportError, RuntimeError) as problem:
            return f"torchvision cannot be imported ({problem}); {install}"
        if not hasattr(torch.ops.image, _OPERATORS[self.codec.type]):
            return f"{self.version} was built without {self.codec.type.upper()}; {install}"
        return None

    def _image(self, stream: bytes) -> torch.Tensor:
        import torch
        import torchvision.io  # noqa: F401 - brings the operators

        data = torch.frombuffer(bytearray(stream), dtype=torch.uint8)
        operator = getattr(torch.ops.image, _OPERATORS[self.codec.type])
        image: torch.Tensor = operator(data, _RGB)
        return image
