"""The top of a report: how the run ended, in one line and a few sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from compress_guard.report import numbers
from compress_guard.report.html.contents import RunContents
from compress_guard.report.html.marks import Tone, is_waived, mark
from compress_guard.report.notes.waivers import waived
from compress_guard.report.signs import Result
from compress_guard.report.tally import ungated

NOT_ENDED: Final = "The run did not end normally, or had not ended when these results were written."
_MOST_NAMED: Final = 5
"""Most cells without a result that the headline names."""
_MOST_FILES: Final = 3
"""Most files of cells that the facts name."""


@dataclass(frozen=True, slots=True)
class Headline:
    """Verdict of a whole run."""

    tone: Tone
    title: str
    sentences: tuple[str, ...]
    studies: tuple[tuple[str, str], ...] = ()
    """Ids and reasons of throughput and recovery cells that failed, which have no details of their own."""
    problems: tuple[str, ...] = ()
    """Reasons, beside failed cells, why the run is not green; `sentences` has them too."""

    @classmethod
    def of(cls, run: RunContents) -> Headline:
        """Return the verdict: red if a cell failed, if the run ended otherwise than well, or if it gated nothing."""
        results: list[Result] = [*run.cells, *run.throughput, *run.recovery]
        failed = sum(result.outcome == "failed" for result in results)
        problems = tuple(_problems(run, failed))
        doubtful = sum(result.verdict == "inconclusive" for result in results)
        known = tuple(waived(results))
        if failed:
            others: list[Result] = [*run.throughput, *run.recovery]
            studies = tuple((result.id, result.reason) for result in others if result.outcome == "failed")
            sentences = (*_others(results), *known, *problems)
            return cls("bad", f"{failed} of {numbers.count(len(results), 'cell')} failed", sentences, studies, problems)
        if problems:
            return cls("bad", "No cell failed, but this run proves nothing", (*known, *problems), problems=problems)
        if doubtful:
            noun = numbers.count(doubtful, "cell")
            title = f"No cell failed; {noun} could not be decided with these images"
            return cls("unsure", title, (*_others(results), *known))
        if known:
            failures = numbers.count(sum(map(is_waived, results)), "known failure")
            return cls("unsure", f"No cell failed, beside {failures} that a waiver names", (*_others(results), *known))
        held = sum(mark(result) == "held" for result in results)
        if held < len(results):
            title = f"No cell failed; {held} of {numbers.count(len(results), 'cell')} held"
            return cls("good", title, tuple(_others(results)))
        return cls("good", f"All is well: {numbers.count(len(results), 'cell')}, none failed", ())


def _others(results: Sequence[Result]) -> Iterator[str]:
    """Yield a sentence on the cells that did not fail: how many held, and what kept the others from a verdict."""
    marks = [mark(result) for result in results if result.outcome != "failed"]
    head = "The others" if len(marks) < len(results) else "The cells"
    if marks:
        counts = (f"{marks.count(each)} {each}" for each in dict.fromkeys(sorted(marks, key="held".__ne__)))
        yield f"{head}: {', '.join(counts)}."


def missing_cells(run: RunContents) -> Iterator[str]:
    """Yield a sentence on the cells that were selected and have no result."""
    missing = run.ending.not_measured
    if missing:
        named = ", ".join(missing[:_MOST_NAMED]) + (" and others" if len(missing) > _MOST_NAMED else "")
        yield f"{numbers.count(len(missing), 'cell')} selected for this run without a result: {named}."


def _problems(run: RunContents, failed: int) -> Iterator[str]:
    """Yield the reasons, beside failed cells, why a run is not green."""
    yield from missing_cells(run)
    for guard in ungated(run.cells):
        yield f"{guard} gates nothing: none of its cells was judged."
    if not (run.cells or run.throughput or run.recovery):
        yield "The run has no results at all."
    status = run.ending.exit_status
    if status is None:
        yield NOT_ENDED
    elif status and not failed:
        yield f"The process ended with exit status {status}: another test failed, or the run stopped early."


def facts(run: RunContents) -> Iterator[tuple[str, str]]:
    """Yield date, commit and thresholds file of the run, as far as the results tell, and whether it had a baseline."""
    date, commit = (run.environment.get(name) for name in ("date", "commit"))
    if isinstance(date, str):
        yield "Date", date.replace("T", " ").replace("+00:00", " UTC")
    if isinstance(commit, str):
        changed = ", with changes that are not committed" if commit.endswith("-dirty") else ""
        yield "Commit", f"{commit.removesuffix('-dirty')[:12]}{changed}"
    files = dict.fromkeys(result.id.rpartition("::")[0] for result in run.results)
    if named := [file for file in files if file]:
        yield "Thresholds", ", ".join(named[:_MOST_FILES]) + (" and others" if len(named) > _MOST_FILES else "")
    scope = run.ending.scope
    measured = {result.id.rpartition("::")[2] for result in run.results}
    if left := sum(name not in measured for name in scope.cells):
        shard = "" if scope.shard is None else f", shard {scope.shard}"
        yield "Part", f"{len(scope.cells) - left} of the {numbers.count(len(scope.cells), 'cell')} of the file{shard}"
    if run.cells:
        compared = sum(result.baseline_score is not None for result in run.cells)
        of_all = f"the baseline, in {compared} of {numbers.count(len(run.cells), 'cell')}"
        yield "Compared with", of_all if compared else "no earlier run (--cg-baseline names one)"
