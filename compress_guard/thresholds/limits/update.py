"""Measured limits that a run writes into its thresholds file, or does not: which runs may, and what they say."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from compress_guard.destination import replace
from compress_guard.errors import CompressGuardError, UsageError
from compress_guard.records import UNTOLD, CellResult
from compress_guard.thresholds.document import read
from compress_guard.thresholds.limits.rewriting import Rewritten, Source, rewritten

_UNSET: Final = ("", "0", "false", "no")
_MOST_NAMED: Final = 3
_BOM: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class UpdatedFile:
    """Outcome of an update of limits in a thresholds file, in lines for the terminal."""

    diff: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    """Reasons why the run is red: nothing was written, or a limit stays that the measurement is above."""


@dataclass(frozen=True, slots=True)
class AskedUpdate:
    """The option of a run that asks for an update: ``--cg-update``, or ``--update`` of the command."""

    option: str
    loosen: bool = False
    """Limits that the measurement is above are raised too."""

    def check(self, parts: Mapping[str, object], strict: str | None) -> None:
        """Raise `UsageError` for a run in CI, of a part of cells or images, or one that is strict.

        `parts` has the options that leave cells or images out, by their names, with what they were given; `strict` is
        the option of a strict run, None for another run.
        """
        if os.environ.get("CI", "").lower() not in _UNSET:
            found = "the environment variable CI is set, and a release must not write the limits that it is held to"
            raise UsageError(self.option, found, "run it where a person looks at the change")
        for option, given in parts.items():
            if given:
                found = f"given together with {option}, and limits need all cells and images"
                raise UsageError(self.option, found, "drop one")
        if strict is not None:
            raise UsageError(self.option, f"given together with {strict}, and nothing is judged", "drop one")

    def update(self, source: Source, results: Mapping[str, CellResult], *, green: bool) -> UpdatedFile:
        """Write the limits that complete results give, by the names of their cells, unless something failed.

        `green` is False where the run has failed beside its cells.
        """
        problem = _incomplete([cell.name for guard in source.guards().guards for cell in guard.cells], results)
        if problem is None and not green:
            problem = "the run has failed"
        if problem is not None:
            return UpdatedFile(failures=(f"{self.option}: {problem}; nothing was written",))
        try:
            made = rewritten(source, results, loosen=self.loosen)
            if made.diff:
                _write(source, made.text)
        except (CompressGuardError, OSError) as failure:
            return UpdatedFile(failures=(f"{self.option}: {failure}; nothing was written",))
        return UpdatedFile(made.diff, tuple(self._remarks(source.shown, made)), tuple(self._failures(made)))

    def _remarks(self, shown: str, made: Rewritten) -> Iterator[str]:
        yield f"{self.option}: {shown} has new limits" if made.diff else f"{self.option}: {shown} stays as it is"
        if made.open:
            yield (
                f"the intervals of {_listed(made.open)} reach above limits that stay; {self.option}=loosen raises these"
            )
        if made.unmeasured:
            yield f"the limits of {_listed(made.unmeasured)} stay: no drop was measured there, or a waiver names it"

    def _failures(self, made: Rewritten) -> Iterator[str]:
        if made.above:
            yield f"{_listed(made.above)} lost more than limits allow that stay; {self.option}=loosen raises these"


def _incomplete(names: Sequence[str], results: Mapping[str, CellResult]) -> str | None:
    """Return why these results give no limits, None if they do."""
    missing = [name for name in names if name not in results]
    if missing:
        return f"{len(missing)} of {len(names)} cells were not measured: {_listed(missing)}"
    failed = [name for name, result in results.items() if result.outcome == "failed"]
    if failed:
        return f"{len(failed)} of {len(names)} cells failed: {_listed(failed)}"
    for name, result in results.items():
        if result.clean_remark is not None and UNTOLD in result.clean_remark:
            return f"{name}: {result.clean_remark}"
    return None


def _write(source: Source, text: str) -> None:
    """Replace the file, unless it is another one by now."""
    if read(source.path, source.shown) != source.text:
        raise CompressGuardError(f"{source.shown} has changed since the run began")
    mark = _BOM if source.path.read_bytes().startswith(_BOM) else b""
    replace(source.path, mark + text.encode())


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return f"{', '.join(names[:_MOST_NAMED])}{more}"
