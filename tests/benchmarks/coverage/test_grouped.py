"""The simulation of images that belong together: its samples, its rows, and going on after a break."""

from __future__ import annotations

import json

import numpy as np
import pytest

from benchmarks.coverage import grouped
from compress_guard.verdict.grouped.groups import Groups


def test_the_samples_have_the_correlation_that_was_asked_for():
    rng = np.random.default_rng(0)
    belongs = Groups(grouped.members("2", 20_000, rng))
    for correlation in (0.0, 0.3, 0.5):
        own, common = rng.random(belongs.images), rng.random(belongs.count)[belongs.members]
        lost = np.where(rng.random(belongs.images) < correlation**0.5, common, own) < 0.2
        pairs = lost.reshape(-1, 2).astype(float)
        assert np.corrcoef(pairs.T)[0, 1] == pytest.approx(correlation, abs=0.02)


def test_a_row_counts_each_side():
    ends = np.array([(1.0, 3.0), (2.5, 4.0), (0.0, 1.0), (0.0, 2.0)])
    row = grouped.Row.of(ends, np.array([(1.9, 2.1), (1.0, 1.1)] * 2), 2.0)
    assert (row.covered, row.fails, row.passes, row.alone) == (0.5, 0.25, 0.25, 0.5)
    assert row.wider == pytest.approx(1.625 / 0.15)


def test_intervals_over_groups_cover_and_others_do_not():
    row = grouped.top1("20", 50, 0.5, (0.2, 0.05), 400)
    assert row.covered >= 0.94
    assert row.alone < 0.6


def test_a_run_goes_on_where_it_was_broken_off(tmp_path):
    path = tmp_path / "kept.json"
    row = grouped.Row(0.95, 0.02, 0.03, 0.5, 2.0)
    assert grouped.Keep(path).row("one", lambda: row) == row
    assert list(json.loads(path.read_text())) == ["one"]
    assert grouped.Keep(path).row("one", lambda: pytest.fail("made again")) == row


def test_the_table_goes_into_a_document(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(grouped, "GROUPS", (10,))
    monkeypatch.setattr(grouped, "MAP_GROUPS", (10,))
    monkeypatch.setattr(grouped, "POPULATION", 200)
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- grouped -->\n<!-- end of grouped -->\nafter\n")
    grouped.main(["--samples", "20", "--maps", "2", "--write", str(page)])
    text = page.read_text()
    assert text.count("\n| 10 | ") == 13 + 4
    assert capsys.readouterr().out.strip() in text


def test_what_makes_no_sense_is_refused(capsys):
    with pytest.raises(SystemExit):
        grouped.main(["--maps", "0"])
    assert "--maps: 0 is not a whole number of at least 1" in capsys.readouterr().err
