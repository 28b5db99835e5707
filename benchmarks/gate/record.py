"""The record of a run of the bundled gate: its figures without what depends on the machine or on the run.

After a change of thresholds.yaml, of the models or of what is measured, write it anew from the results of `make guard`:
``python -m benchmarks.gate.record reports/results.json``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from compress_guard.records import CellResult

RECORD: Final = Path(__file__).parents[2] / "tests" / "examples" / "bundled_gate.json"
FIELDS: Final = (
    *("id", "guard", "task", "metric", "codec", "target_bpp", "verdict", "outcome", "settled_by", "rate", "seed"),
    *("confidence", "interval_confidence", "bpp_mean", "rate_tolerance", "mixed", "off_target", "limit", "images"),
    *("images_used", "errors", "clean_score", "score", "drop", "drop_low", "drop_high", "score_low", "score_high"),
    *("max_drop", "min_score", "min_clean", "clean_remark", "doubts", "resolvable_drop", "unseen_drop"),
    *("images_needed", "changed", "harmful_flips", "helpful_flips", "flat", "dark", "boxes_outside", "outlier_count"),
    *("control_images", "control_changed", "control_mixed", "control_mixed_changed", "lossy_sources"),
)


def kept(cell: Mapping[str, Any]) -> dict[str, Any]:
    """Return a cell as the record holds it: fields that were measured, figures with six digits."""
    values = {name: cell[name] for name in FIELDS if cell[name] is not None}
    return {name: float(f"{value:.6g}") if isinstance(value, float) else value for name, value in values.items()}


def recorded() -> list[CellResult]:
    """Return the cells of the record."""
    fixed = {"reason": "", "device": "cpu"}
    return [CellResult.from_dict({**fixed, **cell}) for cell in json.loads(RECORD.read_text(encoding="utf-8"))]


def main(arguments: Sequence[str]) -> None:
    """Write the record from a results file."""
    (results,) = arguments
    cells = json.loads(Path(results).read_text(encoding="utf-8"))["cells"]
    lines = ",\n".join(json.dumps(kept(cell)) for cell in cells)
    RECORD.write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
