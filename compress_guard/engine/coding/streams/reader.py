"""Decoding of streams to images of the size that their codec delivers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, final

from compress_guard.codecs import calls
from compress_guard.codecs.contract import Codec
from compress_guard.codecs.decoding.streams import writer
from compress_guard.codecs.pictures.geometry import geometry_of
from compress_guard.engine.images.sample import Pictures
from compress_guard.engine.images.survey.record import Survey
from compress_guard.errors import CodecError
from compress_guard.records import Geometry, PlannedRate

if TYPE_CHECKING:
    import torch


@final
class StreamReader:
    """Decodes the streams of a survey's images, and notes the images that it cannot decode."""

    def __init__(self, codec: Codec, samples: Pictures, survey: Survey, workers: int) -> None:
        self._codec: Final = codec
        self._writer: Final = writer(codec)
        self._samples: Final = samples
        self._survey: Final = survey
        self._workers: Final = workers
        self._undecoded: Final[dict[tuple[int, float], str]] = {}

    def decode(self, requests: Sequence[tuple[int, float]], streams: Sequence[bytes]) -> list[torch.Tensor | None]:
        """Decode each stream; the result is None, and a failure is noted, if it does not have the delivered size."""
        sizes = [self._samples[self._survey.usable[at]].size for at, _ in requests]
        try:
            images: list[torch.Tensor | None] = list(calls.decode(self._codec, streams, sizes, self._workers))
        except CodecError:
            images = [self._decode_one(*each) for each in zip(requests, streams, sizes, strict=True)]
        for number, (at, setting) in enumerate(requests):
            image, geometry = images[number], geometry_of(self._writer, self._survey.sizes[at])
            if image is not None and tuple(image.shape) != (3, *geometry.delivered):
                self._undecoded[at, setting] = f"decoded to {tuple(image.shape)}, not to the {of_size(geometry)}"
                images[number] = None
        return images

    def _decode_one(self, request: tuple[int, float], stream: bytes, size: tuple[int, int]) -> torch.Tensor | None:
        try:
            return calls.decode(self._codec, [stream], [size])[0]
        except CodecError as problem:
            self._undecoded[request] = str(problem)
            return None

    @property
    def any_lost(self) -> bool:
        """True if any image could not be decoded at some rate."""
        return bool(self._undecoded)

    def lost(self, planned: PlannedRate) -> dict[int, str]:
        """Return the errors, by position, of images that could not be decoded at this rate.

        Decoding errors of other rates do not count, or a result would depend on the order of the cells.
        """
        # Copied first: batches are decoded on a thread meanwhile.
        known = list(self._undecoded.items())
        return {at: why for (at, setting), why in known if planned.settings[at] == setting}


def of_size(geometry: Geometry) -> str:
    """Return the words for the size that an image is delivered in: ``(3, 6, 8) of its source``."""
    whose = "of its source" if geometry.delivered == geometry.source else "that the codec delivers of its source"
    return f"{(3, *geometry.delivered)} {whose}"
