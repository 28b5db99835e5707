"""A cache with a relative name stays in the first folder, even if a model changes the current one."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
import torch

from compress_guard import measure
from compress_guard.engine.images.factories import anchor_search_path
from compress_guard.engine.settings import RunSettings
from compress_guard.engine.throughput.cells import contest_of

IMAGES = [torch.randint(0, 255, (3, 48, 48), generator=torch.Generator().manual_seed(seed)).byte() for seed in range(4)]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_cache_of_measure(folder):
    def model(images):
        os.chdir(folder / "elsewhere")
        return [torch.tensor([1.0, 0.0]) for _ in images]

    data = [(image, 0) for image in IMAGES]
    measure(model, data, task="classification", bpp=2.0, device="cpu", cache="kept")
    assert (folder / "kept" / "streams").is_dir()
    assert list((folder / "elsewhere").iterdir()) == []


def test_the_cache_of_a_contest(folder, monkeypatch):
    contest = contest_of(IMAGES, codec="jpeg", bpp=2.0, device="cpu", cache="kept", rounds=3)
    monkeypatch.chdir(folder / "elsewhere")
    contest.run()
    assert (folder / "kept").is_dir()
    assert list((folder / "elsewhere").iterdir()) == []


def test_settings_have_absolute_folders(folder):
    settings = RunSettings(Path("run"), Path("kept"))
    assert (settings.run_folder, settings.store_folder) == (folder / "run", folder / "kept")


def test_relative_entries_of_the_search_path_get_an_absolute_form_behind_them_once(folder, monkeypatch):
    monkeypatch.setattr(sys, "path", ["", "/first", "below", "/last"])
    wanted = ["", str(folder), "/first", "below", str(folder / "below"), "/last"]
    for _ in range(2):
        anchor_search_path()
        assert sys.path == wanted
