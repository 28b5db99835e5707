"""Runs that may not write limits into the thresholds file (--cg-update)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from compress_guard.errors import UsageError
from compress_guard.plugin.options import GateOptions, is_typed

if TYPE_CHECKING:
    import pytest

_OPTION: Final = "--cg-update"
_UNSET: Final = ("", "0", "false", "no")


def check_update(config: pytest.Config, options: GateOptions, file: str, *, there: bool) -> None:
    """Raise `UsageError` for a run whose measurement must not become limits: in CI, of a part of cells or images, or of
    a run that nobody has asked for by its own command line.

    `there` is True if the thresholds file exists.
    """
    if not is_typed(config, _OPTION):
        found = "given by addopts or PYTEST_ADDOPTS, so that no run would be judged any more"
        raise UsageError(_OPTION, found, "write it on the command line")
    if os.environ.get("CI", "").lower() not in _UNSET:
        found = "the environment variable CI is set, and a release must not write the limits that it is held to"
        raise UsageError(_OPTION, found, "run it where a person looks at the change")
    if not there:
        raise UsageError(_OPTION, f"there is no {file}", "write one by `compress-guard init`")
    run = options.run
    parts = {
        "-k": config.option.keyword,
        "--cg-shard": options.shard,
        "--cg-limit": run.limit,
        "--cg-early-stop": run.early_stop,
    }
    for option, given in parts.items():
        if given:
            raise UsageError(_OPTION, f"given together with {option}, and limits need all cells and images", "drop one")
    if run.strict:
        raise UsageError(_OPTION, "given together with --cg-strict, and nothing is judged", "drop one")
