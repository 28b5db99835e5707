"""Passes over all samples of a guard, which survey them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from compress_guard import interrupts
from compress_guard.engine.images.intake import Intake
from compress_guard.engine.images.placing import Arrival
from compress_guard.engine.images.sample import BrokenDataError, EndError
from compress_guard.engine.images.samples import Samples
from compress_guard.engine.images.second_reading import read_again
from compress_guard.engine.images.survey.record import Survey
from compress_guard.engine.images.together.neighbours import near_equal
from compress_guard.engine.images.together.rows import Row, together
from compress_guard.engine.machine.worker import aside
from compress_guard.errors import DataError

FEW: Final = 5
"""Images needed of each class before a mean over classes is judged on a part of the images."""


def survey(samples: Samples, classes: Callable[[Any], frozenset[int]] | None = None) -> Survey:
    """Read every sample once; `classes` says which classes a target adds to a mean over classes.

    If the targets fit images as they are stored, images that were turned upright are read once more. On the data set's
    own thread, a few samples are finally read a second time and compared.

    Raises `DataError` if two samples have one id, none can be read, one has changed when it is read again, the data set
    changes its length, all are in one group, or the orientation of images that EXIF turns is unknown; and for boxes or
    levels that cannot be meant: see `Intake`.
    """
    if not len(samples):
        raise DataError("the data set has no images; expected at least one")
    surveyed, arrivals = _surveyed(samples, classes)
    if samples.settle(arrivals):
        surveyed, arrivals = _surveyed(samples, classes)
    _check_groups(surveyed)
    intake = Intake.of(arrivals)
    if not aside():
        read_again(samples, surveyed.usable)
    return replace(surveyed, intake=intake)


def _surveyed(
    samples: Samples, classes: Callable[[Any], frozenset[int]] | None
) -> tuple[Survey, Mapping[str, Arrival]]:
    """Make one pass over the samples; return the survey and the arrival of each usable sample, by its id."""
    rows: list[Row] = []
    failures: list[tuple[str, str]] = []
    failed: list[int] = []
    seen: dict[str, int] = {}
    arrivals: dict[str, Arrival] = {}
    watch = interrupts.current()
    missing: dict[int, bool] = {}
    for index in range(len(samples)):
        watch.check()
        try:
            sample = samples[index]
        except BrokenDataError:
            raise
        except DataError as problem:
            missing[samples.position(index)] = isinstance(problem, EndError)
            failures.append((samples.name(index), str(problem)))
            failed.append(index)
            continue
        if sample.id in seen:
            raise DataError(
                f"samples {samples.position(seen[sample.id])} and {samples.position(index)} both have the id "
                f"{sample.id!r}; expected ids that tell images apart"
            )
        seen[sample.id] = index
        arrivals[sample.id] = sample.arrival
        rows.append(Row.of(sample, index, samples.position(index), classes))
    if not rows:
        raise DataError(f"none of the {len(samples)} samples can be used; the first: {failures[0][1]}")
    samples.check_length(_end(missing, max(row.position for row in rows)))
    if samples.shuffled and rows[0].group is not None:
        rows = together(rows, samples.seed)
        samples.arrange([*(row.index for row in rows), *failed])
        rows = [replace(row, index=index) for index, row in enumerate(rows)]
    return _survey_of(rows, failures), arrivals


def _survey_of(rows: Sequence[Row], failures: Sequence[tuple[str, str]]) -> Survey:
    """Return the survey of these samples, in their order."""
    places: dict[int, list[int]] = {}
    for count, row in enumerate(rows, start=1):
        for label in row.classes:
            places.setdefault(label, []).append(count)
    ordered = sorted(rows, key=lambda row: row.position)
    return Survey(
        tuple(row.index for row in rows),
        tuple(row.info for row in rows),
        tuple(row.digest for row in rows),
        tuple(failures),
        tuple(row.slices for row in rows),
        tuple(row.target for row in rows),
        tuple(row.size for row in rows),
        tuple(row.level for row in rows),
        groups=tuple(row.group for row in rows if row.group is not None),
        near_equal=near_equal([row.look for row in ordered], [row.group for row in ordered if row.group is not None]),
        classes_seen=max((counts[:FEW][-1] for counts in places.values()), default=0),
        metadata=tuple(row.metadata for row in rows),
        opened=tuple(row.opened for row in rows) if any(row.opened for row in rows) else (),
    )


def _check_groups(surveyed: Survey) -> None:
    """Refuse a single group of several images, which says nothing about others."""
    if len(surveyed.usable) > 1 and len(set(surveyed.groups)) == 1:
        raise DataError(
            f"groups: all {len(surveyed.usable)} images belong to one group, {surveyed.groups[0]}, and say nothing "
            "about images of others; expected at least two groups; name what tells them apart"
        )


def _end(failed: Mapping[int, bool], last: int) -> int | None:
    """Return the position at which a data set ends early, else None; `last` is the last usable position.

    `failed` maps each position that could not be read to True if there is no sample at it.
    """
    behind = {position: absent for position, absent in failed.items() if position > last}
    return min(behind) if behind and all(behind.values()) else None
