"""Rates of the single steps of a pipeline."""

from __future__ import annotations

from typing import Final

from compress_guard.codecs.contract import Stepped
from compress_guard.engine.coding.coder import CHUNK_IMAGES, Coder
from compress_guard.records import PlannedRate

_BITS: Final = 8


def step_rates(coder: Coder, planned: PlannedRate) -> tuple[tuple[str, float], ...]:
    """Return each coded step with the mean of its bits per pixel of the source; nothing for a codec without steps.

    The streams are in the store; those that it could not keep are made again.
    """
    codec = coder.writer
    if not isinstance(codec, Stepped):
        return ()
    requests = [(at, setting) for at, setting in enumerate(planned.settings) if setting is not None]
    names = codec.step_names
    sums, images = [0.0] * len(names), 0
    for start in range(0, len(requests), CHUNK_IMAGES):
        chunk = requests[start : start + CHUNK_IMAGES]
        for (at, _), stream in zip(chunk, coder.streams(chunk), strict=True):
            if stream is None:
                continue
            pixels = coder.survey.infos[at].pixels
            sums = [known + _BITS * size / pixels for known, size in zip(sums, codec.step_bytes(stream), strict=True)]
            images += 1
    return tuple((name, total / images) for name, total in zip(names, sums, strict=True)) if images else ()
