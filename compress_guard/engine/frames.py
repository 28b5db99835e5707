"""The frames of tracebacks: which code they belong to, and tracebacks without the frames of compress_guard."""

from __future__ import annotations

import importlib
import os
import sysconfig
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import FrameType, TracebackType
from typing import Final

from compress_guard.errors import Fault, RunError
from compress_guard.foreign import shown_lines

PACKAGE: Final = str(Path(__file__).parents[1]) + os.sep
_FOLDERS: Final = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
LIBRARIES: Final = ("<", *{str(path) + os.sep for name in _FOLDERS for path in (name, Path(name).resolve())})
"""Beginnings of file names that belong to no project of a user: installed packages, and code without a file."""
_IMPORTS: Final = ("<frozen importlib", str(importlib.__file__))
"""Beginnings of the names of files that import modules; their frames do not say why an import failed."""

Place = tuple[FrameType, int]
"""A frame and its current line."""


def frames(problem: BaseException) -> list[Place]:
    """Return the frames that an exception passed through, with their lines; the deepest comes last."""
    try:
        return list(traceback.walk_tb(problem.__traceback__))
    except BaseException:  # noqa: BLE001 -- an exception may break its own attributes
        return []


def is_ours(frame: FrameType) -> bool:
    """Return True if a frame belongs to the code of compress_guard."""
    return frame.f_code.co_filename.startswith(PACKAGE)


def deepest_of_ours(places: list[Place]) -> tuple[Place | None, list[Place]]:
    """Return the deepest frame of compress_guard, or None, and the frames below it that belong to a user's project."""
    ours = [at for at, (frame, _) in enumerate(places) if is_ours(frame)]
    deeper = places[ours[-1] + 1 :] if ours else places
    people = [place for place in deeper if not place[0].f_code.co_filename.startswith((*LIBRARIES, PACKAGE))]
    return (places[ours[-1]] if ours else None), people


def traced(problem: RunError) -> str | None:
    """Return the traceback of the code that caused an error; None if the message of the error says everything.

    Frames of compress_guard are left out, unless the error is a fault of its own.
    """
    cause = cause_of(problem)
    if cause is None:
        return None
    return shown_lines("".join(traceback.format_exception(cause)).rstrip())


def cause_of(problem: BaseException) -> BaseException | None:
    """Return the exception of other code behind an error, its traceback without the frames of compress_guard.

    Return None if everything behind the error was raised by compress_guard, or while a module was being located. The
    cause of a `Fault` in compress_guard itself is returned unchanged, so that it can be reported.
    """
    try:
        raised = problem.__cause__
        if issubclass(type(problem), Fault) and raised is not None and not deepest_of_ours(frames(raised))[1]:
            return raised
        chain = [link for link in _causes(problem) if _pruned(link)]
        for link, behind in zip(chain, [*chain[1:], None], strict=True):
            if next(_causes(link), None) is not behind:
                link.__cause__ = behind  # which also hides the context
    except BaseException:  # noqa: BLE001 -- an exception may break its own attributes
        return None
    return chain[0] if chain else None


def without_ours(trace: TracebackType | None) -> TracebackType | None:
    """Return a traceback without the frames of compress_guard; None if only frames of module imports are left."""
    kept = [entry for entry in _entries(trace) if not is_ours(entry.tb_frame)]
    if all(entry.tb_frame.f_code.co_filename.startswith(_IMPORTS) for entry in kept):
        return None
    rest: TracebackType | None = None
    for entry in reversed(kept):
        rest = TracebackType(rest, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
    return rest


def _pruned(link: BaseException) -> bool:
    """Remove the frames of compress_guard from an exception's traceback; return True if other frames are left."""
    trace = without_ours(link.__traceback__)
    link.__traceback__ = trace
    return trace is not None


def _causes(problem: BaseException) -> Iterator[BaseException]:
    """Yield the exceptions behind this one, each once, starting with the nearest."""
    seen = {id(problem)}
    link: BaseException | None = problem
    while link is not None:
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
        if link is None or id(link) in seen:
            return
        seen.add(id(link))
        yield link


def _entries(trace: TracebackType | None) -> Iterator[TracebackType]:
    while trace is not None:
        yield trace
        trace = trace.tb_next
