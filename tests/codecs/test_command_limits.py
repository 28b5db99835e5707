"""Programs that misbehave as a codec: what they leave running, print and write is bounded, and said in one sentence."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import struct
import sys
import threading
import zlib
from pathlib import Path

import pytest
import torch

from compress_guard.codecs.command import Command
from compress_guard.codecs.contract import SizedDecoder, decode_to_sizes
from compress_guard.codecs.execution import program
from compress_guard.codecs.execution.exchange import image_limit, stream_limit
from compress_guard.errors import CodecError
from compress_guard.registry import CODECS

PYTHON = Path(sys.executable).as_posix()
NAME = Path(PYTHON).name
ENCODING = f"command could not encode image 1 of 1 (5x4 pixels): {NAME} "
DECODING = "command could not decode stream 1 of 1 (3 bytes): "
posix = pytest.mark.skipif(os.name != "posix", reason="processes, links and pipes of POSIX")
WRITE = "import sys\nopen(sys.argv[2], 'wb').write(b'stream')\n"
SLEEP = "time.sleep(600)\nopen({pids!r} + '.slept', 'w').write('x')\n"
CHILD = (
    "import os, sys, time\nwhile os.getppid() == int(sys.argv[1]):\n    time.sleep(0.01)\n"
    "open({pids!r} + '.alone', 'w').write('x')\n" + SLEEP
)
"""A child that tells when its parent has ended, then sleeps, and tells when it has slept."""
LEAVE = (
    "import os, subprocess, sys\n"
    "words = [sys.executable, '-I', '-S', '-c', {child!r}, str(os.getpid())]\n"
    "child = subprocess.Popen(words, start_new_session={session})\n"
    "open({pids!r}, 'a').write(str(child.pid) + chr(10))\n"
)


def leaving(pids: Path, session: bool, leave: str = LEAVE) -> str:
    """Return a program that leaves a child behind; `slept` says whether anybody has slept to the end."""
    return leave.format(session=session, pids=str(pids), child=CHILD.format(pids=str(pids)))


def slept(pids: Path) -> bool:
    return pids.with_name("pids.slept").exists()


@pytest.fixture
def image() -> torch.Tensor:
    return torch.arange(3 * 4 * 5, dtype=torch.uint8).reshape(3, 4, 5)


@pytest.fixture
def command(tmp_path):
    """Makes a codec of one script that codes and decodes."""

    def made(text: str, **options: object) -> Command:
        (tmp_path / "program.py").write_text(text)
        line = f"{shlex.quote(PYTHON)} -I -S {shlex.quote((tmp_path / 'program.py').as_posix())} {{input}} {{output}}"
        return Command(encoder=f"{line} {{setting}}", decoder=line, settings="1..2", **options)

    return made


@pytest.fixture
def pids(tmp_path):
    """A file of process numbers; who is still there is killed at the end."""
    path = tmp_path / "pids"
    yield path
    for pid in path.read_text().split() if path.exists() else ():
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGKILL)


def refusal(codec: Command, image: torch.Tensor) -> str:
    with pytest.raises(CodecError) as caught:
        codec.encode([image], [1.0])
    return str(caught.value)


def decoding_refusal(codec: Command, size: tuple[int, int] | None = (4, 5)) -> str:
    with pytest.raises(CodecError) as caught:
        codec.decode([b"abc"]) if size is None else codec.decode_sized([b"abc"], [size])
    return str(caught.value)


# Time


@posix
@pytest.mark.parametrize("session", [False, True], ids=["in its group", "in a session of its own"])
def test_a_child_that_holds_the_output_does_not_defeat_the_timeout(command, image, pids, session, time_is_up):
    codec = command(WRITE + leaving(pids, session), timeout=1)
    time_is_up(pids.with_name("pids.alone"))
    assert refusal(codec, image) == (
        f"{ENCODING}ended, but a program that it started held its output for longer than 1 s (option timeout); "
        "let it wait for that program, or give that one an output of its own"
    )
    assert not slept(pids)
    assert threading.active_count() < 20


@posix
def test_a_program_that_hangs_with_a_child_in_a_session_of_its_own(command, image, pids, time_is_up):
    text = leaving(pids, True) + "import time\n" + SLEEP.format(pids=str(pids))
    time_is_up(pids)
    assert refusal(command(text, timeout=1), image) == (
        f"{ENCODING}took longer than 1 s and was stopped (option timeout)"
    )
    assert not slept(pids)


@posix
def test_a_child_with_an_output_of_its_own_is_left_alone(command, image, pids):
    """Such as a server that is started once."""
    leave = LEAVE.replace("start_new", "stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new")
    codec = command(WRITE + leaving(pids, False, leave), timeout=30)
    assert codec.encode([image], [1.0]) == [b"stream"]
    os.kill(int(pids.read_text()), 0)


@posix
def test_a_child_that_ends_soon_is_waited_for(command, image):
    text = (
        "import subprocess, sys\n"
        'late = \'import sys, time; time.sleep(0.5); open(sys.argv[1], "wb").write(b"late")\'\n'
        "subprocess.Popen([sys.executable, '-I', '-S', '-c', late, sys.argv[2]])\n"
    )
    assert command(text, timeout=30).encode([image], [1.0]) == [b"late"]


@posix
def test_a_program_that_will_not_be_terminated(command, image):
    text = "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(60)\n"
    assert refusal(command(text, timeout=0.5), image) == (
        f"{ENCODING}took longer than 0.5 s and was stopped (option timeout)"
    )


@posix
def test_a_program_that_closes_its_output_and_hangs(command, image):
    text = "import os, time\nos.close(1)\nos.close(2)\ntime.sleep(60)\n"
    assert refusal(command(text, timeout=0.5), image) == (
        f"{ENCODING}took longer than 0.5 s and was stopped (option timeout)"
    )


@posix
def test_an_interrupt_stops_the_program(tmp_path, command, image, pids):
    text = f"import os, time\nopen({str(pids)!r}, 'w').write(str(os.getpid()))\ntime.sleep(60)\n"

    def interrupt() -> None:
        if pids.exists() and pids.read_text():
            raise KeyboardInterrupt

    (tmp_path / "program.py").write_text(text)
    with pytest.raises(KeyboardInterrupt):
        program.run_program([PYTHON, "-I", "-S", str(tmp_path / "program.py")], tmp_path, 30, interrupt)
    with pytest.raises(ProcessLookupError):
        os.kill(int(pids.read_text()), 0)


@pytest.mark.parametrize("selects", [pytest.param(True, marks=posix), False])
def test_both_ways_to_read_outputs(tmp_path, monkeypatch, selects):
    monkeypatch.setattr(program, "_selects", lambda: selects)
    (tmp_path / "a.py").write_text("import sys\nprint('out')\nprint('err', file=sys.stderr)\n")
    words = [PYTHON, "-I", "-S", str(tmp_path / "a.py")]
    assert program.run_program(words, tmp_path, 30).split() == ["out", "err"]
    (tmp_path / "a.py").write_text("import time\ntime.sleep(60)\n")
    with pytest.raises(CodecError, match=r"took longer than 0\.5 s and was stopped \(option timeout\)$"):
        program.run_program(words, tmp_path, 0.5)


# What it prints


def test_a_program_that_prints_without_end_is_not_kept_in_memory(tmp_path):
    (tmp_path / "a.py").write_text(
        "import sys\nprint('first')\nfor _ in range(4000):\n    sys.stdout.write('x' * 10_000 + chr(10))\n"
        "print('last')\n"
    )
    output = program.run_program([PYTHON, "-I", "-S", str(tmp_path / "a.py")], tmp_path, 60)
    assert output.split()[0] == "first"
    assert output.split()[-1] == "last"
    assert len(output) <= 3 * 2**16


def test_the_end_of_a_long_output_is_what_a_failure_shows(command, image):
    text = "import sys\nsys.stderr.write('x' * 300_000 + 'y' * 299 + '!')\nsys.exit(2)\n"
    assert refusal(command(text), image) == f"{ENCODING}ended with exit status 2: ... {'y' * 299}!"


@posix
def test_a_signal_without_a_name(command, image):
    number = signal.SIGRTMIN + 3
    assert refusal(command(f"import os\nos.kill(os.getpid(), {number})\n"), image) == (
        f"{ENCODING}ended with signal {int(number)}: it said nothing"
    )


def test_a_version_without_end_is_cut(command, tmp_path):
    (tmp_path / "version.py").write_text("print('v' * 100_000)\n")
    codec = command(WRITE, version_command=f"{shlex.quote(PYTHON)} -I -S {shlex.quote(str(tmp_path / 'version.py'))}")
    assert codec.version.startswith("v" * 200 + " (lines ")


# What it writes


def test_limits_leave_room_for_what_codecs_write():
    assert stream_limit((4, 5)) == 8 * 60 + 2**20
    assert image_limit((4, 5)) == 16 * 60 + 2**20
    assert image_limit(None) == 3 * 2**28 + 2**20


SPARSE = "import os, sys\nwith open(sys.argv[2], 'wb') as file:\n    file.truncate({size})\n"


@pytest.mark.parametrize("size", [40 * 2**30, 8 * 60 + 2**20 + 1])
def test_a_stream_that_is_too_large_is_not_read(command, image, size):
    assert refusal(command(SPARSE.format(size=size)), image) == (
        f"{ENCODING}wrote {size} bytes, where at most 1049056 make sense for an image of 5x4 pixels"
    )


def test_a_stream_at_the_limit_is_read(command, image):
    (stream,) = command(SPARSE.format(size=8 * 60 + 2**20)).encode([image], [1.0])
    assert len(stream) == 8 * 60 + 2**20


def test_a_program_that_writes_without_end_is_stopped(command, image, pids):
    """Long before its time is over, and before the disk is full."""
    text = SPARSE.format(size=2**30) + (
        f"import time\nopen({str(pids)!r}, 'w').write(str(os.getpid()))\n" + SLEEP.format(pids=str(pids))
    )
    assert refusal(command(text), image) == (
        f"{ENCODING}wrote 1073741824 bytes, where at most 1049056 make sense for an image of 5x4 pixels"
    )
    assert not slept(pids)


def test_a_decoded_file_that_is_too_large_is_not_read(command):
    size = 40 * 2**30
    codec = command(SPARSE.format(size=size))
    assert decoding_refusal(codec) == (
        f"{DECODING}{NAME} wrote {size} bytes, where at most 1049536 make sense for an image of 5x4 pixels"
    )
    assert decoding_refusal(codec, None) == (
        f"{DECODING}{NAME} wrote {size} bytes, where at most 806354944 make sense for any image"
    )


@posix
@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("os.symlink('/dev/zero', sys.argv[2])", "a link"),
        ("os.symlink(sys.argv[1], sys.argv[2])", "a link"),
        ("os.symlink('nowhere', sys.argv[2])", "a link"),
        ("os.mkfifo(sys.argv[2])", "a pipe"),
        ("os.mkdir(sys.argv[2])", "a folder"),
        ("import socket; socket.socket(socket.AF_UNIX).bind(os.path.basename(sys.argv[2]))", "a socket"),
    ],
)
def test_what_is_no_file_is_not_read(command, image, text, kind):
    codec = command(f"import os, sys\n{text}\n")
    told = f"left {kind} in place of its output; let it write a file of its own"
    assert refusal(codec, image) == f"{ENCODING}{told}"
    assert decoding_refusal(codec) == f"{DECODING}{NAME} {told}"


def test_a_file_that_changes_while_it_is_read(command, image, monkeypatch):
    real = os.fstat
    looks: list[int] = []

    def changing(handle: int) -> os.stat_result:
        status = real(handle)
        looks.append(handle)
        if len(looks) == 2:  # after the look that tells a regular file, before the bytes
            with Path(f"/proc/self/fd/{handle}").resolve().open("ab") as file:
                file.write(b"more")
        return status

    if not Path("/proc/self/fd").exists():
        pytest.skip("needs /proc")
    codec = command(WRITE)
    monkeypatch.setattr("compress_guard.codecs.execution.exchange.os.fstat", changing)
    assert refusal(codec, image) == (f"{ENCODING}ended before its output was whole: it changed while it was read")


# What a decoder's header says


def png(width: int, height: int, packed: bytes = b"") -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def answering(data: bytes) -> str:
    return f"import sys\nopen(sys.argv[2], 'wb').write({data!r})\n"


HUGE = {
    "ppm": b"P6 100000 100000 255\n\0\0\0",
    "png": png(100_000, 100_000, zlib.compress(bytes(10_000))),
}


@pytest.mark.parametrize("kind", ["ppm", "png"])
def test_the_header_is_compared_before_pixels_are_decoded(command, monkeypatch, kind):
    from PIL import ImageFile

    codec = command(answering(HUGE[kind]), format=kind)
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda image: pytest.fail("pixels were decoded"))
    assert decoding_refusal(codec) == f"{DECODING}it came back as 100000x100000 pixels, expected 5x4"
    assert decoding_refusal(codec, None) == (
        f"{DECODING}it came back as 100000x100000 pixels, more than any source has"
    )


def test_a_turned_image_is_another_size(command):
    codec = command(answering(b"P6 4 5 255\n" + bytes(60)))
    assert decoding_refusal(codec) == f"{DECODING}it came back as 4x5 pixels, expected 5x4"
    assert codec.decode([b"abc"])[0].shape == (3, 5, 4)


BROKEN = [
    b"P6 5 4 255\n\0",
    b"P6 5 4 99999999999999999999\n" + bytes(60),
    b"P6 5 -4 255\n" + bytes(60),
    b"P3 5 4 255\n" + b"1" * 5000,
    b"P6",
    b"\0",
    b"Pf 5 4 -1\n" + bytes(60),
    png(5, 4, b"no zlib"),
    png(5, 4, zlib.compress(bytes(3))),
    png(5, 4)[:40],
]


@pytest.mark.parametrize("data", BROKEN)
def test_a_broken_answer_is_a_codec_error(command, data):
    codec = command(answering(data), format="png" if data.startswith(b"\x89") else "ppm")
    assert decoding_refusal(codec).startswith(DECODING)


def test_a_program_and_a_word_that_no_system_takes(image):
    line = f"{shlex.quote(PYTHON)} {{input}} {{output}} 'a\0b'"
    assert refusal(Command(encoder=f"{line} {{setting}}", decoder=line, settings="1..2"), image) == (
        f"{ENCODING}could not be started: embedded null byte"
    )


# Who says what size is due


def test_command_is_told_the_size_and_others_are_asked_as_ever(command, image):
    codec = command(answering(b"P6 5 4 255\n" + bytes(60)))
    assert isinstance(codec, SizedDecoder)
    assert decode_to_sizes(codec, [b"abc"], [(4, 5)])[0].shape == (3, 4, 5)
    with pytest.raises(CodecError, match="it came back as 5x4 pixels, expected 6x4$"):
        decode_to_sizes(codec, [b"abc"], [(4, 6)])
    webp = CODECS.resolve("webp")()
    (stream,) = webp.encode([image], [webp.ladder[-1]])
    assert decode_to_sizes(webp, [stream], [(1, 1)])[0].shape == (3, 4, 5)
