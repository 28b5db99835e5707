"""The union of the results of several jobs: of shards, or of the jobs of a matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Final, TypeAlias, TypeVar

from compress_guard.engine.releases.names import is_of_file
from compress_guard.errors import UsageError
from compress_guard.records import (
    CellResult,
    Ending,
    RecoveryResult,
    Scope,
    ThroughputResult,
    TrafficResult,
    WorkDone,
)
from compress_guard.report.html.contents import RunContents
from compress_guard.report.merging.parts import JobResults
from compress_guard.report.tally import ungated

Result: TypeAlias = CellResult | RecoveryResult | ThroughputResult
K = TypeVar("K", CellResult, RecoveryResult, ThroughputResult)

MERGED: Final = "merged"
"""Key of the environment of joined results: what was joined."""
WORK: Final = frozenset({*(each.name for each in fields(WorkDone)), "seconds", "remembered", "trained"})
"""Fields that say what a job did, which is another amount where another job, or a cache, had done some of it."""
_SETTINGS: Final = ("seed", "limit", "early_stop", "strict")
_NAMED: Final = 5


@dataclass(frozen=True, slots=True, eq=False)
class Joined:
    """Results of several jobs as those of one run."""

    contents: RunContents
    evidence: Mapping[str, bytes]
    problems: tuple[str, ...]
    """Sentences on what makes the whole red, although every cell held."""

    @property
    def missing(self) -> tuple[str, ...]:
        """Cells of the file that no job has measured."""
        return self.contents.ending.not_measured

    @property
    def failed(self) -> bool:
        """True if a cell failed, or anything else makes the whole red."""
        return bool(self.problems) or any(result.outcome == "failed" for result in self.contents.results)


def join(parts: Sequence[JobResults]) -> Joined:
    """Join the results of one or more jobs; raises `UsageError` for jobs that do not belong together, or disagree."""
    for part in parts:
        _check_whole(part)
        _check_same_run(parts[0], part)
    scopes = [part.contents.ending.scope for part in parts]
    names = tuple(dict.fromkeys(name for scope in scopes for name in scope.cells))
    order = {name: place for place, name in enumerate(names)}
    cells = _union([(part, part.contents.cells) for part in parts], order)
    recovery = _union([(part, part.contents.recovery) for part in parts], order)
    throughput = _union([(part, part.contents.throughput) for part in parts], order)
    measured = {_name(result.id): result.id for part in parts for result in part.contents.results}
    file = next((each.rpartition("::")[0] for name, each in measured.items() if name in order), "")
    missing = tuple(f"{file}::{name}" if file else name for name in names if name not in measured)
    jobs = [job for part in parts for job in _jobs(part)]
    contents = RunContents(
        cells,
        recovery,
        throughput,
        _shared([part.contents.environment for part in parts]) | {MERGED: jobs},
        Ending(None, missing, _traffic(parts), Scope(scopes[0].digest, names)),
    )
    return Joined(contents, _evidence(parts), tuple(_problems(contents, jobs)))


def _check_whole(part: JobResults) -> None:
    """Raise `UsageError` for results that do not name all cells of their file: nobody knows if one is missing."""
    known = {*part.contents.ending.scope.cells}
    for cell in part.contents.cells:
        if is_of_file(cell.id) and _name(cell.id) not in known:
            found = f"{_name(cell.id)} is not among the cells that it names as those of its thresholds file"
            raise UsageError(str(part.path), found, "measure it again with this version of compress_guard")


def _check_same_run(first: JobResults, other: JobResults) -> None:
    """Raise `UsageError` for results of another thresholds file, or of other settings."""
    if other.contents.ending.scope.digest != first.contents.ending.scope.digest:
        found = f"it is of another thresholds file than {first.path}"
        raise UsageError(str(other.path), found, "merge results of one file, as one commit has it")
    for name in _SETTINGS:
        one, two = first.contents.environment.get(name), other.contents.environment.get(name)
        if one != two:
            found = f"its setting {name} is {two}, and that of {first.path} is {one}"
            raise UsageError(str(other.path), found, "run all jobs with the same options")
    for what, one, two in zip(("commit", "compress_guard"), _origin(first), _origin(other), strict=True):
        if None not in (one, two) and one != two:
            found = f"it is of {what} {two}, and {first.path} is of {one}"
            raise UsageError(str(other.path), found, "merge results of one release, measured by one version")


def _origin(part: JobResults) -> tuple[str | None, str | None]:
    """Return the commit and the version of compress_guard of a job; None for what its results do not tell."""
    commit, packages = (part.contents.environment.get(name) for name in ("commit", "packages"))
    version = packages.get("compress-guard") if isinstance(packages, dict) else None
    return (
        commit.removesuffix("-dirty") if isinstance(commit, str) else None,
        version if isinstance(version, str) else None,
    )


def _union(given: Sequence[tuple[JobResults, Sequence[K]]], order: Mapping[str, int]) -> list[K]:
    """Return every result once, in the order of the file and then by id; raises `UsageError` for two that disagree."""
    known: dict[str, tuple[JobResults, K]] = {}
    for part, results in given:
        for result in results:
            name = _name(result.id)
            key = name if name in order else result.id
            if key not in known:
                known[key] = (part, result)
                continue
            before, earlier = known[key]
            if (field := _difference(earlier, result)) is not None:
                found = f"{key} is in {before.path} too, and they disagree: {field}"
                raise UsageError(str(part.path), found, "measure each cell in one job")
    kept = (result for _, result in known.values())
    return sorted(kept, key=lambda result: (order.get(_name(result.id), len(order)), result.id))


def _difference(first: Result, second: Result) -> str | None:
    """Return the first field in which two results of a cell differ, with both values; None if they are one result."""
    one, two = first.as_dict(), second.as_dict()
    for name in one:
        if name not in WORK and one[name] != two[name]:
            return f"{name} is {one[name]!r} there and {two[name]!r} here"
    return None


def _evidence(parts: Sequence[JobResults]) -> dict[str, bytes]:
    joined: dict[str, bytes] = {}
    for part in parts:
        for name, data in part.evidence.items():
            if joined.setdefault(name, data) != data:
                found = f"its evidence {name} is another than that of an earlier file"
                raise UsageError(str(part.path), found, "measure each cell in one job")
    return joined


def _traffic(parts: Sequence[JobResults]) -> tuple[TrafficResult, ...]:
    """Return the drop of each guard over its traffic, from the job that has measured all of its cells."""
    drops: dict[str, tuple[JobResults, TrafficResult]] = {}
    for part in parts:
        for result in part.contents.ending.traffic:
            before = drops.get(result.guard)
            if before is None or before[1].missing:
                drops[result.guard] = (part, result)
            elif not result.missing and result != before[1]:
                found = f"the drop of {result.guard} over its traffic is another than in {before[0].path}"
                raise UsageError(str(part.path), found, "measure each guard with shares of traffic in one job")
    return tuple(result for _, result in drops.values())


def _jobs(part: JobResults) -> list[dict[str, object]]:
    """Return what was joined: this file, or the files that it was joined of."""
    contents = part.contents
    if isinstance(listed := contents.environment.get(MERGED), list) and all(isinstance(job, dict) for job in listed):
        return [dict(job) for job in listed]
    return [
        {
            "file": part.path.name,
            "shard": contents.ending.scope.shard,
            "exit_status": contents.ending.exit_status,
            "failed": sum(result.outcome == "failed" for result in contents.results),
            "environment": dict(contents.environment),
        }
    ]


def _shared(environments: Sequence[Mapping[str, object]]) -> dict[str, object]:
    """Return the entries that are the same everywhere; None, or no entry in a map, where jobs differ."""
    first, *others = environments
    shared: dict[str, object] = {}
    for key, value in first.items():
        given = [each.get(key) for each in others]
        if all(each == value for each in given):
            shared[key] = value
        elif isinstance(value, dict) and all(isinstance(each, dict) for each in given):
            shared[key] = _shared([value, *(each for each in given if isinstance(each, dict))])
        else:
            shared[key] = None
    return {key: value for key, value in shared.items() if key != MERGED}


def _problems(contents: RunContents, jobs: Sequence[Mapping[str, object]]) -> list[str]:
    problems = [f"{name} gates nothing: none of its cells was judged" for name in ungated(list(contents.cells))]
    for job in jobs:
        status = job.get("exit_status")
        if status is None:
            problems.append(f"{job.get('file')} is of a job that did not come to its end")
        elif status != 0 and not job.get("failed"):
            problems.append(f"{job.get('file')} is of a job that ended with exit status {status}, and no cell failed")
    if not contents.results:
        problems.append("nothing was gated: no job has measured a cell")
    return problems


def named(names: Sequence[str]) -> str:
    """Return a few names and the number of the others."""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def ended(joined: Joined, status: int) -> RunContents:
    """Return the joined results with an exit status."""
    return replace(joined.contents, ending=replace(joined.contents.ending, exit_status=status))


def _name(node_id: str) -> str:
    return node_id.rpartition("::")[2]
