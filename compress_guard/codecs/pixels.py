"""The single rule that makes any source image upright 8-bit RGB, and conversions between tensors and PIL images."""

from __future__ import annotations

import importlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from compress_guard.codecs.execution.insulation import Globals, whole_files
from compress_guard.codecs.pictures.levels import Levels, levels_of
from compress_guard.codecs.pictures.orientation import SIDEWAYS, UPRIGHT, loaded, stored, turned
from compress_guard.errors import CodecError, DataError
from compress_guard.records import Orientation

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray
    from PIL import Image

_EXPECTED: Final = "expected a PIL image or a uint8 RGB tensor of shape (3, H, W) with H and W at least 1"
_READERS: Final = {
    "AVIF": ("PIL.AvifImagePlugin", "AvifImageFile"),
    "JPEG": ("PIL.JpegImagePlugin", "JpegImageFile"),
    "JPEG2000": ("PIL.Jpeg2KImagePlugin", "Jpeg2KImageFile"),
    "JXL": ("pillow_jxl.JpegXLImagePlugin", "JXLImageFile"),
    "PNG": ("PIL.PngImagePlugin", "PngImageFile"),
    "PPM": ("PIL.PpmImagePlugin", "PpmImageFile"),
    "WEBP": ("PIL.WebPImagePlugin", "WebPImageFile"),
}
"""Module and class that read a format, by Pillow's name of the format."""
_UNLIMITED: Final = Globals("PIL.Image", MAX_IMAGE_PIXELS=None)


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A source image as 8-bit RGB in the orientation of its decoder, with the facts in its file."""

    decoded: torch.Tensor
    """Decoded pixels, uint8 RGB (3, H, W)."""
    turn: int = UPRIGHT
    """The EXIF orientation of the file, 1 to 8."""
    turned_by_decoder: bool = False
    """True if `decoded` is upright although the file is not."""
    mode: str = "uint8 tensor"
    """Pillow's name of the mode of the source's levels."""
    span: tuple[float, float] | None = None
    """Lowest and highest level of the source; None where these are the levels of `decoded`."""
    alpha: int | None = None
    """Highest alpha, 0 to 255; None without any."""

    @classmethod
    def read(cls, image: object) -> Picture:
        """Read any source image by the rules of `to_rgb`; raises `DataError`."""
        import torch
        from PIL import Image

        if isinstance(image, torch.Tensor):
            return cls(_from_tensor(image))
        if not isinstance(image, Image.Image):
            kind = f"{type(image).__module__}.{type(image).__qualname__}"
            raise _refusal(kind, "let the data set return PIL images or uint8 tensors")
        if 0 in image.size:
            raise _refusal(f"an empty PIL image ({image.width}x{image.height})", "leave empty images out of the data")
        try:
            turn, by_decoder = loaded(image)
            grey, span = _eight_bit(image)
            opaque, alpha, colours = _opaque(grey)
            return cls(from_pil(opaque), turn, by_decoder, image.mode, span or colours, alpha)
        except (OSError, SyntaxError, EOFError) as error:
            raise DataError(f"image cannot be read: {error}; expected a complete image file; replace it") from error

    def at(self, orientation: Orientation) -> torch.Tensor:
        """Return the pixels ``upright``, turned by EXIF, or as they are ``stored`` in the file."""
        if orientation == "upright":
            return self.decoded if self.turned_by_decoder else turned(self.decoded, self.turn)
        return stored(self.decoded, self.turn) if self.turned_by_decoder else self.decoded

    def size(self, orientation: Orientation) -> tuple[int, int]:
        """Return (H, W) of the pixels in this orientation."""
        height, width = int(self.decoded.shape[-2]), int(self.decoded.shape[-1])
        as_decoded = (orientation == "upright") == self.turned_by_decoder or self.turn not in SIDEWAYS
        return (height, width) if as_decoded else (width, height)

    def levels(self) -> Levels:
        """Return the part of its mode's range that the source fills."""
        return levels_of(self.decoded, self.mode, self.span, self.alpha)


def to_rgb(image: object) -> torch.Tensor:
    """Return the image as an upright uint8 RGB tensor of shape (3, H, W), values 0 to 255.

    A uint8 tensor of shape (3, H, W) is returned as it is, on its device; one of shape (1, H, W) is grey and repeated.
    A PIL image (its current frame) becomes, in this order:

    - upright: its EXIF orientation is applied (all eight), unless the format has one of its own, as HEIF and JPEG XL;
    - 8-bit: 16-bit grey (I;16 in any byte order, and I, which is taken to hold 16-bit values) is scaled by 255 / 65535
      and rounded, so that 65535 becomes 255; F is taken to hold 0 to 255 and is rounded. Values outside these ranges
      are an error. 16-bit colour has been brought to its high byte by Pillow itself;
    - opaque: alpha (RGBA, LA, PA, a palette entry or colour marked as transparent) is composited over white;
    - RGB: grey is repeated; palette, 1-bit, CMYK (Pillow has already set Adobe's inverted CMYK right), YCbCr, HSV and
      LAB are converted by Pillow. Embedded ICC profiles are not applied.

    Raises `DataError` for anything else and for a file that cannot be read.
    """
    return Picture.read(image).at("upright")


