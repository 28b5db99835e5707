"""The place in the file of each limit of a cell."""

from __future__ import annotations

import pytest

from compress_guard.thresholds.file import parse

TEXT = """\
version: 1
thresholds:
  classification: {max_drop: 9}
defaults:
  codecs: [jpeg]
  bpp: [0.5]
guards:
  photos:
    task: classification
    model: toy:model
    data: toy:data
"""


@pytest.fixture
def places(tmp_path):
    """Return a function that gives the places of the limits of each cell, for these keys of a guard."""

    def read(keys=""):
        text = TEXT + "".join(f"    {line}\n" for line in keys.splitlines())
        guards = parse(text, tmp_path / "t.yaml", shown="t.yaml", folder=tmp_path, sources=False).guards
        return [cell.places for guard in guards for cell in guard.cells]

    return read


def test_the_limit_of_the_task_is_in_its_section(places):
    assert places() == [(("max_drop", "t.yaml:3"),)]


def test_each_limit_has_its_own_line(places):
    assert places("max_drop: 3\nmin_score: 60\nmin_clean: 50") == [
        (("max_drop", "t.yaml:12"), ("min_score", "t.yaml:13"), ("min_clean", "t.yaml:14"))
    ]


def test_a_limit_between_two_rates_has_both_lines(places):
    between = "max_drop:\n  0.25: 8\n  1.0: 3"
    assert places(between) == [(("max_drop", "t.yaml:13"), ("max_drop", "t.yaml:14"))]
    assert places("max_drop: {0.25: 8, 1.0: 3}") == [(("max_drop", "t.yaml:12"),)]


def test_a_limit_per_codec_is_that_of_the_codec(places):
    assert places("codecs: [jpeg, webp]\nmax_drop:\n  jpeg: 3\n  default: 5") == [
        (("max_drop", "t.yaml:14"),),
        (("max_drop", "t.yaml:15"),),
    ]


def test_limits_of_slices_name_their_slice(places):
    slices = "slices:\n  size:\n    by: toy:size\n    max_drop:\n      small: 9\n      default: 5"
    assert places(slices) == [
        (("max_drop", "t.yaml:3"), ("slice size=small", "t.yaml:16"), ("slice size", "t.yaml:17"))
    ]


def test_a_comparison_of_decoders_has_the_line_of_its_own_limit_alone(places):
    first, compared = places("decoders: [pillow, opencv]\nmax_decoder_drop: 1")
    assert first == (("max_drop", "t.yaml:3"),)
    assert compared == (("max_decoder_drop", "t.yaml:13"),)
