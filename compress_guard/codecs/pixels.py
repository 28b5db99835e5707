"""The one rule that brings any source image to upright 8-bit RGB, and the way between tensors and PIL images."""

from __future__ import annotations

import io
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from compress_guard.errors import CodecError, DataError

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray
    from PIL import Image

_EXPECTED: Final = "expected a PIL image or a uint8 RGB tensor of shape (3, H, W) with H and W at least 1"
_LIMIT: Final = threading.Lock()
"""Held while Pillow's global limit on pixels is lifted."""
_ORIENTATION: Final = 0x0112
"""The EXIF tag: 1 is upright, 2 to 8 are the other ways to hold a camera."""
_UPRIGHT: Final = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}
"""Pillow's names of the turns that undo an orientation (its rotations are counterclockwise)."""


def to_rgb(image: object) -> torch.Tensor:
    """The image as an upright uint8 RGB tensor of shape (3, H, W), values 0 to 255.

    A uint8 tensor of shape (3, H, W) is returned as it is, on its device; one of shape (1, H, W) is grey and repeated.
    A PIL image (its current frame) becomes, in this order:

    - upright: its EXIF orientation is applied (all eight);
    - 8-bit: 16-bit grey (I;16 in any byte order, and I, which is taken to hold 16-bit values) is scaled by 255 / 65535
      and rounded, so that 65535 becomes 255; F is taken to hold 0 to 255 and is rounded. Values outside these ranges
      are an error. 16-bit colour has been brought to its high byte by Pillow itself;
    - opaque: alpha (RGBA, LA, PA, a palette entry or colour marked as transparent) is composited over white;
    - RGB: grey is repeated; palette, 1-bit, CMYK (Pillow has already set Adobe's inverted CMYK right), YCbCr, HSV and
      LAB are converted by Pillow. Embedded ICC profiles are not applied.

    Raises `DataError` for anything else and for a file that cannot be read.
    """
    import torch
    from PIL import Image

    if isinstance(image, torch.Tensor):
        return _from_tensor(image)
    if not isinstance(image, Image.Image):
        kind = f"{type(image).__module__}.{type(image).__qualname__}"
        raise _refusal(kind, "let the data set return PIL images or uint8 tensors")
    if 0 in image.size:
        raise _refusal(f"an empty PIL image ({image.width}x{image.height})", "leave empty images out of the data")
    try:
        # First, since Pillow's TIFF reader turns an image upright by itself and then says so in its EXIF.
        image.load()
        return from_pil(_opaque(_eight_bit(_upright(image))))
    except (OSError, SyntaxError, EOFError) as error:
        raise DataError(f"image cannot be read: {error}; expected a complete image file; replace it") from error


def to_pil(image: torch.Tensor) -> Image.Image:
    """A uint8 RGB tensor (3, H, W), on any device, as a PIL image of mode RGB without metadata."""
    from PIL import Image

    # Merging planes takes 0.3 ms for 576x576, permute().contiguous() 16 ms: several times a JPEG encode.
    return Image.merge("RGB", [Image.fromarray(plane) for plane in image.detach().cpu().numpy()])


def from_pil(image: Image.Image) -> torch.Tensor:
    """A PIL image, as its pixels are stored, as a uint8 RGB tensor (3, H, W); no orientation is applied."""
    import numpy as np
    import torch

    rgb = image if image.mode == "RGB" else image.convert("RGB")
    planes = np.empty((3, rgb.height, rgb.width), dtype=np.uint8)
    for channel in range(3):
        # Pillow takes planes apart in 0.6 ms for 576x576; out of an interleaved array it takes four times as long.
        planes[channel] = np.asarray(rgb.getchannel(channel))
    return torch.from_numpy(planes)


def read_pil(kind: str, data: bytes) -> Image.Image:
    """The image in a file of this kind (the format's name in Pillow), loaded; raises what Pillow raises."""
    image = opened_pil(kind, data)
    image.load()
    return image


def opened_pil(kind: str, data: bytes) -> Image.Image:
    """The same before its pixels are decoded."""
    from PIL import Image

    Image.init()
    # Image.open would warn of, or refuse, a large image as a decompression bomb. These files are our own.
    read = Image.OPEN[kind][0]
    try:
        image: Image.Image = read(io.BytesIO(data), "")
    except Image.DecompressionBombError:
        with _LIMIT:  # the WebP reader checks by itself too, and knows the limit from nowhere else
            limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
            try:
                image = read(io.BytesIO(data), "")
            finally:
                Image.MAX_IMAGE_PIXELS = limit
    return image


def check_sizes(codec: str, sources: Sequence[torch.Tensor], decoded: Sequence[torch.Tensor]) -> None:
    """Raises `CodecError` if a decoded image has another shape than its source."""
    for index, (source, image) in enumerate(zip(sources, decoded, strict=True)):
        if source.shape != image.shape:
            (_, height, width), (_, found_height, found_width) = source.shape, image.shape
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


def _upright(image: Image.Image) -> Image.Image:
    from PIL import Image

    try:
        turn = _UPRIGHT.get(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # noqa: BLE001 - a damaged EXIF block, which fails in many ways, must not stop good pixels
        return image
    return image.transpose(Image.Transpose[turn]) if turn else image


def _eight_bit(image: Image.Image) -> Image.Image:
    """I;16, I and F as L; a grey level marked as transparent turns white. Other modes as they are."""
    import numpy as np
    from PIL import Image

    if image.mode != "F" and not image.mode.startswith("I"):
        return image
    top = 255 if image.mode == "F" else 65535
    values = np.asarray(image, dtype=np.float64)
    _require_range(image.mode, values, top)
    grey = np.rint(values * (255 / top))
    transparent = image.info.get("transparency")
    if isinstance(transparent, int):
        grey[values == transparent] = 255
    return Image.fromarray(grey.astype(np.uint8))


def _require_range(mode: str, values: NDArray[np.float64], top: int) -> None:
    low, high = float(values.min()), float(values.max())
    if not (low >= 0 and high <= top):
        raise DataError(
            f"image of mode {mode} has values from {low:g} to {high:g}; expected 0 to {top}; scale it to that range"
        )


def _opaque(image: Image.Image) -> Image.Image:
    from PIL import Image

    if not image.has_transparency_data:
        return image
    # Pillow converts premultiplied grey to nothing but LA.
    rgba = (image.convert("LA") if image.mode == "La" else image).convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
