"""JPEG 2000 in worker processes: the same streams and images, errors by name, and nobody waits for the dead."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import textwrap

import pytest
import torch

from compress_guard.codecs.execution import pool
from compress_guard.codecs.jp2 import Jp2
from compress_guard.codecs.jpeg import Jpeg
from compress_guard.codecs.webp import WebP
from compress_guard.errors import CodecError

# One set of processes serves all of them.
pytestmark = pytest.mark.xdist_group("processes")


@pytest.fixture(scope="module")
def images():
    noise = torch.Generator().manual_seed(0)
    return [torch.randint(0, 256, (3, 400, 400 + side), generator=noise, dtype=torch.uint8) for side in range(5)]


@pytest.fixture
def codec():
    return Jp2()


def test_processes_change_neither_streams_nor_images(codec, images):
    settings = [codec.ladder[300 + 20 * at] for at in range(len(images))]
    alone, shared = (codec.encode(images, settings, workers=workers) for workers in (1, 2))
    assert alone == shared
    decoded = [codec.decode(alone, workers=workers) for workers in (1, 2)]
    assert [tuple(image.shape) for image in decoded[1]] == [tuple(image.shape) for image in images]
    assert all(torch.equal(one, other) for one, other in zip(*decoded, strict=True))


def test_an_error_names_the_image_as_it_does_without_processes(codec, images):
    settings = [codec.ladder[300]] * len(images)
    streams = codec.encode(images, settings)
    streams[3] = b"damaged" * 20000
    told = []
    for workers in (1, 2):
        with pytest.raises(CodecError) as caught:
            codec.decode(streams, workers=workers)
        told.append(str(caught.value))
    assert told[0] == told[1]
    assert "stream 4 of 5" in told[0]


def test_what_a_killed_process_leaves_is_done_here(codec, images, monkeypatch):
    settings = [codec.ladder[300]] * len(images)
    expected, here = codec.encode(images, settings), []

    def mapped(function, items, workers):
        here.extend(items)
        return list(map(function, items))

    monkeypatch.setattr(pool, "map_ordered", mapped)
    items = [os.getpid()] * 4
    assert pool.map_processes(_die_elsewhere, items, 2) == here == items
    monkeypatch.undo()
    assert codec.encode(images, settings, workers=2) == expected, "and the next call has processes again"


def _die_elsewhere(parent):
    if os.getpid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
    return parent


@pytest.mark.parametrize("codec", [Jpeg(), WebP()])
def test_codecs_that_let_go_of_the_lock_start_no_process(codec, images, monkeypatch):
    monkeypatch.setattr("compress_guard.codecs.pillow.map_processes", None)
    streams = codec.encode(images, [codec.ladder[50]] * len(images), workers=2)
    assert len(codec.decode(streams, workers=2)) == len(images)


def test_what_jpeg_writes_to_a_file_is_what_it_writes_to_memory(images, monkeypatch):
    codec = Jpeg()
    settings = [float(quality) for quality in (5, 30, 60, 90, 100)]
    written = codec.encode(images, settings)
    monkeypatch.setattr(Jpeg, "_file", lambda self: io.BytesIO())
    assert codec.encode(images, settings) == written


SCRIPT = """
    import torch
    from compress_guard import compress

    print("once")
    images = [torch.full((3, 400, 400), 30 * level, dtype=torch.uint8) for level in range(8)]
    print(len(compress(images, codec="jp2", bpp=1.0, rate="image", workers=2).streams))
"""


def test_a_script_needs_no_guard_around_its_main_part_and_leaves_nobody_behind(tmp_path):
    (tmp_path / "script.py").write_text(textwrap.dedent(SCRIPT))
    done = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", "script.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        start_new_session=True,
    )
    assert (done.returncode, done.stdout.split(), done.stderr) == (0, ["once", "8"], "")


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:0"])
def test_noise_at_high_quality_finds_room_in_pillows_buffer(subsampling):
    noise = torch.randint(0, 256, (3, 290, 380), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    codec = Jpeg(subsampling=subsampling)
    streams = codec.encode([noise] * 3, [93.0, 94.0, 100.0], workers=2)
    assert [image.shape for image in codec.decode(streams)] == [noise.shape] * 3
    assert len(streams[0]) < len(streams[1]) < len(streams[2])
