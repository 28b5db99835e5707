"""Libraries that are not there: said with the command that brings them, raised before anything is coded."""

from __future__ import annotations

import sys

import PIL
import pytest

from compress_guard.codecs.avif import Avif
from compress_guard.codecs.heic import Heic
from compress_guard.codecs.jp2 import Jp2
from compress_guard.codecs.jpeg import Jpeg
from compress_guard.codecs.jxl import Jxl
from compress_guard.codecs.webp import WebP
from compress_guard.errors import CodecUnavailable

MISSING = [
    (Heic, "pillow_heif", "pillow-heif is not installed; pip install 'compress-guard[heif]'"),
    (Jxl, "pillow_jxl", "pillow-jxl-plugin is not installed; pip install 'compress-guard[jxl]'"),
    (Jpeg, "PIL", "Pillow is not installed; pip install pillow"),
]


@pytest.mark.parametrize(("codec", "module", "message"), MISSING)
def test_a_missing_module_is_said_with_its_remedy(codec, module, message, photo, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    built = codec()
    assert built.unavailable() == message
    for action in (
        lambda: built.version,
        lambda: built.encode([photo], [built.ladder[0]]),
        lambda: built.decode([b"stream"]),
    ):
        with pytest.raises(CodecUnavailable) as caught:
            action()
        assert str(caught.value) == message


@pytest.mark.parametrize(
    ("codec", "library"), [(Jpeg, "libjpeg"), (WebP, "libwebp"), (Avif, "libavif"), (Jp2, "openjpeg")]
)
def test_a_pillow_built_without_the_format(codec, library, monkeypatch) -> None:
    monkeypatch.setattr("PIL.features.check", lambda feature: feature != codec.feature)
    assert codec().unavailable() == (
        f"Pillow {PIL.__version__} was built without {library}; pip install --upgrade pillow"
    )


def test_a_pillow_heif_built_without_encoder(monkeypatch) -> None:
    pillow_heif = pytest.importorskip("pillow_heif", reason="pillow-heif is not installed")
    monkeypatch.setattr(pillow_heif, "libheif_info", lambda: {"HEIF": "", "libheif": "1.0"})
    assert Heic().unavailable() == (
        f"pillow-heif {pillow_heif.__version__} was built without an HEVC encoder; "
        "pip install --upgrade --force-reinstall 'compress-guard[heif]'"
    )


def test_available_codecs_say_nothing(codec) -> None:
    assert codec.unavailable() is None
