"""The cells of a guard at several widths: nothing is cut, and every number of the matrix is in the lists too."""

from __future__ import annotations

import re

import pytest

from compress_guard.report import Display, plain
from compress_guard.report.blocks.layouts import guard_cells

RATES = (0.25, 0.5, 1, 2)


def photographs(cell, codecs=("jpeg", "webp", "avif"), rates=RATES, **fields):
    given = {"max_drop": 15.0, "settings": ((12.0, 150), (13.0, 50))}
    return [
        cell(codec, bpp, drop=14.5 - 3 * at, drop_low=8.5 - 3 * at, drop_high=20.5 - 3 * at, **(given | fields))
        for codec in codecs
        for at, bpp in enumerate(rates)
    ]


def shown(results, width):
    return plain(guard_cells(results, Display(width=width, wraps=True)))


FOUR_RATES = """\
photos: top1 76.2 on 200 clean images; drop in points, with its 95 % interval
            0.25bpp       0.5bpp        1.0bpp        2.0bpp
  allowed   15.0          15.0          15.0          15.0
  jpeg      14.5 ✓        11.5 ✓        8.5 ✓         5.5 ✓
            8.5 to 20.5   5.5 to 17.5   2.5 to 14.5   -0.5 to 11.5
            q about 12    q about 12    q about 12    q about 12
"""


def test_four_rates_fit_into_eighty_columns(cell):
    assert shown(photographs(cell, ["jpeg"]), 80) == FOUR_RATES


def test_five_rates_fit_too_if_their_columns_are_close(cell):
    text = shown(photographs(cell, ["jpeg"], [0.1, *RATES]), 78).splitlines()
    assert text[1] == "           0.1bpp       0.25bpp      0.5bpp       1.0bpp        2.0bpp"
    assert text[3] == "  jpeg     14.5 ✓       11.5 ✓       8.5 ✓        5.5 ✓         2.5 ✓"


def test_five_codecs_at_four_rates_take_less_than_25_lines(cell):
    text = shown(photographs(cell, ["jpeg", "webp", "avif", "jp2", "neural"]), 80)
    assert len(text.splitlines()) == 18
    assert max(map(len, text.splitlines())) <= 80


def test_a_narrower_output_has_a_line_for_each_cell(cell):
    assert shown(photographs(cell, ["jpeg"], [*RATES, 4], min_score=60.0), 72) == (
        "photos: top1 76.2 on 200 clean images; drop in points\n"
        "                 drop    95 % interval  allowed  min score  setting\n"
        "  jpeg 0.25 bpp  14.5 ✓  8.5 to 20.5    15.0     60.0       q about 12\n"
        "  jpeg 0.5 bpp   11.5 ✓  5.5 to 17.5    15.0     60.0       q about 12\n"
        "  jpeg 1 bpp     8.5 ✓   2.5 to 14.5    15.0     60.0       q about 12\n"
        "  jpeg 2 bpp     5.5 ✓   -0.5 to 11.5   15.0     60.0       q about 12\n"
        "  jpeg 4 bpp     2.5 ✓   -3.5 to 8.5    15.0     60.0       q about 12\n"
    )


def test_a_very_narrow_one_has_two(cell):
    assert shown(photographs(cell, ["jpeg"], [0.25, 0.5, 1], min_score=60.0, traffic=0.2), 40) == (
        "photos: top1 76.2 on 200 clean images;\n"
        "  drop in points\n"
        "  jpeg 0.25 bpp  14.5 ✓\n"
        "    8.5 to 20.5, allowed 15.0, min score\n"
        "      60.0, q about 12, 20 % of traffic\n"
        "  jpeg 0.5 bpp  11.5 ✓\n"
        "    5.5 to 17.5, allowed 15.0, min score\n"
        "      60.0, q about 12, 20 % of traffic\n"
        "  jpeg 1 bpp  8.5 ✓\n"
        "    2.5 to 14.5, allowed 15.0, min score\n"
        "      60.0, q about 12, 20 % of traffic\n"
    )


@pytest.mark.parametrize("width", [40, 45, 50, 60, 70, 80, 100, 200])
def test_every_number_is_whole_at_every_width(cell, width):
    results = photographs(cell, ["jpeg", "webp"], [*RATES, 4])
    text = shown(results, width)
    assert max(map(len, text.splitlines())) <= width
    numbers = re.findall(r"-?[0-9.]+ to [0-9.]+", re.sub(r"\s+", " ", text))
    assert sorted(numbers) == sorted(2 * ["8.5 to 20.5", "5.5 to 17.5", "2.5 to 14.5", "-0.5 to 11.5", "-3.5 to 8.5"])


def test_a_long_name_is_shortened_visibly_where_its_line_is_too_narrow(cell):
    long = "a-codec-with-a-name-that-nobody-wants-to-read"
    text = shown(photographs(cell, [long], [0.25]), 40).splitlines()
    assert text[2] == "  a-codec-w...s-to-read 0.25 bpp  14.5 ✓"


def test_a_log_has_the_width_of_its_display_for_tables_and_whole_sentences(cell):
    text = plain(guard_cells(photographs(cell, ["jpeg"], [0.25]), Display(width=30, wraps=False)))
    assert text.splitlines()[0] == "photos: top1 76.2 on 200 clean images; drop in points, with its 95 % interval"
