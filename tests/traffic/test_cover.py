"""The points of a profile cover the 5th to the 95th percentile, with shares that a plain loop counts."""

from __future__ import annotations

import itertools
import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compress_guard.traffic.cover import CoveredPoint, cover_of
from compress_guard.traffic.distribution import Distribution
from compress_guard.traffic.headers import FileHeader, JpegQuality
from compress_guard.traffic.profile import FormatProfile, TrafficProfile, _by_format


def jpeg(quality: int, *, chroma: str = "4:2:0", progressive: bool = False) -> FileHeader:
    known = JpegQuality(quality, exact=True)
    return FileHeader("jpeg", 100, 100, 9000, 9000, quality=known, chroma=chroma, progressive=progressive)


def webp(bpp: float, *, lossy: bool = True) -> FileHeader:
    size = round(bpp * 1_000_000 / 8)
    return FileHeader("webp", 1000, 1000, size, size, lossy=lossy)


def profiled(**formats: list[FileHeader]) -> TrafficProfile:
    parts = tuple(FormatProfile(name, tuple(headers)) for name, headers in formats.items())
    files = sum(map(len, formats.values()))
    return TrafficProfile(files, files, 0, parts, {})


def points(profile: TrafficProfile) -> dict[str, dict[float, float]]:
    return {part.codec: {point.value: point.share for point in part.points} for part in cover_of(profile).codecs}


def test_one_quality_is_one_point():
    assert points(profiled(jpeg=[jpeg(80)] * 40)) == {"jpeg": {80: 1.0}}


def test_qualities_and_rates_with_the_share_of_each():
    mixed = profiled(jpeg=[jpeg(75)] * 30 + [jpeg(90)] * 30, webp=[webp(0.5)] * 20 + [webp(1.0)] * 20)
    assert points(mixed) == {"jpeg": {75: 0.3, 90: 0.3}, "webp": {0.5: 0.2, 1.0: 0.2}}
    assert cover_of(mixed).share == pytest.approx(1)


def test_files_outside_the_percentiles_belong_to_no_point():
    cover = cover_of(profiled(jpeg=[jpeg(10)] * 4 + [jpeg(80)] * 92 + [jpeg(100)] * 4))
    assert cover.codecs[0].points == (CoveredPoint(80, 0.92),)
    assert cover.share == pytest.approx(0.92)


def test_lossless_files_have_no_cell_and_are_counted():
    png = FileHeader("png", 10, 10, 100, 100, lossy=False)
    cover = cover_of(profiled(jpeg=[jpeg(80)] * 5, png=[png] * 3, **{"webp lossless": [webp(9, lossy=False)] * 2}))
    assert ([part.codec for part in cover.codecs], cover.lossless, cover.share) == (["jpeg"], 0.5, 0.5)


def test_lossy_tiff_has_no_codec_and_is_not_lossless():
    tiff = FileHeader("tiff", 10, 10, 100, 100, lossy=True)
    cover = cover_of(profiled(jpeg=[jpeg(80)] * 6, **{"tiff lossy": [tiff] * 4}))
    assert ([part.codec for part in cover.codecs], cover.share, cover.lossless) == (["jpeg"], 0.6, 0)


def test_a_format_with_less_than_one_percent_has_no_cell():
    assert points(profiled(jpeg=[jpeg(80)] * 199, webp=[webp(1.0)])) == {"jpeg": {80: 0.995}}


def test_rates_that_a_thresholds_file_cannot_have_are_left_out():
    assert points(profiled(webp=[webp(20.0)] * 10 + [webp(1.0)] * 10)) == {"webp": {1.0: 0.5}}
    assert cover_of(profiled(webp=[webp(20.0)] * 10)).codecs == ()


def test_the_options_of_most_files():
    files = [jpeg(80, chroma="4:4:4", progressive=True)] * 3 + [jpeg(80)] * 2
    part = cover_of(profiled(jpeg=files)).codecs[0]
    assert (part.subsampling, part.progressive) == ("4:4:4", True)
    odd = cover_of(profiled(jpeg=[jpeg(80, chroma="4:1:1")] * 3 + [jpeg(80, chroma="4:2:2")])).codecs[0]
    assert (odd.subsampling, odd.progressive) == ("4:2:2", False)
    assert cover_of(profiled(jpeg=[jpeg(80, chroma="grey")])).codecs[0].subsampling is None


