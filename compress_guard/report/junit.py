"""Results as JUnit properties."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from compress_guard.records import CellResult

PREFIX: Final = "cg_"


def properties(result: CellResult) -> list[tuple[str, str]]:
    """Names, with the prefix ``cg_``, and values of a cell's fields, in the order of the JSON file.

    What was not measured has no property. Words stand as they are; numbers, truth values, settings and lists are
    compact JSON, so that no digit is lost. ``cg_slices`` holds the slices whole; behind all fields each has its drop
    as a property of its own, ``cg_slice_weather_night_drop``, and if it has a limit that and the verdict. Raises
    ValueError for a number that is not finite.
    """
    values = [*result.as_dict().items(), *_of_slices(result)]
    return [(PREFIX + name, _text(value)) for name, value in values if value is not None and value != []]


def _of_slices(result: CellResult) -> Iterator[tuple[str, Any]]:
    for part in result.slices:
        # A value may be any text, while a name has to survive XML and whoever looks for it.
        name = re.sub(r"[^\w.+-]+", "_", f"slice_{part.slicing}_{part.value}")
        yield f"{name}_drop", part.drop
        if part.max_drop is not None:
            yield f"{name}_max_drop", part.max_drop
            yield f"{name}_verdict", part.verdict


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, allow_nan=False, separators=(",", ":"))