def to_pil(image: torch.Tensor) -> Image.Image:
    """Return a uint8 RGB tensor (3, H, W), on any device, as a PIL image of mode RGB without metadata."""
    from PIL import Image

    # Merging planes takes 0.3 ms for 576x576, permute().contiguous() 16 ms: several times a JPEG encode.
    return Image.merge("RGB", [Image.fromarray(plane) for plane in image.detach().cpu().numpy()])


def from_pil(image: Image.Image) -> torch.Tensor:
    """Return the stored pixels of a PIL image as a uint8 RGB tensor (3, H, W); no orientation is applied."""
    import torch

    rgb = image if image.mode == "RGB" else image.convert("RGB")
    # Pillow writes a plane of 576x576 in 0.03 ms; numpy or torch takes 0.4 ms to gather three from interleaved pixels.
    planes = bytearray().join(rgb.tobytes("raw", channel) for channel in "RGB")
    return torch.frombuffer(planes, dtype=torch.uint8).reshape(3, rgb.height, rgb.width)


def read_pil(kind: str, data: bytes) -> Image.Image:
    """Return the loaded image of a file in this format (by Pillow's name). Raises any error of Pillow."""
    with whole_files():
        image = opened_pil(kind, data)
        image.load()
    return image


def opened_pil(kind: str, data: bytes) -> Image.Image:
    """Return the image of a file in this format before its pixels are decoded. Raises any error of Pillow."""
    from PIL import Image

    # Image.open would warn of, or refuse, a large image as a decompression bomb. These files are our own. Image.OPEN
    # may also hold readers that other code has put there.
    module, name = _READERS[kind]
    read = getattr(importlib.import_module(module), name)
    try:
        image: Image.Image = read(io.BytesIO(data), "")
    except Image.DecompressionBombError:
        with _UNLIMITED.set():  # the WebP reader checks too, and has no other parameter for the limit
            image = read(io.BytesIO(data), "")
    return image


def check_sizes(
    codec: str,
    sources: Sequence[torch.Tensor],
    decoded: Sequence[torch.Tensor],
    sizes: Sequence[tuple[int, int]] | None = None,
) -> None:
    """Raise `CodecError` if a decoded image has another shape than its source, or than (3, H, W) of these sizes."""
    for index, (source, image) in enumerate(zip(sources, decoded, strict=True)):
        height, width = source.shape[-2:] if sizes is None else sizes[index]
        if tuple(image.shape) != (3, height, width):
            found_height, found_width = image.shape[-2:]
            raise CodecError(
                f"{codec} gave image {index + 1} of {len(sources)} back as {found_width}x{found_height} pixels, "
                f"expected {width}x{height}"
            )


def _from_tensor(image: torch.Tensor) -> torch.Tensor:
    import torch

    shape = tuple(image.shape)
    if image.dtype == torch.uint8 and len(shape) == 3 and shape[0] in (1, 3) and 0 not in shape:
        return image if shape[0] == 3 else image.repeat(3, 1, 1)
    remedy = (
        "give one image at a time, channels first"
        if image.dtype == torch.uint8
        else "leave scaling and normalisation to the model (PILToTensor keeps uint8)"
    )
    raise _refusal(f"a tensor of shape {shape} and dtype {str(image.dtype).removeprefix('torch.')}", remedy)


def _refusal(found: str, remedy: str) -> DataError:
    return DataError(f"image is {found}; {_EXPECTED}; {remedy}")


def _eight_bit(image: Image.Image) -> tuple[Image.Image, tuple[float, float] | None]:
    """Return images of mode I;16, I and F as L, with their lowest and highest level; return other modes unchanged.

    A grey level that is marked as transparent turns white.
    """
    import numpy as np
    from PIL import Image

    if image.mode != "F" and not image.mode.startswith("I"):
        return image, None
    top = 255 if image.mode == "F" else 65535
    values = np.asarray(image, dtype=np.float64)
    span = _checked_range(image.mode, values, top)
    grey = np.rint(values * (255 / top))
    transparent = image.info.get("transparency")
    if isinstance(transparent, int):
        grey[values == transparent] = 255
    return Image.fromarray(grey.astype(np.uint8)), span


def _checked_range(mode: str, values: NDArray[np.float64], top: int) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    if low != low:
        raise DataError(f"image of mode {mode} has values that are NaN; expected 0 to {top}; give every pixel a level")
    if not (low >= 0 and high <= top):
        raise DataError(
            f"image of mode {mode} has values from {low:g} to {high:g}; expected 0 to {top}; scale it to that range"
        )
    return low, high


def _opaque(image: Image.Image) -> tuple[Image.Image, int | None, tuple[float, float] | None]:
    """Return an image over white, its highest alpha, and the lowest and highest level of its colours or None."""
    from PIL import Image

    if not image.has_transparency_data:
        return image, None, None
    # Pillow converts premultiplied grey to nothing but LA.
    rgba = (image.convert("LA") if image.mode == "La" else image).convert("RGBA")
    bands = [band.getextrema() for band in rgba.split()]
    lows, highs = zip(*bands, strict=True)
    span, alpha = (float(min(lows[:3])), float(max(highs[:3]))), int(highs[3])
    return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba), alpha, span
