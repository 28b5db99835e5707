"""The memory of this process: the most that some work took, and what it goes on holding."""

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
    """The most that was held on a device since this was made, beyond what was held then."""

    def __init__(self, device: str) -> None:
        self._device: Final = device
        self._before: float | None = None
        if device.startswith("cuda"):
            import torch

            torch.cuda.reset_peak_memory_stats(device)
            self._before = torch.cuda.memory_allocated(device) / 1e6
            return
        # What was freed but not given back would hide what is taken next.
        give_back()
        try:
            _CLEAR.write_text("5", encoding="ascii")  # forgets the peak so far: proc_pid_clear_refs(5)
        except OSError:  # no Linux
            return
        self._before = _status("VmRSS")

    def megabytes(self) -> float | None:
        """In 10^6 bytes; None where the system does not tell. On a GPU what torch took: nvJPEG's buffers are beside."""
        if self._before is None:
            return None
        if self._device.startswith("cuda"):
            import torch

            return max(0.0, torch.cuda.max_memory_allocated(self._device) / 1e6 - self._before)
        most = _status("VmHWM")
        return None if most is None else max(0.0, most - self._before)


def held(device: str) -> float | None:
    """Megabytes (10^6 bytes) that the process holds, garbage collected; None where the system does not tell.

    With a CUDA device also what is in use there, by whomever: only so do buffers count that nvJPEG keeps beside torch.
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
    here = _status("VmRSS")
    return None if here is None else here + there


def give_back() -> None:
    """Give freed memory back to the system, where its C library can."""
    with contextlib.suppress(OSError, AttributeError, TypeError):  # where it is not glibc
        ctypes.CDLL(None).malloc_trim(0)


def _status(name: str) -> float | None:
    """A line of the process's status in megabytes, None where there is none."""
    try:
        found = re.search(rf"^{name}:\s+(\d+) kB", _STATUS.read_text(encoding="ascii"), re.MULTILINE)
    except OSError:
        return None
    return int(found[1]) * 1024 / 1e6 if found else None
