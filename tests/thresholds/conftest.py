"""Stand-ins for codecs and tasks, so that these tests rest on nothing but names, options and metrics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest

from compress_guard.errors import OptionError, ThresholdsError
from compress_guard.records import Guard, Thresholds
from compress_guard.registry import CODECS, TASKS
from compress_guard.thresholds import load
from tests.thresholds.json_view import assert_refused, assert_taken

HEAD = "version: 1\n"
PHOTOS = "guards:\n  photos:\n    task: classification\n    model: m:f\n    data: d:f\n"


@dataclass(frozen=True, slots=True)
class FakeJpeg:
    subsampling: str = "4:2:0"
    progressive: bool = False
    _tables: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if self.subsampling not in ("4:2:0", "4:4:4"):
            raise OptionError(f"subsampling must be '4:2:0' or '4:4:4', found {self.subsampling!r}")
        if not isinstance(self.progressive, bool):
            raise OptionError(f"true or false is expected, found {self.progressive!r}")


@dataclass(frozen=True, slots=True)
class FakeAvif:
    speed: int = 8


@dataclass(frozen=True, slots=True)
class FakeCommand:
    encoder: str
    decoder: str
    settings: tuple[float, ...] = field(default_factory=lambda: (1.0, 2.0))


@pytest.fixture(autouse=True)
def stand_ins(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, codec in (("jpeg", FakeJpeg), ("avif", FakeAvif), ("command", FakeCommand)):
        monkeypatch.setitem(CODECS._found, name, codec)
    for name, metrics in (
        ("classification", ("top1", "top5")),
        ("detection", ("map", "map_50", "map_small", "map_medium", "map_large")),
        ("segmentation", ("miou", "pixel_accuracy")),
    ):
        monkeypatch.setitem(TASKS._found, name, SimpleNamespace(metrics=metrics))


@pytest.fixture
def read(tmp_path: Path) -> Callable[[str], Thresholds]:
    """A whole file, loaded. The schema has to take each file that loads, and to refuse others but for known gaps."""

    def load_text(text: str) -> Thresholds:
        path = tmp_path / "thresholds.yaml"
        path.write_text(text, encoding="utf-8")
        try:
            loaded = load(path)
        except ThresholdsError as refused:
            assert_refused(text, str(refused))
            raise
        assert_taken(text)
        return loaded

    return load_text


@pytest.fixture
def guard(read: Callable[[str], Thresholds]) -> Callable[..., Guard]:
    """The guard `photos` with these further lines (4 spaces are put before each), below the sections in `before`."""

    def load_guard(*lines: str, before: str = "") -> Guard:
        (only,) = read(HEAD + before + PHOTOS + "".join(f"    {line}\n" for line in lines)).guards
        return only

    return load_guard


@pytest.fixture
def refusal(read: Callable[[str], Thresholds]) -> Callable[[str], str]:
    """The whole message that a file is refused with."""

    def message(text: str) -> str:
        with pytest.raises(ThresholdsError) as caught:
            read(text)
        return str(caught.value)

    return message


@pytest.fixture
def guard_refusal(refusal: Callable[[str], str]) -> Callable[..., str]:
    """The whole message that a guard with these further lines is refused with; the first of them is line 7."""

    def message(*lines: str) -> str:
        return refusal(HEAD + PHOTOS + "".join(f"    {line}\n" for line in lines))

    return message
