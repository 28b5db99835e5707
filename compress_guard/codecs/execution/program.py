"""Programs run without a shell, each failure as one `CodecError`, with bounds on their time and output."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Final, final

from compress_guard import interrupts
from compress_guard.errors import CodecError

_KEPT_BYTES: Final = 2**16
"""Bytes kept of the beginning, and again of the end, of each output."""
_LOOK_SECONDS: Final = 0.1
"""Seconds between two checks of a program's output, and of Ctrl-C."""
_REAP_SECONDS: Final = 5.0
"""Seconds that a killed program may take to end; one that waits for a dead disk takes longer."""
_LONGEST_LINE: Final = 300


def run_program(words: Sequence[str], folder: Path, timeout: float, watch: Callable[[], None] = lambda: None) -> str:
    """Run a program in `folder`, and return its standard output and error.

    The middle of a long output is left out. `watch` is called several times per second while the program runs, and may
    raise. Raises `CodecError` for a program that does not start, ends with another status than 0, or takes longer than
    `timeout` seconds, the programs included that it starts and that hold its output; and KeyboardInterrupt soon after
    Ctrl-C, on whatever thread this is. On every error that comes before its end it is stopped, with all of its process
    group.
    """
    name, wanted = Path(words[0]).name, interrupts.current()

    def look() -> None:
        wanted.check()
        watch()

    process = _started(words, folder)
    captures = _Capture(), _Capture()
    try:
        if not _followed(process, captures, time.monotonic() + timeout, look):
            raise CodecError(_too_long(name, timeout, ended=_has_ended(process)))
    except BaseException:
        _stop(process)
        raise
    finally:
        for pipe in _pipes(process):
            # Where threads read, this would wait forever for a program that still runs.
            if _selects():
                pipe.close()
    output, errors = (capture.text for capture in captures)
    if process.returncode != 0:
        message = _last_line(errors) or _last_line(output) or "it said nothing"
        raise CodecError(f"{name} ended with {_status(process.returncode)}: {message}")
    return output + errors


@final
class _Capture:
    """The beginning and the end of an output."""

    __slots__ = ("_head", "_tail")

    def __init__(self) -> None:
        self._head = b""
        self._tail = bytearray()

    def add(self, data: bytes) -> None:
        room = _KEPT_BYTES - len(self._head)
        self._head += data[:room]
        self._tail += data[room:]
        if len(self._tail) > 2 * _KEPT_BYTES:
            del self._tail[:-_KEPT_BYTES]

    @property
    def text(self) -> str:
        """Beginning and end, joined."""
        return (self._head + self._tail).decode(errors="replace")


def _started(words: Sequence[str], folder: Path) -> subprocess.Popen[bytes]:
    try:
        # A session of its own, so that a script's children can be stopped with it.
        return subprocess.Popen(  # noqa: S603 - the words are the user's own, and no shell reads them
            words,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:  # ValueError: a NUL in a word
        cause = getattr(error, "strerror", None) or error
        raise CodecError(f"{Path(words[0]).name} could not be started: {cause}") from error


def _selects() -> bool:
    """Return True if pipes can be waited for; Windows needs a thread for each."""
    return os.name == "posix"


def _pipes(process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    assert process.stdout is not None
    assert process.stderr is not None
    return process.stdout, process.stderr


def _followed(
    process: subprocess.Popen[bytes], captures: tuple[_Capture, _Capture], deadline: float, watch: Callable[[], None]
) -> bool:
    """Return True if the program, and all processes that hold its outputs, ended before the deadline.

    A program that leaves a child behind is not finished: the child may write the file.
    """
    read = _read_selecting if _selects() else _read_threaded
    if not read(process, captures, deadline, watch):
        return False
    while True:
        try:
            process.wait(max(0.0, min(_LOOK_SECONDS, deadline - time.monotonic())))
        except subprocess.TimeoutExpired:
            watch()
            if time.monotonic() >= deadline:
                return False
        else:
            return True


def _read_selecting(
    process: subprocess.Popen[bytes], captures: tuple[_Capture, _Capture], deadline: float, watch: Callable[[], None]
) -> bool:
    """Read both outputs to their end; return False where the deadline comes first."""
    with selectors.DefaultSelector() as selector:
        for pipe, capture in zip(_pipes(process), captures, strict=True):
            os.set_blocking(pipe.fileno(), False)
            selector.register(pipe, selectors.EVENT_READ, capture)
        while selector.get_map():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            for ready, _ in selector.select(min(left, _LOOK_SECONDS)):
                with contextlib.suppress(BlockingIOError):
                    if data := os.read(ready.fd, _KEPT_BYTES):
                        ready.data.add(data)
                    else:
                        selector.unregister(ready.fileobj)
            watch()
    return True


def _read_threaded(
    process: subprocess.Popen[bytes], captures: tuple[_Capture, _Capture], deadline: float, watch: Callable[[], None]
) -> bool:
    """Do what `_read_selecting` does where pipes cannot be waited for.

    A thread whose pipe never ends is left behind.
    """

    def read(pipe: IO[bytes], capture: _Capture) -> None:
        with pipe:
            while data := os.read(pipe.fileno(), _KEPT_BYTES):
                capture.add(data)

    pairs = zip(_pipes(process), captures, strict=True)
    readers = [threading.Thread(target=read, args=pair, daemon=True) for pair in pairs]
    for reader in readers:
        reader.start()
    while any(reader.is_alive() for reader in readers):
        left = deadline - time.monotonic()
        if left <= 0:
            return False
        next((reader for reader in readers if reader.is_alive()), readers[0]).join(min(left, _LOOK_SECONDS))
        watch()
    return True


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Return True if the program itself has ended.

    It is not reaped, so that no other process group gets its number yet.
    """
    if hasattr(os, "waitid"):
        with contextlib.suppress(ChildProcessError):
            return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    return process.poll() is not None


def _too_long(name: str, timeout: float, *, ended: bool) -> str:
    if not ended:
        return f"{name} took longer than {timeout:g} s and was stopped (option timeout)"
    return (
        f"{name} ended, but a program that it started held its output for longer than {timeout:g} s (option timeout); "
        "let it wait for that program, or give that one an output of its own"
    )


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Kill the program and its process group. Processes that have left the group stay, and nothing waits for them."""
    if process.returncode is not None:  # another process may have its number by now
        return
    with contextlib.suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_REAP_SECONDS)


def _status(code: int) -> str:
    if code >= 0:
        return f"exit status {code}"
    try:
        return f"signal {signal.Signals(-code).name}"
    except ValueError:  # those between SIGRTMIN and SIGRTMAX have no names
        return f"signal {-code}"


def _last_line(output: str) -> str:
    lines = output.strip().splitlines()
    line = lines[-1].strip() if lines else ""
    return line if len(line) <= _LONGEST_LINE else f"... {line[-_LONGEST_LINE:]}"
