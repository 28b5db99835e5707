"""Processes of the pool do not outlive the one that they work for, however it ends."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

PROGRAM = """
import os
import signal

from compress_guard.codecs.execution import pool

if __name__ == "__main__":
    print(*set(pool.map_processes(pid, range(8), 2)), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""

MODULE = """
import os
import time

def pid(item):
    time.sleep(0.05)
    return os.getpid()
"""


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_the_processes_of_a_killed_process_end(tmp_path):
    (tmp_path / "working.py").write_text(MODULE)
    (tmp_path / "killed.py").write_text(f"from working import pid\n{PROGRAM}")
    done = subprocess.run(
        [sys.executable, "killed.py"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == -9, done.stderr
    pids = [int(word) for word in done.stdout.split()]
    assert pids
    assert os.getpid() not in pids
    end = time.monotonic() + 30
    while any(map(lives, pids)) and time.monotonic() < end:
        time.sleep(0.1)
    assert not any(map(lives, pids))
