"""OpenCV as a decoder: ``cv2.imdecode``, with its blue, green and red brought to the order of everybody else."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from compress_guard.codecs.decoding.contract import StreamDecoder

if TYPE_CHECKING:
    import torch

_INSTALL: Final = "pip install --upgrade opencv-python-headless"
_BUILD_LINES: Final = {"jpeg": "JPEG:", "webp": "WEBP:", "avif": "AVIF:", "jp2": "JPEG 2000:"}
"""Beginning of the line of OpenCV's build information that names the library behind a type."""


class OpenCv(StreamDecoder):
    """OpenCV's own readers, with the orientation of EXIF left alone and colours in the order red, green, blue."""

    __slots__ = ()

    name: ClassVar[str] = "opencv"

    @property
    def version(self) -> str:
        """See `Decoder.version`."""
        return f"{self.library}, {self._library()}"

    @property
    def library(self) -> str:
        """See `Decoder.library`."""
        import cv2

        return f"OpenCV {cv2.__version__}"

    def unavailable(self) -> str | None:
        """See `Decoder.unavailable`."""
        try:
            import cv2
        except ImportError as problem:  # the full OpenCV also needs libraries of a desktop
            missing = isinstance(problem, ModuleNotFoundError)
            what = "OpenCV is not installed" if missing else f"OpenCV cannot be imported ({problem})"
            return f"{what}; {_INSTALL}"
        if self._library() in ("", "NO"):
            return f"OpenCV {cv2.__version__} was built without {self.codec.type.upper()}; {_INSTALL}"
        return None

    def _library(self) -> str:
        """Return what the build information says of the library behind the codec's type; ``NO`` if it has none."""
        import cv2

        head = _BUILD_LINES[self.codec.type]
        lines = (line.strip() for line in cv2.getBuildInformation().splitlines())
        return next((line.removeprefix(head).strip() for line in lines if line.startswith(head)), "")

    def _image(self, stream: bytes) -> torch.Tensor:
        import cv2
        import numpy as np
        import torch

        # Without the last flag it would turn pictures by their EXIF, which no other decoder here does.
        decoded = cv2.imdecode(np.frombuffer(stream, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
        if decoded is None:
            raise ValueError("cv2.imdecode returned nothing")
        return torch.from_numpy(np.ascontiguousarray(decoded[..., ::-1].transpose(2, 0, 1)))
