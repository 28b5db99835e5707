"""Cells of one codec without a thresholds file: what `compress_guard.measure` and the fixture `guard` do."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, overload

from compress_guard.engine.cells.guard_bench import Bench
from compress_guard.engine.cells.measured import Measured
from compress_guard.engine.images.factories import check_data, check_model
from compress_guard.engine.images.subsets import ReadingOptions
from compress_guard.engine.keyword_guard import (
    check_keywords,
    check_no_baseline,
    guard_at_points,
    warn_of_doubts,
    warn_of_shares,
)
from compress_guard.engine.machine.threads import single_blas_thread
from compress_guard.engine.models.fingerprint import certainty
from compress_guard.engine.prediction.subject import Subject
from compress_guard.engine.prediction.versions import remember_run
from compress_guard.engine.releases.given_baseline import Given, GivenBaseline
from compress_guard.engine.settings import RunSettings, check_device, cores, resolve_device
from compress_guard.records import CellResult, Guard
from compress_guard.thresholds.keywords import DEFAULT_BPP, AskedByKeyword

RUN_KEYWORDS: Final = ("device", "workers", "seed", "cache", "baseline")
"""Keywords of `measure` beside the keys of a guard; under pytest they are options, the same for all tests."""


def subject_of(guard: Guard, model: Any, data: Any, device: str, settings: RunSettings) -> Subject:
    """Return a subject of a model and a data set instead of their factories."""
    return Subject(
        guard.task,
        lambda: check_model(model, "model", guard.task),
        lambda: check_data(data, "data"),
        ReadingOptions(
            settings.seed,
            settings.early_stop,
            orientation=guard.orientation,
            grouping=guard.groups,
            folder=Path.cwd(),
        ),
        device=device,
        certainty=certainty(guard, Path(), settings),
    )


@overload
def measure(
    model: Any,
    data: Any,
    *,
    task: str,
    codec: str = ...,
    bpp: float = ...,
    quality: None = ...,
    device: str = ...,
    workers: int | None = ...,
    seed: int = ...,
    cache: str | Path | None = ...,
    baseline: Given | None = ...,
    **wanted: Any,
) -> CellResult: ...


@overload
def measure(
    model: Any,
    data: Any,
    *,
    task: str,
    codec: str = ...,
    bpp: None = ...,
    quality: float,
    device: str = ...,
    workers: int | None = ...,
    seed: int = ...,
    cache: str | Path | None = ...,
    baseline: Given | None = ...,
    **wanted: Any,
) -> CellResult: ...


@overload
def measure(
    model: Any,
    data: Any,
    *,
    task: str,
    codec: str = ...,
    bpp: float | Sequence[float] | None = ...,
    quality: float | Sequence[float] | None = ...,
    device: str = ...,
    workers: int | None = ...,
    seed: int = ...,
    cache: str | Path | None = ...,
    baseline: Given | None = ...,
    **wanted: Any,
) -> list[CellResult]: ...


def measure(  # noqa: PLR0913 - public, keyword-only but for the two objects
    model: Any,
    data: Any,
    *,
    task: str,
    codec: str = "jpeg",
    bpp: float | Sequence[float] | None = DEFAULT_BPP,
    quality: float | Sequence[float] | None = None,
    device: str = "auto",
    workers: int | None = None,
    seed: int = 0,
    cache: str | Path | None = None,
    baseline: Given | None = None,
    **wanted: Any,
) -> CellResult | list[CellResult]:
    """Measure what compression costs a model: clean score, compressed score, and the drop with its interval.

    Args:
        model: A predictor: takes a list of uint8 RGB tensors (3, H, W), returns one prediction per image.
        data: A map-style sequence of (image, target) or (image, target, id).
        task: ``classification``, ``detection`` or ``segmentation``.
        codec, bpp: The codec and the target rate in bits per pixel, or a list of rates: one search brings the images to
            all of them, and the model predicts the clean images once.
        quality: A setting on the codec's own scale, or a list of them: each image is coded once, at exactly that. The
            default of `bpp` does not hold beside it; a `bpp` that is stated does, and its results come first.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``. workers: CPU threads for coding, by default all cores.
        seed: Of mixes, subsets and the bootstrap.
        cache: A folder that keeps bitstreams and rate plans and, of a model with a `fingerprint`, what it predicted.
        baseline: Earlier results, which each result is compared with: a results file with its evidence beside it (then
            image by image), a folder of them, a pair of such a path and the name of a guard, or results that this
            function has returned (then by their scores alone). Cells are matched by codec and point.
        wanted: As in thresholds.yaml: metric, max_drop, min_score, min_clean and, with a baseline, max_regression
            (points), rate (``dataset`` or ``image``), rate_tolerance, confidence, limit, max_error_share,
            on_inconclusive, on_unreachable, on_unavailable, orientation (``upright`` or ``stored``, for images that
            EXIF turns), reference (``source`` or ``input``, for a codec that scales or crops); options (a mapping) for
            the codec; fingerprint, a text that changes whenever the model does; groups (images that belong together: a
            field of the targets, ``folder``, a factory, or a callable of target and id); decoders, a list of one, or of
            two that are compared: then the result is that of the second one, with its drop from the first, and
            `max_decoder_drop` its only limit.

    Returns:
        The cell's result; `verdict` is ``unjudged`` without a limit. A list of results, in
        their order, where `bpp` or `quality` is a list or both are stated. Each of their `doubts` is a `UserWarning`
        too.

    Raises:
        OptionError: unknown keyword, codec, task, metric or option. ModelError, DataError, CodecError,
        CodecUnavailable: what a gate would report as verdict ``error``, ``codec_error`` or ``unavailable``.
    """
    check_keywords(wanted, *RUN_KEYWORDS)
    asked = AskedByKeyword.of(bpp, quality)
    guard = guard_at_points("measure", asked, task=task, codec=codec, **wanted)
    earlier = _earlier(baseline, guard, wanted)
    check_device(device, "device")
    warn_of_shares(wanted)
    check_model(model, "model", task)  # before anything is coded for it
    with _own_run(device, workers or cores(), seed, cache) as own:
        settings = replace(own, baseline=earlier is not None)
        subject = subject_of(guard, model, data, resolve_device(device), settings)
        with single_blas_thread():
            measured = _measured(Bench(guard, subject, settings, earlier), guard)
        remember_run(settings, [each.result for each in measured])
    results = [raised_or_result(each) for each in measured]
    warn_of_doubts(results, wanted)
    return results[0] if asked.alone else results


def _earlier(baseline: Given | None, guard: Guard, wanted: Mapping[str, Any]) -> GivenBaseline | None:
    """Return the baseline of a call; raises `OptionError` where it fits no cell, or where a limit needs one."""
    if baseline is None:
        check_no_baseline(wanted)
        return None
    given = GivenBaseline.of(baseline)
    given.check(guard.task, guard.metric, [cell.label for cell in guard.cells])
    return given


@contextmanager
def _own_run(device: str, workers: int, seed: int, cache: str | Path | None) -> Iterator[RunSettings]:
    """Give the settings of a run whose folder, and whose store unless it has a `cache`, are deleted at its end."""
    folder = Path(tempfile.mkdtemp(prefix="compress-guard-"))
    try:
        yield RunSettings(
            folder, Path(cache) if cache is not None else folder, device=device, workers=workers, seed=seed
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _measured(bench: Bench, guard: Guard) -> list[Measured]:
    """Measure the cells of a guard in their order, no more of them once one has a problem."""
    measured: list[Measured] = []
    for cell in guard.cells:
        measured.append(bench.measure(cell, cell.name, last=cell is guard.cells[-1]))
        if measured[-1].problem is not None:
            break
    return measured


def raised_or_result(measured: Measured) -> CellResult:
    """Return the result, or raise the problem: a caller who asks for one number does not look for a verdict `error`."""
    if measured.problem is not None:
        raise measured.problem
    return measured.result
