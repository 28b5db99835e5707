"""Programs run without a shell, each failure as one `CodecError`."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

from compress_guard.errors import CodecError


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
        output, errors = (part.decode(errors="replace") for part in process.communicate(timeout=timeout))
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
