"""``compress-guard check``: a thresholds file on a few images, and what the whole run would take."""

from __future__ import annotations

import argparse
import contextlib
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, Final

from compress_guard.cli.preparation import check_options, loaded, name_in_ids, refuse_fixtures, run_settings
from compress_guard.cli.starting.cost import FIRST_IMAGES, Cost
from compress_guard.cli.terminal import StandardErrorProgress, put, tell
from compress_guard.engine.images.subsets import Subset
from compress_guard.engine.machine.threads import calm_threads
from compress_guard.engine.session import Session, without_fixtures
from compress_guard.engine.trouble import attempted
from compress_guard.errors import RunError
from compress_guard.records import UNTOLD, CellResult, Guard, Thresholds
from compress_guard.report import numbers

_IGNORED: Final = 255
"""Label of pixels without one."""


@dataclass(frozen=True, slots=True)
class Tried:
    """A guard on a few of its images."""

    guard: Guard
    results: tuple[CellResult, ...]
    subset: Subset | None
    """Images of the first cell; None if they cannot be read."""
    total: int | None
    """Images of the data set; None if it cannot be read."""
    cost: Cost


def check(options: argparse.Namespace) -> bool:
    """Print what each guard's cells are like on a few images; True if all could be measured. Raises `UsageError`."""
    thresholds = loaded(options)
    for guard in thresholds.guards:
        refuse_fixtures(thresholds, guard, model=guard.model, data=guard.data)
    check_options(options)
    sound = True
    with run_settings(options) as settings:
        calm_threads()
        with contextlib.closing(Session(thresholds, settings)) as session:
            session.expect([cell for guard in thresholds.guards for cell in guard.cells])
            for guard in thresholds.guards:
                tried = _tried(session, thresholds, guard)
                put("\n".join(_lines(tried)))
                sound = sound and all(map(_measurable, tried.results))
    return sound


def _tried(session: Session, thresholds: Thresholds, guard: Guard) -> Tried:
    """Measure the cells of a guard; a model or data that cannot be used ends it at its first cell."""
    file, results, seconds = name_in_ids(Path(thresholds.path)), [], []
    first = _first_pass(session, guard, file)
    for number, cell in enumerate(guard.cells, start=1):
        with StandardErrorProgress(f"{guard.name} [{number}/{len(guard.cells)}]") as progress:
            last = number == len(guard.cells)
            started = time.perf_counter()
            made = session.measure(cell, f"{file}::{cell.name}", without_fixtures, progress, last=last)
            seconds.append(time.perf_counter() - started)
        results.append(made.result)
        if made.result.verdict == "error":
            tell(f"{cell.name}: {made.result.reason}")
            break
    subset = attempted(partial(session.subset, guard.name, without_fixtures, session.settings.limit))
    total = attempted(lambda: len(session.data(guard.data, without_fixtures)))
    return Tried(
        guard,
        tuple(results),
        None if isinstance(subset, RunError) else subset,
        None if isinstance(total, RunError) else total,
        Cost(first, seconds, _used(results)),
    )


def _first_pass(session: Session, guard: Guard, file: str) -> float:
    """Return the seconds of the guard's first cell on a few images, before the cells are measured.

    Its result is discarded, with its errors: they come again when the cell is measured.
    """
    limit = session.settings.limit
    if limit is not None and limit <= 2 * FIRST_IMAGES:
        return 0.0
    cell = replace(guard.cells[0], limit=FIRST_IMAGES)
    started = time.perf_counter()
    with StandardErrorProgress(guard.name) as progress:
        session.measure(cell, f"{file}::{cell.name}", without_fixtures, progress)
    return time.perf_counter() - started


def _used(results: Iterable[CellResult]) -> int:
    return max((result.images_used or 0 for result in results), default=0)


def _measurable(result: CellResult) -> bool:
    """Return True for a cell that nothing kept from being measured; a codec may miss a rate."""
    return result.verdict not in ("error", "codec_error", "unavailable")


def _lines(tried: Tried) -> Iterator[str]:
    guard, used = tried.guard, _used(tried.results)
    score = next((result.clean_score for result in tried.results if result.clean_score is not None), None)
    clean = "no clean score" if score is None else f"{guard.metric} {numbers.points(score)}"
    total = "" if tried.total is None else f" of {tried.total}"
    yield f"{guard.name}: {guard.task}, {clean} on {used}{total} images"
    if tried.subset is not None:
        yield from _image_lines(tried.subset)
    yield from tried.cost.lines(_all_images(tried))
    yield from _knowledge_lines(tried.results)
    width = max(len(_label(result)) for result in tried.results)
    yield from (f"  {_label(result):{width}}  {_cell_text(result, tried.total)}" for result in tried.results)


def _label(result: CellResult) -> str:
    return result.id.rpartition("[")[2].removesuffix("]")


def _image_lines(subset: Subset) -> Iterator[str]:
    labels = _labels(subset.samples[index].target for index in subset.survey.usable)
    if labels:
        yield f"  labels  {len(labels)} different: {min(labels)} to {max(labels)}"
    sizes = subset.survey.sizes
    smallest, largest = (of(sizes, key=lambda size: size[0] * size[1]) for of in (min, max))
    megapixels = median(height * width for height, width in sizes) / 1e6
    shown = numbers.span(f"{width} x {height}" for height, width in (smallest, largest))
    yield f"  sizes   {shown} pixels, median {megapixels:.2g} megapixels"


def _labels(targets: Iterable[Any]) -> set[int]:
    """Return the labels that occur in targets; none where a task of others has no labels."""
    seen: set[int] = set()
    for target in targets:
        if isinstance(target, dict):
            for key in ("label", "labels"):
                if key in target:
                    seen |= {int(value) for value in target[key].reshape(-1)}
    return seen - {_IGNORED}


def _all_images(tried: Tried) -> list[int] | None:
    """Return the images of each cell in a whole run; None where a cell or the data cannot be used."""
    total = tried.total
    if total is None or len(tried.results) < len(tried.guard.cells):
        return None
    return [min(total, cell.limit or total) for cell in tried.guard.cells]


def _knowledge_lines(results: Iterable[CellResult]) -> Iterator[str]:
    """Yield why these images do not tell whether the model knows anything; nothing where they do."""
    for remark in dict.fromkeys(result.clean_remark for result in results):
        if remark is not None:
            shown = remark if UNTOLD in remark else f"whether it knows anything was not tested: {remark}"
            yield f"  model   {shown}"


def _cell_text(result: CellResult, total: int | None) -> str:
    drop, low, high, limit = result.drop, result.drop_low, result.drop_high, result.max_drop
    if result.first_decoder is not None:
        drop, low, high = result.decoder_drop, result.decoder_drop_low, result.decoder_drop_high
        limit = result.max_decoder_drop
    if drop is None:
        return f"{result.verdict}: {result.reason}"
    spread = "" if low is None or high is None else f" ({numbers.points(low)} to {numbers.points(high)})"
    text = f"drop {numbers.points(drop)}{spread}"
    if result.first_decoder is not None:
        text += f" from {result.first_decoder}"
    if limit is None:
        return f"{text}, no limit"
    return f"{text}, limit {numbers.limit(limit)}: {_needed(result, total)}"


def _needed(result: CellResult, total: int | None) -> str:
    if result.verdict != "inconclusive":
        return f"{result.images_used} images decide it"
    if result.images_needed is None:
        return "the drop is too near its limit for any number of images in reach"
    few = total is not None and result.images_needed > total
    more = f", more than the {total} of the data" if few else ""
    return f"about {numbers.about(result.images_needed)} images decide it{more}"
