"""Settings of a run, which are the same for all guards: those that the command line decides."""

from __future__ import annotations

import functools
import os
import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from compress_guard.destination import destination, evidence_path
from compress_guard.errors import UsageError
from compress_guard.files import Foreign
from compress_guard.records import Cell
from compress_guard.store import DEFAULT_CAP_BYTES, Store

CACHE_FOLDER: Final = ".compress_guard"
"""The name of the store's folder beside the thresholds file, which an option may replace by another folder."""
PICTURES: Final = "pictures"
"""The folder of pictures inside the folder of the run, for a report that is the only one to show them."""
MEGABYTE: Final = 2**20
_DEVICE: Final = re.compile(r"auto|cpu|cuda(:\d+)?")


def cores() -> int:
    """Return the number of CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


def utc_today() -> str:
    """Return the date of today in UTC, ``2026-12-31``, so that all machines agree."""
    return datetime.now(UTC).date().isoformat()


@dataclass(frozen=True, slots=True)
class RunSettings:
    """Settings of one run. Only `device`, `limit`, `seed`, `early_stop` and
    the baseline change a result, and results say them."""

    run_folder: Path
    """The folder in which the processes of this run share results; deleted when it ends."""
    store_folder: Path
    """The folder that keeps bitstreams, plans and evidence."""
    device: str = "auto"
    workers: int = field(default_factory=cores)
    limit: int | None = None
    seed: int = 0
    early_stop: bool = False
    """Take images in random order, and no more of them once a cell's verdict is certain."""
    strict: bool = False
    keep_evidence: bool = False
    """Leave every cell's evidence in the run folder, for the results file."""
    baseline: bool = False
    """Cells are compared with earlier results: those that the run folder holds, or those that a call has given."""
    pictures: Path | None = None
    """The folder that gets pictures of the worst images of each cell; None: none are made."""
    store_cap: int = DEFAULT_CAP_BYTES
    """Bytes that the store may hold when the run has ended."""
    today: str = field(default_factory=utc_today)
    """Date of the whole run, which decides whether a waiver still holds."""

    def __post_init__(self) -> None:
        # The current folder may change while people's code runs.
        object.__setattr__(self, "run_folder", self.run_folder.absolute())
        object.__setattr__(self, "store_folder", self.store_folder.absolute())
        object.__setattr__(self, "pictures", None if self.pictures is None else self.pictures.absolute())

    def store(self) -> Store:
        """Return the store of this run, with its cap."""
        return Store(self.store_folder, self.store_cap)


@dataclass(frozen=True, slots=True)
class RunOptions:
    """Options of a run as a command line gives them: checked by `check`, completed by `settings`."""

    device: str = "auto"
    workers: int | None = None
    """CPU threads for coding; None: one per core."""
    limit: int | None = None
    seed: int = 0
    cache: Path | None = None
    """The store's folder; None: `CACHE_FOLDER` beside the thresholds file."""
    cache_size: int | None = None
    """Megabytes that the store may hold; None: `DEFAULT_CAP_BYTES`."""
    no_cache: bool = False
    early_stop: bool = False
    strict: bool = False
    baseline: Path | None = None
    """Results of an earlier run, or a folder of them."""
    images: Path | None = None
    """The folder that keeps pictures of the worst images."""
    html: bool = False
    """True for a run that writes a report with pictures."""

    def check(self, prefix: str, *, device: bool = True) -> None:
        """Raise `UsageError` for options that contradict each other and, with `device`, for a device that is not there.

        `prefix` is what the names of the options begin with: ``--`` or ``--cg-``.
        """
        if self.cache is not None and self.no_cache:
            raise UsageError(f"{prefix}no-cache", f"given together with {prefix}cache", "use one of them")
        if self.images is not None and self.images.exists() and not self.images.is_dir():
            raise UsageError(f"{prefix}images", f"{self.images} is not a folder", "name a folder")
        if device:
            check_device(self.device, f"{prefix}device")

    def settings(self, run_folder: Path, beside: Path, *, keep_evidence: bool) -> RunSettings:
        """Return the settings of a run with these options; `beside` is the folder of the thresholds file."""
        kept = beside / CACHE_FOLDER if self.cache is None else self.cache
        return RunSettings(
            run_folder=run_folder,
            store_folder=run_folder if self.no_cache else kept,
            device=self.device,
            workers=self.workers or cores(),
            limit=self.limit,
            seed=self.seed,
            early_stop=self.early_stop,
            strict=self.strict,
            keep_evidence=keep_evidence,
            baseline=self.baseline is not None,
            pictures=run_folder / PICTURES if self.images is None and self.html else self.images,
            store_cap=DEFAULT_CAP_BYTES if self.cache_size is None else self.cache_size * MEGABYTE,
        )


