"""A profile of production files as text of at most 72 columns, in ASCII."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from compress_guard.report.numbers import bpp, count
from compress_guard.traffic.cover import Cover, CoveredCodec, CoveredPoint
from compress_guard.traffic.distribution import PERCENTILES, Distribution
from compress_guard.traffic.profile import FormatProfile, TrafficProfile

_BINS: Final = 8
_BAR: Final = 24
_LABEL: Final = 18
_FEW: Final = 0.0005
"""Largest share that one decimal would print as 0.0 %."""


def profile_text(profile: TrafficProfile, cover: Cover) -> str:
    """Return the whole report of a profile and of the points that cover it."""
    return "\n".join([*_head(profile), *_formats(profile), "", *_points(cover)])


def share_text(share: float) -> str:
    """Return a share in percent with one decimal; one that is not 0 never prints as 0."""
    return "under 0.1 %" if 0 < share < _FEW else f"{100 * share:.1f} %"


def point_text(part: CoveredCodec, point: CoveredPoint) -> str:
    """Return a point as cells and `traffic:` name it: ``q75``, or a rate."""
    return f"q{point.value:g}" if part.kind == "quality" else f"{point.value:g}"


def _head(profile: TrafficProfile) -> Iterator[str]:
    drawn = f"{profile.drawn} of {count(profile.found, 'file')}, drawn with seed {profile.seed}"
    looked = count(profile.found, "file") if profile.drawn == profile.found else drawn
    yield f"{looked}: {count(profile.images, 'image')}"
    if profile.left_out:
        yield f"left out: {sum(profile.left_out.values())}"
        yield from (f"  {reason:{_LABEL}} {number:7}" for reason, number in profile.left_out.items())


def _formats(profile: TrafficProfile) -> Iterator[str]:
    for part in profile.formats:
        yield ""
        yield f"{part.name}: {count(part.files, 'image')}, {share_text(profile.share(part))}"
        yield from _table(part)
        yield from _remarks(part)
        if (qualities := part.qualities) is not None:
            yield "  quality"
            yield from _quality_bars(qualities)
        yield "  bits per pixel"
        yield from _rate_bars(part.distribution(lambda header: header.bpp))


def _table(part: FormatProfile) -> Iterator[str]:
    yield f"  {'percentile':{_LABEL}}" + "".join(f"{percent:9}" for percent in PERCENTILES)
    yield _row("width", part.distribution(lambda header: header.width), 0)
    yield _row("height", part.distribution(lambda header: header.height), 0)
    yield _row("kilobytes", part.distribution(lambda header: header.size / 1000), 1)
    yield _row("bits per pixel", part.distribution(lambda header: header.bpp), 2)
    yield _row("  no metadata", part.distribution(lambda header: header.coded_bpp), 2)
    if (qualities := part.qualities) is not None:
        yield _row("quality", qualities, 0)


def _row(label: str, distribution: Distribution, decimals: int) -> str:
    return f"  {label:{_LABEL}}" + "".join(f"{value:9.{decimals}f}" for value in distribution.percentiles())


def _remarks(part: FormatProfile) -> Iterator[str]:
    if part.codec == "jpeg":
        known = 0 if part.qualities is None else len(part.qualities.values)
        yield f"  quality exact      {_of(part.exact_qualities, part)}, by libjpeg's tables"
        if nearest := known - part.exact_qualities:
            yield f"  quality nearest    {_of(nearest, part)}, by tables of others"
    if set(part.chroma) != {"unknown"}:
        yield from _counts("chroma", part.chroma, part)
    if part.progressive is not None:
        yield f"  progressive        {_of(part.progressive, part)}"
    yield f"  turned             {_of(part.turned, part)}"
    if (profiles := part.profiles) is None:
        yield f"  ICC profile        {_of(0, part)}"
    else:
        median = count(round(profiles.percentile(50)), "byte")
        yield f"  ICC profile        {_of(len(profiles.values), part)}, median {median}"
    if part.codec == "jpeg":
        yield from _counts("marks of programs", part.traces, part)


def _counts(label: str, counts: Mapping[str, int], part: FormatProfile) -> Iterator[str]:
    if not counts:
        yield f"  {label:{_LABEL}} {'none':>8}"
    for number, (name, files) in enumerate(counts.items()):
        yield f"  {label if not number else '':{_LABEL}} {_of(files, part)}  {name}"


def _of(files: int, part: FormatProfile) -> str:
    return f"{share_text(files / part.files):>8}"


def _quality_bars(qualities: Distribution) -> Iterator[str]:
    bins = qualities.whole_histogram(_BINS)
    return _bars([(str(low) if low == high else f"{low} to {high}", files) for low, high, files in bins])


def _rate_bars(rates: Distribution) -> Iterator[str]:
    return _bars([(f"{bpp(low)} to {bpp(high)}", files) for low, high, files in rates.histogram(_BINS)])


def _bars(bins: Sequence[tuple[str, int]]) -> Iterator[str]:
    most = max(files for _, files in bins)
    for span, files in bins:
        yield f"    {span:16} {'#' * -(-files * _BAR // most):{_BAR}} {files}"


def _points(cover: Cover) -> Iterator[str]:
    yield "operating points, 5th to 95th percentile of each format"
    for part in cover.codecs:
        for number, point in enumerate(part.points):
            name = part.codec if not number else ""
            unit = "" if part.kind == "quality" else " bpp"
            yield f"  {name:8} {point_text(part, point) + unit:12} {share_text(point.share):>8}"
    if not cover.codecs:
        yield "  none: no format that a codec writes has 1 % of the images"
    uncovered = max(1 - cover.share, 0.0)
    lossless = f", of which {share_text(cover.lossless)} is lossless" if cover.lossless else ""
    yield f"  not covered          {share_text(uncovered):>8}{lossless}"
    yield "Headers do not tell whether pixels went through an earlier compression;"
    yield "the marks of programs are hints at most."
