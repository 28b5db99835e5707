"""Tables of a report: rates and settings, slices, decoders, groups, traffic, throughput, recovery, versions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from compress_guard.records import CellResult, RecoveryResult, ThroughputResult, TrafficResult, phrased
from compress_guard.records.points import format_setting
from compress_guard.report import numbers
from compress_guard.report.blocks.cell_texts import between
from compress_guard.report.groups import cell
from compress_guard.report.html.marks import mark, tone
from compress_guard.report.recovery import shown, trained_on
from compress_guard.report.traffic.drop import traffic_line


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row: texts of its columns, the first of which is its head, and its look."""

    texts: tuple[str, ...]
    tone: str = "plain"


@dataclass(frozen=True, slots=True)
class DataTable:
    """A table with a title and the heads of its columns."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[TableRow, ...]


def guard_tables(
    results: Sequence[CellResult],
    throughput: Sequence[ThroughputResult],
    recovery: Sequence[RecoveryResult],
    traffic: Sequence[TrafficResult],
) -> Iterator[DataTable]:
    """Yield the tables of one guard that have rows."""
    made = (
        DataTable("Rates and settings", _RATES, tuple(map(_rate_row, results))),
        DataTable("Against the baseline", _RELEASES, tuple(row for result in results for row in _release_rows(result))),
        DataTable("Slices", _SLICES, tuple(row for result in results for row in _slice_rows(result))),
        DataTable("Groups", _GROUPS, tuple(_group_row(each) for each in results if each.groups is not None)),
        DataTable("Throughput", _SPEEDS, tuple(map(_speed_row, throughput))),
        DataTable("Recovery by finetuning", _STUDIES, tuple(row for result in recovery for row in _study_rows(result))),
        DataTable("Decoders", _DECODERS, tuple(row for result in results for row in _decoder_rows(result))),
        DataTable("Traffic", ("Drop over the traffic",), tuple(TableRow((_traffic(each),)) for each in traffic)),
    )
    yield from (table for table in made if table.rows)


def environment_table(environment: Mapping[str, object]) -> DataTable:
    """Return the versions and settings of a run."""
    rows = []
    for name, value in environment.items():
        if isinstance(value, Mapping):
            rows += [TableRow((str(key), _value(item))) for key, item in value.items()]
        else:
            rows.append(TableRow((name, _value(value))))
    return DataTable("Versions and settings of the run", ("Name", "Value"), tuple(rows))


def _value(value: object) -> str:
    return "none" if value is None else str(value)


_RATES = ("Cell", "bpp", "± SE", "Settings (images)", "Off target", "Codec", "Coded on", "Verdict")


def _rate_row(result: CellResult) -> TableRow:
    settings = ", ".join(f"{format_setting(setting)} ({count})" for setting, count in result.settings)
    if result.steps:
        settings = ", ".join(f"{step} {numbers.bpp(bpp)} bpp" for step, bpp in result.steps)
    return TableRow(
        (
            cell(result),
            _optional(result.bpp_mean, numbers.bpp),
            _optional(result.bpp_se, numbers.bpp),
            settings,
            _optional(result.off_target, str),
            result.codec_version or "",
            result.codec_device or "",
            mark(result),
        ),
        tone(result),
    )


_RELEASES = (
    "Cell",
    "Score before",
    "Score now",
    "Fall",
    "Interval",
    "Allowed",
    "Change of the drop",
    "Images",
    "Remark",
)


def _release_rows(result: CellResult) -> Iterator[TableRow]:
    """Yield what a cell says about an earlier run, if it was compared with one or should have been."""
    if result.baseline_score is None and result.baseline_remark is None:
        return
    fell = result.regression_low is not None and result.regression_low > (result.max_regression or 0.0)
    change = _optional(result.drop_change, numbers.signed)
    if interval := between(result.drop_change_low, result.drop_change_high):
        change += f" ({interval})"
    yield TableRow(
        (
            cell(result),
            _optional(result.baseline_score, numbers.points),
            _optional(result.score, numbers.points),
            _optional(result.regression, numbers.points),
            between(result.regression_low, result.regression_high),
            _optional(result.max_regression, numbers.limit),
            change,
            _optional(result.baseline_images, str),
            result.baseline_remark or "",
        ),
        "bad" if fell else "plain",
    )


_SLICES = ("Cell", "Slice", "Images", "Clean", "Compressed", "Drop", "Interval", "Allowed", "Verdict")


def _slice_rows(result: CellResult) -> Iterator[TableRow]:
    for part in result.slices:
        yield TableRow(
            (
                cell(result),
                f"{part.slicing}={part.value}",
                str(part.images),
                _optional(part.clean_score, numbers.points),
                _optional(part.score, numbers.points),
                _optional(part.drop, numbers.points),
                between(part.drop_low, part.drop_high),
                _optional(part.max_drop, numbers.limit),
                {"fail": "FAIL", "pass": "held", "unjudged": "no limit"}.get(part.verdict, part.verdict),
            ),
            {"fail": "bad", "pass": "good"}.get(part.verdict, "plain"),
        )


_GROUPS = ("Cell", "Groups", "Images", "Images that count", "Groups needed")


def _group_row(result: CellResult) -> TableRow:
    return TableRow(
        (
            cell(result),
            _optional(result.groups, str),
            _optional(result.images_used, str),
            "" if result.design_effect is None else f"one in {result.design_effect:.2g}",
            _optional(result.groups_needed, str),
        )
    )


_DECODERS = ("Cell", "Decoder", "Compared with", "Score", "Drop between them", "Interval", "Largest difference")


def _decoder_rows(result: CellResult) -> Iterator[TableRow]:
    if result.decoder is not None:
        largest = result.decoder_difference_max
        yield TableRow(
            (
                cell(result),
                result.decoder_version or result.decoder,
                result.first_decoder or "",
                _optional(result.score, numbers.points),
                _optional(result.decoder_drop, numbers.points),
                between(result.decoder_drop_low, result.decoder_drop_high),
                "" if largest is None else f"{largest} levels",
            ),
            tone(result),
        )
    if result.swap_decoder is not None:
        score = _optional(result.swap_score, numbers.points)
        yield TableRow((cell(result), result.swap_decoder, "the codec's own", score, "", "", ""))


_SPEEDS = ("Codec", "Work", "MP/s", "Interval", "Times the reference", "Interval", "Peak MB", "Device", "Verdict")
_WORKS: Mapping[str, str] = {"encode": "encode", "decode": "decode", "round_trip": "round trip"}


def _speed_row(result: ThroughputResult) -> TableRow:
    return TableRow(
        (
            phrased(result.codec, result.point),
            _WORKS[result.work],
            _optional(result.speed, _three_digits),
            _span(result.speed_low, result.speed_high),
            _optional(result.ratio, _three_digits),
            _span(result.ratio_low, result.ratio_high),
            _optional(result.peak_memory, numbers.points),
            result.codec_device or result.device or "",
            mark(result),
        ),
        tone(result),
    )


_STUDIES = ("Finetuned on", "Tested on", "Clean", "Compressed", "Control", "Finetuned", "Recovered", "Verdict")


def _study_rows(result: RecoveryResult) -> Iterator[TableRow]:
    look, word = tone(result), mark(result)
    if not result.points:
        yield TableRow((trained_on(result), result.reason, "", "", "", "", "", word), look)
    for point in result.points:
        yield TableRow(
            (
                trained_on(result),
                phrased(point.codec, point.point),
                _optional(result.clean, numbers.points),
                numbers.points(point.compressed),
                numbers.points(point.control),
                numbers.points(point.finetuned),
                shown(point.recovered),
                word if point in result.own() else "",
            ),
            look if point in result.own() else "plain",
        )


def _traffic(result: TrafficResult) -> str:
    """Return the sentence on a drop over traffic, as the terminal has it, without its name."""
    return "".join(text for text, _ in traffic_line(result)).strip().removeprefix("traffic: ")


def _three_digits(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def _span(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{_three_digits(low)} to {_three_digits(high)}"


def _optional(value: float | None, text: Callable[[float], str]) -> str:
    return "" if value is None else text(value)
