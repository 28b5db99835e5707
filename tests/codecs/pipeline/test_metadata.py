"""Metadata on their way through a pipeline: what every step keeps is in the last stream and in each step's bytes."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from compress_guard.codecs import calls
from compress_guard.codecs.contract import kept_parts
from compress_guard.codecs.pictures.metadata import Metadata
from compress_guard.codecs.pipeline.codec import Pipeline
from compress_guard.errors import OptionError

METADATA = [Metadata(bytes(range(200)) * 10, b""), Metadata(), Metadata(b"other profile" * 99)]
RESIZE = {"resize": {"longest": 90}}


def steps(*choices: str, open_end: bool = False):
    """A resize and two codecs, each with its choice of metadata."""
    first = {"jpeg": {"quality": 80, "metadata": choices[0]}}
    second = {"webp": {"metadata": choices[1]} if open_end else {"quality": 80, "metadata": choices[1]}}
    return [RESIZE, first, second]


def profile(stream: bytes) -> bytes:
    with Image.open(io.BytesIO(stream)) as image:
        return image.info.get("icc_profile") or b""


@pytest.mark.parametrize("open_end", [False, True])
@pytest.mark.parametrize("workers", [1, 3])
def test_metadata_reach_the_last_stream_and_count_in_each_step(natural, open_end, workers) -> None:
    images = [natural(120, 160, seed) for seed in (1, 2, 3)]
    codec = Pipeline(steps("keep", "keep", open_end=open_end))
    plain = Pipeline(steps("strip", "strip", open_end=open_end))
    assert kept_parts(codec) == {"icc", "exif"}
    kept = calls.encode(codec, images, [80.0] * 3, workers, METADATA)
    stripped = calls.encode(plain, images, [80.0] * 3, workers, METADATA)
    for large, small, metadata in zip(kept, stripped, METADATA, strict=True):
        assert profile(codec.delivered_file(large)) == metadata.icc
        assert profile(plain.delivered_file(small)) == b""
        for with_it, without in zip(codec.step_bytes(large), plain.step_bytes(small), strict=True):
            extra = with_it - without
            assert len(metadata.icc) <= extra <= len(metadata.icc) + 60
        assert codec.decode([large])[0].equal(plain.decode([small])[0])


def test_pixels_with_other_metadata_are_not_taken_from_memory(natural) -> None:
    image = natural(120, 160, 1)
    codec = Pipeline(steps("keep", "keep", open_end=True))
    streams = calls.encode(codec, [image] * 3, [80.0] * 3, 1, METADATA)
    assert [profile(codec.delivered_file(stream)) for stream in streams] == [each.icc for each in METADATA]
    first = [codec.step_bytes(stream)[0] for stream in streams]
    assert first[0] > first[2] > first[1]


@pytest.mark.parametrize("choices", [("strip", "keep"), ("keep", "strip")])
def test_what_one_step_strips_no_later_step_has(natural, choices) -> None:
    codec = Pipeline(steps(*choices))
    assert kept_parts(codec) == frozenset()
    (stream,) = calls.encode(codec, [natural(120, 160, 1)], [80.0], 1, METADATA[:1])
    assert profile(codec.delivered_file(stream)) == b""


def test_an_image_that_cannot_be_coded_with_its_metadata_is_named(natural) -> None:
    images = [natural(120, 160, seed) for seed in (1, 2)]
    large = [Metadata(), Metadata(exif=b"II*\0\x08\0\0\0\0\0\0\0\0\0" + bytes(70_000))]
    with pytest.raises(Exception, match=r"^pipeline could not encode image 2 of 2 .*EXIF data is too long$"):
        calls.encode(Pipeline(steps("keep", "keep")), images, [80.0] * 2, 1, large)


def test_a_pipeline_that_begins_with_files_keeps_none() -> None:
    with pytest.raises(OptionError) as caught:
        Pipeline(["source", *steps("strip", "keep")])
    assert str(caught.value) == (
        "step 4 (webp): it keeps metadata, which a pipeline that begins with the file of its source does not hand on; "
        "leave out metadata: keep, or the step source"
    )
