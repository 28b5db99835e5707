"""Programs as a codec: what they are given, how each failure is said."""

from __future__ import annotations

import os
import select
import shlex
import shutil
import sys
import threading
from pathlib import Path

import pytest
import torch

from compress_guard.codecs.command import Command
from compress_guard.codecs.pixels import check_sizes
from compress_guard.errors import CodecError, CodecUnavailable, OptionError

PYTHON = Path(sys.executable).as_posix()
LINES = {"encoder": "enc {setting} {input} {output}", "decoder": "dec {input} {output}", "settings": "1..9"}


def script(path: Path, text: str) -> str:
    """The words that run a script of this text, quoted for a command line."""
    path.write_text(text)
    return f"{shlex.quote(PYTHON)} -I -S {shlex.quote(path.as_posix())}"


@pytest.fixture
def image() -> torch.Tensor:
    return torch.arange(3 * 4 * 5, dtype=torch.uint8).reshape(3, 4, 5)


REFUSED = [
    ({"encoder": ""}, "encoder must be a text that is not empty, found ''"),
    ({"encoder": 7}, "encoder must be a text that is not empty, found 7"),
    (
        {"encoder": "enc {input} {output}"},
        "encoder must contain {input}, {output}, {setting}, found 'enc {input} {output}' without {setting}",
    ),
    ({"decoder": "dec"}, "decoder must contain {input}, {output}, found 'dec' without {input}, {output}"),
    (
        {"decoder": "dec '{input} {output}"},
        'decoder must be a command line, found "dec \'{input} {output}" (No closing quotation)',
    ),
    ({"format": "bmp"}, "format must be 'ppm' or 'png', found 'bmp'"),
    ({"suffix": ""}, "suffix must be a text that is not empty, found ''"),
    ({"timeout": 0}, "timeout must be a number above 0, found 0"),
    ({"timeout": "1m"}, "timeout must be a number above 0, found '1m'"),
    (
        {"settings": "high"},
        "settings must be a list of different numbers or a range such as '1..100' or '25..0.5..0.5', found 'high'",
    ),
]


@pytest.mark.parametrize(("options", "message"), REFUSED)
def test_unknown_values_are_refused(options, message) -> None:
    with pytest.raises(OptionError) as caught:
        Command(**(LINES | options))
    assert str(caught.value) == message


def test_ladder_is_the_settings_in_their_order() -> None:
    assert Command(**(LINES | {"settings": "51..49"})).ladder == (51.0, 50.0, 49.0)
    assert Command(**(LINES | {"settings": (9, 2, 5)})).ladder == (9.0, 2.0, 5.0)
    assert Command(**(LINES | {"settings": [9, 2, 5]})) == Command(**(LINES | {"settings": (9, 2, 5)}))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "enc-cg and dec-cg are not on the PATH; install it, or correct the lines encoder and decoder"),
        ({"install": "apt-get install cg"}, "enc-cg and dec-cg are not on the PATH; apt-get install cg"),
        ({"decoder": f"{PYTHON} {{input}} {{output}}", "install": "x"}, "enc-cg is not on the PATH; x"),
    ],
)
def test_missing_programs(options, message, image) -> None:
    lines = {"encoder": "enc-cg {setting} {input} {output}", "decoder": "dec-cg {input} {output}", "settings": "1..9"}
    codec = Command(**(lines | options))
    assert codec.unavailable() == message
    for action in (lambda: codec.version, lambda: codec.encode([image], [1.0]), lambda: codec.decode([b"x"])):
        with pytest.raises(CodecUnavailable) as caught:
            action()
        assert str(caught.value) == message


def test_what_an_encoder_is_given(tmp_path, image) -> None:
    """Its words, an empty folder with the image, and no shell."""
    run = script(
        tmp_path / "with space.py",
        "import os, sys\n"
        "source, target = sys.argv[1:3]\n"
        "assert open(source, 'rb').read().startswith(b'P6'), source\n"
        "assert os.listdir() == [os.path.basename(source)]\n"
        "open(target, 'w').write('|'.join([target[-4:], *sys.argv[3:]]))\n",
    )
    codec = Command(
        encoder=f"{run} {{input}} {{output}} q={{setting}} {{width}}x{{height}} '$HOME *' a{{b}} | ;",
        decoder=f"{run} {{input}} {{output}}",
        settings=(5, 0.5, 12345678),
        suffix=".xyz",
    )
    assert codec.encode([image] * 3, [5.0, 0.5, 12345678.0]) == [
        b".xyz|q=5|5x4|$HOME *|a{b}|||;",
        b".xyz|q=0.5|5x4|$HOME *|a{b}|||;",
        b".xyz|q=12345678|5x4|$HOME *|a{b}|||;",
    ]


