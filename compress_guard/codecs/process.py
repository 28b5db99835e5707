"""Programs run without a shell, each failure as one `CodecError`."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from compress_guard import interrupts
from compress_guard.errors import CodecError

_LOOK_SECONDS: Final = 0.5
"""How often a program that works is left alone for a look whether its work is still wanted."""


def run_program(words: Sequence[str], folder: Path, timeout: float) -> str:
    """What the program wrote to its standard output and error, run in `folder`.

    Raises `CodecError` if it does not start, ends with another status than 0 or takes longer than `timeout` seconds; it
    is then stopped together with the programs that it started.
    """
    name = Path(words[0]).name
    try:
        # A session of its own, so that a script's children can be stopped with it.
        process = subprocess.Popen(  # noqa: S603 - the words are the user's own, and no shell reads them
            words,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise CodecError(f"{name} could not be started: {error.strerror or error}") from error
    try:
        output, errors = (part.decode(errors="replace") for part in _communicate(process, timeout))
    except subprocess.TimeoutExpired:
        _stop(process)
        raise CodecError(f"{name} took longer than {timeout:g} s and was stopped (option timeout)") from None
    except BaseException:
        _stop(process)
        raise
    if process.returncode != 0:
        said = _last_line(errors) or _last_line(output) or "it said nothing"
        raise CodecError(f"{name} ended with {_status(process.returncode)}: {said}")
    return output + errors


def _communicate(process: subprocess.Popen[bytes], timeout: float) -> tuple[bytes, bytes]:
    """Return what the program wrote; raises KeyboardInterrupt soon after Ctrl-C, on whatever thread this is."""
    watch, until = interrupts.current(), time.monotonic() + timeout
    while True:
        left = until - time.monotonic()
        try:
            return process.communicate(timeout=min(left, _LOOK_SECONDS))
        except subprocess.TimeoutExpired:
            watch.check()
            if left <= _LOOK_SECONDS:
                raise


def _stop(process: subprocess.Popen[bytes]) -> None:
    if hasattr(os, "killpg"):
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.communicate()


def _status(code: int) -> str:
    return f"exit status {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"


def _last_line(output: str) -> str:
    lines = output.strip().splitlines()
    return lines[-1].strip() if lines else ""
