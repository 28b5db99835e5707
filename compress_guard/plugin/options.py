"""The gate's options of pytest's command line, and whether they switch the gate on."""

from __future__ import annotations

import argparse
import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import pytest

    from compress_guard.engine.settings import RunOptions

HANDED_OVER: Final = "compress_guard"
"""The key under which a controller of pytest-xdist hands its decisions to its workers."""


def positive(text: str) -> int:
    """Read a whole number of at least 1, for argparse."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return number


def shard_text(text: str) -> str:
    """Check ``I/N``, for argparse."""
    from compress_guard.errors import OptionError
    from compress_guard.thresholds.shards import FileShard

    try:
        return str(FileShard.read(text))
    except OptionError as problem:
        raise argparse.ArgumentTypeError(str(problem)) from None


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("compress-guard", "compress_guard: gate vision models on image compression")
    group.addoption(
        "--compress-guard",
        action="store_true",
        help="switch the gate on: every cell (model x codec x rate) of the thresholds file becomes a test that fails "
        "when compression costs the model more than the file allows. A run that gates nothing fails where its command "
        "line has this option",
    )
    _add_input_options(group)
    _add_cache_options(group)
    _add_output_options(group)
    parser.addini("compress_guard_thresholds", "thresholds file of --compress-guard, relative to rootdir")


def _add_input_options(group: pytest.OptionGroup) -> None:
    """Add the options that say what is measured, and with what."""
    group.addoption(
        "--cg-thresholds",
        metavar="FILE",
        help="thresholds file (default: ini compress_guard_thresholds, else thresholds.yaml in rootdir). A file that "
        "the command line itself names is always collected, any other one only when no path is named; the gate alone "
        "is `pytest --compress-guard thresholds.yaml`",
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
    group.addoption(
        "--cg-shard",
        metavar="I/N",
        type=shard_text,
        help="measure only the I-th of N parts of the thresholds file, which are the same on every machine; the "
        "results of --cg-json are joined, and judged as a whole, by `compress-guard merge`",
    )
    group.addoption("--cg-limit", metavar="N", type=positive, help="use a seeded subset of N images per guard")
    group.addoption(
        "--cg-seed",
        metavar="S",
        type=int,
        default=0,
        help="seed of subsets, of the mix of two settings and of the bootstrap (default: 0)",
    )


def _add_cache_options(group: pytest.OptionGroup) -> None:
    """Add the options of the store."""
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
        help="most megabytes that the cache may hold; what was unused longest is removed first (default: 4096)",
    )
    group.addoption("--cg-no-cache", action="store_true", help="keep nothing after the run")


def _add_output_options(group: pytest.OptionGroup) -> None:
    """Add the options that say which cells there are, and what comes of their results."""
    group.addoption(
        "--cg-json",
        metavar="FILE",
        help="write all results as JSON to FILE, and the evidence of every image to a zip file beside it",
    )
    group.addoption(
        "--cg-html",
        metavar="FILE",
        help="write a report for people to FILE: one HTML page that holds everything and loads nothing",
    )
    group.addoption(
        "--cg-baseline",
        metavar="FILE",
        help="results of an earlier run that --cg-json has written, or a folder of them: the score and the drop of "
        "each cell are compared with theirs on the images that both have, and max_regression limits the fall",
    )
    group.addoption(
        "--cg-update",
        dest="cg_update",
        action="store_const",
        const="tighten",
        help="measure without judging by max_drop, and lower the limits in the thresholds file to the upper end of "
        "each interval plus half a point; all else in the file stays, and the change is printed. Needs all cells and "
        "images, no errors, and is refused in CI",
    )
    group.addoption(
        "--cg-update=loosen",
        dest="cg_update",
        action="store_const",
        const="loosen",
        help="the same, and limits that the measurement is above are raised too",
    )
    group.addoption(
        "--cg-images",
        metavar="DIR",
        help="keep small pictures of the worst images of each cell in DIR: source, coded image and difference, with "
        "the predictions drawn; --cg-html alone makes them for its page only",
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
        "that its confidence allows is spent on looking early, and such cells are marked in every output",
    )
    group.addoption(
        "--cg-strict",
        action="store_true",
        help="fail cells that would be skipped, except where the file itself says on_unreachable: skip or "
        "on_unavailable: skip, cells that would pass by a limit that cannot be missed or looks like a share, and a run "
        "whose cells were all deselected",
    )


@dataclass(frozen=True, slots=True)
class GateOptions:
    """The gate's options of one run, read once from pytest; paths as seen from where the run was started."""

    thresholds: Path | None
    json: Path | None
    html: Path | None
    benchmark: bool
    recovery: bool
    run: RunOptions
    update: str | None = None
    """``tighten`` or ``loosen`` where the run writes limits; else None."""
    shard: str | None = None
    """Part of the file, ``2/5``."""

    @classmethod
    def of(cls, config: pytest.Config) -> GateOptions:
        """Return the options that pytest has read from the command line, from the environment and from its ini file."""
        from compress_guard.engine.settings import RunOptions

        def path(option: str) -> Path | None:
            given = config.getoption(option)
            return None if given is None else absolute(config.invocation_params.dir, given)

        run = RunOptions(
            device=str(config.getoption("--cg-device")),
            workers=config.getoption("--cg-workers"),
            limit=config.getoption("--cg-limit"),
            seed=config.getoption("--cg-seed"),
            cache=path("--cg-cache"),
            cache_size=config.getoption("--cg-cache-size"),
            no_cache=bool(config.getoption("--cg-no-cache")),
            early_stop=bool(config.getoption("--cg-early-stop")),
            strict=bool(config.getoption("--cg-strict")),
            baseline=path("--cg-baseline"),
            images=path("--cg-images"),
            html=path("--cg-html") is not None,
        )
        benchmark, recovery = bool(config.getoption("--cg-benchmark")), bool(config.getoption("--cg-recovery"))
        update: str | None = config.getoption("cg_update")
        paths = path("--cg-thresholds"), path("--cg-json"), path("--cg-html")
        return cls(*paths, benchmark, recovery, run, update, config.getoption("--cg-shard"))


