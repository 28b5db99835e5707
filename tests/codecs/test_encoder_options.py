"""Options of encoders: streams equal those of a plain call of the library, and say what they were coded with."""

from __future__ import annotations

import io
import struct
import sys
from collections.abc import Iterator

import PIL
import pytest
import torch
from PIL import AvifImagePlugin, Image

from compress_guard.codecs import avif
from compress_guard.codecs.avif import Avif
from compress_guard.codecs.heic import Heic
from compress_guard.codecs.jp2 import Jp2
from compress_guard.codecs.jpeg import Jpeg
from compress_guard.codecs.jxl import Jxl
from compress_guard.codecs.webp import WebP

PLAIN = [
    (Jpeg, {}, 75.0, {"quality": 75, "subsampling": "4:2:0", "optimize": True}),
    (Jpeg, {"optimize": False}, 75.0, {"quality": 75, "subsampling": "4:2:0"}),
    (Jpeg, {"optimize": False, "subsampling": "4:4:4"}, 30.0, {"quality": 30, "subsampling": "4:4:4"}),
    (Jpeg, {"progressive": True, "optimize": False}, 75.0, {"quality": 75, "progressive": True}),
    (Jpeg, {"restart": 3}, 75.0, {"quality": 75, "optimize": True, "restart_marker_blocks": 3}),
    (Jpeg, {"restart_rows": 2}, 75.0, {"quality": 75, "optimize": True, "restart_marker_rows": 2}),
    (WebP, {}, WebP().ladder[60], {"quality": WebP().ladder[60], "method": 4}),
    (WebP, {"method": 6}, 80.0, {"quality": 80, "method": 6}),
    (Avif, {}, 63.0, {"quality": 63, "speed": 9, "subsampling": "4:2:0", "max_threads": 1}),
    (Avif, {"codec": "aom"}, 63.0, {"quality": 63, "speed": 9, "codec": "aom", "max_threads": 1}),
    (Avif, {"tune": "ssim"}, 63.0, {"quality": 63, "speed": 9, "advanced": {"tune": "ssim"}, "max_threads": 1}),
    (Jp2, {}, Jp2().ladder[400], {"quality_layers": [24 / Jp2().ladder[400]], "irreversible": True, "mct": 1}),
]
"""A codec with options, a setting, and the arguments of Pillow's Image.save that mean the same."""


def plain(image: torch.Tensor, kind: str, **options) -> bytes:
    """The stream of a few lines of Pillow, with none of our code."""
    file = io.BytesIO()
    Image.fromarray(image.permute(1, 2, 0).contiguous().numpy()).save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize(("kind", "options", "setting", "arguments"), PLAIN)
def test_streams_are_those_of_a_plain_call(kind, options, setting, arguments, photo) -> None:
    codec = kind(**options)
    if setting not in codec.ladder:
        setting = min(codec.ladder, key=lambda step: abs(step - setting))
        arguments = arguments | {"quality": setting}
    assert codec.encode([photo], [setting]) == [plain(photo, codec.format, **arguments)]


def test_jxl_streams_are_those_of_a_plain_call(photo) -> None:
    pytest.importorskip("pillow_jxl")
    for effort in (3, 5):
        setting = Jxl().ladder[50]
        expected = plain(photo, "JXL", quality=setting, effort=effort, num_threads=0)
        assert Jxl(effort=effort).encode([photo], [setting]) == [expected]


@pytest.mark.parametrize("preset", ["ultrafast", "veryfast", "slow"])
def test_heic_streams_are_those_of_a_plain_call(preset, photo) -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    parameters = {"preset": preset, "x265:pools": "none", "x265:frame-threads": "1"}
    file = io.BytesIO()
    pixels = photo.permute(1, 2, 0).contiguous().numpy().tobytes()
    size = (photo.shape[2], photo.shape[1])
    pillow_heif.encode("RGB", size, pixels, file, quality=51, subsampling="4:2:0", enc_params=parameters)
    assert Heic(preset=preset).encode([photo], [51.0]) == [file.getvalue()]


@pytest.mark.parametrize("options", [{"sharp_yuv": True}, {"preset": "photo"}, {"preset": "text", "method": 2}])
def test_webp_streams_of_libvips_are_those_of_a_plain_call(options, photo) -> None:
    pyvips = pytest.importorskip("pyvips")
    codec = WebP(**options)
    picture = pyvips.Image.new_from_array(photo.permute(1, 2, 0).contiguous().numpy())
    expected = picture.webpsave_buffer(
        Q=40, effort=codec.method, smart_subsample=codec.sharp_yuv, preset=codec.preset, keep="none"
    )
    assert codec.encode([photo], [40.0]) == [expected]


def test_webp_by_libvips_has_whole_qualities_and_says_who_encodes(photo, photos) -> None:
    pyvips = pytest.importorskip("pyvips")
    codec = WebP(sharp_yuv=True)
    assert codec.ladder == tuple(map(float, range(101)))
    assert codec.version.startswith(f"libwebp of libvips {pyvips.version(0)}.{pyvips.version(1)}.")
    assert codec.version.endswith(f"decoded by {WebP().version}")
    settings = [float(10 + at) for at in range(len(photos))]
    assert codec.encode(photos, settings, workers=3) == codec.encode(photos, settings)
    (decoded,) = codec.decode(codec.encode([photo], [90.0]))
    assert decoded.shape == photo.shape


