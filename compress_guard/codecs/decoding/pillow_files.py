"""Pillow as a decoder: what the codecs behind Pillow do on a CPU."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from compress_guard.codecs.decoding.contract import Decoder

if TYPE_CHECKING:
    import torch


class PillowFiles(Decoder):
    """Pillow, by the calls of the codec itself on the CPU."""

    __slots__ = ()

    name: ClassVar[str] = "pillow"

    @property
    def is_own(self) -> bool:
        """True where the codec works on the CPU."""
        return self.codec.device == "cpu"

    @property
    def version(self) -> str:
        """See `Decoder.version`."""
        return self.codec.on("cpu").version

    @property
    def library(self) -> str:
        """See `Decoder.library`."""
        import PIL

        return f"Pillow {PIL.__version__}"

    def unavailable(self) -> str | None:
        """See `Decoder.unavailable`."""
        return self.codec.on("cpu").unavailable()

    def decode(self, streams: Sequence[bytes], workers: int = 1) -> list[torch.Tensor]:
        """See `Decoder.decode`."""
        return self.codec.on("cpu").decode(streams, workers)
