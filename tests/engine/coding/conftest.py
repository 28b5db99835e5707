"""The codec `toy` with planted faults."""

from __future__ import annotations

import pytest

from compress_guard.registry import CODECS


@pytest.fixture
def plant(diary, monkeypatch):
    """Puts these methods, which may be faulty, into the codec `toy`; returns what it derives from."""
    toy = type(CODECS.resolve("toy")())

    def methods(**planted):
        # A fault that the code does not show, or the streams in the store would be those of another codec.
        made = type("Planted", (toy,), {"__module__": toy.__module__, **planted})
        monkeypatch.setitem(CODECS._found, "toy", lambda **options: made(diary, **options))
        return toy

    return methods
