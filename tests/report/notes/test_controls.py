from __future__ import annotations

from compress_guard.report import plain
from compress_guard.report.notes.lines import notes


def note_lines(results):
    return plain(notes(results)).splitlines()


def style(results):
    return [style for line in notes(results) for _, style in line]


def test_a_lossless_pass_that_changed_nothing_is_silent(cell):
    assert note_lines([cell("jpeg", 1, drop=1.0, control_images=96, control_changed=0)]) == []


def test_a_lossless_pass_that_changed_predictions_is_told_once(cell):
    found = [cell("jpeg", bpp, drop=1.0, control_images=96, control_changed=2) for bpp in (1, 2)]
    assert note_lines(found) == ["photos: 2 of 96 images were predicted otherwise after a lossless codec"]
    assert style(found) == ["yellow"]


def test_cells_at_or_above_the_rate_of_lossy_sources_are_flagged(cell):
    lossy = {"lossy_sources": 198, "source_bpp": 1.0}
    found = [cell(codec, bpp, drop=1.0, **lossy) for codec in ("jpeg", "webp") for bpp in (0.5, 1, 2)]
    assert note_lines(found) == [
        "photos: 198 of 200 sources are lossy files already, 1 bpp on average; the drop says little at or above that: "
        "jpeg at 1 and 2 bpp, webp at 1 and 2 bpp"
    ]
    assert style(found) == ["yellow"]
    below = found[:1]
    assert note_lines(below) == ["photos: 198 of 200 sources are lossy files already, 1 bpp on average"]
    assert style(below) == ["light"]


def test_lossless_or_unknown_sources_are_silent(cell):
    found = [
        cell("jpeg", 2, drop=1.0, lossy_sources=0),
        cell("webp", 2, drop=1.0, lossy_sources=None),
        cell("avif", 2, "unreachable", "skipped", lossy_sources=0, floor_bpp=3.0),
    ]
    assert [text for text in note_lines(found) if "sources" in text] == []


def test_another_decoder_moves_scores_by_so_much(cell):
    swap = {"swap_decoder": "torchvision 0.29"}
    found = [
        cell("jpeg", 0.5, drop=1.0, swap_score=75.3, **swap),
        cell("jpeg", 1, drop=1.0, swap_score=74.9, **swap),
        cell("webp", 1, drop=1.0, swap_score=75.2, swap_decoder="other 1"),
        cell("avif", 1, drop=1.0),
        cell("jp2", 1, drop=1.0, **swap),
    ]
    assert note_lines(found) == [
        "photos: another decoder (torchvision 0.29) moves the score by -0.3 to +0.1 points: jpeg at 0.5 and 1 bpp",
        "photos: another decoder (other 1) moves the score by +0.0 points: webp at 1 bpp",
    ]


def test_a_second_decoder_that_was_asked_for_in_vain_is_named_with_the_reason(cell):
    why = "no second decoder of webp is built in; name one of opencv in the key decoders"
    found = [
        cell("webp", 0.5, drop=1.0, swap_remark=why),
        cell("webp", 1, drop=1.0, swap_remark=why),
        cell("jpeg", 1, drop=1.0),
    ]
    assert note_lines(found) == [f"photos: decoder_swap gave no score, since {why}: webp at 0.5 and 1 bpp"]
