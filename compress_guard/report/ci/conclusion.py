"""The conclusion of a run: a word for scripts, and a few words for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from compress_guard.records import CellResult
from compress_guard.report import numbers
from compress_guard.report.html.contents import RunContents
from compress_guard.report.html.headline import Headline
from compress_guard.report.html.marks import Tone, is_waived
from compress_guard.report.signs import Result

Word = Literal["held", "undecided", "failed", "error"]

_WORDS: Final[Mapping[Tone, Word]] = {"good": "held", "unsure": "undecided", "bad": "failed"}


@dataclass(frozen=True, slots=True)
class Conclusion:
    """The end of a run."""

    word: Word
    """``error``: no cell failed, and the run proves nothing."""
    cells: int = 0
    failed: int = 0
    held: int = 0
    waived: int = 0
    """Known failures that a waiver names; they are not among the failed ones."""
    worst: str | None = None
    """Name of the failed cell that is farthest beyond its limit; None where none failed."""

    @classmethod
    def of(cls, run: RunContents) -> Conclusion:
        """Return the conclusion of a run."""
        results: list[Result] = [*run.cells, *run.throughput, *run.recovery]
        failed = [result for result in results if result.outcome == "failed"]
        word = _WORDS[Headline.of(run).tone]
        if word == "failed" and not failed:
            word = "error"
        held = sum(result.verdict == "pass" and result.outcome == "passed" for result in results)
        waived = sum(is_waived(result) for result in results)
        worst = max(failed, key=_excess, default=None)
        return cls(word, len(results), len(failed), held, waived, None if worst is None else name_of(worst))

    @property
    def text(self) -> str:
        """A few words: ``held 49 of 51, 2 waived``, ``failed 2 of 51, worst photos[jpeg-0.25bpp]``."""
        if self.word == "failed":
            return f"failed {self.failed} of {self.cells}, worst {self.worst}"
        if self.word == "error":
            return "no result"
        others = self.cells - self.held - self.waived
        rest = f", {self.waived} waived" if self.waived else ""
        rest += f", {numbers.count(others, 'other')}" if others else ""
        return f"held {self.held} of {self.cells}{rest}"


def name_of(result: Result) -> str:
    """Return the name of a cell in its file, or in a test of the user's own: ``photos[jpeg-0.25bpp]``."""
    return result.id.partition("::")[2] or result.id


def _excess(result: Result) -> float:
    """Return how far a failed cell is beyond its limit, in points; below every cell with figures if it has none."""
    if isinstance(result, CellResult) and result.drop is not None and result.max_drop is not None:
        return result.drop - result.max_drop
    return float("-inf")
