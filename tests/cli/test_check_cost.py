"""Time that ``compress-guard check`` expects of a whole run: starting counts once, however many images there are."""

from __future__ import annotations

import re
import sys
from types import SimpleNamespace

import pytest

from compress_guard.cli.starting import check
from compress_guard.cli.starting.cost import Cost

LOADING, FIRST_BATCH, IMAGE = 500, 70, 1
SLOW = f"""
import toy

seconds = 0

class Slow(toy.Spectrum):
    warm = False

    def __call__(self, images):
        global seconds
        seconds += {IMAGE} * len(images) + (0 if self.warm else {FIRST_BATCH})
        self.warm = True
        return super().__call__(images)

def model():
    global seconds
    seconds += {LOADING}
    return Slow()
"""


@pytest.fixture
def clock(folder, monkeypatch):
    """Seconds that the slow model has taken; nothing else takes time."""
    (folder / "slow.py").write_text(SLOW)

    def now() -> float:
        return float(sys.modules["slow"].seconds) if "slow" in sys.modules else 0.0

    monkeypatch.setattr(check, "time", SimpleNamespace(perf_counter=now))
    return now


def test_starting_is_not_multiplied_by_the_number_of_images(command, guards, clock):
    guards("codecs: [jpeg], bpp: [0.5, 2]", toy='model: "slow:model", max_drop: 60')
    done = command("check", "--limit", "8")
    assert done.code == 0, done.err
    here, whole = map(
        int, re.search(r"  time    (\d+) minutes for 2 cells here, about (\d+) minutes", done.out).groups()
    )
    assert here == round(clock() / 60)
    before = clock()
    assert command("run", "thresholds.yaml").code == 0
    assert whole == round((clock() - before) / 60) < 15


def test_the_estimate_is_exact_where_cells_take_so_long_for_each_image():
    start, each, other = 30.0, 0.5, 0.25
    cost = Cost(start + 2 * each, [20 * each, 20 * other], 20)
    assert cost.start == start
    assert cost.spent == 46
    assert cost.whole([300, 300]) == start + 300 * (each + other)
    assert cost.whole([10, 300]) == start + 20 * each + 300 * other
    assert list(cost.lines([300, 300])) == [
        "  time    46 s for 2 cells here, about 4 minutes with all images of the guard"
    ]
    assert list(cost.lines(None)) == ["  time    46 s for 2 cells here"]


def test_nothing_measured_gives_no_estimate():
    assert list(Cost(3.0, [0.2], 0).lines([300])) == ["  time    3 s for 1 cell here"]
