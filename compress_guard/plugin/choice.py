"""The thresholds file of a run, and whether pytest reaches it by the paths that it was given."""

from __future__ import annotations

import fnmatch
import importlib.util
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from compress_guard.errors import UsageError
from compress_guard.plugin.options import GateOptions, absolute, is_typed, typed_arguments

DEFAULT_FILE: Final = "thresholds.yaml"


@dataclass(frozen=True, slots=True)
class ChosenFile:
    """The thresholds file of a run, whether it is there or not."""

    path: Path
    shown: str
    """The path as messages name it: relative to rootdir if it lies there."""
    named: bool
    """True if an option, an ini file or an argument names it. The default file may be missing."""
    typed: bool
    """True if the command line itself gives ``--cg-thresholds``: then the file is collected beside named paths too."""


def chosen_file(config: pytest.Config, options: GateOptions) -> ChosenFile:
    """Return the thresholds file of this run: that of the option, else the one YAML argument, else ini, else default.

    Raises `UsageError` where pytest was led to a root without the default file.
    """
    typed = is_typed(config, "--cg-thresholds")
    arguments = {argument.partition("::")[0] for argument in config.args}
    files = [argument for argument in arguments if argument.endswith((".yaml", ".yml"))]
    if options.thresholds is not None:
        path, named = options.thresholds, True
    elif len(files) == 1:
        path, named = config.invocation_params.dir / files[0], True
    elif ini := str(config.getini("compress_guard_thresholds")):
        path, named = absolute(config.rootpath, ini), True
    else:
        _check_root(config)
        path, named = config.rootpath / DEFAULT_FILE, False
    shown = path.relative_to(config.rootpath) if path.is_relative_to(config.rootpath) else path
    return ChosenFile(path, str(shown), named, typed)


def _check_root(config: pytest.Config) -> None:
    """Raise `UsageError` where pytest chose another root than the folder with the default file.

    It looks for its root before it knows the options of plugins, and takes the word after ``--cg-cache`` for a path
    to tests once there is such a folder.
    """
    here = config.invocation_params.dir
    if (here / DEFAULT_FILE).exists() and not (config.rootpath / DEFAULT_FILE).exists() and not paths_are_named(config):
        raise UsageError(
            "rootdir",
            f"pytest chose {config.rootpath}, and {DEFAULT_FILE} is in {here}",
            "write --cg-cache=DIR, since pytest takes the DIR of --cg-cache DIR for a path to tests; or name the file: "
            f"--cg-thresholds={DEFAULT_FILE}",
        )


def paths_are_named(config: pytest.Config) -> bool:
    """Return True if the command line itself names paths; an ini file's testpaths and addopts do not count."""
    given = set(typed_arguments(config))
    return config.args_source is pytest.Config.ArgsSource.ARGS and not given.isdisjoint(config.args)


def is_reached(config: pytest.Config, file: Path) -> bool:
    """Return True if pytest reaches the file in any case, by its own path or by that of a folder above it.

    It must not be named a second time then: pytest 8 collects it twice, or loses the folder's other tests.
    """
    if pytest.version_tuple < (9,) and _is_lost(config, file):
        return False
    return any(_passed_over(config, folders) is None for folders in _ways(config, file))


def _is_lost(config: pytest.Config, file: Path) -> bool:
    """Return True if pytest 8 loses the file: of a folder and a path in it, ``tests .``, it collects only the path."""
    path = _plain(file)
    given = [_plain(_place(config, argument)) for argument in config.args]
    above = [each for each in given if each != path and path.is_relative_to(each)]
    below = any(each != folder and each.is_relative_to(folder) for folder in above for each in given)
    return below and path not in given


def check_folders(config: pytest.Config, file: Path) -> None:
    """Raise `UsageError` for a file that pytest does not reach although it collects a folder above it.

    A gate that pytest never reaches would be green, and naming the file too does not help, see `is_reached`.
    """
    for folders in _ways(config, file):
        if (folder := _passed_over(config, folders)) is not None:
            raise UsageError(
                str(_plain(file)),
                f"lies in {folder}, a folder that pytest does not search (norecursedirs)",
                "move it, or name it on the command line: pytest --compress-guard FILE",
            )


def _ways(config: pytest.Config, file: Path) -> Iterator[tuple[str, ...]]:
    """Yield the folders between each argument that leads to the file and the file; none for its own path."""
    path = _plain(file)
    for argument in config.args:
        given = _plain(_place(config, argument))
        if path.is_relative_to(given):
            yield path.relative_to(given).parts[:-1]


def _passed_over(config: pytest.Config, folders: tuple[str, ...]) -> str | None:
    """Return the first of these folders that pytest does not search."""
    patterns = config.getini("norecursedirs")
    return next((folder for folder in folders if any(fnmatch.fnmatch(folder, pattern) for pattern in patterns)), None)


def _place(config: pytest.Config, argument: str) -> Path:
    """Return where an argument leads; the name of a module, under ``--pyargs``, to its file or folder."""
    name = argument.partition("::")[0]
    if config.option.pyargs:
        try:  # as pytest itself looks for it
            spec = importlib.util.find_spec(name)
        except (AttributeError, ImportError, ValueError):
            spec = None
        if spec is not None and spec.submodule_search_locations:
            return Path(next(iter(spec.submodule_search_locations)))
        if spec is not None and spec.origin not in (None, "namespace"):
            return Path(str(spec.origin))
    return config.invocation_params.dir / name


def is_ignored(config: pytest.Config, file: Path) -> bool:
    """Return True if pytest leaves out the file or a folder above it, by --ignore, collect_ignore and the like."""
    within = [folder for folder in file.parents if folder.is_relative_to(config.rootpath) and folder != config.rootpath]
    return any(
        config.hook.pytest_ignore_collect(collection_path=path, config=config)
        for path in (file, *within)
        if path.exists()
    )


def _plain(path: Path) -> Path:
    return Path(os.path.normpath(path))
