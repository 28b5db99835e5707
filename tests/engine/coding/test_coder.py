"""Streams by a codec, through the store and back: what is coded, counted, kept, and what fails."""

from __future__ import annotations

import re

import pytest
import torch
from PIL import Image

import compress_guard
from compress_guard.engine.coding.available import available_codec, build_codec
from compress_guard.engine.coding.coder import CHUNK_IMAGES, Coder
from compress_guard.engine.images.reader import SampleReader
from compress_guard.engine.images.samples import Samples
from compress_guard.engine.images.survey.passes import survey
from compress_guard.errors import CodecError, CodecUnavailable, DataError, OptionError
from compress_guard.records import CodecSpec
from compress_guard.store import Store


@pytest.fixture
def make_coder(diary, pictures, tmp_path):
    def make(data=None, folder="store", workers=1, **options):
        samples = Samples(SampleReader(data if data is not None else pictures(6), lambda raw, size: raw))
        codec = build_codec(CodecSpec("toy", "toy", tuple(options.items())))
        store = Store(tmp_path / folder)
        store.prepare()
        return Coder(codec, samples, survey(samples), store, workers)

    return make


ASKED = [(4, 3.0), (0, 20.0), (2, 3.0), (0, 3.0)]


def test_streams_come_in_the_order_of_the_requests_and_are_made_once(make_coder, diary):
    coder = make_coder()
    streams = coder.streams(ASKED)
    assert [(stream[5], float(stream[0])) for stream in streams] == ASKED
    assert coder.streams(list(reversed(ASKED))) == list(reversed(streams))
    assert sorted((picture, setting) for picture, _, setting in diary.encoded) == sorted(ASKED)
    assert coder.encoded_pixels == diary.pixels


def test_lengths_answer_any_order_and_walk_the_data_once(make_coder, diary, pictures):
    coder = make_coder(pictures(40, ((16, 16),)))
    asked = [(at, setting) for setting in (5.0, 2.0) for at in reversed(range(40))]
    assert len(asked) > 2 * CHUNK_IMAGES
    lengths = coder.lengths(asked)
    assert lengths == [len(stream) for stream in coder.streams(asked)]
    assert [picture for picture, _, _ in diary.encoded] == sorted(at for at, _ in asked)


def test_a_second_coder_on_the_store_encodes_nothing(make_coder, diary):
    streams = make_coder().streams(ASKED)
    made = len(diary.encoded)
    second = make_coder()
    assert second.streams(ASKED) == streams
    assert (len(diary.encoded), second.encoded_pixels) == (made, 0)


def test_the_key_changes_with_all_that_changes_a_stream(make_coder, diary, pictures, tmp_path):
    make_coder().streams([(0, 3.0)])

    def encodes(action):
        before = len(diary.encoded)
        action()
        return len(diary.encoded) - before

    assert encodes(lambda: make_coder().streams([(0, 3.0)])) == 0
    assert encodes(lambda: make_coder().streams([(0, 4.0)])) == 1
    assert encodes(lambda: make_coder(tag="other").streams([(0, 3.0)])) == 1
    changed = pictures(1)[0][0].clone()
    changed[0, 50, 50] ^= 1
    assert encodes(lambda: make_coder([(changed, 0, "t00")]).streams([(0, 3.0)])) == 1
    assert encodes(lambda: make_coder([(pictures(1)[0][0], 9, "renamed")]).streams([(0, 3.0)])) == 0
    diary.version = "2"
    assert encodes(lambda: make_coder().streams([(0, 3.0)])) == 1
    assert encodes(lambda: make_coder(folder="elsewhere").streams([(0, 3.0)])) == 1


def test_two_registered_codecs_never_share_a_stream(pictures, tmp_path):
    samples = Samples(SampleReader(pictures(1), lambda raw, size: raw))
    store = Store(tmp_path)
    streams = [
        Coder(build_codec(CodecSpec("x", name, options)), samples, survey(samples), store, 1).streams([(0, 50.0)])[0]
        for name, options in [("jpeg", ()), ("jpeg", (("subsampling", "4:4:4"),)), ("avif", ())]
    ]
    assert len(set(streams)) == 3


@pytest.mark.parametrize("damage", [b"", b"garbage", None])
def test_a_damaged_entry_is_made_again_with_the_same_result(make_coder, diary, tmp_path, damage):
    streams = make_coder().streams(ASKED)
    for path in (tmp_path / "store" / "streams").glob("*/*"):
        path.write_bytes(path.read_bytes()[:-1] if damage is None else damage)
    assert make_coder().streams(ASKED) == streams
    assert len(diary.encoded) == 2 * len(ASKED)
    assert make_coder().streams(ASKED) == streams
    assert len(diary.encoded) == 2 * len(ASKED)


