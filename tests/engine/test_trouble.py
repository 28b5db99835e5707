"""Whatever is raised while a cell is measured becomes one error with a verdict; Ctrl-C and a fixture's word do not."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from compress_guard.engine.cells.result_draft import Draft
from compress_guard.engine.frames import traced
from compress_guard.engine.trouble import as_error, attempted, decided, pass_on
from compress_guard.errors import DataError, Fault, OptionError, RunError


@pytest.fixture(autouse=True)
def handler() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class Own(BaseException):
    """A user's exception that no `except Exception` catches."""


class Broken(Exception):
    """An exception whose attributes all raise."""

    @property  # type: ignore[misc]  # that is the fault under test
    def __class__(self):
        raise SystemExit(3)

    def __getattribute__(self, name: str):
        raise SystemExit(4)

    def __str__(self) -> str:
        raise KeyboardInterrupt


def raises(problem: BaseException):
    def deed() -> None:
        raise problem

    return deed


def overflows() -> None:
    overflows()


def ends() -> Iterator[int]:
    yield next(iter(()))


@pytest.mark.parametrize(
    "problem",
    [
        SystemExit(0),
        SystemExit("usage: train.py"),
        KeyboardInterrupt(),
        GeneratorExit(),
        asyncio.CancelledError(),
        StopIteration(),
        MemoryError(),
        Own("stop"),
        ExceptionGroup("two", [ValueError(1), KeyError(2)]),
        BaseExceptionGroup("two", [SystemExit(0), KeyboardInterrupt()]),
        pytest.skip.Exception("no"),
        pytest.exit.Exception("no more"),
    ],
    ids=lambda problem: type(problem).__name__,
)
def test_whatever_is_raised_is_one_error(problem) -> None:
    error = attempted(raises(problem))
    assert type(error) is Fault
    assert error.verdict == "error"
    assert error.__cause__ is problem


def test_an_exception_of_which_nothing_can_be_asked_is_replaced_for_whoever_writes_it_down() -> None:
    error = attempted(raises(Broken()))
    assert type(error) is Fault
    assert traced(error) == ("compress_guard.engine.trouble.Unspeakable: Broken: its text cannot be read")
    long = attempted(raises(ValueError("x" * 2**20)))
    assert isinstance(long, RunError)
    assert len(str(long)) + len(traced(long) or "") < 10_000

    def chained() -> None:
        try:
            raise Broken
        except Broken:
            raise DataError("sample 3 cannot be read")  # noqa: B904 -- as careless code does

    error = attempted(chained)
    assert (type(error), str(error)) == (DataError, "sample 3 cannot be read")
    assert type(error.__cause__).__name__ == "Unspeakable"


@pytest.mark.parametrize("deed", [overflows, lambda: list(ends())], ids=["deep", "generator"])
def test_what_python_itself_raises_is_one_too(deed) -> None:
    assert type(attempted(deed)) is Fault


def test_an_error_that_was_raised_on_purpose_stays_as_it_is() -> None:
    problem = DataError("sample 3 cannot be read")
    assert attempted(raises(problem)) is problem
    assert attempted(lambda: 7) == 7


def test_what_only_makes_no_sense_keeps_its_own_words_or_passes() -> None:
    problem = OptionError("quality 300 is outside 0 to 100")
    error = attempted(raises(problem))
    assert (type(error), str(error), error.__cause__) == (RunError, str(problem), problem)
    with pytest.raises(OptionError):
        attempted(raises(problem), OptionError)


def test_people_s_code_is_named_with_its_line_and_function() -> None:
    line = raises(ValueError()).__code__.co_firstlineno + 1
    assert str(attempted(raises(SystemExit(2)))) == (
        f"test_trouble.py:{line} (deed) raised SystemExit: 2; expected code that returns"
    )


def test_a_fault_of_our_own_says_that_it_is_one_and_where(monkeypatch) -> None:
    error = attempted(lambda: Draft.doubt(None, ()))
    assert re.fullmatch(
        r"compress_guard failed at engine/cells/result_draft\.py:\d+ "
        r"\(AttributeError: 'NoneType' object has no attribute 'result'\); this is an error in compress_guard, not in "
        "the model or the data: please report it with its traceback",
        str(error),
    )
    assert isinstance(error, Fault)
    assert "in doubt\n" in (traced(error) or "")


def test_ctrl_c_ends_everything_whatever_somebody_made_of_it() -> None:
    def leaves() -> None:
        try:
            os.kill(os.getpid(), signal.SIGINT)
        except KeyboardInterrupt:
            sys.exit(0)

    def swallows() -> int:
        try:
            os.kill(os.getpid(), signal.SIGINT)
        except KeyboardInterrupt:
            return 1
        return 0

    for deed in (lambda: os.kill(os.getpid(), signal.SIGINT), leaves, swallows):
        with pytest.raises(KeyboardInterrupt):
            attempted(deed)
    assert attempted(lambda: 2) == 2


def test_what_was_decided_for_the_whole_test_passes() -> None:
    problem = pytest.skip.Exception("no camera here")
    decided(problem)
    with pytest.raises(pytest.skip.Exception):
        attempted(raises(problem))
    with pytest.raises(pytest.skip.Exception):
        pass_on(problem)
    pass_on(Broken())


def test_a_traceback_can_be_written_to_any_file() -> None:
    error = attempted(raises(ValueError("caf\udce9")))
    assert isinstance(error, Fault)
    assert (traced(error) or "").endswith("ValueError: caf\\udce9")
    assert traced(DataError("nothing behind it")) is None


def test_an_error_is_made_of_a_problem_at_hand_too() -> None:
    error = as_error(Own("stop"))
    assert str(error).startswith("compress_guard failed (Own: stop); this is an error in compress_guard")
    assert Path(__file__).name not in str(error)
