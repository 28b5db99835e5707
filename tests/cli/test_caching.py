"""The cache of `compress-guard run`: its size, and what the next run finds in it."""

from __future__ import annotations

import json
import sys

import pytest

from compress_guard.cli import EXIT_HELD, EXIT_USAGE


def results(folder):
    return json.loads((folder / "results.json").read_text())["cells"]


def test_a_second_run_says_what_it_found(command, folder, guards):
    guards(toy="max_drop: 100, fingerprint: v1")
    first, second = (command("run", "--cache", "kept", "--json", "results.json") for _ in range(2))
    assert (first.code, second.code) == (EXIT_HELD, EXIT_HELD)
    (cell,) = results(folder)
    assert [cell[field] for field in ("encodes", "predictions", "remembered")] == [0, 24, 8]
    assert "earlier runs" not in first.out
    # All images are one batch: clean, coded and behind the lossless codec it is predicted again before it is believed.
    assert "toy: 8 of 32 predictions are of earlier runs (fingerprint), the model was asked for 24" in second.out


def test_a_model_that_moved_is_told(command, folder, guards, monkeypatch):
    guards(toy="max_drop: 100, fingerprint: v1")
    command("run", "--cache", "kept")
    (folder / "toy.py").write_text((folder / "toy.py").read_text().replace("energy[8, 0],", "1.5 * energy[8, 0],"))
    monkeypatch.delitem(sys.modules, "toy")
    second = command("run", "--cache", "kept")
    assert "toy: the model answers its probing batch, or the first batch of a cell, otherwise" in second.out


def test_the_cache_keeps_within_its_size(command, folder, guards, monkeypatch):
    monkeypatch.setattr("compress_guard.engine.settings.MEGABYTE", 1000)
    guards(toy="max_drop: 100, fingerprint: v1")
    command("run", "--cache", "kept", "--cache-size", "20")
    sizes = [path.stat().st_size for path in (folder / "kept").rglob("*") if path.is_file()]
    assert 5_000 < sum(sizes) <= 21_000


@pytest.mark.parametrize("value", ["0", "-5", "1.5", "all"])
def test_a_size_is_a_whole_number(command, guards, value):
    guards(toy="max_drop: 100")
    done = command("run", f"--cache-size={value}")
    assert done.code == EXIT_USAGE
    assert f"argument --cache-size: '{value}' is not a whole number of at least 1" in done.err
