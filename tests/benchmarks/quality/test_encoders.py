"""The table of encoders' options: rows of real streams, scores of the photographs, differences with their interval."""

from __future__ import annotations

import io

import pytest
import torch
from PIL import Image
from torchvision.models import squeezenet1_0

from benchmarks.quality import encoders
from benchmarks.quality.encoders import Figures, Photographs, row, table
from compress_guard.codecs.jpeg import Jpeg
from compress_guard.codecs.pixels import to_rgb

PROFILE = bytes(3000)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Four noisy photographs, the first with a profile, and random weights."""
    place = tmp_path_factory.mktemp("few")
    for number in range(4):
        image = Image.effect_noise((120, 90), 30 + 10 * number).convert("RGB")
        image.save(place / f"{number}.png", **({"icc_profile": PROFILE} if number == 0 else {}))
    torch.manual_seed(0)
    torch.save(squeezenet1_0().state_dict(), place / "weights.pth")
    return place


@pytest.fixture(scope="module")
def photographs(folder):
    return Photographs.of(folder, folder / "weights.pth", 4)


def test_a_limit_takes_photographs_evenly(folder, photographs) -> None:
    assert Photographs.of(folder, folder / "weights.pth", 2).labels == [0, 2]
    assert photographs.labels == [0, 1, 2, 3]


def test_figures_at_a_quality_are_those_of_plain_files(photographs) -> None:
    figures = encoders.at_quality(photographs, Jpeg(), 60.2)
    lengths = []
    for picture in photographs.pictures:
        file = io.BytesIO()
        picture.convert("RGB").save(file, "JPEG", quality=60, subsampling="4:2:0", optimize=True, icc_profile=None)
        lengths.append(len(file.getvalue()))
    assert figures.setting == 60
    assert figures.bpp == pytest.approx(sum(8 * length / (120 * 90) for length in lengths) / 4)
    assert len(figures.right) == 4


def test_metadata_count_where_they_are_kept(photographs) -> None:
    kept, stripped = (encoders.at_quality(photographs, Jpeg(metadata=choice), 60) for choice in ("keep", "strip"))
    assert kept.bpp - stripped.bpp == pytest.approx(8 * (3000 + 18) / (120 * 90) / 4)
    assert kept.psnr == stripped.psnr


def test_a_rate_is_met_on_average(photographs) -> None:
    assert encoders.at_rate(photographs, "jpeg", {}, 2.0).bpp == pytest.approx(2.0, rel=0.1)


def test_a_row_compares_with_the_first() -> None:
    first = Figures(0.25, 8, 24.0, [True, True, False, False])
    other = Figures(0.25, 7, 23.5, [True, False, False, True])
    start = '| jpeg | `subsampling: "4:4:4"`, `optimize: false` | 0.250 | 24.00 | 50.0 | 0.250 | 7.0 | 23.50 | 50.0 | '
    made = row("jpeg", {"subsampling": "4:4:4", "optimize": False}, first, other, first)
    assert made.startswith(start + "+0.0 (-")
    assert row("jpeg", {}, first, first, first).endswith("| 0.250 | 8.0 | 24.00 | 50.0 |  |")


def test_a_table_has_a_row_for_each_variant(photographs, monkeypatch) -> None:
    monkeypatch.setattr(encoders, "VARIANTS", {"jpeg": ({}, {"optimize": False}), "webp": ({},)})
    monkeypatch.setattr("compress_guard.codecs.webp.WebP.unavailable", lambda self: "no webp; get it")
    lines = list(table(photographs, ["jpeg", "webp"], 75.0, 2.0))
    assert lines[0].startswith("4 photographs, 0.0 megapixels, 1 with an ICC profile or EXIF; clean top-1 ")
    assert [line.split(" | ")[:2] for line in lines[4:]] == [
        ["| jpeg", "the defaults"],
        ["| jpeg", "`optimize: false`"],
        ["| webp", "not measured: no webp; get it ||||||||"],
    ]


def test_an_empty_folder_is_refused(tmp_path) -> None:
    with pytest.raises(SystemExit, match="no photographs; expected PNG or JPEG files"):
        Photographs.of(tmp_path, tmp_path / "weights.pth", 4)


def test_pixels_are_those_that_codecs_get(photographs) -> None:
    assert all(map(torch.equal, photographs.pixels, map(to_rgb, photographs.pictures)))
