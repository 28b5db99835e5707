"""Runs that may not write limits into the thresholds file (--cg-update)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from compress_guard.errors import UsageError
from compress_guard.plugin.options import GateOptions, is_typed
from compress_guard.thresholds.limits.update import AskedUpdate

if TYPE_CHECKING:
    import pytest

OPTION: Final = "--cg-update"


def check_update(config: pytest.Config, options: GateOptions, file: str, *, there: bool) -> None:
    """Raise `UsageError` for a run whose measurement must not become limits: in CI, of a part of cells or images, or of
    a run that nobody has asked for by its own command line.

    `there` is True if the thresholds file exists.
    """
    if not is_typed(config, OPTION):
        found = "given by addopts or PYTEST_ADDOPTS, so that no run would be judged any more"
        raise UsageError(OPTION, found, "write it on the command line")
    if not there:
        raise UsageError(OPTION, f"there is no {file}", "write one by `compress-guard init`")
    run = options.run
    parts = {
        "-k": config.option.keyword,
        "--cg-shard": options.shard,
        "--cg-limit": run.limit,
        "--cg-early-stop": run.early_stop,
    }
    AskedUpdate(OPTION).check(parts, "--cg-strict" if run.strict else None)