def test_files_are_named_from_where_the_tests_run(tmp_path, image, monkeypatch) -> None:
    script(tmp_path / "copy.py", "import sys\nopen(sys.argv[2], 'wb').write(open(sys.argv[1], 'rb').read())\n")
    monkeypatch.chdir(tmp_path)
    line = f"{shlex.quote(PYTHON)} -I -S copy.py {{input}} {{output}}"
    codec = Command(encoder=f"{line} {{setting}}", decoder=line, settings="1..2")
    assert torch.equal(codec.decode(codec.encode([image], [1.0]))[0], image)


@pytest.mark.parametrize("kind", ["ppm", "png"])
def test_exchange_formats_are_lossless(tmp_path, image, kind) -> None:
    run = script(tmp_path / "copy.py", "import shutil, sys\nshutil.copy(sys.argv[1], sys.argv[2])\n")
    line = f"{run} {{input}} {{output}}"
    codec = Command(encoder=f"{line} {{setting}}", decoder=line, settings="1..2", format=kind)
    (stream,) = codec.encode([image], [2.0])
    assert stream.startswith({"ppm": b"P6", "png": b"\x89PNG"}[kind])
    assert torch.equal(codec.decode([stream])[0], image)


def test_a_grey_answer_is_rgb(tmp_path, image) -> None:
    run = script(tmp_path / "grey.py", "import sys\nopen(sys.argv[2], 'wb').write(b'P5 2 1 255\\n\\x07\\xff')\n")
    codec = Command(
        encoder=f"{run} {{input}} {{output}} {{setting}}", decoder=f"{run} {{input}} {{output}}", settings="1..2"
    )
    (decoded,) = codec.decode(codec.encode([image], [1.0]))
    assert decoded.tolist() == [[[7, 255]]] * 3
    with pytest.raises(CodecError, match=r"command gave image 1 of 1 back as 2x1 pixels, expected 5x4"):
        check_sizes("command", [image], [decoded])


FAILURES = [
    (
        "import sys\nprint('out')\nprint('first\\nbad input', file=sys.stderr)\nsys.exit(3)\n",
        "exit status 3: bad input",
    ),
    ("import sys\nsys.exit(1)\n", "exit status 1: it said nothing"),
    ("import os, signal\nos.kill(os.getpid(), signal.SIGTERM)\n", "signal SIGTERM: it said nothing"),
]


@pytest.mark.parametrize(("text", "end"), FAILURES)
@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_program_that_fails(tmp_path, image, text, end) -> None:
    run = script(tmp_path / "fail.py", text)
    codec = Command(
        encoder=f"{run} {{input}} {{output}} {{setting}}", decoder=f"{run} {{input}} {{output}}", settings="1..2"
    )
    program = Path(PYTHON).name
    for action, what in (
        (lambda: codec.encode([image], [1.0]), "encode image 1 of 1 (5x4 pixels)"),
        (lambda: codec.decode([b"abc"]), "decode stream 1 of 1 (3 bytes)"),
    ):
        with pytest.raises(CodecError) as caught:
            action()
        assert str(caught.value) == f"command could not {what}: {program} ended with {end}"


@pytest.mark.parametrize("text", ["pass\n", "import sys\nopen(sys.argv[2], 'w')\n"])
def test_a_program_that_writes_nothing(tmp_path, image, text) -> None:
    run = script(tmp_path / "silent.py", text)
    codec = Command(
        encoder=f"{run} {{input}} {{output}} {{setting}}", decoder=f"{run} {{input}} {{output}}", settings="1..2"
    )
    with pytest.raises(CodecError) as caught:
        codec.encode([image], [1.0])
    assert str(caught.value) == (
        f"command could not encode image 1 of 1 (5x4 pixels): {Path(PYTHON).name} ended well but wrote no output"
    )


