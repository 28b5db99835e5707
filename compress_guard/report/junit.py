"""Results as JUnit properties."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any, Final

from compress_guard.foreign import shown_json, shown_line
from compress_guard.records import MIXED, CellResult, RecoveryResult, Share, ThroughputResult

PREFIX: Final = "cg_"


def not_measured_property(names: Sequence[str]) -> tuple[str, str]:
    """Return the property of a suite that names the cells which were selected and have no result."""
    return PREFIX + "not_measured", _text(list(names))


def properties(result: CellResult | RecoveryResult | ThroughputResult) -> list[tuple[str, str]]:
    """Return the fields of a result by their names with the prefix ``cg_``, in the order of the JSON file.

    A field that was not measured has no property. Texts are unchanged; numbers, truth values, settings and lists are
    compact JSON, so that no digit is lost. ``cg_slices`` holds all slices. After all fields each slice has its drop as
    a property, ``cg_slice_weather_night_drop``, and, if it has a limit, the limit and the verdict. Slices that would
    share a name get a number from the second on, ``cg_slice_weather_night_2_drop``. ``cg_points`` holds all points of
    a study; for those that its model was trained for, each figure is also a property, ``cg_recovered_low``, or
    ``cg_recovered_low_0.25bpp`` for a model trained on mixed rates. Foreign text is printable, see `foreign`. Raises
    ValueError for a number that is not finite.
    """
    values = [*result.as_dict().items(), *_of_slices(result), *_of_points(result)]
    return [(PREFIX + name, _text(value)) for name, value in values if value is not None and value not in ([], ())]


def _of_slices(result: CellResult | RecoveryResult | ThroughputResult) -> Iterator[tuple[str, Any]]:
    taken: set[str] = set()
    for part in getattr(result, "slices", ()):
        # A value may be any text, but a name must be safe in XML and easy to type.
        name = re.sub(r"[^\w.+-]+", "_", f"slice_{part.slicing}_{part.value}")
        values: dict[str, Any] = {"drop": part.drop}
        if part.max_drop is not None:
            values |= {"max_drop": part.max_drop, "verdict": part.verdict}
        numbered = (name if number == 1 else f"{name}_{number}" for number in count(1))
        free = next(free for free in numbered if taken.isdisjoint(f"{free}_{field}" for field in values))
        for field, value in values.items():
            taken.add(f"{free}_{field}")
            yield f"{free}_{field}", value


def _of_points(result: CellResult | RecoveryResult | ThroughputResult) -> Iterator[tuple[str, Any]]:
    if not isinstance(result, RecoveryResult):
        return
    for point in result.own():
        behind = f"_{point.point.label}" if result.trained_bpp == MIXED else ""
        for name in ("bpp_mean", "compressed", "control", "finetuned"):
            yield name + behind, getattr(point, name)
        for name in ("recovered", "beyond_control"):
            share: Share = getattr(point, name)
            for end, value in (("", share.value), ("_low", share.low), ("_high", share.high)):
                yield f"{name}{end}{behind}", value


def _text(value: Any) -> str:
    if isinstance(value, str):
        return shown_line(value)
    return shown_json(json.dumps(value, allow_nan=False, separators=(",", ":")))
