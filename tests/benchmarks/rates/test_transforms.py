"""The tables of what the training transform hits and costs."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from PIL import Image

from benchmarks.rates import transforms
from benchmarks.rates.reached import load
from compress_guard.augment.aim import entry, table
from compress_guard.codecs.jpeg import Jpeg
from compress_guard.codecs.pixels import from_pil, to_pil
from compress_guard.codecs.webp import WebP
from compress_guard.engine.coding.available import build_codec, codec_options
from compress_guard.records import CodecSpec
from compress_guard.registry import CODECS
from examples.world import GROUP, render

# DataLoader forks its workers, and Python 3.12 and later warn of that where a library has started threads.
FORKED = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")


@pytest.fixture
def folder(tmp_path):
    """Three rendered pictures, and a page for their tables."""
    place = tmp_path / "few"
    place.mkdir()
    for number in range(3):
        Image.fromarray(render(GROUP, 7, number).image[:128, :160]).save(place / f"{number}.png")
    names = [f"transform {what} few" for what in ("rates", "speed")]
    text = "".join(f"<!-- {name} -->\n<!-- end of {name} -->\n" for name in names)
    (tmp_path / "page.md").write_text(text, encoding="utf-8")
    return place


@pytest.fixture
def threads():
    """Restore the number of threads afterwards: `speed` sets it to one."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def rows(text):
    """Rows of tables without their headers."""
    found = [line.strip("| ").split(" | ") for line in text.splitlines() if re.match(r"\| (?!\||codec)", line)]
    return [row for row in found if row[0]]


def test_rates_are_put_between_their_marks(folder, tmp_path, capsys):
    page = tmp_path / "page.md"
    names = ["jpeg", "jpeg subsampling=4:4:4"]
    transforms.main(["rates", "--images", str(folder), "--codecs", *names, "--write", str(page)])
    text = page.read_text(encoding="utf-8")
    assert "few: 3 images, 8 rates each from 0.1 to 2 bpp." in text
    assert capsys.readouterr().out.strip() in text
    _, images = load(folder, None)
    for name, row in zip(names, rows(text), strict=True):
        off = np.abs(transforms.misses(name, images, 8) - 1)
        near, hit = 100 * (off <= 0.1).mean(), 100 * (off <= 0.2).mean()
        assert row == [name, "24", f"{near:.1f} %", f"{hit:.1f} %", f"{100 * np.median(off):.1f} %"]
        assert hit >= 80


def test_misses_are_rates_of_real_streams_over_what_was_drawn(folder, monkeypatch):
    """With an aim that always takes quality 50 and says 1 bpp, they are the rates of that quality."""
    _, images = load(folder, 2)
    monkeypatch.setattr(transforms.RoundTrip, "aimed", lambda self, image, rates, chance: (1.0, 50.0))
    streams = Jpeg().encode(images, [50.0] * 2)
    expected = [8 * len(stream) / (128 * 160) for stream in streams]
    assert transforms.misses("jpeg", images, 3).tolist() == expected * 3


def test_draws_are_spread_evenly(folder, monkeypatch):
    chances = []
    monkeypatch.setattr(
        transforms.RoundTrip, "aimed", lambda self, image, rates, chance: chances.append(chance) or (1.0, 50.0)
    )
    transforms.misses("jpeg", load(folder, 1)[1], 4)
    assert chances == [0.125, 0.375, 0.625, 0.875]


def test_a_codec_that_cannot_run_is_said_below_the_table(folder, capsys, monkeypatch):
    monkeypatch.setattr(WebP, "unavailable", lambda self: "webp is not there; pip install it")
    transforms.main(["rates", "--images", str(folder), "--codecs", "webp", "jpeg", "--limit", "1"])
    said = capsys.readouterr().out
    assert [row[0] for row in rows(said)] == ["jpeg"]
    assert said.endswith("\n\nwebp: webp is not there; pip install it\n")
    assert "few: 1 images" in said


def test_the_table_has_a_row_for_all_that_was_learnt():
    assert set(transforms.CODECS) == set(table())
    for name in transforms.CODECS:
        kind, *options = name.split(" ")
        given = codec_options(dict(option.split("=", maxsplit=1) for option in options))
        assert entry(build_codec(CodecSpec(name, kind, given))) == name


@FORKED
def test_speed_is_put_between_its_marks(folder, tmp_path, threads, capsys):
    page = tmp_path / "page.md"
    transforms.main(f"speed --images {folder} --repeats 2 --rounds 3 --write {page}".split())
    text = page.read_text(encoding="utf-8")
    assert "few: 6 images a round, 3 rounds, jpeg at 0.1 to 2 bpp." in text
    assert capsys.readouterr().out.strip() in text
    found = rows(text)
    assert [row[0] for row in found] == ["one process, CPU time", "DataLoader, 2 workers"]
    for _, ours, bare, ratio, quartiles in found:
        assert 0 < float(ours) < 1000
        assert 0 < float(bare) < 1000
        low, high = map(float, quartiles.split(" to "))
        assert low <= float(ratio) <= high


def test_both_code_at_the_same_qualities(folder):
    """Or a ratio of their times would say nothing: image by image, the same pixels come back."""
    pictures = [to_pil(image) for image in load(folder, None)[1]]
    bare = transforms.Bare(pictures, 4)
    assert len(set(bare.qualities)) > 6
    kept = []
    for code in (transforms.Transformed(), bare):
        data = transforms.Coded(pictures, 4, lambda *given, code=code: kept.append(code(*given)))
        assert [data[index] for index in range(len(data))] == list(range(12))
    assert len(kept) == 24
    for ours, theirs in zip(kept[:12], kept[12:], strict=True):
        assert torch.equal(from_pil(ours), from_pil(theirs))


def test_the_two_take_turns_at_going_first_and_a_first_round_is_not_counted():
    went = []
    clock = iter(range(100))

    def way(name):
        return lambda: went.append(name) or next(clock)

    taken = transforms.turns(way("ours"), way("bare"), 3)
    assert went == ["ours", "bare", "ours", "bare", "bare", "ours", "ours", "bare"]
    assert taken == [(2, 3), (5, 4), (6, 7)]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("rates --images nowhere", "--images: nowhere is not a folder; name a folder of photographs"),
        ("speed --images . --rounds 1", "--rounds: 1 is too few; a median with quartiles takes at least 2"),
        ("other --images .", "invalid choice: 'other'"),
    ],
)
def test_what_makes_no_sense_is_refused(given, said, capsys):
    with pytest.raises(SystemExit):
        transforms.main(given.split())
    assert said in capsys.readouterr().err


def test_a_codec_of_which_nothing_was_learnt_is_refused(folder):
    known = ", ".join(sorted(CODECS))
    for name, said in (
        ("jpg", f"unknown codec 'jpg', did you mean 'jpeg'? known: {known}"),
        ("heic preset=slow", f"nothing was learnt of the codec 'heic preset=slow'; learnt: {', '.join(table())}"),
    ):
        with pytest.raises(SystemExit, match=f"^--codecs: {re.escape(said)}$"):
            transforms.main(["rates", "--images", str(folder), "--codecs", name])


def test_a_page_without_marks_is_refused_before_anything_is_measured(folder, tmp_path):
    page = tmp_path / "other.md"
    page.write_text("nothing\n", encoding="utf-8")
    said = (
        f"--write: {page} does not have <!-- transform rates few --> and then <!-- end of transform rates few -->, "
        "once each; add these two lines"
    )
    with pytest.raises(SystemExit, match=f"^{re.escape(said)}$"):
        transforms.main(["rates", "--images", str(folder), "--write", str(page)])
