"""Recovery studies as text: for each guard the shares that came back, their cost, the transfer and the rest."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from compress_guard.records import MIXED, OperatingPoint, format_trained, phrased
from compress_guard.report import numbers
from compress_guard.report.blocks.columns import groups
from compress_guard.report.blocks.wrapping import wrapped
from compress_guard.report.brief import failures
from compress_guard.report.markup import GAP, Line, Span, aligned, trimmed
from compress_guard.report.signs import Signs, style
from compress_guard.report.tally import tally

if TYPE_CHECKING:
    from compress_guard.records import RecoveryPoint, RecoveryResult, Share

_HEADS: Final = (
    *("clean", "compressed", "control", "finetuned", "seeds", "recovered", "against control", "clean after", ""),
)
_LEGEND: Final = (
    "recovered = (finetuned - compressed) / (clean - compressed); control: finetuned on clean images; scores in points"
)
_ABSENT: Final = "-"

_Place = tuple[str, OperatingPoint]
"""A codec and the operating point that models were tested at."""

_Row = tuple[str, tuple[str, ...], tuple[str, ...]]
"""A label, and the texts and styles of its cells."""


def recovery_lines(
    results: Sequence[RecoveryResult],
    encoding: str | None = "utf-8",
    shown: Container[str] = (),
    width: int | None = None,
) -> Iterator[Line]:
    """Yield the report on these results, guards and codecs in their order, with signs that the `encoding` has.

    Failures with ids in `shown` are in brief: their reasons were written above. Lines are broken at
    `width`; None: never.
    """
    if not results:
        return
    signs = Signs.of(encoding)
    yield from wrapped(signs.legend(_LEGEND, results), width)
    for guard in dict.fromkeys(result.guard for result in results):
        of_guard = [result for result in results if result.guard == guard]
        yield ()
        yield from wrapped(_title(of_guard), width)
        yield from _table(_HEADS, [row for result in of_guard for row in _rows(result, signs)], width)
        yield from transfer(of_guard, width)
    remarks = [*failures(results, shown, ("recovery study", "recovery studies")), *_notes(results)]
    if remarks:
        yield ()
        for remark in remarks:
            yield from wrapped(remark, width)
    yield ()
    yield from wrapped(((f"recovery: {tally(results)}", "bold"),), width)


def transfer(results: Sequence[RecoveryResult], width: int | None = None) -> Iterator[Line]:
    """Yield one guard's scores: down what a model was finetuned on, across what it was tested at.

    There is no table for one model tested at one place. Places that a model was trained for are bold.
    """
    measured = [result for result in results if result.points]
    points = list(dict.fromkeys(_place(point) for result in measured for point in result.points))
    if len(points) < 2 and len(measured) < 2:
        return
    first = measured[0]
    tested = {_place(point): point for result in measured for point in result.points}
    rows = [
        _scores("original", first.clean, {place: point.compressed for place, point in tested.items()}, points),
        _scores("clean images", first.control_clean, {place: point.control for place, point in tested.items()}, points),
    ]
    for result in measured:
        scores = {_place(point): point.finetuned for point in result.points}
        own = {_place(point) for point in result.own()}
        rows.append(_scores(trained_on(result), result.finetuned_clean, scores, points, own))
    yield ()
    yield from wrapped(((f"{GAP}score of the model finetuned on (down), tested on (across)", ""),), width)
    yield from _table(("clean", *(f"{codec} {point.label}" for codec, point in points)), rows, width)


def trained_on(result: RecoveryResult) -> str:
    """Return the codec and point that a model was finetuned at: ``jpeg 0.25bpp``, ``jpeg q75``, ``jpeg mixed``."""
    return f"{result.codec} {format_trained(result.trained_point)}"


def shown(share: Share) -> str:
    """Return ``82 % (75 to 90)``, ``82 % (at least 75)`` for an interval with one end, ``-`` without a share."""
    if share.value is None:
        return _ABSENT
    low, high = (None if end is None else _percent(end) for end in (share.low, share.high))
    if low is not None and high is not None:
        interval = f" ({low} to {high})"
    elif low is not None:
        interval = f" (at least {low})"
    else:
        interval = "" if high is None else f" (at most {high})"
    return f"{_percent(share.value)} %{interval}"


def _percent(share: float) -> str:
    return f"{round(100 * share) + 0:d}"


def _title(results: Sequence[RecoveryResult]) -> Line:
    measured = [result for result in results if result.clean is not None]
    if not measured:
        return ((results[0].guard, "bold"),)
    first = measured[0]
    text = f": {first.metric} {numbers.points(first.clean or 0.0)} on {numbers.count(first.images or 0, 'clean image')}"
    if first.steps is not None:
        seeds = "seed" if len(first.seeds) == 1 else "seeds"
        text += (
            f"; finetuned {numbers.count(first.steps, 'step')} of {numbers.count(first.batch or 0, 'image')}, {seeds} "
        )
        text += ", ".join(map(str, first.seeds))
    return ((first.guard, "bold"), (text, ""))


def _rows(result: RecoveryResult, signs: Signs) -> Iterator[_Row]:
    """Yield a row for each point that a model was trained for, or one row with the verdict if nothing was measured."""
    marks = (signs.mark(result), style(result))
    if not result.own():
        texts = (*[_ABSENT] * 5, result.verdict.replace("_", " "), _ABSENT, _ABSENT, marks[0])
        yield trained_on(result), texts, (*["light"] * 5, marks[1], "light", "light", marks[1])
    for number, point in enumerate(result.own()):
        label = trained_on(result) + (f", at {point.point.label}" if result.trained_bpp == MIXED else "")
        texts = (
            _points(result.clean),
            numbers.points(point.compressed),
            numbers.points(point.control),
            numbers.points(point.finetuned),
            numbers.spread(point.finetuned_seeds) if len(point.finetuned_seeds) > 1 else "",
            shown(point.recovered),
            shown(point.beyond_control),
            _points(result.finetuned_clean),
            marks[0] if number == 0 else "",
        )
        yield label, texts, ("", "", "", "", "light", marks[1], "", "", marks[1])


def _scores(
    label: str,
    clean: float | None,
    scores: dict[_Place, float],
    points: Sequence[_Place],
    own: frozenset[_Place] | set[_Place] = frozenset(),
) -> _Row:
    texts = (_points(clean), *(_points(scores.get(point)) for point in points))
    return label, texts, ("light", *("bold" if point in own else "" for point in points))


def _points(value: float | None) -> str:
    return _ABSENT if value is None else numbers.points(value)


def _table(heads: Sequence[str], rows: Sequence[_Row], room: int | None) -> Iterator[Line]:
    """Yield a table: labels at the left, texts at the right edge of their columns; empty columns are left out."""
    columns = [at for at in range(len(heads)) if any(texts[at] for _, texts, _ in rows)]
    widths = {at: max(len(heads[at]), *(len(texts[at]) for _, texts, _ in rows)) for at in columns}
    width = max(len(label) for label, _, _ in rows)
    looks = ("bold",) * len(heads)
    for group in groups(len(GAP) + width, [len(GAP) + widths[at] for at in columns], room):
        for label, texts, styles in [("", tuple(heads), looks), *rows]:
            line: list[Span] = [(f"{GAP}{label:<{width}}", "")]
            for at in (columns[number] for number in group):
                line += aligned(texts[at], "", styles[at], (widths[at], 0))
            yield trimmed(line)


def _notes(results: Sequence[RecoveryResult]) -> Iterator[Line]:
    """Yield what was not measured and does not fail, missing shares, images left out, and points that stayed lost."""
    missing = [result for result in results if not result.points and result.outcome != "failed"]
    for text in dict.fromkeys(f"{result.guard}: {trained_on(result)}: {result.reason}" for result in missing):
        yield ((text, "yellow"),)
    for text in dict.fromkeys(text for result in results for text in _no_share(result)):
        yield ((text, "yellow"),)
    for text in dict.fromkeys(text for result in results for text in _left_out(result)):
        yield ((text, "yellow"),)
    for guard in dict.fromkeys(result.guard for result in results):
        yield from _lost([result for result in results if result.guard == guard])


def _no_share(result: RecoveryResult) -> Iterator[str]:
    for point in result.own():
        where = f"{result.guard}: {phrased(point.codec, point.point)}"
        for share, name in ((point.recovered, "recovered"), (point.beyond_control, "recovered against the control")):
            if share.value is None:
                yield f"{where}: no share {name}: {share.reason}"


def _left_out(result: RecoveryResult) -> Iterator[str]:
    """Yield the chosen training images that were left out."""
    tested, errors = result.train_tested or 0, result.train_errors or 0
    chosen = numbers.count((result.train_images or 0) + tested + errors, "training image")
    if tested:
        yield f"{result.guard}: {tested} of {chosen} left out of training, since the models are tested on them"
    if errors:
        yield f"{result.guard}: {errors} of {chosen} left out of training, since they cannot be read"


def _lost(results: Sequence[RecoveryResult]) -> Iterator[Line]:
    """Yield the points that no model of a guard brought back."""
    least: dict[_Place, tuple[float, float]] = {}
    for result in results:
        for point in result.own() if result.clean is not None else ():
            clean = result.clean or 0.0
            lost = point.lost(clean)
            known, _ = least.get(_place(point), (lost, 0.0))
            least[_place(point)] = (min(lost, known), clean - point.compressed)
    losses = [
        f"{numbers.points(lost)} of {numbers.points(drop)} points for {phrased(codec, point)}"
        for (codec, point), (lost, drop) in least.items()
    ]
    if losses:
        bound = "an upper bound of the information that is lost, since more training may bring back more"
        yield ((f"{results[0].guard}: did not come back: {', '.join(losses)}; {bound}", "light"),)


def _place(point: RecoveryPoint) -> _Place:
    return point.codec, point.point
