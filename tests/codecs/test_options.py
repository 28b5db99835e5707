"""Options of codecs: what is refused, in whole messages, and what each changes."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import pytest

from compress_guard.codecs.avif import Avif
from compress_guard.codecs.heic import PRESETS, Heic
from compress_guard.codecs.jpeg import Jpeg
from compress_guard.codecs.jxl import Jxl
from compress_guard.codecs.pillow import MetadataCodec
from compress_guard.codecs.webp import WebP
from compress_guard.errors import OptionError

SUBSAMPLING = "subsampling must be '4:2:0', '4:2:2' or '4:4:4', found "

REFUSED = [
    (Jpeg, {"subsampling": "4:1:1"}, SUBSAMPLING + "'4:1:1'"),
    (Jpeg, {"subsampling": 444}, SUBSAMPLING + "444"),
    (Jpeg, {"progressive": "yes"}, "progressive must be true or false, found 'yes'"),
    (Jpeg, {"progressive": 1}, "progressive must be true or false, found 1"),
    *[
        (kind, {"metadata": value}, f"metadata must be 'strip' or 'keep', found {value!r}")
        for kind in (Jpeg, WebP, Avif, Heic, Jxl)
        for value in ("all", True)
    ],
    (Jpeg, {"optimize": 0}, "optimize must be true or false, found 0"),
    (Jpeg, {"restart": 65536}, "restart must be a whole number from 0 to 65535, found 65536"),
    (Jpeg, {"restart": True}, "restart must be a whole number from 0 to 65535, found True"),
    (Jpeg, {"restart_rows": -1}, "restart_rows must be a whole number from 0 to 65535, found -1"),
    (
        Jpeg,
        {"restart": 4, "restart_rows": 1},
        "restart and restart_rows exclude each other, found 4 and 1; set one",
    ),
    (WebP, {"sharp_yuv": "on"}, "sharp_yuv must be true or false, found 'on'"),
    (
        WebP,
        {"preset": "portrait"},
        "preset must be 'default', 'picture', 'photo', 'drawing', 'icon' or 'text', found 'portrait'",
    ),
    (WebP, {"method": 7}, "method must be a whole number from 0 to 6, found 7"),
    (WebP, {"method": True}, "method must be a whole number from 0 to 6, found True"),
    (WebP, {"method": 4.0}, "method must be a whole number from 0 to 6, found 4.0"),
    (Avif, {"speed": 11}, "speed must be a whole number from 0 to 10, found 11"),
    (Avif, {"speed": -1}, "speed must be a whole number from 0 to 10, found -1"),
    (Avif, {"subsampling": "4:0:0"}, SUBSAMPLING + "'4:0:0'"),
    (Avif, {"codec": "dav1d"}, "codec must be 'auto', 'aom', 'rav1e' or 'svt', found 'dav1d'"),
    (Avif, {"codec": None}, "codec must be 'auto', 'aom', 'rav1e' or 'svt', found None"),
    (Avif, {"tune": "vmaf"}, "tune must be 'psnr', 'ssim', 'iq' or 'ssimulacra2', found 'vmaf'"),
    (
        Avif,
        {"codec": "svt", "tune": "ssim"},
        "tune is an option of codec: aom, found codec: svt; leave one of them out",
    ),
    (Heic, {"subsampling": ("4:2:0",)}, SUBSAMPLING + "('4:2:0',)"),
    (
        Heic,
        {"preset": "placebo"},
        f"preset must be {', '.join(map(repr, PRESETS[:-1]))} or {PRESETS[-1]!r}, found 'placebo'",
    ),
    (Jxl, {"effort": 0}, "effort must be a whole number from 1 to 9, found 0"),
]


@pytest.mark.parametrize(("codec", "options", "message"), REFUSED)
def test_unknown_values_are_refused(codec, options, message) -> None:
    with pytest.raises(OptionError) as caught:
        codec(**options)
    assert str(caught.value) == message


# Each option with the value that gives the smaller file.
EFFECTS = [
    (Jpeg, "subsampling", "4:2:0", "4:2:2", 75.0),
    (Jpeg, "subsampling", "4:2:2", "4:4:4", 75.0),
    (Jpeg, "progressive", True, False, 75.0),
    (Jpeg, "optimize", True, False, 75.0),
    (Jpeg, "restart", 0, 1, 75.0),
    (Jpeg, "restart", 100, 1, 75.0),
    (Jpeg, "restart_rows", 0, 1, 75.0),
    (WebP, "preset", "photo", "drawing", 75.0),
    (WebP, "method", 6, 0, WebP().ladder[75]),
    (Avif, "subsampling", "4:2:0", "4:4:4", 80.0),
    (Avif, "speed", 6, 9, 40.0),
    (Avif, "tune", "iq", "psnr", 40.0),
    (Heic, "subsampling", "4:2:0", "4:4:4", 71.0),
    (Heic, "preset", "veryfast", "ultrafast", 41.0),
    (Jxl, "effort", 7, 3, Jxl().ladder[-10]),
]


ELSEWHERE = {"avif": {"codec"}, "webp": {"sharp_yuv"}}
"""Options whose effect is no smaller file: test_encoder_options.py has their tests."""


@pytest.mark.parametrize(("codec", "option", "smaller", "larger", "setting"), EFFECTS)
def test_each_option_has_its_effect(codec, option, smaller, larger, setting, photo) -> None:
    one, other = codec(**{option: smaller}), codec(**{option: larger})
    if reason := one.unavailable():
        pytest.skip(reason)
    (small,), (large,) = one.encode([photo], [setting]), other.encode([photo], [setting])
    assert len(small) < len(large)


def test_every_option_has_its_effect_tested(codec) -> None:
    if codec.type in ("command", "pipeline"):
        pytest.skip(f"{codec.type} has tests of its own")
    tested = {option for kind, option, *_ in EFFECTS if kind is type(codec)}
    # Without metadata to keep, that option has no effect: test_metadata.py has its tests.
    tested |= ELSEWHERE.get(codec.type, set()) | ({"metadata"} if isinstance(codec, MetadataCodec) else set())
    assert tested == {field.name for field in dataclasses.fields(codec) if field.init}


def test_codecs_are_values(codec) -> None:
    assert dataclasses.replace(codec) == codec
    assert hash(dataclasses.replace(codec)) == hash(codec)
    assert not hasattr(codec, "__dict__")


def test_building_codecs_imports_nothing_heavy() -> None:
    code = (
        "import sys; from compress_guard.registry import CODECS\n"
        "import compress_guard.codecs.pixels\n"
        "lines = dict(encoder='e {input} {output} {setting}', decoder='d {input} {output}', settings='1..9')\n"
        "needed = dict(command=lines, zoo=dict(model='mbt2018'), compressai=dict(path='a.pth', arch='mbt2018'))\n"
        "needed['pipeline'] = dict(steps=[{'resize': {'longest': 90}}, 'jpeg'])\n"
        "for name in CODECS:\n"
        "    CODECS.resolve(name)(**needed.get(name, {})).ladder\n"
        "heavy = {'torch', 'PIL', 'numpy', 'pillow_heif', 'pytest', 'compressai', 'constriction', 'safetensors'}\n"
        "heavy |= {'pillow_jxl', 'pyvips'}\n"
        "print(*sorted(heavy & set(sys.modules)))\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == []
