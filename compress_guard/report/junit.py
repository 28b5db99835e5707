"""Results as JUnit properties."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from compress_guard.records import CellResult

PREFIX: Final = "cg_"


def properties(result: CellResult) -> list[tuple[str, str]]:
    """Names, with the prefix ``cg_``, and values of a cell's fields, in the order of the JSON file.

    What was not measured has no property. Words stand as they are; numbers, truth values, settings and lists are
    compact JSON, so that no digit is lost. Raises ValueError for a number that is not finite.
    """
    return [
        (PREFIX + name, value if isinstance(value, str) else json.dumps(value, allow_nan=False, separators=(",", ":")))
        for name, value in result.as_dict().items()
        if value is not None and value != []
    ]