def test_a_store_that_cannot_be_written_still_gives_right_streams(make_coder, diary, tmp_path):
    streams = make_coder().streams(ASKED)
    (tmp_path / "blocked").write_text("a file where the folder should be")
    coder = make_coder(folder="blocked")
    assert coder.streams(ASKED) == streams == coder.streams(ASKED)
    assert coder.encoded_pixels == 2 * diary.pixels / 3


def test_an_image_that_is_refused_leaves_the_others_coded(make_coder, diary):
    diary.refuse = lambda picture, setting: picture == 2
    coder = make_coder()
    streams = coder.streams([(at, 3.0) for at in range(6)])
    assert [stream is None for stream in streams] == [at == 2 for at in range(6)]
    assert coder.failures == {2: "toy refuses picture 2 at 3"}
    assert coder.lengths([(2, 9.0), (3, 3.0)]) == [None, len(streams[3])]
    assert not any(setting == 9.0 for _, _, setting in diary.encoded)


def test_every_call_of_the_encoder_counts_those_of_a_refused_list_too(make_coder, diary):
    diary.refuse = lambda picture, setting: picture == 5
    coder = make_coder()
    coder.streams([(at, 3.0) for at in range(6)])
    assert coder.encoded_pixels == diary.pixels


def test_what_cannot_be_decoded_is_lost_where_the_plan_uses_it(make_coder, diary, make_guard):
    coder = make_coder()
    plan = coder.plan(make_guard(rates=(1.0, 3.0)), "toy", 0)
    low, high = plan.rates
    diary.broken = lambda picture, setting: picture == 1 and setting == low.settings[1]
    diary.grown = lambda picture, setting: picture == 4 and setting == low.settings[4]
    requests = list(enumerate(low.settings))
    images = coder.decode(requests, coder.streams(requests))
    assert [image is None for image in images] == [at in (1, 4) for at in range(6)]
    height, width = 96, 96
    assert coder.lost(low) == {
        1: "toy cannot decode picture 1",
        4: f"decoded to (3, {height}, {width + 1}), not to the (3, {height}, {width}) of its source",
    }
    assert coder.lost(high) == {}


def test_a_decoder_that_fails_on_one_stream_still_gives_the_others(make_coder, diary):
    coder = make_coder()
    requests = [(at, 12.0) for at in range(6)]
    streams = coder.streams(requests)
    whole = coder.decode(requests, streams)
    diary.broken = lambda picture, setting: picture == 0
    some = coder.decode(requests, streams)
    assert some[0] is None
    assert all(one.equal(other) for one, other in zip(some[1:], whole[1:], strict=True))


def test_the_plan_accounts_for_every_pixel_that_was_encoded(make_coder, diary, make_guard):
    guard = make_guard(rates=(0.8, 1.5, 3.0))
    coder = make_coder()
    plan = coder.plan(guard, "toy", 0)
    total = sum(info.pixels for info in coder.survey.infos)
    assert coder.made_share == pytest.approx(1)
    assert sum(rate.encodes for rate in plan.rates) * total == pytest.approx(diary.pixels)
    again = make_coder()
    assert again.plan(guard, "toy", 0) == plan
    assert again.made_share == 0.0


def test_progress_counts_the_images_encoded(make_coder):
    told = []
    coder = make_coder()
    coder.progress = lambda done, total: told.append((done, total))
    coder.streams(ASKED)
    coder.streams(ASKED)
    coder.streams([(1, 1.0)])
    assert told == [(4, 0), (5, 0)]


# Codecs by name


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (CodecSpec("x", "jpg"), "unknown codec 'jpg', did you mean 'jpeg'? known: "),
        (
            CodecSpec("mine", "jpeg", (("speed", 3),)),
            "unknown option of codec mine 'speed'; "
            "known: metadata, optimize, progressive, restart, restart_rows, subsampling",
        ),
        (CodecSpec("jpeg", "jpeg", (("subsampling", "4:1:1"),)), "subsampling must be "),
    ],
)
def test_a_codec_that_does_not_exist_or_not_like_this(spec, message):
    with pytest.raises(OptionError, match=f"^{re.escape(message)}"):
        build_codec(spec)


def test_a_codec_that_is_not_installed(diary):
    diary.missing = "toy is not installed; pip install toy"
    with pytest.raises(CodecUnavailable, match=r"^toy is not installed; pip install toy$"):
        available_codec(CodecSpec("toy", "toy"))


# A loose batch


