"""The one place where anything raised while a cell is measured becomes an error with a verdict.

User code may raise anything: `SystemExit` from a script, a `KeyboardInterrupt` without Ctrl-C, an exception class whose
text cannot be read. None of these may end the run or lose a cell. Ctrl-C itself always ends the run.
"""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from compress_guard import interrupts
from compress_guard.engine.frames import PACKAGE, Place, deepest_of_ours, frames
from compress_guard.errors import CompressGuardError, Fault, RunError, described, error_text
from compress_guard.foreign import TAB, shown, shown_lines

T = TypeVar("T")

_LONGEST: Final = 2**16
"""Largest number of characters of one text in a traceback."""
_DECIDED: Final = "_compress_guard_decided"
"""Attribute of exceptions that are meant for the code that drives the run."""


def attempted(deed: Callable[[], T], *passing: type[Exception]) -> T | RunError:
    """Return the result of `deed`, or the error that stands for what it raised.

    Raises KeyboardInterrupt after Ctrl-C, even if user code has swallowed it; exceptions that were `decided`; and
    exceptions of the types `passing`.
    """
    with interrupts.watched() as watch:
        try:
            made = deed()
        except passing:
            raise
        except BaseException as problem:  # noqa: BLE001 -- user code may raise anything: see the module
            return as_error(problem)
        watch.check()
        return made


def as_error(problem: BaseException) -> RunError:
    """Return the error with the verdict and text for an exception: the exception itself if it is a `RunError`.

    Other errors of compress_guard become a `RunError`, everything else a `Fault`. Raises KeyboardInterrupt after
    Ctrl-C, and exceptions that were `decided`.
    """
    pass_on(problem)
    # Checked by type: isinstance also asks the object for its __class__, which may raise.
    if issubclass(type(problem), RunError):
        return _with_sound_causes(problem if _is_sound(problem) else _retold(problem))  # type: ignore[arg-type]  # ditto
    error = RunError(error_text(problem)) if issubclass(type(problem), CompressGuardError) else Fault(_blame(problem))
    error.__cause__ = problem
    return _with_sound_causes(error)


def pass_on(problem: BaseException) -> None:
    """Raise an exception again if it does not belong to a cell: Ctrl-C, and exceptions that were `decided`.

    Code that catches more than `Exception` calls this first.
    """
    if interrupts.is_real(problem):
        if issubclass(type(problem), KeyboardInterrupt):
            raise problem
        raise KeyboardInterrupt from problem
    try:
        decided_before = _DECIDED in vars(problem)
    except BaseException:  # noqa: BLE001 -- an exception may break its own attributes
        return
    if decided_before:
        raise problem


def decided(problem: BaseException) -> None:
    """Mark an exception that must not become the verdict of a cell.

    A pytest fixture decides in this way for the tests that use it: to skip, to fail or to exit.
    """
    setattr(problem, _DECIDED, True)


class Unspeakable(Exception):
    """A stand-in for an exception that must not be printed: pytest and Python print the causes of an error unchanged.

    Its attributes raise, its text would fill the terminal, or the text holds control characters or CI commands.
    """


def _with_sound_causes(error: RunError) -> RunError:
    """Return the error after replacing causes that would crash the code that prints its traceback."""
    link: BaseException = error
    seen = {id(link)}
    while (cause := link.__cause__ or link.__context__) is not None and id(cause) not in seen:
        if not _is_sound(cause):
            link.__cause__, link.__context__ = _stand_in(cause), None
            break
        seen.add(id(cause))
        link = cause
    return error


def _retold(problem: BaseException) -> RunError:
    """Return an error of the nearest class of `errors` with printable text, in place of one that is unsafe to show."""
    kind = next(base for base in type(problem).__mro__ if base.__module__ == RunError.__module__)
    error: RunError = kind(error_text(problem))
    error.__cause__ = problem
    return error


def _stand_in(problem: BaseException) -> Unspeakable:
    """Return the stand-in for an exception, with its traceback if that can be read."""
    made = Unspeakable(described(problem))
    with contextlib.suppress(BaseException):  # an exception may break its own attributes
        made.__traceback__ = problem.__traceback__
    return made


def _is_sound(problem: BaseException) -> bool:
    try:
        isinstance(problem, RunError)
        traceback.walk_tb(problem.__traceback__)
        asked = (problem.__cause__, problem.__context__, problem.__suppress_context__, str(problem), repr(problem))
        texts = (*asked[3:], *getattr(problem, "__notes__", ()))
        return all(len(text) <= _LONGEST and shown_lines(text) == text.expandtabs(TAB) for text in texts)
    except BaseException:  # noqa: BLE001 -- an exception may break any of its attributes
        return False


def _blame(problem: BaseException) -> str:
    """Return the message for an unexpected exception: which code raised it."""
    ours, people = deepest_of_ours(frames(problem))
    if people:
        return f"{_place(people[-1])} raised {described(problem)}; expected code that returns"
    where = f" at {_place(ours)}" if ours is not None else ""
    return (
        f"compress_guard failed{where} ({described(problem)}); this is an error in compress_guard, not in the model or "
        "the data: please report it with its traceback"
    )


def _place(place: Place) -> str:
    frame, line = place
    path = frame.f_code.co_filename
    if path.startswith(PACKAGE):
        return f"{path.removeprefix(PACKAGE)}:{line}"
    return shown(f"{Path(path).name}:{line} ({frame.f_code.co_name})")
