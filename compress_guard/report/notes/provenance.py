"""Provenance of results: when they were written, of which commit, and which models they are of."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from compress_guard.records import Thresholds

_SECONDS: Final = 10
"""Most seconds to wait for git."""
_COMMIT: Final = re.compile(r"[0-9a-f]{40,64}(-dirty)?")


def provenance(thresholds: Thresholds | None, run_folder: Path) -> dict[str, object]:
    """Return `date` (UTC), `commit` and the factories of `models` by guard; None where something is not known."""
    named = None if thresholds is None else thresholds.path
    models = {} if thresholds is None else {guard.name: guard.model for guard in thresholds.guards}
    return {
        "date": _date(run_folder),
        "commit": commit(Path(named).parent if named else Path()),
        "models": models,
    }


@lru_cache(maxsize=1)
def _date(run_folder: Path) -> str:
    """Return the time of the first call for a run, so that all its reports name the same."""
    del run_folder
    return datetime.now(UTC).isoformat(timespec="seconds")


def commit(folder: Path) -> str | None:
    """Return the commit of the repository around a folder, with ``-dirty`` behind it where tracked files differ.

    Where git is not at hand or knows no repository there, the commit that GitHub Actions names; else None.
    """
    git = shutil.which("git")
    if git is not None:
        # Without a lock nothing is written into the repository.
        how = [git, "--no-optional-locks", "-C", str(folder), "describe", "--always", "--dirty", "--abbrev=64"]
        try:
            answer = subprocess.run(  # noqa: S603 -- git alone, with a folder
                [*how, "--exclude=*"], capture_output=True, text=True, errors="replace", timeout=_SECONDS, check=False
            )
        except (OSError, subprocess.SubprocessError):
            answer = None
        if answer is not None and answer.returncode == 0 and _COMMIT.fullmatch(text := answer.stdout.strip()):
            return text
    given = os.environ.get("GITHUB_SHA", "")
    return given if _COMMIT.fullmatch(given) else None
