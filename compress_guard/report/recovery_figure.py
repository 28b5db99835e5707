"""Score against bits per pixel, before and after finetuning, as an SVG file with a panel for each guard."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape

from compress_guard.foreign import shown
from compress_guard.records import MIXED

if TYPE_CHECKING:
    from compress_guard.records import OperatingPoint, RecoveryPoint, RecoveryResult

# Okabe and Ito's colours: they differ for all kinds of colour vision, on white and on black.
_COLOURS: Final = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9")
_KNOWN: Final = {"avif": 0, "jpeg": 1, "webp": 2, "neural": 3}
_STYLE: Final = """
svg{background:#fff;color:#222;font:11px "DejaVu Sans",Arial,sans-serif}
.ground{fill:#fff}.grid{stroke:#ddd}text{fill:#222}.frame{stroke:#888}.clean{stroke:#777}
@media (prefers-color-scheme:dark){
svg{background:#0d1117;color:#ddd}
.ground{fill:#0d1117}.grid{stroke:#2a313a}text{fill:#ddd}.frame{stroke:#777}.clean{stroke:#999}
}
line,path{fill:none}
.before{stroke-width:1.6;stroke-dasharray:5 3}.after{stroke-width:2.2}
.mixed{stroke-width:1.8;stroke-dasharray:1.5 3;stroke-linecap:round}
.control{stroke-width:.9}.seeds{stroke-width:1}.clean{stroke-width:1.2}
.title{font-weight:bold}.middle{text-anchor:middle}.end{text-anchor:end}
"""
_LINES: Final = (
    ("after", "finetuned at the rate"),
    ("mixed", "finetuned on all rates"),
    ("control", "finetuned on clean images"),
    ("before", "original"),
    ("clean", "original, clean images"),
)
"""Class of each line, and its text in the legend."""
_ACROSS: Final = 3
_WIDTH, _HEIGHT = 300, 240
"""Size of a panel with its axes, in pixels."""
_LEFT, _TOP, _RIGHT, _BOTTOM = 46, 30, 12, 42
_ROW, _SAMPLE, _LETTER = 18, 42, 6.3
"""Sizes in the legend, in pixels: height of a row, width of a sample with its gaps, and of a letter."""

Series = list[tuple[float, "RecoveryPoint"]]
"""Measured rates with their points, rates ascending."""


@dataclass(frozen=True, slots=True)
class _Panel:
    """One guard's lines by codec: of models trained at their rate, of those trained on mixed ones, and of all tests."""

    title: str
    clean: float
    after: dict[str, Series]
    mixed: dict[str, Series]
    tested: dict[str, Series]

    @classmethod
    def of(cls, results: Sequence[RecoveryResult]) -> _Panel | None:
        """Return the panel of one guard, None if nothing was measured."""
        measured = [result for result in results if result.clean is not None and result.points]
        if not measured:
            return None
        first = measured[0]
        after, mixed, tested = (
            _by_codec(point for result in measured if choice(result) for point in of(result))
            for choice, of in (
                (lambda result: result.trained_bpp != MIXED, _own),
                (lambda result: result.trained_bpp == MIXED, _own),
                (lambda _: True, lambda result: result.points),
            )
        )
        images = "" if first.images is None else f", {first.images} images"
        title = f"{first.guard}: {first.metric}{images}"
        return cls(title, first.clean or 0.0, after, mixed, tested)

    @property
    def scores(self) -> Iterator[float]:
        """Scores that the axis must have room for."""
        yield self.clean
        for series in self.tested.values():
            yield from (score for _, point in series for score in (point.compressed, point.control))
        for series in (*self.after.values(), *self.mixed.values()):
            yield from (score for _, point in series for score in (point.finetuned, *point.finetuned_seeds))


def recovery_figure(results: Sequence[RecoveryResult]) -> str:
    """Return the figure of these results as an SVG document that is legible on light and dark grounds.

    There is one panel for each guard, three side by side. Rates are the measured ones, on a logarithmic axis; bars are
    the spread over seeds. Raises ValueError if nothing was measured.
    """
    guards = dict.fromkeys(result.guard for result in results)
    made = (_Panel.of([result for result in results if result.guard == guard]) for guard in guards)
    panels = [panel for panel in made if panel is not None]
    if not panels:
        raise ValueError("there is nothing to draw: no recovery study has a score")
    codecs = list(dict.fromkeys(codec for panel in panels for codec in panel.tested))
    colours = _colours(codecs)
    across = min(_ACROSS, len(panels))
    width = max(across * _WIDTH, 2 * _WIDTH)
    legend, legend_height = _legend(panels, colours, width)
    panels_height = -(-len(panels) // across) * _HEIGHT
    height = panels_height + legend_height
    body = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {width} {height}" width="{width}">',
        "<title>Score against bits per pixel, before and after finetuning on compressed images</title>",
        f"<style>{_STYLE}</style>",
        f'<rect class="ground" width="{width}" height="{height}"/>',
    ]
    for number, panel in enumerate(panels):
        row, column = divmod(number, across)
        body.append(f'<g transform="translate({column * _WIDTH} {row * _HEIGHT})">')
        body += [*_drawn(panel, colours, first=column == 0), "</g>"]
    body += [f'<g transform="translate(0 {panels_height})">', *legend, "</g>", "</svg>"]
    return "\n".join(body) + "\n"


def _own(result: RecoveryResult) -> Sequence[RecoveryPoint]:
    return result.own()


def _by_codec(points: Iterator[RecoveryPoint]) -> dict[str, Series]:
    """Return the first point of each codec and rate, with its measured rate, ascending."""
    first: dict[str, dict[OperatingPoint, RecoveryPoint]] = {}
    for point in points:
        first.setdefault(point.codec, {}).setdefault(point.point, point)
    return {
        codec: sorted(((_rate(point), point) for point in of.values()), key=lambda placed: placed[0])
        for codec, of in first.items()
    }


def _rate(point: RecoveryPoint) -> float:
    """Return the place of a point on the axis: its measured rate, or its target where none was measured."""
    return point.bpp_mean or point.bpp or 1.0


def _colours(codecs: Sequence[str]) -> dict[str, str]:
    """Return the colour of each codec: known codecs have the same in every figure, others share the rest in turn."""
    taken = {_KNOWN[codec] for codec in codecs if codec in _KNOWN}
    spare = [at for at in range(len(_COLOURS)) if at not in taken] or list(range(len(_COLOURS)))
    others = [codec for codec in codecs if codec not in _KNOWN]
    places = _KNOWN | {codec: spare[number % len(spare)] for number, codec in enumerate(others)}
    return {codec: _COLOURS[places[codec]] for codec in codecs}


def _drawn(panel: _Panel, colours: dict[str, str], *, first: bool) -> Iterator[str]:
    """Yield one panel, its upper left corner at the origin."""
    rates = sorted({rate for series in panel.tested.values() for rate, _ in series})
    low, high, step = _range(list(panel.scores))
    left, right = math.log(rates[0] / 1.3), math.log(rates[-1] * 1.3)
    inner_width, inner_height = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM

    def x(rate: float) -> float:
        return _LEFT + inner_width * (math.log(rate) - left) / (right - left)

    def y(score: float) -> float:
        return _TOP + inner_height * (high - score) / (high - low)

    foot, end = _TOP + inner_height, _WIDTH - _RIGHT
    yield f'<text class="title middle" x="{_LEFT + inner_width / 2:.1f}" y="18">{escape(shown(panel.title))}</text>'
    for count in range(round((high - low) / step) + 1):
        score = low + count * step
        yield f'<line class="grid" x1="{_LEFT}" x2="{end}" y1="{y(score):.1f}" y2="{y(score):.1f}"/>'
        yield f'<text class="end" x="{_LEFT - 6}" y="{y(score) + 4:.1f}">{score:g}</text>'
    yield f'<path class="frame" d="M{_LEFT} {_TOP}V{foot}H{end}"/>'
    points = [point for series in panel.tested.values() for _, point in series]
    # A quality has no rate of its own: where nothing else was tested, the axis shows the measured rates.
    targets = {point.bpp for point in points if point.bpp is not None}
    nominal = sorted(targets or {float(f"{_rate(point):.2g}") for point in points})
    for rate in nominal:
        yield f'<line class="frame" x1="{x(rate):.1f}" x2="{x(rate):.1f}" y1="{foot}" y2="{foot + 4}"/>'
        yield f'<text class="middle" x="{x(rate):.1f}" y="{foot + 16}">{rate:g}</text>'
    yield f'<text class="middle" x="{_LEFT + inner_width / 2:.1f}" y="{foot + 32}">bits per pixel</text>'
    if first:
        middle = _TOP + inner_height / 2
        yield f'<text class="middle" transform="translate(13 {middle:.1f}) rotate(-90)">score (points)</text>'
    yield f'<line class="clean" x1="{_LEFT}" x2="{end}" y1="{y(panel.clean):.1f}" y2="{y(panel.clean):.1f}"/>'
    for codec, colour in colours.items():
        yield f'<g stroke="{colour}" fill="{colour}">'
        yield from _curves(panel, codec, x, y)
        yield "</g>"


def _curves(panel: _Panel, codec: str, x: Callable[[float], float], y: Callable[[float], float]) -> Iterator[str]:
    """Yield the lines of one codec, with a mark at every rate and bars for the seeds."""
    kinds: tuple[tuple[str, Series, Callable[[RecoveryPoint], float]], ...] = (
        ("control", panel.tested.get(codec, []), lambda point: point.control),
        ("before", panel.tested.get(codec, []), lambda point: point.compressed),
        ("mixed", panel.mixed.get(codec, []), lambda point: point.finetuned),
        ("after", panel.after.get(codec, []), lambda point: point.finetuned),
    )
    for kind, series, score in kinds:
        places = [(x(rate), y(score(point))) for rate, point in series]
        if len(places) > 1:
            yield f'<path class="{kind}" d="M{"L".join(f"{across:.1f} {down:.1f}" for across, down in places)}"/>'
        for across, down in places if kind != "control" else [(across - 3, down) for across, down in places]:
            yield _mark(kind, across, down)
        if kind in ("after", "mixed"):
            for (across, _), (_, point) in zip(places, series, strict=True):
                if len(point.finetuned_seeds) > 1:
                    ends = [f"{y(end):.1f}" for end in (min(point.finetuned_seeds), max(point.finetuned_seeds))]
                    yield f'<line class="seeds" x1="{across:.1f}" x2="{across:.1f}" y1="{ends[0]}" y2="{ends[1]}"/>'


def _mark(kind: str, across: float, down: float) -> str:
    """Return the mark of a line: a disc after, a ring before, a square for mixed rates, a dash for the control."""
    if kind == "control":
        return f'<line class="control" x1="{across:.1f}" x2="{across + 6:.1f}" y1="{down:.1f}" y2="{down:.1f}"/>'
    if kind == "mixed":
        square = f'x="{across - 2.7:.1f}" y="{down - 2.7:.1f}" width="5.4" height="5.4"'
        return f'<rect class="ground" {square}/>'
    filled = "" if kind == "after" else ' class="ground"'
    return f'<circle{filled} cx="{across:.1f}" cy="{down:.1f}" r="3"/>'


def _legend(panels: Sequence[_Panel], colours: dict[str, str], width: int) -> tuple[list[str], int]:
    """Return the legend and its height: codecs by colour, then the kinds of lines, in rows that fit the width."""
    absent = {kind for kind in ("after", "mixed") if not any(getattr(panel, kind) for panel in panels)}
    entries = [(codec, f'<circle fill="{colour}" cx="11" cy="-4" r="4.5"/>') for codec, colour in colours.items()]
    for kind, text in _LINES:
        if kind not in absent:
            stroke = "" if kind == "clean" else ' stroke="currentColor"'
            entries.append((text, f'<line class="{kind}"{stroke} x2="22" y1="-4" y2="-4"/>'))
    drawn, across, down = [], _LEFT, _ROW
    for number, (text, sample) in enumerate(entries):
        room = _SAMPLE + round(_LETTER * len(text))
        if across > _LEFT and (across + room > width or number == len(colours)):
            across, down = _LEFT, down + _ROW
        drawn.append(f'<g transform="translate({across} {down})">{sample}<text x="27">{escape(shown(text))}</text></g>')
        across += room
    return drawn, down + _ROW // 2


def _range(scores: Sequence[float]) -> tuple[float, float, float]:
    """Return the lower and upper end of the axis and the step of its grid, in points."""
    least, most = min(scores), max(scores)
    step = next((step for step in (1, 2, 5, 10) if (most - least) / step <= 6), 20)
    low, high = step * math.floor(least / step), step * math.ceil(most / step)
    return float(max(0, low)), float(high if high > low else low + step), float(step)
