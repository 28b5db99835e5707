"""Recovery behind a codec that scales its pictures is refused before anything is trained."""

from __future__ import annotations

from dataclasses import dataclass

from compress_guard.codecs.jpeg import Jpeg
from compress_guard.records import CodecSpec, Geometry
from compress_guard.registry import CODECS


@dataclass(frozen=True, slots=True)
class Halved(Jpeg):
    """JPEG of pictures that were scaled to half of their sides."""

    def geometry(self, size):
        height, width = size
        return Geometry(size, (0.0, 0.0, float(width), float(height)), (height // 2, width // 2))

    def reshaped(self, images, workers=1):
        return [image[:, ::2, ::2] for image in images]


def test_a_codec_that_scales_is_refused(tiny, monkeypatch):
    monkeypatch.setitem(CODECS._targets, "halved", "nowhere:halved")
    monkeypatch.setitem(CODECS._found, "halved", Halved)
    measured = tiny.only(tiny.recovery(points=((CodecSpec("halved", "halved"), 3.0),)))
    assert (measured.result.verdict, measured.result.outcome, measured.result.trained) == ("error", "failed", 0)
    assert measured.result.reason == (
        "recovery cannot train on codec 'halved', which scales or crops pictures, since targets of training images are "
        "not scaled with them; expected a codec that keeps the size; leave it out of the codecs of the recovery section"
    )
