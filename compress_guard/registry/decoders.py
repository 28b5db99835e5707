"""The table of decoders: what stands behind each name, and the codecs whose streams it reads."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class KnownDecoder:
    """A decoder of the package."""

    target: str
    """``module:class``, imported on first use."""
    reads: tuple[str, ...]
    """Types of the codecs whose streams it reads in some build of its library."""

    def load(self) -> Any:
        """Return the class."""
        module, _, name = self.target.partition(":")
        return getattr(importlib.import_module(module), name)


_FOLDER: Final = "compress_guard.codecs.decoding"
DECODERS: Final[Mapping[str, KnownDecoder]] = {
    "pillow": KnownDecoder(f"{_FOLDER}.pillow_files:PillowFiles", ("avif", "heic", "jp2", "jpeg", "jxl", "webp")),
    "opencv": KnownDecoder(f"{_FOLDER}.opencv:OpenCv", ("avif", "jp2", "jpeg", "webp")),
    "torchvision": KnownDecoder(f"{_FOLDER}.torchvision_files:TorchVisionFiles", ("jpeg", "webp")),
    "torchcodec": KnownDecoder(f"{_FOLDER}.torchcodec_files:TorchCodecFiles", ("avif", "heic", "jpeg", "webp")),
    "nvjpeg": KnownDecoder(f"{_FOLDER}.nvjpeg:NvJpeg", ("jpeg",)),
}
"""Every decoder that `decoders` may name."""
