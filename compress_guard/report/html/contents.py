"""Contents of a report: the results of a run as it ends, or those of a results file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from compress_guard.errors import UsageError, described
from compress_guard.records import SCHEMA, CellResult, Ending, RecoveryResult, Scope, ThroughputResult, TrafficResult

_REMEDY: Final = "name a file that --cg-json or compress-guard run --json has written"


@dataclass(frozen=True, slots=True)
class RunContents:
    """Results of one run, and how it ended."""

    cells: Sequence[CellResult] = ()
    recovery: Sequence[RecoveryResult] = ()
    throughput: Sequence[ThroughputResult] = ()
    environment: Mapping[str, object] = field(default_factory=dict)
    """Versions and settings, as the results file has them."""
    ending: Ending = field(default_factory=Ending)
    pictures: Path | None = None
    """The folder with pictures of the worst images; None: there are none."""

    @property
    def results(self) -> tuple[CellResult | RecoveryResult | ThroughputResult, ...]:
        """Results of all kinds."""
        return (*self.cells, *self.recovery, *self.throughput)


def read_contents(path: Path, pictures: Path | None = None) -> RunContents:
    """Read a results file, and name the folder of its pictures; raises `UsageError` for a file that is none."""
    try:
        made = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(made, dict) or made.get("schema") != SCHEMA:
            raise ValueError(f"its schema is not {SCHEMA}")
        environment, status = made["environment"], made.get("exit_status")
        if not isinstance(environment, dict) or not isinstance(status, int | None):
            raise TypeError("environment or exit_status is of another type")
        return RunContents(
            [CellResult.from_dict(values) for values in made["cells"]],
            [RecoveryResult.from_dict(values) for values in made.get("recovery", ())],
            [ThroughputResult.from_dict(values) for values in made.get("throughput", ())],
            environment,
            Ending(
                status,
                tuple(map(str, made.get("not_measured", ()))),
                tuple(_traffic(values) for values in made.get("traffic", ())),
                _scope(made),
            ),
            pictures,
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as problem:
        raise unreadable(path, problem) from problem


def _scope(made: Mapping[str, object]) -> Scope:
    """Return what the document says of the whole file; empty for one of an earlier version."""
    digest, shard, names = made.get("thresholds_sha256"), made.get("shard"), made.get("all_cells", [])
    if not isinstance(digest, str | None) or not isinstance(shard, str | None) or not isinstance(names, list):
        raise TypeError("thresholds_sha256, shard or all_cells is of another type")
    return Scope(digest, tuple(map(str, names)), shard)


def unreadable(path: Path, problem: Exception) -> UsageError:
    """Return the error for a file that holds no results."""
    return UsageError(str(path), f"this cannot be read as results ({described(problem)})", _REMEDY)


def _traffic(values: Mapping[str, object]) -> TrafficResult:
    """Return the drop over traffic that these JSON values describe."""
    known = {name: value for name, value in values.items() if name in TrafficResult.__dataclass_fields__}
    return TrafficResult(**known | {"missing": tuple(map(str, values.get("missing") or ()))})  # type: ignore[arg-type, call-overload]  # values of a file that this package wrote
