"""Signs for verdicts in a matrix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from compress_guard.records import CellResult, RecoveryResult, ThroughputResult
from compress_guard.report.markup import Line

Result: TypeAlias = CellResult | RecoveryResult | ThroughputResult

FAIL: Final = "FAIL"
INCONCLUSIVE: Final = "?"
STOPPED: Final = "*"
WAIVED: Final = "waived"


@dataclass(frozen=True, slots=True)
class Signs:
    """Signs that depend on the encoding of an output."""

    held: str
    unjudged: str

    @classmethod
    def of(cls, encoding: str | None) -> Signs:
        """Return signs that this encoding has; ASCII if it is unknown."""
        try:
            (_UNICODE.held + _UNICODE.unjudged).encode(encoding or "ascii")
        except (UnicodeEncodeError, LookupError):
            return _ASCII
        return _UNICODE

    def mark(self, result: Result) -> str:
        """Return the mark beside a cell's number: FAIL for every cell that fails the run, for whatever reason."""
        stopped = STOPPED if _stopped(result) else ""
        if result.waived is not None:
            return f"{WAIVED}{stopped}"
        doubt = INCONCLUSIVE if result.verdict == "inconclusive" else ""
        if result.outcome == "failed":
            return f"{doubt} {FAIL}{stopped}".lstrip()
        return {"pass": self.held, "unjudged": self.unjudged}.get(result.verdict, doubt) + stopped

    def legend(self, head: str, results: Sequence[Result]) -> Line:
        """Return a line with this head and the meaning of each sign that these results show."""
        verdicts = {result.verdict for result in results}
        shown = [
            ("pass" in verdicts, self.held, "held", "green"),
            ("inconclusive" in verdicts, INCONCLUSIVE, "inconclusive", "light"),
            ("unjudged" in verdicts, self.unjudged, "no limit", "light"),
            (any(map(_stopped, results)), STOPPED, "stopped early", "light"),
            ("unreachable" in verdicts, "floor", "lowest bpp reached", "light"),
            (any(map(_has_setting, results)), "q", "codec setting", "light"),
        ]
        line = [(head, "light")]
        for there, sign, meaning, look in shown:
            if there:
                line += [("   ", ""), (sign, look), (f" {meaning}", "light")]
        return tuple(line)


def style(result: Result) -> str:
    """Return the style of a cell in a matrix."""
    if result.outcome == "failed":
        return "red bold"
    return {"pass": "green"}.get(result.verdict, "light")


def _has_setting(result: Result) -> bool:
    """Return True for a cell whose block names the setting that its rate came to."""
    if not isinstance(result, CellResult):
        return False
    return result.target_bpp is not None and result.drop is not None and bool(result.settings)


def _stopped(result: Result) -> bool:
    return isinstance(result, CellResult) and result.stopped_early


_UNICODE: Final = Signs("✓", "·")
_ASCII: Final = Signs("ok", "-")
