"""The control `decoder_swap` in a cell: pipelines, codecs without a second decoder, second decoders that fail."""

from __future__ import annotations

import pytest

from compress_guard.codecs.decoding import second
from compress_guard.codecs.jpeg import Jpeg
from compress_guard.errors import CodecError
from compress_guard.records import Cell, CodecSpec, Fixed, Guard
from compress_guard.registry import read_steps

COUNT = 24


@pytest.fixture
def upload():
    """A guard of one pipeline, all steps fixed, that asks for a second decoder."""
    steps = read_steps([{"resize": {"scale": 0.9}}, {"jpeg": {"quality": 12}}])
    cell = Cell("toys", CodecSpec("upload", "pipeline", (("steps", steps),)), Fixed(), 100.0, None, None, 1)
    return Guard("toys", "classification", "top1", "m:model", "m:data", (cell,), decoder_swap=True)


def test_the_delivered_files_of_a_pipeline_are_decoded_by_a_second_decoder(
    upload, pictures, spectrum, make_world, monkeypatch
):
    files = []

    def black(streams, workers):
        files.extend(streams)
        return [image * 0 for image in Jpeg().decode(streams)]

    monkeypatch.setattr(second, "_repeated_all", black)
    data = pictures(COUNT)
    result = make_world(upload, spectrum(), data).only().result
    assert result.swap_decoder == f"{Jpeg().version}, chroma repeated"
    assert result.score > result.swap_score
    assert result.swap_score == pytest.approx(100 * sum(label == 0 for _, label, _ in data) / COUNT)
    assert result.swap_remark is None
    assert len(files) == COUNT
    assert all(file.startswith(b"\xff\xd8") for file in files)


def test_a_codec_without_a_second_decoder_says_so(make_guard, pictures, spectrum, make_world, diary):
    result = make_world(make_guard(decoder_swap=True), spectrum(), pictures()).only().result
    assert (result.swap_decoder, result.swap_score) == (None, None)
    assert result.swap_remark == "no second decoder of toy is built in"


def test_a_second_decoder_that_fails_says_so(make_guard, pictures, spectrum, make_world, monkeypatch):
    def broken(streams, workers):
        raise CodecError("stream 1 of 8 is no good")

    monkeypatch.setattr(second, "_repeated_all", broken)
    result = make_world(make_guard(("jpeg",), decoder_swap=True), spectrum(), pictures()).only().result
    name = f"{Jpeg().version}, chroma repeated"
    assert (result.swap_decoder, result.swap_score, result.verdict) == (name, None, "pass")
    assert result.swap_remark == f"{name} failed: stream 1 of 8 is no good"


def test_nothing_is_said_where_nobody_asked(make_guard, pictures, spectrum, make_world, diary):
    assert make_world(make_guard(), spectrum(), pictures()).only().result.swap_remark is None