def test_the_chroma_of_avif_and_heic_files_where_a_codec_can_have_it():
    def files(name: str, chroma: str | None, count: int) -> list[FileHeader]:
        return [FileHeader(name, 100, 100, 1000, 1000, chroma=chroma)] * count

    formats = {name: files(name, "4:4:4", 3) + files(name, "4:2:0", 2) for name in ("avif", "heic", "webp")}
    cover = cover_of(profiled(**formats, jxl=files("jxl", None, 5)))
    assert {part.codec: part.subsampling for part in cover.codecs} == {
        "avif": "4:4:4",
        "heic": "4:4:4",
        "webp": None,
        "jxl": None,
    }


def nearest_rank(values: list[float], percent: int) -> float:
    ordered = sorted(values)
    return next(value for rank, value in enumerate(ordered, 1) if rank * 100 >= percent * len(ordered))


@given(st.lists(st.integers(1, 100), min_size=1, max_size=120))
@settings(max_examples=200, deadline=None)
def test_shares_of_qualities_against_a_plain_loop(qualities):
    part = cover_of(profiled(jpeg=list(map(jpeg, qualities)))).codecs[0]
    values = [point.value for point in part.points]
    assert values == sorted(values)
    assert all(later - earlier >= 3 for earlier, later in itertools.pairwise(values))
    low, high = nearest_rank(qualities, 5), nearest_rank(qualities, 95)
    counts = dict.fromkeys(values, 0)
    for quality in qualities:
        if low <= quality <= high:
            best = None
            for value in values:
                if best is None or abs(value - quality) < abs(best - quality):
                    best = value
            counts[best] += 1
    for point in part.points:
        assert point.share == math.floor(10_000 * counts[point.value] / len(qualities) + 1e-9) / 10_000
    assert part.share <= 1 + 1e-12
    assert part.share >= 0.9 - 0.0001 * len(values)


@given(st.lists(st.floats(0.05, 7.9), min_size=1, max_size=80))
@settings(max_examples=200, deadline=None)
def test_rates_cover_nine_tenths(rates):
    part = cover_of(profiled(webp=list(map(webp, rates)))).codecs[0]
    assert 0.9 - 0.0005 <= part.share <= 1 + 1e-12
    assert all(0.02 <= point.value <= 8 for point in part.points)


def test_percentiles_are_numbers_that_were_seen():
    values = [random.Random(1).uniform(0, 9) for _ in range(333)]
    assert Distribution.of(values).percentiles() == tuple(nearest_rank(values, each) for each in (5, 25, 50, 75, 95))
    assert Distribution.of([]) is None


@given(st.lists(st.integers(1, 100), min_size=1, max_size=50))
def test_histograms_count_each_number_once(values):
    bars = Distribution.of(values).whole_histogram(8)
    assert len(bars) <= 8
    for low, high, count in bars:
        assert count == sum(low <= value <= high for value in values)
    assert sum(count for _, _, count in bars) == len(values)
    assert sum(count for _, _, count in Distribution.of(values).histogram(8)) == len(values)


@pytest.mark.parametrize("name", ["jp2", "jxl"])
def test_files_that_are_perhaps_lossless_have_no_cell_and_are_not_lossless(name):
    unknown = FileHeader(name, 10, 10, 100, 100, lossy=None)
    cover = cover_of(profiled(jpeg=[jpeg(80)] * 6, **{f"{name} perhaps lossless": [unknown] * 4}))
    assert ([part.codec for part in cover.codecs], cover.share, cover.lossless) == (["jpeg"], 0.6, 0)


def test_files_of_one_format_are_apart_by_what_is_known_of_their_loss():
    headers = [FileHeader("jxl", 10, 10, 100, 100, lossy=lossy) for lossy in (True, True, True, False, False, None)]
    assert [part.name for part in _by_format(headers)] == ["jxl", "jxl lossless", "jxl perhaps lossless"]
