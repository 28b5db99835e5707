"""Texts of exceptions of users' code, as messages repeat them."""

from __future__ import annotations

import pytest

from compress_guard.errors import (
    CodecError,
    CodecUnavailable,
    DataError,
    Fault,
    ModelError,
    RunError,
    Unreachable,
    described,
    error_text,
)


class Speechless(Exception):
    def __str__(self) -> str:
        raise SystemExit(0)


class Odd(Exception):
    def __str__(self):
        return 3  # noqa: PLE0307 -- what careless code does


class Text(str):
    __slots__ = ()

    def __str__(self) -> str:
        raise ValueError

    __len__ = __format__ = encode = __str__  # type: ignore[assignment]  # every method fails, that is the point


class Subclass(Exception):
    def __str__(self) -> str:
        return Text("some words")


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (ValueError("no weights here"), "ValueError: no weights here"),
        (SystemExit(0), "SystemExit: 0"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
        (OSError("caf\udce9.png"), "OSError: caf\\udce9.png"),
        (Speechless(), "Speechless: its text cannot be read"),
        (Odd(), "Odd: its text cannot be read"),
        (Subclass(), "Subclass: some words"),
        (ExceptionGroup("several", [ValueError("one")]), "ExceptionGroup: several (1 sub-exception)"),
        (ValueError("x" * 1500 + "y" * 1500), f"ValueError: {'x' * 970} ... (3000 characters) ... {'y' * 970}"),
        (ValueError("one\n::error::two\x1b[2K\u202e"), "ValueError: one\\x0a::error::two\\x1b[2K\\u202e"),
        (type("Na\nme", (ValueError,), {})("x"), "Na\\x0ame: x"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_an_exception_is_described_whatever_it_is(problem, text) -> None:
    assert described(problem) == text
    assert described(problem).endswith(error_text(problem) or type(problem).__name__)


@pytest.mark.parametrize(
    ("kind", "verdict"),
    [
        (RunError, "error"),
        (ModelError, "error"),
        (DataError, "error"),
        (Fault, "error"),
        (CodecUnavailable, "unavailable"),
        (CodecError, "codec_error"),
        (Unreachable, "unreachable"),
    ],
)
def test_every_error_of_a_run_knows_its_verdict(kind, verdict) -> None:
    assert kind("something").verdict == verdict
