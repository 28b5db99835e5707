"""The memory of this process: the peak during some work, and the amount that stays in use."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import re
from pathlib import Path
from typing import Final, final

_STATUS: Final = Path("/proc/self/status")
_CLEAR: Final = Path("/proc/self/clear_refs")


@final
class Peak:
    """The peak of the memory on a device since this object was made, beyond the amount in use at that time."""

    def __init__(self, device: str) -> None:
        self._device: Final = device
        self._before: float | None = None
        if device.startswith("cuda"):
            import torch

            torch.cuda.reset_peak_memory_stats(device)
            self._before = torch.cuda.memory_allocated(device) / 1e6
            return
        # Memory that was freed but not returned would hide new allocations.
        give_back()
        try:
            _CLEAR.write_text("5", encoding="ascii")  # resets the peak: proc_pid_clear_refs(5)
        except OSError:  # not Linux
            return
        self._before = _status("VmRSS")

    def megabytes(self) -> float | None:
        """Return the peak in 10^6 bytes; None if the system does not tell. On a GPU it leaves out nvJPEG's buffers."""
        if self._before is None:
            return None
        if self._device.startswith("cuda"):
            import torch

            return max(0.0, torch.cuda.max_memory_allocated(self._device) / 1e6 - self._before)
        most = _status("VmHWM")
        return None if most is None else max(0.0, most - self._before)


def held(device: str) -> float | None:
    """Return the megabytes (10^6 bytes) in use after a garbage collection; None if the system does not tell.

    With a CUDA device this includes all memory in use there, by any process: nvJPEG keeps buffers outside torch.
    """
    gc.collect()
    there = 0.0
    if device.startswith("cuda"):
        import torch

        torch.cuda.synchronize(device)
        torch.cuda.empty_cache()
        free, total = torch.cuda.mem_get_info(device)
        there = (total - free) / 1e6
    give_back()
    here = _own()
    return None if here is None else here + there


def give_back() -> None:
    """Return freed memory to the system, if its C library can."""
    with contextlib.suppress(OSError, AttributeError, TypeError):  # other C libraries than glibc
        ctypes.CDLL(None).malloc_trim(0)


def _own() -> float | None:
    """Return the megabytes that only this process can let go, in memory or swapped; None if the system does not tell.

    Pages of files, such as libraries, are left out: the system drops and reloads them as it likes, which would hide
    growth or feign it.
    """
    parts = [_status(name) for name in ("RssAnon", "RssShmem", "VmSwap")]  # proc_pid_status(5)
    if parts[0] is None:  # Linux before 4.5
        return _status("VmRSS")
    return sum(part for part in parts if part is not None)


def _status(name: str) -> float | None:
    """Return a line of the process's status in megabytes; None if there is none."""
    try:
        match = re.search(rf"^{name}:\s+(\d+) kB", _STATUS.read_text(encoding="ascii"), re.MULTILINE)
    except OSError:
        return None
    return int(match[1]) * 1024 / 1e6 if match else None