@pytest.mark.skipif(os.name == "nt", reason="process groups of POSIX")
def test_a_program_that_hangs_is_stopped_with_its_children(tmp_path, image, time_is_up) -> None:
    alive, line = tmp_path / "alive", tmp_path / "line"
    os.mkfifo(line)
    child = (
        f"import time\nheld = open({str(line)!r}, 'wb', 0)\nopen({str(alive)!r}, 'w').write('x')\n"
        "time.sleep(600)\nheld.write(b'slept')\n"
    )
    run = script(
        tmp_path / "hang.py", f"import subprocess, sys\nsubprocess.run([sys.executable, '-I', '-S', '-c', {child!r}])\n"
    )
    codec = Command(
        encoder=f"{run} {{input}} {{output}} {{setting}}",
        decoder=f"{run} {{input}} {{output}}",
        settings="1..2",
        timeout=0.5,
    )
    time_is_up(alive)
    end = os.open(line, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with pytest.raises(CodecError) as caught:
            codec.encode([image], [1.0])
        # The end of the pipe: the child, which held it open, is gone before it has slept.
        assert select.select([end], [], [], 60)[0] == [end]
        assert os.read(end, 100) == b""
    finally:
        os.close(end)
    assert str(caught.value) == (
        f"command could not encode image 1 of 1 (5x4 pixels): "
        f"{Path(PYTHON).name} took longer than 0.5 s and was stopped (option timeout)"
    )


def test_a_program_that_cannot_start(tmp_path, image) -> None:
    program = tmp_path / "noexec"
    program.write_text("\0not a program")
    program.chmod(0o755)
    codec = Command(
        encoder=f"{program} {{input}} {{output}} {{setting}}",
        decoder=f"{program} {{input}} {{output}}",
        settings="1..2",
    )
    with pytest.raises(
        CodecError, match=r"^command could not encode image 1 of 1 \(5x4 pixels\): noexec could not be started: ."
    ):
        codec.encode([image], [1.0])


def test_no_files_are_left(tmp_path, packer, image, monkeypatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    codec = Command(**packer)
    codec.decode(codec.encode([image] * 3, [4.0] * 3, workers=3), workers=3)
    assert list(tmp_path.iterdir()) == []
    assert threading.active_count() < 20


def test_version_changes_with_programs_and_lines(tmp_path) -> None:
    run = script(tmp_path / "one.py", "pass\n")
    lines = {
        "encoder": f"{run} {{input}} {{output}} {{setting}}",
        "decoder": f"{run} {{input}} {{output}}",
        "settings": "1..2",
    }
    first = Command(**lines).version
    assert Command(**lines).version == first
    assert Command(**(lines | {"settings": "1..9", "timeout": 5, "install": "x"})).version == first
    others = {
        Command(**(lines | {"suffix": ".b"})).version,
        Command(**(lines | {"encoder": lines["encoder"] + " -v"})).version,
    }
    (tmp_path / "one.py").write_text("pass  # another\n")
    os.utime(tmp_path / "one.py", ns=(1, 1))
    others.add(Command(**lines).version)
    assert len(others | {first}) == 4


def test_version_by_a_command(tmp_path) -> None:
    run = script(tmp_path / "one.py", "print('packer 1.2\\nbuilt today')\n")
    codec = Command(
        **(LINES | {"encoder": f"{run} {{input}} {{output}} {{setting}}", "decoder": f"{run} {{input}} {{output}}"}),
        version_command=run,
    )
    assert codec.version.startswith("packer 1.2 (lines ")
    failing = script(tmp_path / "two.py", "import sys\nsys.exit('no version')\n")
    codec = Command(**(LINES | {"encoder": codec.encoder, "decoder": codec.decoder}), version_command=failing)
    with pytest.raises(CodecError, match="ended with exit status 1: no version"):
        assert codec.version


DEBIAN = [
    (
        "libjpeg-turbo-progs",
        Command(
            encoder="cjpeg -quality {setting} -outfile {output} {input}",
            decoder="djpeg -outfile {output} {input}",
            settings="1..100",
        ),
        b"\xff\xd8",
    ),
    (
        "libjxl-tools",
        Command(
            encoder="cjxl --quiet -e 3 -d {setting} {input} {output}",
            decoder="djxl --quiet {input} {output}",
            settings="15..0.5..0.5",
            suffix=".jxl",
            format="png",
        ),
        b"\xff\x0a",
    ),
]


@pytest.mark.parametrize(("package", "codec", "magic"), DEBIAN, ids=[package for package, *_ in DEBIAN])
def test_debians_codecs(package, codec, magic, photos, smooth) -> None:
    missing = [name for name in codec._programs() if shutil.which(name) is None]
    if missing:
        pytest.skip(f"{' and '.join(missing)} of Debian's {package} not on the PATH")
    low, high = ([codec.ladder[place]] * len(photos) for place in (4, -5))
    small, large = codec.encode(photos, low, workers=2), codec.encode(photos, high, workers=2)
    assert all(stream.startswith(magic) for stream in small)
    assert sum(map(len, small)) < sum(map(len, large)) / 2
    check_sizes("command", photos, codec.decode(large, workers=2))
    (decoded,) = codec.decode(codec.encode([smooth], [codec.ladder[-1]]))
    assert float((decoded.double() - smooth.double()).abs().mean()) < 2
