"""The command line of the gate, and the run settings that follow from it."""

from __future__ import annotations

import argparse
import fnmatch
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from compress_guard.errors import UsageError

if TYPE_CHECKING:
    from compress_guard.engine.settings import RunSettings

DEFAULT_FILE: Final = "thresholds.yaml"
CACHE_FOLDER: Final = ".compress_guard"
MEGABYTE: Final = 2**20


def positive(text: str) -> int:
    """A whole number of at least 1, for argparse."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return number


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("compress-guard", "compress_guard: gate vision models on image compression")
    group.addoption(
        "--compress-guard",
        action="store_true",
        help="switch the gate on: every cell (model x codec x rate) of the thresholds file becomes a test that fails "
        "when compression costs the model more than the file allows",
    )
    group.addoption(
        "--cg-thresholds",
        metavar="FILE",
        help="thresholds file (default: ini compress_guard_thresholds, else thresholds.yaml in rootdir). Collected "
        "only when the command line names no path; the gate alone is `pytest --compress-guard thresholds.yaml`",
    )
    group.addoption(
        "--cg-device",
        metavar="DEVICE",
        default="auto",
        help="where models and GPU codecs run: auto (default: the GPU where there is one), cpu, cuda or cuda:N; under "
        "xdist worker N takes GPU N mod their number",
    )
    group.addoption(
        "--cg-workers",
        metavar="N",
        type=positive,
        help="CPU threads for coding (default: cores, shared among xdist workers)",
    )
    group.addoption("--cg-limit", metavar="N", type=positive, help="use a seeded subset of N images per guard")
    group.addoption(
        "--cg-seed",
        metavar="S",
        type=int,
        default=0,
        help="seed of subsets, of the mix of two settings and of the bootstrap (default: 0)",
    )
    group.addoption(
        "--cg-cache",
        metavar="DIR",
        help="keep bitstreams in DIR (default: .compress_guard beside the thresholds file), so that the next run only "
        "decodes",
    )
    group.addoption(
        "--cg-cache-size",
        metavar="MB",
        type=positive,
        help="let the cache keep at most so many megabytes; what lay unused longest goes first (default: 4096)",
    )
    group.addoption("--cg-no-cache", action="store_true", help="keep nothing after the run")
    group.addoption(
        "--cg-json",
        metavar="FILE",
        help="write all results as JSON to FILE, and the evidence of every image to a zip file beside it",
    )
    group.addoption(
        "--cg-benchmark",
        action="store_true",
        help="collect throughput cells too: how fast each codec encodes, decodes and does both, timed with "
        "pytest-benchmark beside a reference codec",
    )
    group.addoption(
        "--cg-recovery",
        action="store_true",
        help="collect recovery cells too: the guards' models are finetuned on compressed images, and a control on "
        "clean ones, and the share of the drop that comes back is measured; takes as long as these trainings take",
    )
    group.addoption(
        "--cg-early-stop",
        action="store_true",
        help="take the images in seeded random order and stop a cell when its verdict is certain; a part of the error "
        "that its confidence allows pays for looking, and such cells are marked in every output",
    )
    group.addoption(
        "--cg-strict",
        action="store_true",
        help="what would be skipped fails, except where the file itself says on_unreachable: skip or "
        "on_unavailable: skip; so does what would pass by a limit that cannot be missed or looks like a share",
    )
    parser.addini("compress_guard_thresholds", "thresholds file of --compress-guard, relative to rootdir")


def switched_on(config: pytest.Config) -> bool:
    return bool(config.getoption("--compress-guard"))


@dataclass(frozen=True, slots=True)
class ThresholdsPath:
    """Where the thresholds file is and whether somebody named it."""

    path: Path
    named: bool
    """By option, ini or command-line argument; the default may be missing where paths to other tests are named."""


def thresholds_path(config: pytest.Config) -> ThresholdsPath:
    """The thresholds file of this run: the option, else the one YAML argument, else ini, else default."""
    if (option := config.getoption("--cg-thresholds")) is not None:
        return ThresholdsPath(_absolute(config.invocation_params.dir, option), True)
    arguments = {argument.partition("::")[0] for argument in config.args}
    files = [argument for argument in arguments if argument.endswith((".yaml", ".yml"))]
    if len(files) == 1:
        return ThresholdsPath(_absolute(config.invocation_params.dir, files[0]), True)
    if ini := str(config.getini("compress_guard_thresholds")):
        return ThresholdsPath(_absolute(config.rootpath, ini), True)
    _check_root(config)
    return ThresholdsPath(config.rootpath / DEFAULT_FILE, False)


def _check_root(config: pytest.Config) -> None:
    """Raises `UsageError` where pytest was led to another root than the folder with the default file.

    It looks for its root before it knows the options of plugins, and takes what stands after ``--cg-cache`` for a path
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


