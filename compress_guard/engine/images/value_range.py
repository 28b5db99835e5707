"""Pictures that fill a corner of their mode's range: almost black as they are, and meant on another scale."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final, final

from compress_guard.codecs.pictures.levels import EIGHT_BITS, Levels, levels_of
from compress_guard.errors import DataError

if TYPE_CHECKING:
    import torch

BITS: Final = (8, 10, 12, 14)
"""Depths of sensors and files whose levels people leave unscaled in 16 or 32 bits."""
UNIT: Final = 2.0
"""Floats from 0 to 1 stay below this where resizing overshot, too; pictures from 0 to 255 that do are black."""
HIGH_BYTE: Final = 15
"""The highest level of 12-bit colour of which a reader kept the upper of two bytes."""
ENOUGH: Final = 32
"""Pictures in a row, in random order, that are no class of dark ones."""

_SCALES: Final = {"8-bit": 255, "F": 255, "I": 65535, "I;16": 65535}
"""The level that is white, for each family of modes of which the levels say how bright a picture is."""
_DARKEST: Final = {"8-bit": HIGH_BYTE, "F": UNIT, "I": 2 ** BITS[-1] - 1, "I;16": 2 ** BITS[-1] - 1}
"""The highest level of pictures that fill such a corner, for each of these families."""
_OR_ELSE: Final = ", or they come out"
_FLOATS: Final = "Image.fromarray((array * 255).round().astype(np.uint8))"


def check_levels(levels: Sequence[Levels], *, loose: bool = False) -> None:
    """Raise `DataError` where all pictures, or all of one mode, fill a corner of what their mode holds.

    It says what was found, what was expected, and the line of code that hands the pictures over right. One dark picture
    among others is none. `loose` is for a few pictures that are no data set: they may be black.
    """
    for mode in dict.fromkeys(_family(one.mode) for one in levels):
        group = [one for one in levels if _family(one.mode) == mode]
        # One picture of its mode among others is an exception of that picture, not the way of the set.
        if len(group) == 1 and len(levels) > 1:
            continue
        for found, expected, remedy in _corners(group, may_be_black=loose or len(group) < len(levels)):
            raise DataError(f"{found}; expected {expected}; {remedy}")


def is_dark(one: Levels) -> bool:
    """Return whether a picture by itself fills such a corner, black ones included."""
    return one.high <= _DARKEST.get(_family(one.mode), -1)


@final
class DarkWatch:
    """Looks at pictures that come one by one, of which nobody knows how many there are, until one is bright enough."""

    def __init__(self) -> None:
        self._dark: list[Levels] = []
        self.done = False
        """Whether there is nothing left to look for."""

    def look(self, image: torch.Tensor, mode: str = "uint8 tensor") -> None:
        """Look at a uint8 RGB tensor (3, H, W); raises `DataError` once the first 32 all lie in one corner."""
        if self.done:
            return
        seen = levels_of(image, mode, None, None)
        self._dark.append(seen)
        self.done = seen.high > HIGH_BYTE or len(self._dark) == ENOUGH
        if self.done and seen.high <= HIGH_BYTE:
            check_levels(self._dark, loose=True)


def _family(mode: str) -> str:
    """Modes whose pictures are judged together."""
    return "8-bit" if mode in EIGHT_BITS else mode


def _pictures(group: Sequence[Levels]) -> str:
    modes = " and ".join(dict.fromkeys(one.mode for one in group))
    kind = modes if modes == "uint8 tensor" else f"mode {modes}"
    return f"the only picture ({kind})" if len(group) == 1 else f"all {len(group)} pictures ({kind})"


def _corners(group: Sequence[Levels], *, may_be_black: bool) -> Iterator[tuple[str, str, str]]:
    """Yield what was found, what was expected and what to do, for each corner that the whole group lies in."""
    pictures, mode = _pictures(group), _family(group[0].mode)
    if all(one.alpha is not None for one in group):
        alpha = max(one.alpha or 0 for one in group)
        if alpha <= 1:
            remedy = 'scale alpha by 255, or drop it by image.convert("RGB")'
            yield f"the alpha of {pictures} is at most {alpha}", f"up to 255{_OR_ELSE} white", remedy
    low, high = min(one.low for one in group), max(one.high for one in group)
    found = f"the levels of {pictures} are {low:g} to {high:g}"
    if high == 0:
        if not may_be_black and mode in _SCALES:
            remedy = f"if they were floats from 0 to 1, hand them over as {_FLOATS}"
            yield f"every level of {pictures} is 0", "pictures that are not all black", remedy
        return
    if high > _DARKEST.get(mode, -1):
        return
    if mode == "8-bit":
        remedy = _brightened(int(high), group[0].mode)
    else:
        remedy = f"hand them over as {_FLOATS if mode == 'F' else _scaled(int(high))}"
    yield found, f"0 for black to {_SCALES[mode]} for white{_OR_ELSE} almost black", remedy


def _scaled(high: int) -> str:
    """Return the code that makes 8-bit pictures of integers on the scale that this level suggests."""
    if high <= 1:
        return "Image.fromarray((array * 255).astype(np.uint8))"
    bits = next(bits for bits in BITS if high < 2**bits)
    shifted = "array" if bits == BITS[0] else f"(array >> {bits - BITS[0]})"
    return f"Image.fromarray({shifted}.astype(np.uint8))"


def _brightened(high: int, mode: str) -> str:
    """Return what to do about 8-bit pictures with this highest level."""
    if high <= 1:
        whole = "(image * 255).round().to(torch.uint8)" if mode == "uint8 tensor" else _FLOATS
        return f"if they were floats from 0 to 1, hand the floats over as {whole}"
    bits = 10 if high <= 3 else 12
    return (
        f"if they are the high bytes of {bits}-bit colour in 16 bits, of which Pillow keeps no more, read the files by "
        f"array = cv2.imread(path, cv2.IMREAD_UNCHANGED)[..., ::-1] and hand them over as "
        f"Image.fromarray((array >> {bits - 8}).astype(np.uint8))"
    )
