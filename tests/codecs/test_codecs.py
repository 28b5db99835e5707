"""Promises of every codec, whatever it is made of."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compress_guard.codecs.pixels import check_sizes
from compress_guard.errors import CodecError
from compress_guard.registry import CODECS

CLASSES = {
    "jpeg": "Jpeg",
    "webp": "WebP",
    "avif": "Avif",
    "jp2": "Jp2",
    "heic": "Heic",
    "jxl": "Jxl",
    "command": "Command",
    "pipeline": "Pipeline",
}
SIGNATURES = {
    "jpeg": rb"\xff\xd8\xff",
    "webp": rb"RIFF....WEBPVP8 ",
    "avif": rb"....ftypavif",
    "jp2": rb"\0\0\0\x0cjP  \r\n\x87\n",
    "heic": rb"....ftyphei[cx]",
    "jxl": rb"\xff\x0a",
    "command": rb"PACK ",
    "pipeline": rb"CGP1.{25}RIFF....WEBPVP8 ",
}
VERSIONS = {
    "jpeg": r"libjpeg(-turbo)? \d.* \(Pillow \d.*\)",
    "webp": r"libwebp \d.* \(Pillow \d.*\)",
    "avif": r"libavif \d.* \(Pillow \d[^,]*, .*aom \d.*\)",
    "jp2": r"openjpeg \d.* \(Pillow \d.*\)",
    "heic": r"libheif \d.*, x265 .*, .* \(pillow-heif \d.*\)",
    "jxl": r"libjxl of pillow-jxl-plugin \d.*",
    "command": r".*python.* [0-9a-f]{12} \(lines [0-9a-f]{12}\)",
    "pipeline": r"jpeg: libjpeg.*; webp: libwebp \d.* \(Pillow \d.*\)",
}
SIZES = [(1, 1), (1, 2), (2, 1), (1, 37), (37, 1), (3, 5), (8, 8), (17, 31), (48, 64)]


def psnr(one: torch.Tensor, other: torch.Tensor) -> float:
    error = float(((one.double() - other.double()) ** 2).mean())
    return math.inf if error == 0 else 10 * math.log10(255**2 / error)


def middle(codec) -> float:
    return codec.ladder[len(codec.ladder) // 2]


def noise(height: int, width: int, seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).integers(0, 256, (3, height, width), dtype=np.uint8))


def test_every_registered_name_is_tested_here() -> None:
    learned = {"neural", "zoo", "compressai"}  # in folders of their own
    assert set(CODECS) - learned == set(CLASSES) == set(SIGNATURES) == set(VERSIONS)


def test_a_name_builds_the_codec_meant(codec) -> None:
    assert type(codec).__name__ == CLASSES[codec.type]
    assert CODECS.resolve(codec.type) is type(codec)


def test_no_name_contains_another() -> None:
    assert not [(one, other) for one in CODECS for other in CODECS if one != other and one in other]


def test_ladder_is_ascending_and_each_setting_is_there_once(codec) -> None:
    assert list(codec.ladder) == sorted(set(codec.ladder))
    assert len(codec.ladder) >= (8 if codec.type == "command" else 48)
    assert all(isinstance(setting, float) for setting in codec.ladder)


def test_version_names_library_and_release(codec) -> None:
    assert re.fullmatch(VERSIONS[codec.type], codec.version), codec.version


def test_stream_is_a_file_of_the_format(codec, photo) -> None:
    (stream,) = codec.encode([photo], [middle(codec)])
    assert isinstance(stream, bytes)
    assert re.match(SIGNATURES[codec.type], stream, re.DOTALL), stream[:16]


@pytest.mark.parametrize("end", [0, -1])
def test_any_size_comes_back(codec, end: int) -> None:
    images = [noise(height, width) for height, width in SIZES]
    decoded = codec.decode(codec.encode(images, [codec.ladder[end]] * len(images)))
    assert [tuple(image.shape[1:]) for image in decoded] == SIZES
    assert {image.dtype for image in decoded} == {torch.uint8}
    assert all(image.is_contiguous() for image in decoded)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(height=st.integers(1, 40), width=st.integers(1, 40), seed=st.integers(0, 9), place=st.floats(0, 1))
def test_random_images_keep_size_and_type(codec, height: int, width: int, seed: int, place: float) -> None:
    setting = codec.ladder[round(place * (len(codec.ladder) - 1))]
    (decoded,) = codec.decode(codec.encode([noise(height, width, seed)], [setting]))
    assert decoded.shape == (3, height, width)
    assert decoded.dtype == torch.uint8


def test_lists_keep_their_order_and_each_image_its_setting(codec, photos) -> None:
    chosen = [codec.ladder[i % 2 * (len(codec.ladder) - 1)] for i in range(len(photos))]
    alone = [codec.encode([image], [setting])[0] for image, setting in zip(photos, chosen, strict=True)]
    assert codec.encode(photos, chosen) == alone
    together = codec.decode(alone)
    check_sizes(codec.type, photos, together)
    assert all(torch.equal(image, codec.decode([stream])[0]) for image, stream in zip(together, alone, strict=True))


def test_empty_lists(codec) -> None:
    assert codec.encode([], []) == []
    assert codec.decode([]) == []


def test_workers_change_nothing(codec, photos) -> None:
    chosen = [middle(codec)] * len(photos)
    streams = codec.encode(photos, chosen, workers=1)
    assert codec.encode(photos, chosen, workers=4) == streams
    for one, other in zip(codec.decode(streams, workers=1), codec.decode(streams, workers=4), strict=True):
        assert torch.equal(one, other)


def test_higher_settings_give_larger_files_and_better_images(codec, photo) -> None:
    last = len(codec.ladder) - 1
    chosen = [codec.ladder[round(part * last)] for part in (0, 0.3, 0.6, 0.9)]
    streams = codec.encode([photo] * len(chosen), chosen)
    quality = [psnr(photo, image) for image in codec.decode(streams)]
    sizes = [len(stream) for stream in streams]
    assert sizes == sorted(set(sizes))
    assert quality == sorted(quality)


def test_colours_come_back(codec, smooth) -> None:
    (decoded,) = codec.decode(codec.encode([smooth], [codec.ladder[-1]]))
    assert psnr(smooth, decoded) > 35


def test_any_memory_layout_is_the_same_image(codec, photo) -> None:
    strided = photo.permute(1, 2, 0).contiguous().permute(2, 0, 1)
    assert not strided.is_contiguous()
    setting = middle(codec)
    assert codec.encode([strided], [setting]) == codec.encode([photo], [setting])


def test_large_images_are_no_decompression_bombs(codec, photo, monkeypatch) -> None:
    streams = codec.encode([photo], [middle(codec)])
    monkeypatch.setattr("PIL.Image.MAX_IMAGE_PIXELS", 100)
    assert codec.decode(streams)[0].shape == photo.shape


@pytest.mark.parametrize("broken", [b"", b"not an image at all", "half"])
def test_a_broken_stream_is_named(codec, photo, broken) -> None:
    (stream,) = codec.encode([photo], [middle(codec)])
    bad = stream[: len(stream) // 2] if broken == "half" else broken
    start = rf"{codec.type} could not decode stream 2 of 3 \({len(bad)} bytes\): ."
    for workers in (1, 3):
        with pytest.raises(CodecError, match=start):
            codec.decode([stream, bad, stream], workers=workers)


def test_an_image_that_cannot_be_coded_is_named(codec, photo) -> None:
    setting = middle(codec)
    start = rf"{codec.type} could not encode image 2 of 2 \(160x128 pixels\)"
    for workers in (1, 2):
        with pytest.raises(CodecError, match=start):
            codec.encode([photo, photo.float()], [setting] * 2, workers=workers)


def test_a_setting_that_the_codec_does_not_take_is_refused(codec, photo) -> None:
    with pytest.raises(CodecError, match=r"could not encode image 1 of 1 \(160x128 pixels\): -0\.123 is not"):
        codec.encode([photo], [-0.123])


def test_a_setting_for_each_image_is_needed(codec, photo) -> None:
    with pytest.raises(ValueError, match="shorter"):
        codec.encode([photo, photo], [middle(codec)])


def test_avif_decodes_each_image_on_one_thread_and_leaves_pillow_as_it_was(monkeypatch):
    from PIL import AvifImagePlugin

    given, plugin = [], AvifImagePlugin._avif

    class Recording:
        """Pillow's module, with a decoder that tells what it was given."""

        def __getattr__(self, name):
            return getattr(plugin, name)

        def AvifDecoder(self, data, codec, threads):
            given.append(threads)
            return plugin.AvifDecoder(data, codec, threads)

    codec = CODECS.resolve("avif")()
    stream = codec.encode([torch.zeros(3, 16, 16, dtype=torch.uint8)], [50.0])[0]
    before = AvifImagePlugin.DEFAULT_MAX_THREADS
    monkeypatch.setattr(AvifImagePlugin, "_avif", Recording())
    codec.decode([stream, stream], workers=2)
    assert given == [1, 1]
    assert before == AvifImagePlugin.DEFAULT_MAX_THREADS
