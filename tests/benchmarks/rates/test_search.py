"""The table of searches: each way finds what it says, and what it costs is counted in full."""

from __future__ import annotations

import re

import pytest
import torch
from PIL import Image

from benchmarks.rates import search
from benchmarks.rates.search import Way, Work
from compress_guard.codecs.pixels import to_rgb
from compress_guard.registry import CODECS

RATES = (0.5, 1.5)


@pytest.fixture
def folder(tmp_path):
    """Five photographs, more or less."""
    noise = torch.Generator().manual_seed(0)
    for number in range(5):
        coarse = torch.rand(1, 3, 5 + 3 * number, 9, generator=noise) * 255
        smooth = torch.nn.functional.interpolate(coarse, size=(96, 120), mode="bicubic")[0]
        grain = torch.randn(3, 96, 120, generator=noise) * 4
        Image.fromarray((smooth + grain).clamp(0, 255).byte().permute(1, 2, 0).numpy()).save(tmp_path / f"{number}.png")
    return tmp_path


@pytest.fixture
def work(folder):
    paths = tuple(sorted(folder.iterdir()))
    return Work(CODECS.resolve("jpeg")(), paths, tuple(to_rgb(Image.open(path)) for path in paths), RATES)


@pytest.fixture
def encoded(monkeypatch):
    """Numbers of images that the encoder of jpeg was called with."""
    made = []
    jpeg = CODECS.resolve("jpeg")
    encode = jpeg.encode

    def encoding(self, images, settings, workers=1):
        made.append(len(images))
        return encode(self, images, settings, workers)

    monkeypatch.setattr(jpeg, "encode", encoding)
    return made


def nearest(work):
    """Per image and rate, how far the best of all settings is off."""
    misses = []
    for image in work.images:
        streams = work.codec.encode([image] * 100, list(work.codec.ladder))
        sizes = [8 * len(stream) / (96 * 120) for stream in streams]
        misses.append([min(abs(size / rate - 1) for size in sizes) for rate in work.rates])
    return misses


@pytest.mark.parametrize("way", [search.ours, search.bisection], ids=lambda way: way.__name__)
def test_every_image_comes_within_five_per_cent_or_as_near_as_it_can(way, work, encoded):
    count, misses = way(work)
    assert count == sum(encoded)
    best = nearest(work)
    ordered = [best[at][place] for place in range(2) for at in range(5)]
    assert len(misses) == len(ordered) == 10
    for miss, least in zip(sorted(misses), sorted(ordered), strict=True):
        assert miss <= max(search.TOLERANCE, least + 1e-9)


def test_bisection_stops_as_soon_as_it_is_near_enough(work, encoded, monkeypatch):
    monkeypatch.setattr(search, "TOLERANCE", 1e9)
    assert search.bisection(work)[0] == 5 * 2
    monkeypatch.setattr(search, "TOLERANCE", -1.0)
    assert search.bisection(work)[0] <= 5 * 2 * 7


def test_find_close_is_the_one_of_compressai_and_says_nothing(work, encoded, capfd):
    pytest.importorskip("compressai")
    count, misses = search.find_close(work)
    assert 5 * 2 * 6 <= count <= 5 * 2 * 7
    assert len(misses) == 10
    assert sum(miss <= 0.05 for miss in misses) >= 5
    assert encoded == []
    assert capfd.readouterr().err == ""


def test_a_way_sums_up_its_passes(work, monkeypatch):
    clock = iter([0.0, 3.0, 10.0, 11.0, 20.0, 22.0])
    monkeypatch.setattr(search.time, "process_time", lambda: next(clock))
    way = Way(lambda work: (30, [0.01, 0.2, 0.05, 0.0]))
    for _ in range(3):
        way.run(work)
    assert (way.median, way.encodes, way.within) == (2.0, 7.5, 0.75)


def test_rows_show_the_ratio_to_ours_which_reads_the_files_where_the_other_does():
    ways = {name: Way(lambda work: (0, [])) for name in ("ours", "bisection", "find_close")}
    for way, seconds in zip(ways.values(), (2.0, 5.0, 10.0), strict=True):
        way.seconds.append(seconds)
    found = [row.split(" | ")[-1].strip(" |") for row in search.rows("jpeg", ways, 1.0)]
    assert found == ["", "0.40", "0.30"]


def test_the_table_has_a_row_per_codec_and_way(folder, tmp_path, monkeypatch, capsys):
    bound = []
    monkeypatch.setattr(search, "on_one_core", lambda: bound.append(True))
    threads = torch.get_num_threads()
    page = tmp_path / "page.md"
    page.write_text("# A page\n\n<!-- search -->\n<!-- end of search -->\n", encoding="utf-8")
    given = f"--photographs {folder} --codecs jpeg jp2 --rates 1 --limit 2 --passes 2 --write {page}".split()
    try:
        search.main(given)
    finally:
        torch.set_num_threads(threads)
    text = page.read_text(encoding="utf-8")
    rows = re.findall(r"^\| (jpeg|jp2) \| (\w+) \| [\d.]+ \| [\d.]+ \| \d+ % \| ([\d.]*) +\|$", text, re.MULTILINE)
    ways = [row[:2] for row in rows]
    assert ways[:2] == [("jpeg", "ours"), ("jpeg", "bisection")]
    assert ways[-2:] == [("jp2", "ours"), ("jp2", "bisection")]
    assert "each at 1 bpp; one core" in text
    assert str(folder.parent) not in text
    assert bound == [True]
    assert capsys.readouterr().out.strip() in text


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--photographs", "nowhere"], "nowhere is not a folder; name a folder of photographs"),
        (["--photographs", ".", "--limit", "0"], "--limit: 0 is not a whole number of at least 1"),
        (["--photographs", ".", "--codecs", "bmp"], "invalid choice: 'bmp'"),
    ],
)
def test_what_makes_no_sense_is_refused(given, said, capsys):
    with pytest.raises(SystemExit):
        search.main(given)
    assert said in capsys.readouterr().err
