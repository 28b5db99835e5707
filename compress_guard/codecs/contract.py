"""What a codec is: encode and decode lists of images along a ladder of settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch


class Codec(Protocol):
    """A way to code images, built from its options: a frozen dataclass whose fields are the options of thresholds.yaml.

    Building one is cheap (no codec library is imported) and raises `OptionError` for a value that it does not know.
    Images are uint8 RGB tensors of shape (3, H, W), H and W at least 1. A stream is all that a decoder needs,
    so that its length is what the image costs.
    """

    type: ClassVar[str]
    """The registered name."""

    @property
    def ladder(self) -> tuple[float, ...]:
        """The settings in ascending order of nominal rate, smallest files first."""

    @property
    def version(self) -> str:
        """Codec library and version, e.g. ``libjpeg-turbo 3.2 (Pillow 13.0.0)``; raises `CodecUnavailable`."""

    def unavailable(self) -> str | None:
        """None where the codec can run here, else why not, ending with the command that brings it."""

    def encode(self, images: Sequence[torch.Tensor], settings: Sequence[float], workers: int = 1) -> list[bytes]:
        """One stream per image, coded at its own setting of the ladder, on up to `workers` CPU threads.

        Raises `CodecError` if an image cannot be coded.
        """

    def decode(self, streams: Sequence[bytes], workers: int = 1) -> list[torch.Tensor]:
        """One image per stream: uint8 (3, H, W) of the source's size. Raises `CodecError` for a broken stream."""
