"""The tables of encodes per image."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from benchmarks.rates import reached as rates
from compress_guard.records import ImageInfo, PlannedRate, Rate


@pytest.fixture
def folder(tmp_path):
    """Four smooth pictures with some grain."""
    place = tmp_path / "few"
    place.mkdir()
    noise = np.random.default_rng(0)
    x, y = np.meshgrid(np.linspace(0, 3, 80), np.linspace(0, 3, 64))
    for number in range(4):
        waves = np.sin(x * (number + 1))[..., None] + np.cos(y * 2 + number)[..., None]
        pixels = 128 + 40 * waves + noise.normal(0, 6, (64, 80, 3))
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(place / f"{number}.png")
    return place


@pytest.mark.parametrize("mode", ["dataset", "image"])
def test_a_table_is_put_between_the_marks_of_its_mode_and_folder(folder, tmp_path, mode):
    page = tmp_path / "page.md"
    page.write_text(f"<!-- rates {mode} few -->\n<!-- end of rates {mode} few -->\n", encoding="utf-8")
    rates.main(f"--images {folder} --codecs jpeg --rates 1 2 --mode {mode} --write {page}".split())
    text = page.read_text(encoding="utf-8")
    assert f"few: 4 images, 0.0 megapixels, {mode} mode" in text
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| jpeg")]
    assert [row[:2] for row in rows] == [["jpeg", "1"], ["jpeg", "2"]]
    mean = sum(float(row[4]) for row in rows) / 2
    said = float(text.split("Encodes per image and rate: jpeg ")[1].split(";")[0])
    assert said == pytest.approx(mean, abs=0.011)
    assert text.count("4 of 4") == (2 if mode == "image" else 0)


def test_images_that_could_come_nearer_are_not_held():
    """Two of three are off: one at its nearest step, one beside it."""
    ladder = (1.0, 2.0, 3.0, 4.0)
    infos = [ImageInfo(str(at), 800) for at in range(3)]
    bytes_at = {1.0: 50, 2.0: 80, 3.0: 130, 4.0: 300}
    rate = PlannedRate(
        point=Rate(1.2),
        settings=(3.0, 2.0, None),
        lengths=(130, 80, None),
        bpp=(1.3, 0.8, None),
        reachable=True,
        floor=None,
        off_target=0,
        mixed=False,
        encodes=1.0,
    )
    encode = lambda requests: [bytes_at[setting] for _, setting in requests]  # noqa: E731
    assert rates.held(rate, ladder, infos, encode) == 1


def test_a_folder_that_is_none_is_refused(capsys):
    with pytest.raises(SystemExit):
        rates.main(["--images", "nowhere"])
    assert "nowhere is not a folder; name a folder of photographs" in capsys.readouterr().err
