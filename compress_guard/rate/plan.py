"""The rate plan: how a codec brings the images of a guard to each of its target rates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from compress_guard.rate.dataset import DatasetSearch, Mix
from compress_guard.rate.image import STUCK_SHARE, ImageSearch, Window
from compress_guard.rate.ledger import Encode, Ledger
from compress_guard.records import ImageInfo, PlannedRate, Rate, RateMode, RatePlan

WIDE_STEP: Final = 1.15
"""Factor between the mean rates of two settings above which a mix of them is flagged as mixed."""


def plan(
    images: Sequence[ImageInfo],
    ladder: Sequence[float],
    targets: Sequence[float],
    *,
    mode: RateMode,
    tolerance: float,
    seed: int,
    encode: Encode,
) -> RatePlan:
    """Find the settings that bring the images to each target rate.

    The result depends on the arguments and on the lengths that `encode` returns alone, not on the order of the images.

    Args:
        images: at least one, with unique ids.
        ladder: the codec's settings, smallest files first; mean sizes need not be monotone along it.
        targets: rates in bits per pixel, in any order; duplicates count once.
        mode: "dataset" holds the mean over the images with two settings adjacent in mean size, image i at the upper one
            where `seeded_fraction(seed, id)` is below a fraction; "image" holds every image's own rate.
        tolerance: largest relative distance from a target that counts as met.
        seed: of the hash that mixes settings and chooses the images to learn from.
        encode: returns the stream lengths in bytes for requests (image index, setting), None for an image that cannot
            be coded. No request is made twice, and every stream of the plan was requested.

    Raises:
        ValueError: no images, an empty ladder, a target or tolerance that is not positive.
    """
    if not images or not ladder:
        raise ValueError(
            f"a rate plan needs images and a ladder, found {len(images)} images and {len(ladder)} settings"
        )
    if tolerance <= 0.0 or any(target <= 0.0 for target in targets):
        raise ValueError(f"targets and tolerance must be positive, found {list(targets)} and {tolerance}")
    ledger = Ledger(images, ladder, seed, encode)
    rates = tuple(sorted({float(target) for target in targets}))
    if not rates:
        return RatePlan(mode, ())
    if mode == "image":
        search = ImageSearch(ledger, tolerance)
        search.run(rates)
        return RatePlan(mode, tuple(_image_rate(ledger, search, Window(rate, tolerance)) for rate in rates))
    finder = DatasetSearch(ledger, tolerance)
    mixes = finder.run(rates)
    return RatePlan(mode, tuple(_dataset_rate(ledger, finder, mixes[rate], Window(rate, tolerance)) for rate in rates))


def _dataset_rate(ledger: Ledger, search: DatasetSearch, mix: Mix, window: Window) -> PlannedRate:
    steps: list[int | None] = [mix.step(rank) if ledger.alive[rank] else None for rank in range(len(ledger.index))]
    rates = [ledger.bpp(rank, step) for rank, step in enumerate(steps) if step is not None]
    if not rates:
        return _planned(ledger, window.target, steps)
    mean, means = sum(rates) / len(rates), search.means()
    # With steps on both sides of the target, a miss is due to too few images, not to the settings.
    floored = mean > window.high and float(means.min()) > window.target
    capped = mean < window.low and float(means.max()) < window.target
    missed = sum(rate > window.high for rate in rates) if floored else sum(rate < window.low for rate in rates)
    return _planned(
        ledger,
        window.target,
        steps,
        floor=mean if floored else None,
        off_target=missed if floored or capped else 0,
        mixed=len({step for step in steps if step is not None}) == 2
        and float(means[mix.upper] / means[mix.lower]) > WIDE_STEP,
    )


def _image_rate(ledger: Ledger, search: ImageSearch, window: Window) -> PlannedRate:
    steps: list[int | None] = [None] * len(ledger.index)
    floors, capped = [], 0
    choices = search.choices(window.target).tolist()
    for rank in (int(rank) for rank in ledger.living):
        steps[rank] = step = choices[rank]
        rate = ledger.bpp(rank, step)
        if window.holds(rate):
            continue
        measured = [ledger.bpp(rank, step) for step in search.measured(rank)]
        if rate > window.high and min(measured) > window.target:
            floors.append(rate)
        elif rate < window.low and max(measured) < window.target:
            capped += 1
    stuck = len(floors) > STUCK_SHARE * len(ledger.living)
    return _planned(ledger, window.target, steps, floor=max(floors) if stuck else None, off_target=len(floors) + capped)


def _planned(
    ledger: Ledger,
    target: float,
    steps: list[int | None],
    *,
    floor: float | None = None,
    off_target: int = 0,
    mixed: bool = False,
) -> PlannedRate:
    """Return the record, with images in the order of the data."""
    place = np.argsort(ledger.index)
    ranked = [(int(rank), steps[int(rank)]) for rank in place]
    return PlannedRate(
        point=Rate(target),
        settings=tuple(None if step is None else ledger.ladder[step] for _, step in ranked),
        lengths=tuple(None if step is None else ledger.length(rank, step) for rank, step in ranked),
        bpp=tuple(None if step is None else ledger.bpp(rank, step) for rank, step in ranked),
        reachable=floor is None,
        floor=floor,
        off_target=off_target,
        mixed=mixed,
        encodes=ledger.encodes(target),
    )