def test_sharp_chroma_keeps_a_coloured_edge() -> None:
    pytest.importorskip("pyvips")
    edge = torch.zeros(3, 64, 64, dtype=torch.uint8)
    edge[0, :, :33], edge[2, :, 33:] = 255, 255  # red beside blue, within a pair of columns that share their chroma
    errors = []
    for sharp in (False, True):
        codec = WebP(preset="drawing", sharp_yuv=sharp)
        (decoded,) = codec.decode(codec.encode([edge], [90.0]))
        errors.append(float((decoded.float() - edge.float()).abs().mean()))
    assert errors[1] < 0.9 * errors[0]


def test_webp_without_libvips_names_the_extra(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "pyvips", None)
    needed = "sharp_yuv and preset need pyvips, which is not installed; pip install 'compress-guard[webp]'"
    assert WebP(sharp_yuv=True).unavailable() == WebP(preset="photo").unavailable() == needed
    assert WebP(method=6).unavailable() is None


@pytest.mark.parametrize(
    ("name", "answer", "said"),
    [
        ("type_find", 0, "was built without libwebp"),
        ("at_least_libvips", False, "is too old, 8.15 is needed"),
    ],
)
def test_a_libvips_that_cannot_do_it_is_named(name, answer, said, monkeypatch) -> None:
    pyvips = pytest.importorskip("pyvips")
    version = ".".join(str(pyvips.version(part)) for part in range(3))
    monkeypatch.setattr(pyvips, name, lambda *asked: answer)
    remedy = "pip install --upgrade 'compress-guard[webp]'"
    assert WebP(sharp_yuv=True).unavailable() == f"libvips {version} {said}; {remedy}"


def segments(stream: bytes) -> Iterator[tuple[int, bytes]]:
    """Marker and body of each segment of a JPEG file before its first scan."""
    at = 2
    while stream[at + 1] != 0xDA:
        length = struct.unpack(">H", stream[at + 2 : at + 4])[0]
        yield stream[at + 1], stream[at + 4 : at + 2 + length]
        at += 2 + length


@pytest.mark.parametrize(
    ("options", "interval"), [({}, None), ({"restart": 7}, 7), ({"restart_rows": 1}, 10), ({"restart_rows": 3}, 30)]
)
def test_jpeg_files_state_their_restart_interval(options, interval, photo) -> None:
    (stream,) = Jpeg(**options).encode([photo], [75.0])  # 160x128 pixels: ten MCUs of 16x16 in a row
    stated = [struct.unpack(">H", body)[0] for marker, body in segments(stream) if marker == 0xDD]
    assert stated == ([] if interval is None else [interval])


def test_restart_markers_and_huffman_tables_change_no_pixels(photo) -> None:
    kinds = [{}, {"optimize": False}, {"progressive": True}, {"restart": 1}, {"restart_rows": 1}]
    codecs = [Jpeg(**options) for options in kinds]
    first, *others = [codec.decode(codec.encode([photo], [60.0]))[0] for codec in codecs]
    assert all(torch.equal(first, other) for other in others)


def test_standard_tables_are_those_of_the_standard(photo) -> None:
    (made,), (standard,) = (Jpeg(optimize=flag).encode([photo], [75.0]) for flag in (True, False))
    tables = [sum(len(body) for marker, body in segments(stream) if marker == 0xC4) for stream in (made, standard)]
    assert tables[1] == 2 * (17 + 12) + 2 * (17 + 162)  # ITU-T T.81, K.3: two tables of DC, two of AC
    assert tables[0] < tables[1]


@pytest.mark.parametrize("coder", ["rav1e", "svt"])
def test_an_encoder_that_libavif_lacks_is_named(coder, monkeypatch) -> None:
    avif._missing.cache_clear()
    monkeypatch.setattr(AvifImagePlugin, "get_codec_version", lambda name: None)
    assert Avif(codec=coder).unavailable() == (
        f"libavif of Pillow {PIL.__version__} was built without the encoder {coder}; set codec: auto"
    )
    avif._missing.cache_clear()


def test_a_tuning_that_libaom_lacks_is_named(monkeypatch) -> None:
    assert Avif(tune="ssim").unavailable() is None
    monkeypatch.setattr(avif, "TUNES", ("newest",))
    assert Avif(tune="newest").unavailable() == (
        f"aom {AvifImagePlugin.get_codec_version('aom')} of Pillow {PIL.__version__} has no tune newest "
        "(Failed to encode image: Invalid codec-specific option); pip install --upgrade pillow"
    )


def test_other_av1_encoders_code_where_they_are_built_in(photo) -> None:
    for coder in ("rav1e", "svt"):
        codec = Avif(codec=coder)
        if codec.unavailable() is None:
            (decoded,) = codec.decode(codec.encode([photo], [60.0]))
            assert decoded.shape == photo.shape
