"""The eight orientations of EXIF, and the turns from stored to upright pictures and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import torch
    from PIL import Image

UPRIGHT: Final = 1
"""The orientation of a picture whose first row is its top and whose first column is its left."""
SIDEWAYS: Final = frozenset({5, 6, 7, 8})
"""The orientations whose upright picture has width and height exchanged."""

_TAG: Final = 0x0112
_TURNS: Final = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}
"""Pillow's names of the turns that undo an orientation (its rotations are counterclockwise)."""
_BACK: Final = {6: 8, 8: 6}
"""Orientations whose turn is not its own inverse."""


def exif_turn(image: Image.Image) -> int:
    """Return the EXIF orientation, 1 to 8, that Pillow has not applied to the image; 1 where there is none.

    HEIF and JPEG XL carry the orientation in their own structure, their decoders apply it, and their standards say that
    readers ignore the one of EXIF (ISO/IEC 23008-12, 6.5.10 and annex A; ISO/IEC 18181-2, Exif box). The exception is a
    JPEG in a JPEG XL file that the plugin decodes as the JPEG that it was, by the JPEG's rules.
    """
    kind = (image.format or "").upper()
    if kind == "HEIF" or (kind == "JXL" and not getattr(image, "jpeg", False)):
        return UPRIGHT
    try:
        orientation = image.getexif().get(_TAG, UPRIGHT)
    except Exception:  # noqa: BLE001 - a damaged EXIF block, which fails in many ways, must not stop good pixels
        return UPRIGHT
    return orientation if orientation in _TURNS else UPRIGHT


def loaded(image: Image.Image) -> tuple[int, bool]:
    """Load an image; return the EXIF orientation of its file, and True if its decoder has applied it already.

    Pillow's TIFF reader does, and then no longer says so: of an image that was loaded before, nothing is known.
    Raises what Pillow raises for a broken file.
    """
    before = exif_turn(image) if image.format == "TIFF" else UPRIGHT
    image.load()
    after = exif_turn(image)
    return (before, True) if before != UPRIGHT and after == UPRIGHT else (after, False)


def turned(image: torch.Tensor, orientation: int) -> torch.Tensor:
    """Return upright pixels, contiguous, of pixels (..., H, W) that are stored in this orientation.

    Orientation 1 returns them unchanged.
    """
    match orientation:
        case 2:
            upright = image.flip(-1)
        case 3:
            upright = image.flip(-1, -2)
        case 4:
            upright = image.flip(-2)
        case 5:
            upright = image.transpose(-1, -2)
        case 6:
            upright = image.rot90(-1, (-2, -1))
        case 7:
            upright = image.flip(-1, -2).transpose(-1, -2)
        case 8:
            upright = image.rot90(1, (-2, -1))
        case _:
            return image
    return upright.contiguous()


def stored(image: torch.Tensor, orientation: int) -> torch.Tensor:
    """Return the stored form of upright pixels (..., H, W) in this orientation; the inverse of `turned`."""
    return turned(image, _BACK.get(orientation, orientation))


def turned_pil(image: Image.Image, orientation: int) -> Image.Image:
    """Return the upright image of a PIL image that is stored in this orientation."""
    from PIL import Image

    return image.transpose(Image.Transpose[_TURNS[orientation]]) if orientation in _TURNS else image


def stored_pil(image: Image.Image, orientation: int) -> Image.Image:
    """Return the stored form of an upright PIL image in this orientation."""
    return turned_pil(image, _BACK.get(orientation, orientation))
