"""Lines on losses show images by their names."""

from __future__ import annotations

from compress_guard.records import NamedImage
from compress_guard.report import plain
from compress_guard.report.notes.lines import notes

NAMES = (NamedImage("0", "cat/7.png"), NamedImage("3"))
WORST = (("0", 0.5), ("3", 0.25))


def test_flips_and_losses_name_files_else_ids(cell):
    fields = {"worst": WORST, "worst_images": NAMES}
    flips = cell("jpeg", 0.5, "fail", "failed", 1.0, harmful_flips=2, helpful_flips=0, **fields)
    losses = cell("jpeg", 0.5, "fail", "failed", 1.0, guard="scans", metric="miou", **fields)
    assert plain(notes([flips, losses])).splitlines() == [
        "photos: predictions that turned wrong / right: jpeg at 0.5 bpp 2 / 0; wrong ones such as cat/7.png, 3",
        "scans: images that lost most: cat/7.png (0.50 points, jpeg at 0.5 bpp), 3 (0.25 points, jpeg at 0.5 bpp)",
    ]