def test_compress_gives_streams_images_rates_and_settings(pictures):
    images = [image for image, _, _ in pictures(4)]
    found = compress_guard.compress(images, codec="jpeg", bpp=2.0)
    assert found.bits == "coded"
    for source, image, stream, bpp, setting in zip(
        images, found.images, found.streams, found.bpp, found.settings, strict=True
    ):
        assert (image.dtype, image.shape) == (torch.uint8, source.shape)
        assert not image.equal(source)
        assert bpp == 8 * len(stream) / (source.shape[1] * source.shape[2]) == pytest.approx(2.0, rel=0.05)
        assert stream[:2] == b"\xff\xd8"
        assert 1 <= setting <= 100


def test_compress_holds_the_mean_where_the_data_set_is_asked(pictures):
    images = [image for image, _, _ in pictures(8)]
    found = compress_guard.compress(images, codec="webp", bpp=1.0, rate="dataset", tolerance=0.02)
    assert sum(found.bpp) / 8 == pytest.approx(1.0, rel=0.02)
    assert len(set(found.settings)) <= 2


def test_compress_takes_pil_images_tensors_and_batches_alike_and_repeats_itself(pictures):
    tensors = [image for image, _, _ in pictures(3, ((64, 48),))]
    pil = [Image.fromarray(image.permute(1, 2, 0).numpy()) for image in tensors]
    results = [compress_guard.compress(images, bpp=2.0) for images in (tensors, pil, torch.stack(tensors), tensors)]
    assert all(result.streams == results[0].streams for result in results)
    assert compress_guard.compress(tensors, bpp=2.0, workers=3).streams == results[0].streams


def test_compress_passes_options_on_and_takes_the_nearest_end_of_the_ladder(pictures):
    images = [image for image, _, _ in pictures(2)]
    assert compress_guard.compress(images, bpp=0.02).settings == [1.0, 1.0]
    full = compress_guard.compress(images, codec="jpeg", bpp=8.0, subsampling="4:4:4")
    assert full.settings == [100.0, 100.0]
    assert full.bpp > compress_guard.compress(images, codec="jpeg", bpp=8.0).bpp


def test_compress_leaves_its_input_alone_and_nothing_is_nothing(pictures):
    images = [image for image, _, _ in pictures(2)]
    before = [image.clone() for image in images]
    compress_guard.compress(images, bpp=1.0)
    assert all(image.equal(old) for image, old in zip(images, before, strict=True))
    with pytest.raises(OptionError, match="^images is an empty batch; expected at least one image to compress$"):
        compress_guard.compress([])


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"codec": "jpg"}, OptionError, "unknown codec 'jpg', did you mean 'jpeg'? known: "),
        ({"rate": "pixel"}, OptionError, "unknown rate mode 'pixel'; known: dataset, image"),
        (
            {"bpp": 20},
            OptionError,
            "rate 20 bpp is outside 0.02 to 8; use a rate in that range, or did you mean quality=20?",
        ),
        ({"bpp": float("nan")}, OptionError, "rate nan bpp is outside 0.02 to 8; use a rate in that range"),
        (
            {"tolerance": 0},
            OptionError,
            "rate tolerance 0 is outside 0 to 0.5 (0 excluded); it is relative, 0.02 means ",
        ),
        (
            {"quantiser": 3},
            OptionError,
            "unknown option of codec jpeg 'quantiser'; "
            "known: metadata, optimize, progressive, restart, restart_rows, subsampling",
        ),
        ({"codec": "zoo"}, OptionError, "codec 'zoo' needs model; add what is missing to its options"),
        (
            {"codec": "zoo", "modell": "mbt2018"},
            OptionError,
            "unknown option of codec zoo 'modell', did you mean 'model'",
        ),
        (
            {"codec": "compressai"},
            OptionError,
            "codec 'compressai' needs path, arch; add what is missing",
        ),
        (
            {"codec": "compressai:a.pth"},
            OptionError,
            "codec 'compressai:a.pth' needs arch; add what is missing",
        ),
        ({"images": ["a.jpg"]}, DataError, "image is builtins.str; expected a PIL image or a uint8 RGB tensor"),
        (
            {"images": torch.zeros(4, 4, dtype=torch.uint8)},
            DataError,
            "image is a tensor of shape (4, 4) and dtype ",
        ),
    ],
)
def test_what_compress_refuses(arguments, error, message):
    images = arguments.pop("images", [torch.zeros(3, 16, 16, dtype=torch.uint8)])
    with pytest.raises(error, match=f"^{re.escape(message)}"):
        compress_guard.compress(images, **arguments)


def test_compress_raises_for_an_image_that_cannot_be_coded(diary, pictures):
    diary.refuse = lambda picture, setting: picture == 1
    with pytest.raises(CodecError, match="^toy refuses picture 1"):
        compress_guard.compress([image for image, _, _ in pictures(2)], codec="toy", bpp=1.0)
