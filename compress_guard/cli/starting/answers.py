"""The model and the points that a new thresholds file is about, from options or from answers on a terminal."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from compress_guard.errors import UsageError
from compress_guard.foreign import shown
from compress_guard.registry import DATA, MODELS, TASKS, Registry, unknown
from compress_guard.thresholds.keys.names import FACTORY, is_factory

RATES: Final = ("0.25", "0.5", "1", "2")
CODECS: Final = ("jpeg", "webp", "avif")
"""Codecs for rates where none is named."""
ALL: Final = ""
"""The key of numbers that hold for every codec without its own."""
Numbers = Mapping[str, tuple[str, ...]]
"""Rates or qualities by codec, as they are spelled."""


@dataclass(frozen=True, slots=True)
class WantedPoints:
    """Codecs with their qualities and rates."""

    codecs: tuple[str, ...]
    quality: Numbers
    bpp: Numbers


@dataclass(frozen=True, slots=True)
class Wanted:
    """The contents of a new file: one guard."""

    guard: str
    task: str
    model: str
    data: str
    points: WantedPoints


def wanted(options: argparse.Namespace) -> Wanted:
    """Return what the options say; on a terminal ask for what is missing. Raises `UsageError`."""
    needed = ("task", "model", "data")
    missing = [key for key in needed if getattr(options, key) is None]
    asking = bool(missing) and sys.stdin.isatty() and sys.stderr.isatty()
    if missing and not asking:
        named = " and ".join(f"--{key}" for key in missing)
        verb = "is" if len(missing) == 1 else "are"
        raise UsageError(
            "init", f"{named} {verb} missing", "give them, or run the command on a terminal, where it asks"
        )
    answers: dict[str, str] = {key: getattr(options, key) or _ask(_QUESTIONS[key], _CHECKS[key]) for key in needed}
    for key, answer in answers.items():
        if (fault := _CHECKS[key](answer)) is not None:
            raise UsageError(f"--{key}", *fault)
    given = (options.codec, options.quality, options.bpp)
    if asking and not any(given):
        given = _production()
    return Wanted(options.guard, answers["task"], answers["model"], answers["data"], _points(*given))


def _points(codecs: Sequence[str] | None, quality: Sequence[str] | None, bpp: Sequence[str] | None) -> WantedPoints:
    """Return codecs, qualities and rates, with the defaults of what is not given."""
    qualities = _numbers("--quality", quality or ())
    rates = _numbers("--bpp", bpp or ())
    if not qualities and not rates:
        rates = {ALL: RATES}
    listed = [name.strip() for text in codecs or () for name in text.split(",")]
    named = [name for name in (*qualities, *rates) if name != ALL]
    plain = CODECS if ALL in rates else ("jpeg",) if ALL in qualities else ()
    return WantedPoints(tuple(dict.fromkeys([*(listed or plain), *named])), qualities, rates)


def _numbers(option: str, texts: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Read ``75,50`` and ``jpeg=75,50``; raises `UsageError` for what is no number."""
    numbers: dict[str, tuple[str, ...]] = {}
    for text in texts:
        codec, _, listed = text.rpartition("=")
        values = tuple(value.strip() for value in listed.split(","))
        if wrong := [value for value in values if not _is_number(value)]:
            raise UsageError(option, f"{shown(wrong[0])!r} is no number", "write e.g. 75,50 or webp=80")
        name = codec.strip()
        numbers[name] = (*numbers.get(name, ()), *values)
    return numbers


def _is_number(text: str) -> bool:
    whole, _, decimals = text.partition(".")
    return text.isascii() and whole.isdecimal() and (not decimals or decimals.isdecimal()) and not text.endswith(".")


def _task_fault(text: str) -> tuple[str, str] | None:
    return None if text in TASKS else (unknown("task", shown(text), TASKS), "use one of these")


def _factory_fault(names: Registry) -> Callable[[str], tuple[str, str] | None]:
    def fault(text: str) -> tuple[str, str] | None:
        if is_factory(text) or (":" not in text and text in names):
            return None
        return f"{shown(text)!r} is not a factory", f"write {FACTORY} or a registered name"

    return fault


_CHECKS: Final[Mapping[str, Callable[[str], tuple[str, str] | None]]] = {
    "task": _task_fault,
    "model": _factory_fault(MODELS),
    "data": _factory_fault(DATA),
}
_QUESTIONS: Final[Mapping[str, str]] = {
    "task": "Task of the model (classification, detection, segmentation): ",
    "model": "Factory of the model, e.g. myproject.release:model: ",
    "data": "Factory of the evaluation data, e.g. myproject.release:data: ",
}


def _ask(question: str, fault: Callable[[str], tuple[str, str] | None]) -> str:
    """Ask until the answer makes sense; raises `UsageError` at the end of the input."""
    while True:
        answer = _line(question)
        if (wrong := fault(answer)) is None:
            return answer
        sys.stderr.write(f"{'; '.join(wrong)}\n")


def _production() -> tuple[Sequence[str], Sequence[str] | None, None]:
    """Ask what production does to images: its codec, and the quality if that is known."""
    codec = _line("Codec of production, e.g. jpeg (empty: jpeg, webp and avif): ")
    quality = _line("Its quality, e.g. 75 (empty: rates of 0.25 to 2 bits per pixel): ")
    codecs = [codec] if codec else [] if quality else list(CODECS)
    return codecs, [quality] if quality else None, None


def _line(question: str) -> str:
    sys.stderr.write(question)
    sys.stderr.flush()
    answer = sys.stdin.readline()
    if not answer:
        raise UsageError("init", "the input ended before all questions were answered", "give the answers as options")
    return answer.strip()
