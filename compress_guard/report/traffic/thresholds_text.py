"""A thresholds file whose cells stand for the traffic of a profile. Its model and data are still to be named."""

from __future__ import annotations

from collections.abc import Iterator

from compress_guard.report import numbers
from compress_guard.report.traffic.distribution import point_text
from compress_guard.traffic.cover import Cover, CoveredCodec
from compress_guard.traffic.profile import TrafficProfile


def thresholds_text(profile: TrafficProfile, cover: Cover) -> str:
    """Return the file; the cover has at least one codec."""
    return "\n".join(_lines(profile, cover)) + "\n"


def _lines(profile: TrafficProfile, cover: Cover) -> Iterator[str]:
    yield f"# Written by `compress-guard profile` from the headers of {numbers.count(profile.images, 'image')}."
    yield f"# Its cells stand for {numbers.share(cover.share)} of them; lossless files are {_share(cover.lossless)}."
    yield "version: 1"
    options = [(part.codec, text) for part in cover.codecs if (text := _options(part))]
    if options:
        yield "codecs:  # with the options of most files"
        yield from (f"  {codec}: {{type: {codec}, {text}}}" for codec, text in options)
    yield "guards:"
    yield "  production:"
    yield "    task: classification          # or detection, segmentation"
    yield "    model: myproject.release:model  # put your factories here"
    yield "    data: myproject.release:data"
    yield f"    codecs: [{', '.join(part.codec for part in cover.codecs)}]"
    for kind in ("quality", "bpp"):
        parts = [part for part in cover.codecs if part.kind == kind]
        if parts:
            yield f"    {kind}:  # from the 5th to the 95th percentile"
            yield from (f"      {part.codec}: [{', '.join(_values(part))}]" for part in parts)
    yield "    max_drop: 5                   # points: the same at each point until you set your own"
    yield "    traffic:  # the share of all images nearest to each point"
    for part in cover.codecs:
        shares = (f"{point_text(part, point)}: {point.share:g}" for point in part.points)
        yield f"      {part.codec}: {{{', '.join(shares)}}}"


def _values(part: CoveredCodec) -> Iterator[str]:
    return (f"{point.value:g}" for point in part.points)


def _options(part: CoveredCodec) -> str:
    chosen = [] if part.subsampling is None else [f'subsampling: "{part.subsampling}"']
    return ", ".join([*chosen, *(["progressive: true"] if part.progressive else [])])


def _share(share: float) -> str:
    return numbers.share(share) if share else "none"
