"""The table of second readings: what is read, how often, and that the parts are of the same data."""

from __future__ import annotations

import re
from functools import partial

import torch
from PIL import Image

from benchmarks.gate import second_reading
from benchmarks.gate.second_reading import Cost, Photographs


def test_a_row_says_the_parts_and_their_shares():
    row = Cost(images=40, reading=2.0, again=16, second=0.04, cell=8.0).row("mine")
    assert row == "| mine | 40 | 2.00 | 16 | 0.040 | 2.0 % | 8.0 | 0.5 % |"


def test_photographs_are_read_once_then_a_few_again_and_measured(tmp_path, monkeypatch):
    noise = torch.Generator().manual_seed(0)
    for number in range(20):
        coarse = torch.rand(1, 3, 6, 6, generator=noise) * 255
        smooth = torch.nn.functional.interpolate(coarse, size=(64, 64), mode="bicubic")[0].clamp(0, 255).byte()
        Image.fromarray(smooth.permute(1, 2, 0).numpy()).save(tmp_path / f"{number:02d}.png")
    reads = []
    one = Photographs.__getitem__
    monkeypatch.setattr(Photographs, "__getitem__", lambda self, at: reads.append(at) or one(self, at))
    measured = []
    monkeypatch.setattr(second_reading, "measure", lambda *given, **wanted: measured.append(wanted))
    monkeypatch.setattr(second_reading, "read_again", partial(second_reading.read_again, stopwatch=lambda: 0.0))
    found = second_reading.cost(Photographs(tmp_path))
    assert (found.images, found.again, len(reads)) == (20, 16, 20 + 16)
    assert reads[:20] == list(range(20))
    assert len(measured) == 1
    assert re.fullmatch(
        r"\| p \| 20 \| \d+\.\d\d \| 16 \| \d\.\d{3} \| [\d.]+ % \| [\d.]+ \| [\d.]+ % \|", found.row("p")
    )


def test_the_same_images_make_a_whole_cell(tmp_path):
    class Few:
        def __len__(self):
            return 6

        def __getitem__(self, at):
            return torch.randint(60, 200, (3, 48, 48), generator=torch.Generator().manual_seed(at)).byte(), at % 2

    assert second_reading.cost(Few()).cell > 0
