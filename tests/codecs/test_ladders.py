"""The steps of each codec's ladder, and what its library does at the ends."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from compress_guard.codecs import jxl
from compress_guard.codecs.avif import Avif
from compress_guard.codecs.heic import Heic
from compress_guard.codecs.jp2 import Jp2
from compress_guard.codecs.jpeg import Jpeg
from compress_guard.codecs.jxl import Jxl
from compress_guard.codecs.pixels import check_sizes, read_pil, to_pil
from compress_guard.codecs.webp import WebP
from compress_guard.errors import CodecError


def sizes(codec, image: torch.Tensor) -> list[int]:
    if reason := codec.unavailable():
        pytest.skip(reason)
    return [len(stream) for stream in codec.encode([image] * len(codec.ladder), codec.ladder, workers=2)]


def test_jpeg_has_every_quality() -> None:
    assert Jpeg().ladder == tuple(range(1, 101))


def test_avif_settings_are_the_different_ones_of_libavif(photo) -> None:
    codec, image = Avif(), photo[:, :64, :64]
    on_ladder = set(codec.encode([image] * 64, codec.ladder))
    every = {codec._write(to_pil(image), float(quality)) for quality in range(101)}
    assert len(every) <= 64, "this libavif has more steps than the ladder"
    # Another libavif may round qualities to quantisers differently, which costs a step here and there.
    assert len(on_ladder) >= 0.9 * len(every)


def test_webp_steps_are_small_where_whole_qualities_are_not(photo) -> None:
    found = sizes(WebP(), photo)
    steps = [after / before for before, after in pairwise(found)]
    assert max(steps) < 1.15
    assert min(steps) > 0.97


def test_jp2_meets_the_nominal_rate(photo) -> None:
    codec = Jp2()
    pixels = photo.shape[1] * photo.shape[2]
    for nominal in codec.ladder[250:560:60]:
        (stream,) = codec.encode([photo], [nominal])
        assert 8 * len(stream) / pixels == pytest.approx(nominal, rel=0.05)


def test_jp2_steps_are_one_percent() -> None:
    ladder = Jp2().ladder
    assert (ladder[0], ladder[-1]) == (0.02, 16.0)
    assert all(1.005 < after / before < 1.015 for before, after in pairwise(ladder))


def libjxl_distance(quality: float) -> float:
    """JxlEncoderDistanceFromQuality of libjxl."""
    return 0.1 + (100 - quality) * 0.09 if quality >= 30 else 53 / 3000 * quality**2 - 23 / 20 * quality + 25


@given(st.floats(0.11, 25))
def test_jxl_quality_is_the_inverse_of_libjxls_distance(distance: float) -> None:
    assert libjxl_distance(jxl._quality(distance)) == pytest.approx(distance, abs=0.01)


def test_jxl_sizes_rise_all_the_way(photo) -> None:
    found = sizes(Jxl(effort=3), photo)
    steps = [after / before for before, after in pairwise(found)]
    assert max(steps) < 1.15
    assert min(steps) > 0.97


def test_heic_settings_are_one_quantiser_each(photo) -> None:
    codec = Heic(preset="ultrafast")
    if reason := codec.unavailable():
        pytest.skip(reason)
    crop = photo[:, :64, :64]
    assert len(set(codec.encode([crop] * len(codec.ladder), codec.ladder, workers=2))) >= len(codec.ladder) - 2


LIMITS = [(Jpeg(), 65500), (WebP(), 16383), (Avif(), 32768), (Heic(preset="ultrafast"), 32768), (Jxl(), 2**18)]


@pytest.mark.parametrize(("codec", "side"), LIMITS, ids=[codec.type for codec, _ in LIMITS])
def test_the_longest_side_works_and_one_more_is_refused(codec, side) -> None:
    if reason := codec.unavailable():
        pytest.skip(reason)
    setting = codec.ladder[len(codec.ladder) // 2]
    if codec.type != "jxl":  # libjxl takes seconds for it
        image = torch.full((3, 1, side), 90, dtype=torch.uint8)
        check_sizes(codec.type, [image], codec.decode(codec.encode([image], [setting])))
    with pytest.raises(CodecError) as caught:
        codec.encode([torch.full((3, side + 1, 1), 90, dtype=torch.uint8)], [setting])
    assert str(caught.value) == (
        f"{codec.type} could not encode image 1 of 1 (1x{side + 1} pixels): sides of at most {side} pixels can be coded"
    )


@pytest.mark.parametrize("shape", [(5000, 1), (31, 6000), (33, 6000), (8192, 40)])
def test_heic_codes_long_thin_pictures(shape) -> None:
    codec = Heic(preset="ultrafast")
    if reason := codec.unavailable():
        pytest.skip(reason)
    image = torch.full((3, *shape), 90, dtype=torch.uint8)
    check_sizes("heic", [image], codec.decode(codec.encode([image], [31.0])))


def test_streams_hold_no_metadata(photo) -> None:
    for codec, kind in ((Jpeg(), "JPEG"), (WebP(), "WEBP"), (Avif(), "AVIF"), (Jp2(), "JPEG2000")):
        image = read_pil(kind, codec.encode([photo], [codec.ladder[-1]])[0])
        assert not {"exif", "icc_profile", "xmp"} & set(image.info)


def test_jpeg_has_optimised_huffman_tables() -> None:
    """Standard tables put this image at 0.225 bpp, above the lowest rate that matters."""
    (stream,) = Jpeg().encode([torch.full((3, 224, 224), 128, dtype=torch.uint8)], [1.0])
    assert 8 * len(stream) / 224**2 < 0.1


def test_jp2_has_the_transforms_that_low_rates_need(photo) -> None:
    """Fields of the COD marker, ISO/IEC 15444-1 A.6.1: the colour transform is on, the wavelet is the 9/7 one."""
    (stream,) = Jp2().encode([photo], [0.502])
    start = stream.index(b"\xff\x52")
    assert stream[start + 8] == 1
    assert stream[start + 13] == 0
