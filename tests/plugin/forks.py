"""Processes that begin with torch imported, forked by a server that imported it once.

Importing torch and torchvision takes three seconds of a processor, and most runs in a process of their own need the
process and not the import. Such a process differs from a new interpreter in little else: what is imported by then, and
one seed of hashes for all. Started as a script, this module is the server.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import runpy
import secrets
import select
import signal
import socket
import subprocess
import sys
import threading
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, ClassVar

IMPORTED = (
    *("numpy", "PIL.Image", "torch", "torchvision", "torchvision.transforms.v2", "torch.utils.data"),
    *("yaml", "filelock", "jinja2", "threadpoolctl", "execnet", "pytest"),
)
"""Modules that the server imports; no plugin of pytest, for pytest warns of one that it comes too late to rewrite."""

AVAILABLE = sys.platform == "linux" and not any(name.startswith("COVERAGE_PROCESS") for name in os.environ)
"""False where other systems' libraries break in forks, and while coverage is measured, which begins with a process."""


@dataclass(frozen=True)
class Order:
    """A command for a new process: arguments such as ``-m pytest -q``, folder and environment."""

    arguments: list[str]
    folder: str
    environment: dict[str, str]


class Fork:
    """A forked process, with the part of `subprocess.Popen` that pytest-xdist and the tests need."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._answer = b""
        self.stdin: IO[bytes] | None = None
        self.stdout: IO[bytes] | None = None
        self.pid = int(self._line())

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit status as `subprocess.Popen` counts it; raise `subprocess.TimeoutExpired`."""
        self._connection.settimeout(timeout)
        try:
            status = int(self._line())
        except TimeoutError:
            raise subprocess.TimeoutExpired("a fork", timeout or 0) from None
        self._answer = b"%d\n" % status  # for whoever asks again
        self._connection.close()
        return status

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def _line(self) -> bytes:
        while b"\n" not in self._answer:
            part = self._connection.recv(100)
            if not part:
                raise ChildProcessError("the server of forks has died")
            self._answer += part
        line, _, self._answer = self._answer.partition(b"\n")
        return line


def fork(
    arguments: Sequence[str], *, stdin: int, stdout: int, stderr: int, environment: Mapping[str, str], folder: str
) -> Fork:
    """Start a process as ``python *arguments`` would be, with these file descriptors."""
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(Server.find())
    order = json.dumps({"arguments": [*arguments], "folder": folder, "environment": dict(environment)}).encode()
    socket.send_fds(connection, [len(order).to_bytes(4, "big")], [stdin, stdout, stderr])
    connection.sendall(order)
    return Fork(connection)


def fork_worker(io: Any, arguments: Sequence[str], execmodel: Any) -> None:
    """Stand for ``execnet.gateway_io.Popen2IOMaster.__init__``: a worker of pytest-xdist is forked."""
    theirs, stdin = os.pipe()
    stdout, its = os.pipe()
    io.popen = fork(arguments[1:], stdin=theirs, stdout=its, stderr=2, environment=os.environ, folder=str(Path.cwd()))
    os.close(theirs)
    os.close(its)
    io.popen.stdin, io.popen.stdout = os.fdopen(stdin, "wb", 0), os.fdopen(stdout, "rb")
    super(type(io), io).__init__(io.popen.stdin, io.popen.stdout, execmodel=execmodel)


class Server:
    """The server that this process asks, started for the first fork; it ends with the process that started it."""

    address: ClassVar[str | None] = None

    @classmethod
    def find(cls) -> str:
        """Return its address."""
        if cls.address is None:
            name = f"compress-guard-forks-{secrets.token_hex(16)}"
            ready, its = os.pipe()
            command = [sys.executable, __file__, name, str(its)]
            server = subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=[its], cwd="/", env=child_environment())
            os.close(its)
            with os.fdopen(ready) as file:
                if file.read() != "ready":
                    raise ChildProcessError("the server of forks did not start")
            atexit.register(cls.end, server)
            cls.address = f"\0{name}"
        return cls.address

    @staticmethod
    def end(server: subprocess.Popen[bytes]) -> None:
        """Let it end, and wait for that."""
        server.communicate()


