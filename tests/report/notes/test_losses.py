from __future__ import annotations

from compress_guard.report import plain
from compress_guard.report.notes.lines import notes


def note_lines(results):
    return [text for text in plain(notes(results)).splitlines() if " inconclusive (?): " not in text]


def flipped(cell, codec, bpp, harmful, helpful, verdict="fail", names=(), **fields):
    worst = tuple((name, 0.5) for name in names)
    outcome = "failed" if verdict == "fail" else "passed"
    return cell(codec, bpp, verdict, outcome, 1.0, harmful_flips=harmful, helpful_flips=helpful, worst=worst, **fields)


def test_flips_of_red_and_open_cells_are_one_line_with_images_to_look_at(cell):
    found = [
        flipped(cell, "jpeg", 0.5, 14, 3, names=("a", "b", "c")),
        flipped(cell, "webp", 0.1, 71, 2, "inconclusive", names=("b", "d", "e", "f")),
        flipped(cell, "avif", 1, 2, 2, "pass", names=("z",)),
        flipped(cell, "jpeg", 1, 5, 0, guard="scans"),
    ]
    assert note_lines(found) == [
        "photos: predictions that turned wrong / right: jpeg at 0.5 bpp 14 / 3, webp at 0.1 bpp 71 / 2; wrong ones "
        "such as a, b, c, d, e",
        "scans: predictions that turned wrong / right: jpeg at 1 bpp 5 / 0",
    ]


def test_of_many_cells_the_first_are_told(cell):
    found = [flipped(cell, f"c{place}", 1, place, 0) for place in range(9)]
    assert note_lines(found)[0].endswith("c5 at 1 bpp 5 / 0, 3 more")


def test_other_metrics_name_the_images_that_lost_most_where_they_did(cell):
    def lost(codec, verdict, *worst):
        outcome = "failed" if verdict == "fail" else "passed"
        return cell(codec, 0.25, verdict, outcome, 9.0, metric="miou", worst=worst)

    found = [
        lost("jpeg", "fail", ("a", 0.41), ("b", 0.3), ("c", 0.2)),
        lost("webp", "inconclusive", ("b", 0.35), ("d", 0.1), ("e", 0.05), ("f", 0.04)),
        lost("avif", "pass", ("z", 9.0)),
    ]
    assert note_lines(found) == [
        "photos: images that lost most: a (0.41 points, jpeg at 0.25 bpp), b (0.35 points, webp at 0.25 bpp), "
        "c (0.20 points, jpeg at 0.25 bpp), d (0.10 points, webp at 0.25 bpp), e (0.05 points, webp at 0.25 bpp)"
    ]


def test_without_images_nothing_is_said(cell):
    assert note_lines([cell("jpeg", 1, "fail", "failed", 9.0)]) == []
