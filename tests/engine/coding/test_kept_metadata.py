"""Metadata that streams keep: counted in rates, part of the names in the store, the same at each reading."""

from __future__ import annotations

import io
from statistics import fmean

import pytest
from PIL import Image, ImageCms

import compress_guard
from compress_guard.codecs.jpeg import Jpeg
from compress_guard.codecs.pictures.metadata import Metadata
from compress_guard.codecs.pipeline.codec import Pipeline
from compress_guard.codecs.pixels import to_pil
from compress_guard.engine.coding.coder import Coder
from compress_guard.engine.images import reader
from compress_guard.engine.images.placing import Placing
from compress_guard.engine.images.reader import SampleReader
from compress_guard.engine.images.sample import UnsteadyError
from compress_guard.engine.images.samples import Samples
from compress_guard.engine.images.survey.passes import survey
from compress_guard.engine.throughput.timed_codec import AtPoint, Field, TimingSettings
from compress_guard.records import CodecSpec, Rate
from compress_guard.store import Store
from tests.codecs.pictures.test_metadata import block

PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
KEEP = CodecSpec("jpeg", "jpeg", (("metadata", "keep"),))


def files(pictures, profiles, orientation: int = 1):
    """(PIL image of a PNG file, label, id) of each picture, every second one with a profile and an EXIF block."""
    made = []
    for at, (image, label, name) in enumerate(pictures):
        planted = {"icc_profile": profiles + bytes([at]), "exif": b"Exif\0\0" + block(orientation=orientation)}
        file = io.BytesIO()
        to_pil(image).save(file, "PNG", **(planted if at % 2 == 0 else {}))
        made.append((file.getvalue(), label, name))
    return made


class Opened:
    """A data set that opens its files each time."""

    def __init__(self, rows) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, at: int):
        data, label, name = self.rows[at]
        return Image.open(io.BytesIO(data)), label, name


@pytest.fixture
def coder_on(tmp_path):
    def make(data, codec=None, orientation=None):
        samples = Samples(SampleReader(data, lambda raw, size: raw, placing=Placing(wanted=orientation)))
        store = Store(tmp_path / "store")
        store.prepare()
        return Coder(codec or Jpeg(metadata="keep"), samples, survey(samples), store, 1)

    return make


def plain(data, at: int, quality: int, keep: bool = True) -> bytes:
    """The stream of a few lines of Pillow."""
    image, file = data[at][0], io.BytesIO()
    image.load()
    kept = {name: image.info[name] for name in ("icc_profile", "exif") if name in image.info} if keep else {}
    if "exif" in kept:
        kept["exif"] = b"Exif\0\0" + block(orientation=1)
    bare = Image.frombytes("RGB", image.size, image.tobytes())
    bare.save(file, "JPEG", quality=quality, optimize=True, subsampling="4:2:0", **kept)
    return file.getvalue()


def test_streams_are_those_of_a_plain_loop(coder_on, pictures) -> None:
    data = Opened(files(pictures(6), PROFILE))
    requests = [(at, float(20 + 10 * at)) for at in range(6)]
    assert coder_on(data).streams(requests) == [plain(data, at, int(quality)) for at, quality in requests]
    stripped = coder_on(data, Jpeg()).streams(requests)
    assert stripped == [plain(data, at, int(quality), keep=False) for at, quality in requests]


def test_a_pipeline_gets_the_metadata_of_its_sources(coder_on, pictures) -> None:
    data = Opened(files(pictures(2), PROFILE))
    codec = Pipeline([{"resize": {"scale": 0.5}}, {"jpeg": {"quality": 80, "metadata": "keep"}}])
    coder = coder_on(data, codec)
    streams = [codec.delivered_file(stream) for stream in coder.streams([(0, 80.0), (1, 80.0)])]
    profiles = [Image.open(io.BytesIO(stream)).info.get("icc_profile") for stream in streams]
    assert profiles == [PROFILE + b"\0", None]


def test_pixels_with_other_metadata_are_another_entry_of_the_store(coder_on, pictures, make_guard) -> None:
    requests = [(at, 50.0) for at in range(4)]
    guard = make_guard(("jpeg",), (2.5,))
    rates = set()
    for profile in (PROFILE, PROFILE + bytes(3000)):
        data = Opened(files(pictures(4), profile))
        coder = coder_on(data)
        assert coder.streams(requests) == [plain(data, at, 50) for at, _ in requests]
        rates.add(coder.plan(guard, "jpeg", 0).rates[0].settings)
    assert len(rates) == 2