def effective_limit(cell: Cell, settings: RunSettings) -> int | None:
    """Return the number of images to use: the smaller of the file's limit and the command line's."""
    limits = [limit for limit in (cell.limit, settings.limit) if limit is not None]
    return min(limits, default=None)


def check_device(device: str, option: str) -> None:
    """Raise `UsageError`, which names the option, for a device that is not known or not there."""
    if _DEVICE.fullmatch(device) is None:
        raise UsageError(option, f"unknown device {device!r}", "use auto, cpu, cuda or cuda:N")
    if device.startswith("cuda"):
        import torch

        index = int(device.partition(":")[2] or 0)
        if index >= torch.cuda.device_count():
            found = (
                f"{torch.cuda.device_count()} CUDA devices" if torch.cuda.is_available() else "no usable CUDA device"
            )
            raise UsageError(option, f"{device} asked for, but torch sees {found}", "use auto or cpu")


def check_results_file(
    path: Path, option: str, taken: Mapping[str, Path | None], *, with_evidence: bool = True
) -> None:
    """Raise `UsageError`, which names the option, where no results file can be written: better now than at the end.

    `taken` are the other files of the run by what messages call them; neither the results nor their evidence may
    replace one of them. Reports that are a single file are checked without evidence.
    """
    try:
        place = destination(path)
    except IsADirectoryError:
        raise UsageError(option, f"{path} is a folder", "name a file") from None
    except Foreign as problem:
        raise UsageError(option, str(problem), "name a file that may be replaced as a whole") from None
    except OSError as problem:
        raise UsageError(option, f"{path} cannot be written ({problem.strerror})", "name a file") from None
    for name, other in taken.items():
        places = (place, evidence_path(place)) if with_evidence else (place,)
        if other is not None and Path(os.path.realpath(other)) in places:
            raise UsageError(option, f"{path} would replace {name}", "name another file")
    folder = next((folder for folder in place.parents if folder.exists()), Path("/"))
    if not folder.is_dir():
        raise UsageError(option, f"{path} cannot be written: {folder} is not a folder", "name a file in a folder")
    if not os.access(folder, os.W_OK):
        raise UsageError(option, f"{path} cannot be written: no permission in {folder}", "name another folder")


def resolve_device(device: str, worker: int = 0) -> str:
    """Return ``cpu`` or ``cuda:N``; the parallel process with number `worker` takes GPU `worker` mod their count."""
    if device == "cpu":
        return "cpu"
    import torch

    if device == "auto" and not torch.cuda.is_available():
        return "cpu"
    if ":" in device:
        return device
    return f"cuda:{worker % torch.cuda.device_count()}"


@functools.cache
def processor() -> str:
    """Return the name of the CPU, e.g. ``AMD EPYC``, or its architecture where the system does not say."""
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
    except OSError:
        found = None
    name = found[1].strip() if found else platform.processor()
    return name if name and name != "unknown" else platform.machine()


def device_name(device: str) -> str:
    """Return the device as results record it, e.g. ``cuda:0 (NVIDIA H200)``."""
    if device == "cpu":
        return "cpu"
    import torch

    return f"{device} ({torch.cuda.get_device_name(device)})"
