"""Guards that are built from keywords instead of a thresholds file, and checks of these keywords."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from compress_guard.engine.coding.available import codec_options, missing_options
from compress_guard.errors import OptionError
from compress_guard.records import (
    Cell,
    CellResult,
    CleanReference,
    CodecSpec,
    Fingerprint,
    Fixed,
    Guard,
    OnInconclusive,
    OnMissing,
    OperatingPoint,
    Orientation,
    Policy,
    Quality,
    Rate,
    RateMode,
    Scalar,
)
from compress_guard.registry import CODECS, TASKS, codec_named, unknown
from compress_guard.thresholds.keys.decoders import cell_by
from compress_guard.thresholds.keys.groups import grouping
from compress_guard.thresholds.keys.shares import looks_like_share
from compress_guard.thresholds.keywords import (
    CHOICES,
    DEFAULT_BPP,
    LIMITS,
    AskedByKeyword,
    check_nothing_asked,
    check_number,
    check_policy,
    check_rate,
    check_setting,
)
from compress_guard.thresholds.settings import TOLERANCE

_OF_FILES: Final = frozenset(["traffic", "slices", "correction", "decoder_swap", "throughput", "recovery", "waive"])
"""Keys of a thresholds file that calls do not take: most concern several cells of a guard."""


def one_cell_guard(  # noqa: PLR0913 - the keys of a guard in thresholds.yaml, each by its name
    name: str,
    *,
    task: str,
    codec: str,
    bpp: float | None = None,
    quality: float | None = None,
    metric: str | None = None,
    max_drop: float | None = None,
    min_score: float | None = None,
    min_clean: float | None = None,
    max_regression: float | None = None,
    rate: RateMode = "dataset",
    rate_tolerance: float | None = None,
    confidence: float = 0.95,
    limit: int | None = None,
    max_error_share: float = 0.0,
    on_inconclusive: OnInconclusive | None = None,
    on_unreachable: OnMissing | None = None,
    on_unavailable: OnMissing | None = None,
    options: Mapping[str, Scalar] | None = None,
    fingerprint: str | None = None,
    orientation: Orientation | None = None,
    groups: str | Callable[[Any, str], object] | None = None,
    decoders: Sequence[str] | None = None,
    max_decoder_drop: float | None = None,
    reference: CleanReference = "source",
) -> Guard:
    """Return a guard with one cell, at a rate or at a quality.

    Raises `OptionError` for names that are not known or numbers out of range.
    """
    if task not in TASKS:
        raise OptionError(TASKS.unknown(task))
    spec = _spec(codec, options or {})
    metrics: tuple[str, ...] = TASKS.resolve(task).metrics
    if metric is not None and metric not in metrics:
        raise OptionError(unknown(f"metric of {task}", metric, metrics))
    check_rate(rate, DEFAULT_BPP if bpp is None and quality is not None else bpp, rate_tolerance)
    limits = dict(zip(LIMITS, (max_drop, min_score, min_clean, max_regression), strict=True))
    shares = {"confidence": confidence, "max_error_share": max_error_share}
    _check_numbers({**shares, **limits, "max_decoder_drop": max_decoder_drop})
    doubts = _share_doubts(limits)
    _check_reading(limit, orientation, reference)
    _check_required(spec)
    point = _point(spec, bpp, quality)
    cell = Cell(name, spec, point, max_drop, min_score, limit, 0, min_clean=min_clean, doubts=doubts)
    cell = replace(cell, max_regression=max_regression)
    return Guard(
        name=name,
        task=task,
        metric=metric or metrics[0],
        model="",
        data="",
        cells=(cell_by(cell, decoders, max_decoder_drop),),
        rate=rate,
        rate_tolerance=TOLERANCE[rate] if rate_tolerance is None else rate_tolerance,
        confidence=confidence,
        policy=_policy(on_inconclusive=on_inconclusive, on_unreachable=on_unreachable, on_unavailable=on_unavailable),
        max_error_share=max_error_share,
        orientation=orientation,
        groups=grouping(groups),
        reference=reference,
        fingerprint=None if fingerprint is None else Fingerprint(fingerprint),
    )


def _spec(codec: str, options: Mapping[str, Scalar]) -> CodecSpec:
    """Return the specification of a codec with these options; raises `OptionError` for a name that is not known."""
    spec = replace(codec_named(codec, dict(codec_options(options))), folder=str(Path.cwd()))
    if spec.type not in CODECS:
        raise OptionError(CODECS.unknown(spec.type))
    return spec


def _check_reading(limit: int | None, orientation: str | None, reference: str) -> None:
    """Raise `OptionError` for a number of images, an orientation or a reference that makes no sense."""
    if limit is not None and (type(limit) is not int or limit < 1):
        raise OptionError(f"limit is {limit!r}; expected a whole number of at least 1, or None for all images")
    if orientation not in (None, *CHOICES["orientation"]):
        raise OptionError(f"orientation is {orientation!r}; expected 'upright', 'stored' or None")
    if reference not in CHOICES["reference"]:
        raise OptionError(f"reference is {reference!r}; expected 'source' or 'input'")


def _check_numbers(numbers: Mapping[str, float | None]) -> None:
    """Raise `OptionError` for a number, by its key, that is out of range."""
    for key, number in numbers.items():
        if number is not None:
            check_number(key, number)


def _point(spec: CodecSpec, bpp: float | None, quality: float | None) -> OperatingPoint:
    """Return the operating point that is asked for; a pipeline may have only one, which nothing asks for."""
    if spec.fixed:
        check_nothing_asked(spec, bpp, quality)
        return Fixed()
    return Rate(float(bpp)) if bpp is not None else Quality(check_setting(spec, quality))


def guard_at_points(name: str, asked: AskedByKeyword, **wanted: Any) -> Guard:
    """Return a guard with one cell for each rate, then each quality; raises what `one_cell_guard` raises."""
    made = [one_cell_guard(name, bpp=rate, **wanted) for rate in asked.rates]
    made += (one_cell_guard(name, quality=quality, **wanted) for quality in asked.qualities)
    first, *others = made
    return replace(first, cells=(*first.cells, *(cell for other in others for cell in other.cells)))


def check_keywords(given: Iterable[str], *others: str) -> None:
    """Raise `OptionError` for a keyword that `one_cell_guard` does not take and that is none of these others."""
    parameters = inspect.signature(one_cell_guard).parameters.values()
    known = (*(each.name for each in parameters if each.kind is each.KEYWORD_ONLY), *others)
    for key in given:
        if key in _OF_FILES:
            raise OptionError(
                f"{key} is a key of thresholds.yaml and no keyword; write a guard with it there, and run it with "
                "compress-guard run or pytest --compress-guard"
            )
        if key not in known:
            raise OptionError(unknown("keyword", key, known))


def _check_required(spec: CodecSpec) -> None:
    if missing := missing_options(spec):
        raise OptionError(
            f"codec {spec.alias!r} needs {missing}; give them in options={{...}}, or a codec of its own "
            "under codecs in thresholds.yaml"
        )


def _policy(**choices: str | None) -> Policy:
    """Return the policies; a choice that is made counts as stated, as in a file."""
    stated: dict[str, Any] = {key: choice for key, choice in choices.items() if choice is not None}
    for key, choice in stated.items():
        check_policy(key, choice)
    return Policy(**stated, stated=frozenset(stated))


def warn_of_shares(wanted: Mapping[str, Any]) -> None:
    """Warn the caller of the function that calls this of limits among these keywords that look like a share."""
    for doubt in _share_doubts({key: wanted.get(key) for key in LIMITS}):
        warnings.warn(doubt, stacklevel=3)


def warn_of_doubts(results: Iterable[CellResult], wanted: Mapping[str, Any]) -> None:
    """Warn the caller of the function that calls this, once, of each doubt that `warn_of_shares` has not named."""
    named = _share_doubts({key: wanted.get(key) for key in LIMITS})
    for doubt in dict.fromkeys(doubt for result in results for doubt in result.doubts):
        if doubt not in named:
            warnings.warn(doubt, stacklevel=3)


def check_no_baseline(wanted: Mapping[str, Any]) -> None:
    """Raise `OptionError` for a limit against a baseline, in a call that has none."""
    if wanted.get("max_regression") is not None:
        raise OptionError("max_regression needs a baseline; give baseline=, results of an earlier run")


def _share_doubts(limits: Mapping[str, float | None]) -> tuple[str, ...]:
    doubts = (looks_like_share(key, points) for key, points in limits.items() if points is not None)
    return tuple(doubt for doubt in doubts if doubt is not None)
