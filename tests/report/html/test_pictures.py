"""Pictures in a page: those of failed cells first, and no more than an e-mail carries."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from compress_guard.engine.pictures.kept import WorstImage, keep_images
from compress_guard.records import ClassScore, Ending
from compress_guard.report.html.contents import RunContents
from compress_guard.report.html.page import page
from compress_guard.report.html.pictures import MOST_BYTES, shown_images

CODECS = ("jpeg", "webp", "avif", "jp2", "jxl", "heic", "neural")
RATES = (0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0)


def picture(size):
    return b"RIFF----WEBP" + os.urandom(size - 12)


@pytest.fixture
def suite(cell, tmp_path):
    """A run as large as the bundled suite, of which the last cell fails, with three large pictures for each cell."""
    cells = [cell(codec, bpp, drop=2.0, max_drop=4.0, bpp_mean=bpp) for codec in CODECS for bpp in RATES]
    cells[-1] = cell("neural", 4.0, "fail", "failed", 9.0, max_drop=4.0, bpp_mean=4.0)
    classes = tuple(ClassScore(label, f"texture shape {label}", 90.0, 80.0) for label in range(10))
    losses = [replace(result.losses, class_scores=classes, worst=(("a.png", 0.5),)) for result in cells]
    cells = [replace(result, losses=each) for result, each in zip(cells, losses, strict=True)]
    for result in cells:
        image = WorstImage("a.png", 0.5, "", "class 1", "class 2", (picture(15_000), picture(15_000), picture(15_000)))
        keep_images(tmp_path, result.id, result.drop, [image])
    return RunContents(cells, ending=Ending(1), pictures=(tmp_path,))


def test_a_page_is_at_most_three_megabytes(suite):
    text = page(suite)
    assert 2_000_000 < len(text.encode()) < 3_000_000


def test_failed_cells_come_first(suite):
    shown = shown_images(suite.cells, suite.pictures)
    assert len(shown) == MOST_BYTES // 45_000 < len(suite.cells)
    assert next(iter(shown)) == suite.cells[-1].id


def test_each_side_is_named(suite):
    shown = shown_images(suite.cells[-1:], suite.pictures)
    ((image,),) = shown.values()
    assert [side.text for side in image.sides] == [
        "Source, predicted: class 1",
        "Coded, predicted: class 2",
        "Difference of the two, 4 times",
    ]
    assert all(side.data.startswith("data:image/webp;base64,") for side in image.sides)


@pytest.mark.parametrize("worst", [(("b.png", 0.5),), (("a.png", 0.25),), ()], ids=["image", "points", "none"])
def test_pictures_of_a_run_with_the_same_drop_are_not_shown(suite, worst):
    result = suite.cells[-1]
    other = replace(result, losses=replace(result.losses, worst=worst))
    assert shown_images([other], suite.pictures) == {}


def test_without_a_folder_there_are_none(suite):
    assert shown_images(suite.cells, ()) == {}
