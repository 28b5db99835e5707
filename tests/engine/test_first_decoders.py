"""Batches for users' own tests by the first decoder of their guard."""

from __future__ import annotations

import pytest
import torch

from compress_guard.codecs.pipeline.codec import Pipeline
from compress_guard.engine.compressed_batches import compressed_batches
from compress_guard.engine.settings import RunSettings
from compress_guard.errors import CodecError, CodecUnavailable
from compress_guard.records import Cell, CodecSpec, Fixed, Guard, Quality
from compress_guard.registry import CODECS, read_steps
from compress_guard.thresholds.keys.decoders import Decoders, with_decoders

STEPS = read_steps([{"jpeg": {"quality": 85}}, {"webp": {"quality": 75}}, {"resize": {"longest": 80}}])
JPEG = (CodecSpec("jpeg", "jpeg"), Quality(50.0))
UPLOAD = (CodecSpec("upload", "pipeline", (("steps", STEPS),)), Fixed())

pytestmark = pytest.mark.usefixtures("soft")


@pytest.fixture
def batches(tmp_path):
    """Batches of data at a codec and point, by the first of these decoders."""

    def make(data, codec, names, at=0):
        spec, point = codec
        cell = Cell("toys", spec, point, 100.0, None, None, 1)
        decoders = None if names is None else Decoders(names, 1)
        cells = with_decoders(None, (cell,), decoders, None, own=False)
        guard = Guard("toys", "classification", "top1", "m:model", "m:data", cells)
        settings = RunSettings(tmp_path, tmp_path / "store", device="cpu", workers=1)
        return list(compressed_batches(data, guard, cells[at], settings, "cpu", 4))

    return make


def images(batches):
    return [image for batch in batches for image in batch.images]


def test_batches_are_decoded_by_the_first_decoder(pictures, batches, soft):
    data = pictures(6)
    own, first = batches(data, JPEG, None), batches(data, JPEG, ("soft", "pillow"))
    codec = CODECS.resolve("jpeg")()
    decoded = codec.decode(codec.encode([image for image, _, _ in data], [50.0] * 6))
    assert all(map(torch.equal, images(own), decoded))
    assert all(map(torch.equal, images(first), map(soft.image, decoded)))
    assert [batch.ids for batch in first] == [batch.ids for batch in own]
    assert [batch.bpp for batch in first] == [batch.bpp for batch in own], "the streams are the same"


def test_batches_of_a_pipeline_are_scaled_after_the_first_decoder(pictures, batches, soft):
    data = pictures(6)
    own, first = batches(data, UPLOAD, None), batches(data, UPLOAD, ("soft",))
    pipeline = Pipeline(STEPS)
    streams = pipeline.encode([image for image, _, _ in data], [75.0] * 6)
    assert all(map(torch.equal, images(own), pipeline.decode(streams)))
    webp = CODECS.resolve("webp")()
    read = [soft.image(image) for image in webp.decode([pipeline.delivered_file(stream) for stream in streams])]
    resized = Pipeline(read_steps([{"resize": {"longest": 80}}, {"jpeg": {"quality": 80}}])).reshaped(read)
    assert all(map(torch.equal, images(first), resized))
    assert [batch.bpp for batch in first] == [batch.bpp for batch in own]


def test_a_first_decoder_at_fault_gives_no_batch(pictures, batches, soft):
    soft.become(lambda images: [image.roll(3, 2) for image in images])
    with pytest.raises(CodecError, match="moved 3 pixels"):
        batches(pictures(6), JPEG, ("soft",))


def test_a_first_decoder_that_is_not_installed_gives_no_batch(pictures, batches, soft):
    soft.uninstall()
    with pytest.raises(CodecUnavailable, match="^the decoder soft: soft is not installed; pip install soft$"):
        batches(pictures(6), JPEG, ("soft",))
