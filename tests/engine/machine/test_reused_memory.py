"""Memory of images is reused instead of fetched anew, unless a person has set the C library otherwise."""

from __future__ import annotations

import ctypes

import pytest

from compress_guard.engine.machine import heap


class Library:
    """A C library that notes the parameters it is given."""

    def __init__(self):
        self.given = []

    def mallopt(self, parameter, value):
        self.given.append((parameter, value))
        return 1


@pytest.fixture
def library(monkeypatch):
    for name in ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES"):
        monkeypatch.delenv(name, raising=False)
    made = Library()
    monkeypatch.setattr(ctypes, "CDLL", lambda name: made)
    return made


def test_blocks_up_to_32_mb_are_reused(library):
    heap.reuse_freed_memory.__wrapped__()
    assert library.given == [(-3, 32 * 2**20), (-1, 64 * 2**20)]


@pytest.mark.parametrize("name", ["MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES"])
def test_a_choice_in_the_environment_stays(library, monkeypatch, name):
    monkeypatch.setenv(name, "1")
    heap.reuse_freed_memory.__wrapped__()
    assert library.given == []


def test_another_c_library_is_left_alone(monkeypatch, library):
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    heap.reuse_freed_memory.__wrapped__()
