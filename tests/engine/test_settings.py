"""Settings of a whole run, from the command line."""

from __future__ import annotations

import os
import re
from dataclasses import replace

import pytest
import torch

from compress_guard.engine.settings import (
    RunSettings,
    check_device,
    check_results_file,
    cores,
    device_name,
    effective_limit,
    resolve_device,
)
from compress_guard.errors import UsageError


@pytest.mark.parametrize(
    ("file", "command", "used"), [(None, None, None), (5, None, 5), (None, 7, 7), (5, 7, 5), (9, 7, 7)]
)
def test_the_smaller_limit_counts(file, command, used, make_guard, tmp_path):
    cell = replace(make_guard().cells[0], limit=file)
    assert effective_limit(cell, RunSettings(tmp_path, tmp_path, limit=command)) == used


@pytest.mark.parametrize("device", ["gpu", "cuda:", "cuda:x", "CPU", "", "cpu:0", "mps"])
def test_a_device_that_is_none(device):
    message = f"--cg-device: unknown device {device!r}; use auto, cpu, cuda or cuda:N"
    with pytest.raises(UsageError, match=f"^{re.escape(message)}$"):
        check_device(device, "--cg-device")


@pytest.mark.parametrize(
    ("device", "count", "found"),
    [("cuda", 0, "no usable CUDA device"), ("cuda:0", 0, "no usable CUDA device"), ("cuda:2", 2, "2 CUDA devices")],
)
def test_a_device_that_is_not_there(device, count, found, monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
    message = f"device: {device} asked for, but torch sees {found}; use auto or cpu"
    with pytest.raises(UsageError, match=f"^{re.escape(message)}$"):
        check_device(device, "device")


@pytest.mark.parametrize(
    ("device", "worker", "count", "resolved"),
    [
        ("cpu", 3, 2, "cpu"),
        ("auto", 3, 0, "cpu"),
        ("auto", 0, 2, "cuda:0"),
        ("auto", 3, 2, "cuda:1"),
        ("cuda", 4, 3, "cuda:1"),
        ("cuda:1", 4, 3, "cuda:1"),
    ],
)
def test_parallel_processes_spread_over_the_gpus(device, worker, count, resolved, monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
    check_device(device, "device")
    assert resolve_device(device, worker) == resolved


def test_a_gpu_is_recorded_by_its_name(monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "NVIDIA H200")
    assert device_name("cuda:1") == "cuda:1 (NVIDIA H200)"
    assert device_name("cpu") == "cpu"


def test_there_is_at_least_one_core():
    assert 1 <= cores() <= (os.cpu_count() or 1)


def test_a_results_file_may_lie_in_folders_that_are_yet_to_be_made(tmp_path):
    check_results_file(tmp_path / "a" / "b" / "results.json", "--cg-json", {})
    assert list(tmp_path.iterdir()) == []


def test_a_results_file_that_cannot_be_written(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")

    def refuses(path, message):
        with pytest.raises(UsageError, match=f"^{re.escape(message)}$"):
            check_results_file(path, "--cg-json", {})

    refuses(tmp_path, f"--cg-json: {tmp_path} is a folder; name a file")
    inside = tmp_path / "file" / "results.json"
    refuses(
        inside, f"--cg-json: {inside} cannot be written: {tmp_path / 'file'} is not a folder; name a file in a folder"
    )
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    path = tmp_path / "results.json"
    refuses(path, f"--cg-json: {path} cannot be written: no permission in {tmp_path}; name another folder")
