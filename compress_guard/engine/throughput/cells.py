"""Throughput cells of a thresholds file, or of loose images, ready to run.

The reference always works on the CPU, so that the ratio of a CPU codec means the same on machines with and without a
GPU.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final, final

from compress_guard.engine.keyword_guard import one_cell_guard
from compress_guard.engine.progress import SILENT, SILENT_COUNT, CountProgress, Progress
from compress_guard.engine.session import FixtureLookup, Session
from compress_guard.engine.settings import RunSettings, check_device, cores, resolve_device
from compress_guard.engine.throughput.comparison import Contest
from compress_guard.engine.throughput.result_draft import Terms, TimedCell
from compress_guard.engine.throughput.timed_codec import AtPoint, Entrant, Field, TimingSettings
from compress_guard.engine.trouble import attempted
from compress_guard.errors import Fault, OptionError, RunError, error_text
from compress_guard.records import (
    CodecSpec,
    Guard,
    OperatingPoint,
    Scalar,
    SpeedLimits,
    Throughput,
    ThroughputCell,
    Work,
)
from compress_guard.registry import CODECS, codec_named, unknown
from compress_guard.thresholds.keywords import DEFAULT_BPP, RateByDefault

__all__ = ["FEWEST_ROUNDS", "SILENT", "Clocks", "Contest", "contest_of"]

FEWEST_ROUNDS: Final = 3
WORKS: Final[tuple[Work, ...]] = ("encode", "decode", "round_trip")
GUARD_KEYWORDS: Final = ("confidence", "max_error_share", "on_inconclusive", "on_unreachable", "on_unavailable")


@final
class Clocks:
    """The throughput cells of a thresholds file in one process.

    Work that the cells of a guard share is done once, and its results are dropped with the next guard.
    """

    def __init__(self, session: Session) -> None:
        self._session: Final = session
        self._field: tuple[Guard, Throughput, Field] | None = None

    def contest(
        self,
        timed: TimedCell,
        node_id: str,
        fixtures: FixtureLookup,
        progress: Progress = SILENT,
    ) -> Contest:
        """Return a cell ready to run. Faults of the cell do not raise: see `Contest.problem`."""
        device = self._session.device
        terms = Terms.of(timed, node_id, self._session.settings, device)
        images = partial(self._images, timed.guard, timed.throughput, fixtures)
        return _prepared(terms, images, device, partial(progress, f"coding {timed.guard.name}"))

    def _images(self, guard: Guard, throughput: Throughput, fixtures: FixtureLookup) -> Field:
        if self._field is None or self._field[:2] != (guard, throughput):
            self._field = None
            data = self._session.data(guard.data, fixtures)
            self._field = guard, throughput, _field_of(guard, throughput, data, self._session.settings)
        return self._field[2]


def contest_of(  # noqa: PLR0913 -- public, keyword-only but for the images
    images: Sequence[Any],
    *,
    codec: str = "jpeg",
    bpp: float | None = DEFAULT_BPP,
    quality: float | None = None,
    work: Work = "round_trip",
    reference: str = "jpeg",
    options: Mapping[str, Scalar] | None = None,
    rounds: int = 10,
    min_ratio: float | None = None,
    max_growth: float | None = None,
    device: str = "auto",
    workers: int | None = None,
    seed: int = 0,
    cache: str | Path | None = None,
    strict: bool = False,
    name: str = "throughput",
    node_id: str = "",
    **wanted: Any,
) -> Contest:
    """Return a throughput cell of loose images, ready to run: ``contest_of(photos, codec="avif", bpp=0.5).run()``.

    Args:
        images: uint8 RGB tensors (3, H, W) or PIL images, of any sizes; all are coded in one call.
        codec, bpp: The codec, and the target of the images' mean rate in bits per pixel. options: Options of the codec.
        quality: A setting on the codec's own scale, in place of `bpp`; the reference is brought to the rate it gives.
        work: The timed work: ``encode``, ``decode`` or ``round_trip``.
        reference: The codec for comparison, at the same rate on the CPU.
        rounds: Timed passes of the codec.
        min_ratio: Smallest allowed ratio of the speed to the reference's. max_growth: Megabytes by which memory may
            grow from the first round to the last.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``. workers: CPU threads of a codec, by default all cores.
        seed: Seed of mixes. cache: A folder that keeps the bitstreams.
        strict: True lets cells fail that would be skipped. name, node_id: Names of the guard and the test in the
            result.
        wanted: Keys of thresholds.yaml: confidence, max_error_share, on_inconclusive, on_unreachable, on_unavailable.

    Raises:
        OptionError: unknown keyword, codec, option or work, or a number out of range. UsageError: no such device.
    """
    _check_keywords(wanted)
    bpp = _rate_beside(bpp, quality)
    guard = one_cell_guard(
        name, task="classification", codec=codec, bpp=bpp, quality=quality, options=options, **wanted
    )
    spec, compared = guard.cells[0].codec, replace(codec_named(reference), folder=str(Path.cwd()))
    _check_words(images, work, spec, compared, min_ratio)
    _check_numbers(rounds, workers, min_ratio, max_growth)
    check_device(device, "device")
    cell = ThroughputCell(name, spec, guard.cells[0].point, work, SpeedLimits(min_ratio), 0)
    throughput = Throughput(compared, len(images), rounds, None, max_growth, (cell,))
    with tempfile.TemporaryDirectory(prefix="compress-guard-") as folder:
        settings = RunSettings(
            run_folder=Path(folder),
            store_folder=Path(folder) if cache is None else Path(cache),
            device=device,
            workers=workers or cores(),
            seed=seed,
            strict=strict,
        )
        where = resolve_device(device)
        terms = Terms.of(TimedCell(guard, throughput, cell), node_id or cell.name, settings, where)
        made = partial(_field_of, guard, throughput, [(image, None) for image in images], settings)
        return _prepared(terms, made, where, SILENT_COUNT)


def _check_keywords(wanted: Iterable[str]) -> None:
    for key in wanted:
        if key not in GUARD_KEYWORDS:
            raise OptionError(unknown("keyword", key, GUARD_KEYWORDS))


def _rate_beside(bpp: float | None, quality: float | None) -> float | None:
    """Return the target rate of a call, None beside a quality; raise `OptionError` where it states both."""
    if quality is None:
        return bpp
    if bpp is not None and not isinstance(bpp, RateByDefault):
        raise OptionError(f"bpp is {bpp!r} and quality is {quality!r}; a call times one of them")
    return None


def _field_of(guard: Guard, throughput: Throughput, data: Any, settings: RunSettings) -> Field:
    """Return the images of the cells of a throughput section; raises `DataError`."""
    asked = throughput.images if settings.limit is None else min(throughput.images, settings.limit)

    def points(spec: CodecSpec) -> tuple[OperatingPoint, ...]:
        own = dict.fromkeys(cell.point for cell in throughput.cells if cell.codec == spec)
        # The reference is timed at the rates of the others; where these have a quality, at the rate that it gives.
        lent = (cell.point for cell in throughput.cells if spec == throughput.reference and cell.bpp is not None)
        return tuple(own | dict.fromkeys(lent))

    return Field(guard, data, points, settings.store(), TimingSettings(asked, settings.workers, settings.seed))


def _prepared(terms: Terms, images: Callable[[], Field], device: str, progress: CountProgress) -> Contest:
    """Return the contest of a cell, its images coded; raises `OptionError` for a codec that makes no sense."""
    cell, reference = terms.timed.cell, terms.timed.throughput.reference

    def planned() -> tuple[Field, AtPoint]:
        field = images()
        codec = AtPoint(field.codec(cell.codec, device, progress), cell.point)
        codec.settings()
        return field, codec

    def compared_with(field: Field, codec: AtPoint) -> AtPoint:
        rate = codec.rate()
        known = rate if cell.bpp is None else None
        other = AtPoint(field.codec(reference, "cpu", progress, known), rate)
        other.settings()
        return other

    def entrants(field: Field, codec: AtPoint, beside: AtPoint | None) -> tuple[Entrant, Entrant | None]:
        entrant = field.entrant(codec, cell.work, beside)
        return entrant, None if beside is None else field.entrant(beside, cell.work, codec)

    made = attempted(planned, OptionError)
    if isinstance(made, RunError):
        return Contest.given_up(terms, made)
    field, codec = made
    beside: AtPoint | None = None
    remark = ""
    if not (terms.is_reference and codec.planned.coder.codec.device == "cpu"):
        compared = attempted(partial(compared_with, field, codec), OptionError)
        if not isinstance(compared, RunError):
            beside = compared
        elif cell.limits.min_ratio is not None or isinstance(compared, Fault):
            return Contest.given_up(terms, compared, reference.alias)
        else:
            remark = f"; not compared with {reference.alias}: {error_text(compared)}"
    timed = attempted(partial(entrants, field, codec, beside))
    if isinstance(timed, RunError):
        return Contest.given_up(terms, timed)
    return Contest(terms, *timed, remark=remark)


def _check_words(
    images: Sequence[Any], work: str, codec: CodecSpec, reference: CodecSpec, min_ratio: float | None
) -> None:
    if not len(images):
        raise OptionError("there is no image; give a list of uint8 RGB tensors (3, H, W) or PIL images")
    if work not in WORKS:
        raise OptionError(unknown("work", str(work), WORKS))
    if reference.type not in CODECS:
        raise OptionError(f"the reference: {CODECS.unknown(reference.type)}")
    if min_ratio is not None and codec == reference:
        raise OptionError(f"min_ratio compares {codec.alias} with itself; name another reference, or drop min_ratio")


def _check_numbers(rounds: int, workers: int | None, min_ratio: float | None, max_growth: float | None) -> None:
    if type(rounds) is not int or rounds < FEWEST_ROUNDS:
        raise OptionError(f"rounds is {rounds!r}; expected a whole number of at least {FEWEST_ROUNDS}")
    if workers is not None and (type(workers) is not int or workers < 1):
        raise OptionError(f"workers is {workers!r}; expected a whole number of at least 1, or None for all cores")
    if min_ratio is not None and (isinstance(min_ratio, bool) or not min_ratio > 0):
        raise OptionError(
            f"min_ratio is {min_ratio!r}; expected a number above 0, such as 0.1 of the reference's speed"
        )
    if max_growth is not None and (isinstance(max_growth, bool) or not max_growth >= 0):
        raise OptionError(f"max_growth is {max_growth!r}; expected megabytes, 0 or more")
