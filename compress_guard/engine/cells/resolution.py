"""Drops that a guard's images can decide, reported before the first image is coded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from compress_guard.engine.cells.slices import allowed_drop, slice_values
from compress_guard.engine.images.survey.record import Survey
from compress_guard.records import Cell
from compress_guard.verdict.grouped.doubts import few_groups, like_video
from compress_guard.verdict.grouped.groups import Groups
from compress_guard.verdict.power import FLIPS, out_of_reach
from compress_guard.verdict.sentence import of_resolution, too_few


def expectations(
    guard: str, confidences: Mapping[Cell, tuple[float, float]], survey: Survey, resolvable: float | None
) -> Iterator[str]:
    """Say what the images of a survey resolve, and which limits of these cells and their slices they cannot hold.

    `confidences` are the least and the highest confidence that the last interval of each cell may have; `resolvable` is
    the drop in points that the images are expected to resolve. It is None for a metric without flags, which has to be
    measured first: nothing is said then.
    """
    if resolvable is None:
        return
    groups = survey.grouped
    resolution = of_resolution(str(len(survey.usable)), f"{resolvable:.1f}", None if groups is None else groups.count)
    alike = "" if groups is None else ", those of a group together"
    yield f"{guard}: {resolution} ({100 * FLIPS:g} % of the predictions flipping{alike})"
    yield from _out_of_reach(
        guard, _Images(len(survey.usable), groups), ((cell.max_drop, held) for cell, held in confidences.items())
    )
    between = ((cell.max_decoder_drop, held) for cell, held in confidences.items())
    yield from _out_of_reach(f"{guard}, between decoders", _Images(len(survey.usable), groups), between)
    slices = survey.slices_by_id
    for slicing, values in slice_values(slices).items():
        for value in values:
            ids = [info.id for info in survey.infos if value in slices[info.id].get(slicing, ())]
            members = _Images(len(ids), survey.groups_of(ids))
            limits = ((allowed_drop(cell, slicing, value), held) for cell, held in confidences.items())
            yield from _out_of_reach(f"{guard}, slice {slicing}={value}", members, limits)


def warnings_of(guard: str, survey: Survey) -> Iterator[str]:
    """Warn of images that look like frames of a video, and of too few groups."""
    video = like_video(survey.near_equal, survey.images, grouped=bool(survey.groups))
    few = few_groups(len(set(survey.groups)) if survey.groups else None)
    yield from (f"WARNING: {guard}: {warning}" for warning in (video, few) if warning is not None)


@dataclass(frozen=True, slots=True, eq=False)
class _Images:
    """A number of images, and the groups that they belong to."""

    count: int
    groups: Groups | None


def _out_of_reach(
    name: str, images: _Images, asked: Iterable[tuple[float | None, tuple[float, float]]]
) -> Iterator[str]:
    """Warn of limits that cannot be held, with one warning for each confidence."""
    limits: dict[tuple[float, float], list[float]] = {}
    for limit, held in asked:
        if limit is not None:
            limits.setdefault(held, []).append(limit)
    groups = None if images.groups is None else images.groups.counted
    for (least, most), points in limits.items() if images.count else ():
        missed = out_of_reach(images.count, points, least, most, groups)
        if missed is not None:
            remedy = ", or a higher max_drop" if missed.enough else "; give a higher max_drop"
            yield f"WARNING: {name}: {too_few(images.count, missed, None if groups is None else groups.count)}{remedy}"
