"""The benchmarks of the hot paths run, and pytest-benchmark's own options work with them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def bench(*arguments):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "benchmarks/hot"]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run([*command, *arguments], cwd=ROOT, env=kept, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_each_runs_once_without_timing():
    out = bench("--benchmark-disable")
    assert re.search(r"^(2[0-9]|[3-9][0-9]) passed", out, re.MULTILINE), out


def test_figures_are_written_under_names_that_stay(tmp_path):
    pytest.importorskip("pytest_benchmark")
    chosen = ("-k", "top1_interval or store", "--benchmark-max-time=0.01", "--benchmark-min-rounds=2")
    bench(*chosen, f"--benchmark-json={tmp_path / 'figures.json'}")
    figures = json.loads((tmp_path / "figures.json").read_text())["benchmarks"]
    assert {figure["name"] for figure in figures} == {
        *("test_store_put", "test_store_get", "test_top1_interval[300]", "test_top1_interval[50000]"),
    }
    assert all(figure["stats"]["rounds"] >= 2 for figure in figures)