def test_without_keeping_metadata_make_no_other_entry(coder_on, pictures) -> None:
    requests = [(at, 50.0) for at in range(4)]
    coder_on(Opened(files(pictures(4), PROFILE)), Jpeg()).streams(requests)
    again = coder_on(Opened(files(pictures(4), PROFILE + b"other")), Jpeg())
    again.streams(requests)
    assert again.encoded_images == 0


@pytest.mark.parametrize("orientation", ["upright", "stored"])
def test_no_reader_turns_kept_images_again(coder_on, pictures, orientation) -> None:
    data = Opened(files(pictures(2), PROFILE, orientation=6))
    coder = coder_on(data, orientation=orientation)
    streams = coder.streams([(0, 80.0), (1, 80.0)])
    with Image.open(io.BytesIO(streams[0])) as image:
        assert image.getexif()[0x0112] == 1
        assert image.size == coder.source(0).size[::-1]


class Restless(Opened):
    """Files whose profile is another one each time they are read."""

    reads = 0

    def __getitem__(self, at: int):
        image, label, name = super().__getitem__(at)
        self.reads += 1
        image.load()
        image.info["icc_profile"] = PROFILE + str(self.reads).encode()
        return image, label, name


def test_metadata_that_change_are_an_error_only_where_they_are_kept(coder_on, pictures, monkeypatch) -> None:
    monkeypatch.setattr(reader, "KEPT_BYTES", 0)
    data = Restless(files(pictures(3), PROFILE))
    assert coder_on(data, Jpeg()).streams([(0, 50.0), (1, 50.0)])
    with pytest.raises(UnsteadyError) as caught:
        coder_on(data).streams([(0, 50.0), (1, 50.0)])
    assert str(caught.value) == (
        "image t00 gives different metadata each time it is read; expected the same ICC profile and EXIF every time; "
        "return each image as it was opened, or set metadata: strip"
    )


def test_a_cell_counts_kept_metadata_and_says_how_many_images_have_some(pictures, spectrum) -> None:
    data = Opened(files(pictures(16), PROFILE))
    carried = [Metadata.of(loaded(data, at)).summary for at in range(16)]
    assert sum(summary.size({"icc", "exif"}) > 0 for summary in carried) == 8
    expected = fmean(
        8 * summary.size({"icc", "exif"}) / (image.shape[-1] * image.shape[-2])
        for summary, (image, _, _) in zip(carried, pictures(16), strict=True)
    )
    kept, stripped, tensors = (
        compress_guard.measure(
            spectrum(), source, task="classification", codec="jpeg", bpp=2.5, options={"metadata": choice}
        )
        for source, choice in ((data, "keep"), (data, "strip"), (pictures(16), "keep"))
    )
    assert (kept.metadata_images, kept.metadata_bpp) == (8, pytest.approx(expected))
    assert kept.bpp_mean == pytest.approx(2.5, rel=0.02)
    assert (stripped.metadata_images, stripped.metadata_bpp) == (None, None)
    assert (tensors.metadata_images, tensors.metadata_bpp) == (0, 0.0)
    assert tensors.settings == stripped.settings
    assert mean_setting(kept) < mean_setting(stripped) - 1
    assert kept.psnr_mean < stripped.psnr_mean


def loaded(data, at: int) -> Image.Image:
    image = data[at][0]
    image.load()
    return image


def mean_setting(result) -> float:
    return sum(setting * images for setting, images in result.settings) / sum(images for _, images in result.settings)


@pytest.mark.parametrize("work", ["encode", "decode", "roundtrip"])
def test_throughput_is_timed_with_the_metadata_in_place(work, pictures, make_guard, tmp_path) -> None:
    data = Opened(files(pictures(4), PROFILE))
    field = Field(make_guard(), data, lambda spec: (Rate(2.5),), Store(tmp_path / "store"), TimingSettings(4, 1, 0))
    codec = field.codec(KEEP, "cpu", lambda done, total: None)
    entrant = field.entrant(AtPoint(codec, Rate(2.5)), work)
    entrant.check()
    expected = [plain(data, at, int(quality)) for at, quality in enumerate(entrant.settings)]
    assert entrant.streams == entrant._encoded() == expected