def _absolute(folder: Path, path: str) -> Path:
    # Not resolved: a link is collected under the name that the command line gives it.
    return folder / Path(path).expanduser()


def paths_are_named(config: pytest.Config) -> bool:
    """Whether the command line names paths to collect."""
    return config.args_source is pytest.Config.ArgsSource.ARGS


def is_reached(config: pytest.Config, file: ThresholdsPath) -> bool:
    """Whether pytest comes to the file anyhow, by its own path or by that of a folder above it.

    It must not be named a second time then: pytest 8.1 collects it twice, or loses the folder's other tests. Raises
    `UsageError` for a file that is below such a folder and yet passed over: a gate that nobody comes to would be green.
    """
    path = _plain(file.path)
    for argument in config.args:
        given = _plain(_absolute(config.invocation_params.dir, argument.partition("::")[0]))
        if path == given:
            return True
        if path.is_relative_to(given):
            _check_folders(config, path, path.relative_to(given).parts[:-1])
            return True
    return False


def _check_folders(config: pytest.Config, path: Path, folders: tuple[str, ...]) -> None:
    for folder in folders:
        if any(fnmatch.fnmatch(folder, pattern) for pattern in config.getini("norecursedirs")):
            raise UsageError(
                str(path),
                f"lies in {folder}, a folder that pytest passes over (norecursedirs)",
                "move it, or name it on the command line: pytest --compress-guard FILE",
            )


def _plain(path: Path) -> Path:
    return Path(os.path.normpath(path))


def results_path(config: pytest.Config) -> Path | None:
    """Return the results file that is asked for."""
    given = config.getoption("--cg-json")
    return None if given is None else _absolute(config.invocation_params.dir, given)


def run_settings(config: pytest.Config, thresholds: Path, workerinput: dict[str, object] | None) -> RunSettings:
    """The settings of this process; an xdist worker (with its input) takes the folder that its controller made."""
    from compress_guard.engine.settings import RunSettings, check_device, check_results_file, cores
    from compress_guard.engine.threads import calm_threads
    from compress_guard.store import DEFAULT_CAP_BYTES

    calm_threads()
    device = str(config.getoption("--cg-device"))
    if workerinput is None and not config.option.collectonly:
        check_device(device, "--cg-device")
    if config.getoption("--cg-cache") and config.getoption("--cg-no-cache"):
        raise UsageError("--cg-no-cache", "given together with --cg-cache", "use one of them")
    if workerinput is None and (results := results_path(config)) is not None:
        check_results_file(results, "--cg-json")
    if workerinput is None:
        run_folder = Path(tempfile.mkdtemp(prefix="compress-guard-run-"))
    else:
        run_folder = Path(str(workerinput["compress_guard_run_folder"]))
    processes = 1 if workerinput is None else int(str(workerinput["workercount"]))
    limit, seed = config.getoption("--cg-limit"), config.getoption("--cg-seed")
    megabytes = config.getoption("--cg-cache-size")
    return RunSettings(
        run_folder=run_folder,
        store_folder=_store_folder(config, thresholds, run_folder),
        device=device,
        workers=config.getoption("--cg-workers") or max(1, cores() // processes),
        limit=limit,
        seed=seed,
        early_stop=bool(config.getoption("--cg-early-stop")),
        strict=bool(config.getoption("--cg-strict")),
        keep_evidence=config.getoption("--cg-json") is not None,
        store_cap=DEFAULT_CAP_BYTES if megabytes is None else megabytes * MEGABYTE,
    )


def _store_folder(config: pytest.Config, thresholds: Path, run_folder: Path) -> Path:
    if config.getoption("--cg-no-cache"):
        return run_folder
    if (chosen := config.getoption("--cg-cache")) is not None:
        return _absolute(config.invocation_params.dir, chosen)
    return thresholds.parent / CACHE_FOLDER
