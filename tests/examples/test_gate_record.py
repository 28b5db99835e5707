"""The bundled gate says nothing against itself: its limits hold with room, on as many images as they take."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.gate.record import recorded
from compress_guard.report import lines, plain
from compress_guard.report.notes.lines import notes
from compress_guard.thresholds import load
from compress_guard.verdict import power

ROOT = Path(__file__).parents[2]
ROOM = 0.5
"""Points between a limit and what another machine or library version may move."""
RESOLVE = re.compile(
    r"(classifier|detector|segmenter): with 100 to 300 images a drop must be [\d.]+ to [\d.]+ points away from .*"
)


@pytest.fixture(scope="module")
def results():
    return recorded()


@pytest.fixture(scope="module")
def guards():
    return load(ROOT / "thresholds.yaml").guards


def test_the_record_is_of_this_thresholds_file(results, guards):
    cells = {cell.name: cell for guard in guards for cell in guard.cells}
    assert [one.id for one in results] == [f"thresholds.yaml::{name}" for name in cells]
    for one in results:
        cell = cells[one.id.partition("::")[2]]
        assert (one.max_drop, one.min_score, one.limit) == (cell.max_drop, cell.min_score, cell.limit), (
            f"{one.id}: the record is of other limits; write it anew, see benchmarks/gate/record.py"
        )


def test_every_cell_passes_by_its_interval(results):
    assert {(one.verdict, one.outcome, one.settled_by) for one in results} == {("pass", "passed", "interval")}


def test_the_summary_holds_no_word_against_the_gate(results):
    text = [line for line in plain(notes(results)).splitlines() if not RESOLVE.fullmatch(line)]
    assert text == []
    styles = {style for line in lines(results) for _, style in line}
    assert not {style for style in styles if "yellow" in style or "red" in style}


def test_nothing_is_said_against_its_limits_before_they_are_measured(guards):
    for guard in guards:
        if guard.task == "classification":
            for images in {cell.limit for cell in guard.cells}:
                limits = [cell.max_drop for cell in guard.cells if cell.limit == images]
                assert power.out_of_reach(images, limits, guard.confidence) is None


def test_limits_hold_with_room_rare_losses_included(results):
    for one in results:
        unseen = one.drop if one.unseen_drop is None else one.unseen_drop
        assert max(one.drop_high, unseen) <= one.max_drop - ROOM, one.id
        if one.min_score is not None:
            assert min(one.score_low, one.score - (unseen - one.drop)) >= one.min_score + ROOM, one.id


def test_limits_are_near_enough_to_mean_something(results):
    """A drop a few points beyond the interval is red."""
    assert {one.id: one.max_drop - one.drop_high for one in results if one.max_drop - one.drop_high > 12} == {}


@pytest.mark.slow
def test_a_run_of_the_cells_with_the_fewest_images_says_nothing_against_the_gate():
    pytest.importorskip("constriction", reason="the codec neural needs constriction")
    command = [sys.executable, "-m", "pytest", "-W", "default", "--compress-guard", "thresholds.yaml"]
    run = subprocess.run(
        [*command, "-k", "neural-0.5bpp", "--cg-no-cache", "-p", "no:cacheprovider"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "WARNING" not in run.stdout
    *_, summary = re.split(r"^=+ compress_guard =+$", run.stdout, flags=re.MULTILINE)
    said = [line for line in summary.splitlines() if re.match(r"\w+: (?!\w+ [\d.]+ on )", line)]
    assert len(said) == 3
    assert all(
        re.fullmatch(r"\w+: with 100 images a drop must be [\d.]+ points away from its limit to be decided", line)
        for line in said
    )
