"""Failures as pytest shows them: our sentence in full, a short form of it for one line, and none of our frames."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, Final, final

import pytest

from compress_guard.errors import CompressGuardError
from compress_guard.foreign import shown_lines
from compress_guard.plugin.results import CellFailed, Result

_BRIEF: Final = "compress_guard_brief"
"""The attribute of a report with the short form of its failure."""


def brief_of(problem: BaseException) -> str | None:
    """Return the short form of an exception of ours, for pytest's lines of one failure each; None for any other."""
    from compress_guard.report import brief, first_clause

    if isinstance(problem, CellFailed):
        return brief(problem.result)
    return first_clause(str(problem)) if isinstance(problem, CompressGuardError) else None


def leave_out_our_frames(item: pytest.Item, call: pytest.CallInfo[Any]) -> None:
    """Let pytest show where people's code called us, and where other code raised; not the frames between.

    Under ``--full-trace`` everything stays.
    """
    from compress_guard.engine.frames import cause_of, without_ours

    problem = call.excinfo.value if call.excinfo is not None else None
    if not isinstance(problem, (CellFailed, CompressGuardError)) or item.config.getoption("fulltrace", False):
        return
    if (trace := without_ours(problem.__traceback__)) is None:
        return
    cause = cause_of(problem.problem if isinstance(problem, CellFailed) and problem.problem is not None else problem)
    problem.__cause__, problem.__suppress_context__ = cause, True
    call.excinfo = pytest.ExceptionInfo.from_exception(problem.with_traceback(trace))


def note_brief(report: pytest.TestReport, problem: BaseException) -> None:
    """Keep the short form of a failure on its report, which may travel to the controller of pytest-xdist."""
    if (brief := brief_of(problem)) is not None:
        vars(report)[_BRIEF] = brief


def shorten(reporter: pytest.TerminalReporter) -> None:
    """Let pytest's summary lines of failures be the short forms.

    Called just before they are written: until then the message of a failure is whole, as JUnit has it.
    """
    for kind in ("failed", "error"):
        for report in reporter.getreports(kind):
            crash: Any = getattr(report.longrepr, "reprcrash", None)
            if crash is not None and hasattr(report, _BRIEF):
                crash.message = getattr(report, _BRIEF)


def text_as_failure(excinfo: pytest.ExceptionInfo[BaseException], text: str, place: tuple[str, int]) -> Any:
    """Return this text as the representation of a failure; `place` is its file and line.

    It is one of pytest's own, since pytest-xdist takes no other from its workers to its controller.
    """
    problem = _Told(text).with_traceback(excinfo.value.__traceback__)
    shown: Any = pytest.ExceptionInfo.from_exception(problem).getrepr(style="value", chain=False)
    if shown.reprcrash is None:  # all frames are hidden
        return text
    shown.reprcrash.path, shown.reprcrash.lineno = place
    shown.reprcrash.message = text
    return shown


class _Told(Exception):
    """A text in the place of an exception."""


@final
class CrashShown:
    """The representation of a worker that died, which is made where it is shown."""

    def __init__(self, text: str, place: tuple[str, int]) -> None:
        self._text: Final = text
        self.reprcrash: Final = SimpleNamespace(message=text, path=place[0], lineno=place[1])

    def __str__(self) -> str:
        return self._text

    def toterminal(self, tw: Any) -> None:
        """Write the text, as pytest's own representations do."""
        tw.line(self._text)


def show_crash(report: pytest.TestReport, result: Result, place: tuple[str, int], name: str) -> None:
    """Let the report of a cell whose worker died show the cell's sentence, after that of pytest-xdist."""
    from compress_guard.report import brief

    text = f"{report.longrepr}\n{place[0]}:{place[1]}: {name}: {result.verdict}\n{result.reason}"
    vars(report).update({"longrepr": CrashShown(shown_lines(text), place), _BRIEF: brief(result)})