def absolute(folder: Path, path: str) -> Path:
    """Return a path of an option or an ini file as seen from this folder."""
    # Not resolved: a link is collected under the name that the command line gives it.
    return folder / os.path.expanduser(path)  # noqa: PTH111 - Path.expanduser raises for a user who is not there


def switched_on(config: pytest.Config) -> bool:
    """Return True if the gate takes part in this run; a worker of pytest-xdist does what its controller does."""
    workerinput: Mapping[str, object] | None = getattr(config, "workerinput", None)
    if workerinput is not None:
        return HANDED_OVER in workerinput
    return bool(config.getoption("--compress-guard"))


def is_typed(config: pytest.Config, option: str) -> bool:
    """Return True if the command line itself gives an option, not an ini file, its addopts or PYTEST_ADDOPTS."""
    for argument in typed_arguments(config):
        if argument == "--":
            return False
        if argument == option or argument.startswith(f"{option}="):
            return True
    return False


def typed_arguments(config: pytest.Config) -> Iterator[str]:
    """Yield the words of the command line itself, not those of an ini file's addopts or of PYTEST_ADDOPTS."""
    return _read(config.invocation_params.args, config.invocation_params.dir)


def _read(arguments: Iterable[str], folder: Path) -> Iterator[str]:
    """Yield arguments, and in place of ``@FILE`` those that the file holds, one a line."""
    for argument in map(str, arguments):
        if not argument.startswith("@"):
            yield argument
            continue
        # A file that cannot be read holds no arguments: before 8.2 pytest takes the word for a path to tests.
        with contextlib.suppress(OSError, ValueError):
            yield from _read((folder / argument[1:]).read_text(encoding="utf-8").splitlines(), folder)
