"""A pipeline as a codec: its one setting or its ladder, what it remembers, counts and says of its steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

from compress_guard.codecs.contract import Codec, CountedEncoders, SizedDecoder, Stepped, needs_files
from compress_guard.codecs.jpeg import Jpeg
from compress_guard.codecs.pictures.geometry import Reshaping
from compress_guard.codecs.pipeline.codec import Pipeline
from compress_guard.codecs.pipeline.container import Parcel
from compress_guard.codecs.pipeline.prefix import Memory, Prepared, content_of
from compress_guard.errors import CodecError
from compress_guard.records import CodecSpec
from compress_guard.registry import CODECS, register_codec

SCALED = {"resize": {"scale": 0.5}}
FIRST = {"jpeg": {"quality": 90}}


def test_it_is_a_codec_that_scales_and_checks_sizes():
    pipeline: Codec = Pipeline([SCALED, "jpeg"])
    assert isinstance(pipeline, Reshaping)
    assert isinstance(pipeline, SizedDecoder)
    assert isinstance(pipeline, Stepped)
    assert pipeline == Pipeline([SCALED, "jpeg"])
    assert hash(pipeline) == hash(Pipeline([SCALED, "jpeg"]))
    assert CODECS.resolve("pipeline") is Pipeline


def test_without_an_open_quality_there_is_one_setting():
    assert Pipeline([FIRST, {"jpeg": {"quality": 75}}]).ladder == (75.0,)
    assert Pipeline([FIRST, {"jpeg": {"quality": 75}}, SCALED]).fixed


def test_an_open_quality_at_the_end_has_the_ladder_of_its_codec():
    pipeline = Pipeline([FIRST, {"jpeg": {"subsampling": "4:4:4"}}])
    assert not pipeline.fixed
    assert pipeline.ladder == Jpeg().ladder


def test_a_fixed_pipeline_is_the_open_one_at_that_quality(photos):
    fixed = Pipeline([SCALED, FIRST, {"jpeg": {"quality": 30}}])
    opened = Pipeline([SCALED, FIRST, "jpeg"])
    streams = fixed.encode(photos, [30.0] * len(photos))
    assert opened.encode(photos, [30.0] * len(photos)) == streams
    assert all(map(torch.equal, fixed.decode(streams), opened.decode(streams)))


def test_another_setting_than_the_fixed_one_is_refused(photo):
    with pytest.raises(CodecError) as caught:
        Pipeline([{"jpeg": {"quality": 75}}]).encode([photo], [74.0])
    assert str(caught.value) == (
        "pipeline could not encode image 1 of 1 (160x128 pixels): 74.0 is not a setting of it, which takes only 75.0"
    )


def test_a_specification_tells_what_it_asks_for():
    def spec(*steps):
        return CodecSpec("upload", "pipeline", (("steps", Pipeline(steps).steps),))

    assert (spec(FIRST).fixed, spec(FIRST, "jpeg").fixed, CodecSpec("jpeg", "jpeg").fixed) == (True, False, False)
    assert (spec(FIRST, {"crop": {"centre": 9}}).crops, spec(SCALED, FIRST).crops) == (True, False)


# Encoder calls


def calls_of(pipeline, images, settings) -> float:
    """Return the encoder calls, by the pixels of the sources, in images of 100 pixels."""
    before = pipeline.encoded_pixels
    pipeline.encode(images, settings)
    return (pipeline.encoded_pixels - before) / 100


@pytest.fixture(scope="module")
def small(natural):
    """Three images of 100, 200 and 400 pixels."""
    return [natural(10, 10, 1), natural(10, 20, 2), natural(20, 20, 3)]


def test_each_codec_of_each_image_is_a_call(small):
    pipeline = Pipeline([SCALED, FIRST, FIRST, {"jpeg": {"quality": 30}}])
    assert isinstance(pipeline, CountedEncoders)
    assert calls_of(pipeline, small, [30.0] * 3) == 3 * 7
    assert calls_of(pipeline, small, [30.0] * 3) == 3 * 7, "nothing is kept where no setting is open"


def test_the_steps_before_an_open_quality_are_made_once_for_each_content(small):
    pipeline = Pipeline([SCALED, FIRST, "jpeg"])
    one, two, four = small
    assert calls_of(pipeline, [one, two, one.clone()], [10.0, 20.0, 30.0]) == 3 + 4
    assert calls_of(pipeline, [two, one], [40.0, 50.0]) == 3
    assert calls_of(pipeline, [four, one], [40.0, 50.0]) == 4 + 5


def test_proofs_are_no_calls(small):
    pipeline = Pipeline([FIRST, "jpeg"])
    assert pipeline.proofs(small, [30.0] * 3) == []
    assert pipeline.encoded_pixels == 0


def test_what_is_kept_changes_no_stream(photos):
    used = Pipeline([SCALED, FIRST, "jpeg"])
    used.encode(photos, [20.0] * len(photos))
    fresh = Pipeline([SCALED, FIRST, "jpeg"])
    assert used.encode(photos, [50.0] * len(photos)) == fresh.encode(photos, [50.0] * len(photos))


def test_the_memory_is_bounded_and_drops_what_was_not_used_for_longest():
    def prepared(size: int) -> Prepared:
        return Prepared(torch.zeros(3, 1, size, dtype=torch.uint8), ())

    memory = Memory(most=60)
    memory.keep(b"a", prepared(10))
    memory.keep(b"b", prepared(10))
    assert memory.get(b"a") is not None
    memory.keep(b"c", prepared(10))
    memory.keep(b"large", prepared(21))
    assert [key for key in (b"a", b"b", b"c", b"large") if memory.get(key) is not None] == [b"a", b"c"]


def test_contents_differ_by_size_and_by_a_single_level(photo):
    other = photo.clone()
    other[0, 0, 0] ^= 1
    assert content_of(photo) == content_of(photo.clone()) != content_of(other)
    assert content_of(photo) != content_of(photo.reshape(3, 160, 128))


# Streams


def test_the_header_is_not_counted_and_holds_the_size_of_the_source():
    parcel = Parcel((7, 300), (5, 2**40, 3), b"abc")
    assert Parcel.unpacked(parcel.packed()) == parcel
    assert (
        parcel.packed()
        == b"CGP1"
        + bytes.fromhex("07000000 2c010000 03")
        + bytes.fromhex("0500000000000000 0000000000010000 0300000000000000")
        + b"abc"
    )


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        (b"CGP1", "it does not begin with the header of a pipeline"),
        (b"CGP1" + bytes(8) + b"\x02" + bytes(8), "its header is incomplete"),
    ],
)
def test_a_broken_header_is_named(broken, why):
    with pytest.raises(CodecError) as caught:
        Pipeline([FIRST]).decode([broken])
    assert str(caught.value) == f"pipeline could not decode stream 1 of 1 ({len(broken)} bytes): {why}"


def test_a_stream_of_another_size_is_refused(photo):
    pipeline = Pipeline([SCALED, FIRST])
    (stream,) = pipeline.encode([photo], [90.0])
    with pytest.raises(CodecError) as caught:
        pipeline.decode_sized([stream], [(128, 161)])
    assert str(caught.value) == (
        f"pipeline could not decode stream 1 of 1 ({len(stream)} bytes): its source has 160x128 pixels, "
        "expected 161x128"
    )


def test_a_file_of_another_size_than_its_step_gives_is_refused(photo):
    pipeline = Pipeline([SCALED, FIRST])
    (file,) = Jpeg().encode([photo], [90.0])
    stream = Parcel((128, 160), (len(file),), file).packed()
    with pytest.raises(CodecError) as caught:
        pipeline.decode([stream])
    assert str(caught.value) == (
        f"pipeline could not decode stream 1 of 1 ({len(stream)} bytes): step 2 (jpeg): its file decodes to "
        "160x128 pixels, expected 80x64"
    )


def test_a_source_that_is_no_file_is_refused(photo):
    pipeline = Pipeline(["source", SCALED, FIRST])
    assert needs_files(pipeline)
    assert not needs_files(Pipeline([FIRST]))
    with pytest.raises(CodecError) as caught:
        pipeline.encode([photo], [90.0])
    assert str(caught.value) == (
        "the pipeline begins with the file of its source, and these images come without one; give image files, or "
        "leave out the step source"
    )


def test_steps_of_one_name_are_told_apart():
    assert Pipeline([SCALED, FIRST, {"webp": {}}]).step_names == ("jpeg", "webp")
    assert Pipeline([SCALED, FIRST, "jpeg"]).step_names == ("jpeg (step 2)", "jpeg (step 3)")


# What a pipeline says of its steps


@pytest.fixture
def planted():
    """A codec of others that says what its options tell it to, registered for one test."""

    @dataclass(frozen=True, slots=True)
    class Tint:
        type = "tint"
        tolerance: int | None = 0
        missing: str = ""
        place: str = "cpu"
        generative: bool = False
        note: str = ""
        folder: str = ""
        crop: int = 0

        ladder = (1.0, 2.0)
        bits = "coded"

        @property
        def version(self) -> str:
            return "tint 1"

        @property
        def device(self) -> str:
            return self.place

        @property
        def remark(self) -> str | None:
            return self.note or None

        @property
        def device_tolerance(self) -> int | None:
            return self.tolerance

        def seen_from(self, folder: Path):
            return Tint(self.tolerance, self.missing, self.place, self.generative, self.note, str(folder), self.crop)

        def on(self, device: str):
            return Tint(self.tolerance, self.missing, device, self.generative, self.note, self.folder, self.crop)

        def unavailable(self) -> str | None:
            return self.missing or None

        def encode(self, images: Sequence[torch.Tensor], settings, workers=1) -> list[bytes]:
            for image in images:
                image.add_(1)  # in place, as only a codec of others might
            return [bytes(image.shape[-2:]) + image.numpy().tobytes() for image in images]

        def decode(self, streams, workers=1) -> list[torch.Tensor]:
            made = []
            for stream in streams:
                height, width = stream[:2]
                image = torch.frombuffer(bytearray(stream[2:]), dtype=torch.uint8).reshape(3, height, width)
                made.append(image[:, self.crop :])
            return made

        def cost(self, stream: bytes) -> int:
            return len(stream)

        def proofs(self, images, settings, workers=1):
            return []

    register_codec("tint")(Tint)
    yield Tint
    CODECS._decorated.pop("tint", None)
    CODECS._found.pop("tint", None)


def tint(**options):
    return {"tint": {"quality": 1, **options}}


def test_the_last_codec_decides_on_device_and_tolerance(planted):
    pipeline = Pipeline([tint(tolerance=3, place="cuda:1"), tint(tolerance=2)])
    assert (pipeline.device, pipeline.device_tolerance, pipeline.bits) == ("cpu", 2, "coded")
    assert pipeline.version == "tint: tint 1 on cuda; tint: tint 1", "a GPU may have written what was coded again"


@pytest.mark.parametrize(
    ("tolerance", "name", "expected"),
    [(0, "lanczos", 0), (2, "lanczos", None), (2, "box", 2), (None, "box", None)],
)
def test_a_filter_may_spread_what_devices_decode_differently(planted, tolerance, name, expected):
    options = {} if tolerance is None else {"tolerance": tolerance}
    pipeline = Pipeline([tint(**options), {"resize": {"scale": 0.5, "filter": name}}])
    if tolerance is None:
        pipeline = Pipeline([{"jpeg": {"quality": 80}}, {"resize": {"scale": 0.5, "filter": name}}])
    assert pipeline.device_tolerance == expected


def test_steps_move_and_look_from_a_folder_together(planted):
    pipeline = Pipeline([tint(), tint()])
    moved = pipeline.on("cuda:0").seen_from(Path("/there"))
    assert moved.device == "cuda:0"
    assert {part.folder for part in moved.parts} == {"/there"}
    assert (pipeline.device, moved) == ("cpu", pipeline)


def test_remarks_and_what_is_missing_name_their_step(planted):
    pipeline = Pipeline([tint(note="slow"), tint(), tint(note="slower", generative=True, missing="no tint; paint it")])
    assert pipeline.remark == "step 1 (tint): slow; step 3 (tint): slower"
    assert pipeline.unavailable() == "no tint; paint it"
    assert pipeline.generative
    assert not Pipeline([tint()]).generative
    assert Pipeline([tint()]).remark is None


def test_a_codec_of_others_works_on_copies(planted, smooth):
    before = smooth.clone()
    Pipeline([tint(), tint()]).encode([smooth], [1.0])
    assert torch.equal(smooth, before)


def test_a_step_that_decodes_to_another_size_is_named(planted, smooth):
    with pytest.raises(CodecError) as caught:
        Pipeline([tint(crop=1), FIRST]).encode([smooth], [90.0])
    assert str(caught.value) == (
        "pipeline could not encode image 1 of 1 (96x64 pixels): step 1 (tint): tint gave image 1 of 1 back as "
        "96x63 pixels, expected 96x64"
    )


def test_numbers_of_numpy_are_numbers():
    steps = [
        {"resize": {"longest": np.int64(32)}},
        {"jpeg": {"quality": np.int64(80)}},
        {"webp": {"quality": np.float32(50)}},
    ]
    plain = [{"resize": {"longest": 32}}, {"jpeg": {"quality": 80}}, {"webp": {"quality": 50}}]
    assert repr(Pipeline(steps)) == repr(Pipeline(plain))
