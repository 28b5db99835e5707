"""The report on earlier runs."""

from __future__ import annotations

from dataclasses import replace

from compress_guard.records import EarlierRuns
from compress_guard.report import plain
from compress_guard.report.notes.lines import notes


def note_lines(results):
    return [(text, style) for line in notes(results) for text, style in line]


def test_a_run_without_a_past_says_nothing(cell):
    found = [cell("jpeg", 1, drop=1.0, predictions=200), cell("webp", 1, drop=1.0, predictions=200, remembered=0)]
    assert note_lines(found) == []


def test_a_library_that_moved_is_named_once_for_all_guards(cell):
    old, new = "libjpeg-turbo 3.0.4 (Pillow 12.0.0)", "libjpeg-turbo 3.1.2 (Pillow 13.0.0)"
    found = [
        cell("jpeg", bpp, drop=1.0, guard=guard, codec_moved=old, codec_version=new)
        for guard in ("photos", "scans")
        for bpp in (0.5, 1)
    ]
    found.append(cell("webp", 1, drop=1.0, codec_version="libwebp 1.6.0"))
    assert note_lines(found) == [(f"jpeg: {old} in the run before, now {new}: coded again", "light")]


def test_a_model_that_is_not_what_its_fingerprint_says_is_a_warning_with_what_to_do(cell):
    found = [cell("jpeg", bpp, drop=1.0, model_moved=True) for bpp in (0.5, 1)]
    found.append(cell("jpeg", 1, drop=1.0, guard="scans"))
    assert note_lines(found) == [
        (
            "photos: the model answers its probing batch, or the first batch of a cell, otherwise than the one with "
            "the same fingerprint did in the run before, of which nothing was used; change the fingerprint whenever "
            "the model changes, or name all files that it is made of; do without one where the model answers otherwise "
            "in every run",
            "yellow",
        )
    ]


def test_what_earlier_runs_left_is_counted_per_guard(cell):
    found = [
        cell("jpeg", 0.5, drop=1.0, remembered=400, predictions=32),
        cell("jpeg", 1, drop=1.0, remembered=200, predictions=0),
        cell("webp", 1, drop=1.0, remembered=0, predictions=200),
        cell("jpeg", 1, drop=1.0, guard="scans", remembered=None, predictions=600),
    ]
    assert plain(notes(found)).splitlines() == [
        "photos: 600 of 832 predictions are of earlier runs (fingerprint), the model was asked for 232"
    ]
    assert note_lines([replace(one, earlier=EarlierRuns()) for one in found]) == []