def serve(listener: socket.socket) -> Order:
    """Fork as told until standard input ends; return, in each new process only, what it is to run."""
    connections: dict[int, socket.socket] = {}
    woken, wakes = os.pipe()
    os.set_blocking(wakes, False)
    signal.set_wakeup_fd(wakes)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    sources: list[Any] = [listener, woken, 0]
    while True:
        ready, _, _ = select.select(sources, [], [])
        if 0 in ready:
            os._exit(0)
        if woken in ready:
            os.read(woken, 1000)
            _report(connections)
        if listener in ready:
            connection, _ = listener.accept()
            order, files = _received(connection)
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                signal.signal(signal.SIGINT, signal.default_int_handler)
                for number, file in enumerate(files):
                    os.dup2(file, number)
                for thing in (listener, connection, *connections.values()):
                    thing.close()
                for file in (woken, wakes, *files):
                    os.close(file)
                return order
            for file in files:
                os.close(file)
            connections[pid] = connection
            _say(connection, pid)


def _received(connection: socket.socket) -> tuple[Order, list[int]]:
    length, files, _, _ = socket.recv_fds(connection, 4, 3)
    data = b""
    while len(data) < int.from_bytes(length, "big"):
        data += connection.recv(1 << 16)
    return Order(**json.loads(data)), list(files)


def _report(connections: dict[int, socket.socket]) -> None:
    """Tell how the processes that have ended did."""
    while connections:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        with connections.pop(pid) as connection:
            _say(connection, os.waitstatus_to_exitcode(status))


def _say(connection: socket.socket, number: int) -> None:
    with contextlib.suppress(OSError):  # whoever asked for the process may be gone
        connection.sendall(b"%d\n" % number)


def child_environment() -> dict[str, str]:
    """Return that of this process, for one that keeps what it compiled and knows no pytest around it.

    pytest compiles all modules of a plugin by itself, 350 of them, which takes as long as a small run.
    """
    dropped = ("PYTEST_", "PYTHONDONTWRITEBYTECODE")
    return {name: value for name, value in os.environ.items() if not name.startswith(dropped)}


def finish(order: Order) -> None:
    """Run what `order` says, and end this process as an interpreter does, but for the tidying of each module.

    That takes half a second with torch's.
    """
    try:
        become(order)
        code: object = 0
    except SystemExit as end:
        code = end.code or 0
    if not isinstance(code, int):
        sys.stderr.write(f"{code}\n")
        code = 1
    threading._shutdown()  # as the interpreter does
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(ValueError, OSError):  # closed, or nobody reads it
            stream.flush()
    os._exit(code & 0xFF)


def become(order: Order) -> None:
    """Do in this process what a new interpreter does before the program's first line, and run the program."""
    os.environ.clear()
    os.environ.update(order.environment)
    os.chdir(order.folder)
    kind, program, *arguments = order.arguments[order.arguments[0] == "-u" :]  # pipes are not buffered for execnet
    if kind == "-m":
        sys.path[0] = str(Path.cwd())
        sys.argv = [program, *arguments]
        runpy.run_module(program, run_name="__main__", alter_sys=True)
    else:
        sys.path[0] = ""
        sys.argv = [kind, *arguments]
        main = sys.modules["__main__"] = types.ModuleType("__main__")
        exec(compile(program, "<string>", "exec"), main.__dict__)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    for name in IMPORTED:
        importlib.import_module(name)
    from execnet import gateway_io

    # What it forks asks this server for its own workers.
    Server.address = f"\0{sys.argv[1]}"
    gateway_io.Popen2IOMaster.__init__ = fork_worker  # type: ignore[method-assign, assignment]  # as above
    gc.collect()
    gc.freeze()
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(Server.address)
        door.listen(100)
        with os.fdopen(int(sys.argv[2]), "w") as file:
            file.write("ready")
        told = serve(door)
    finish(told)
