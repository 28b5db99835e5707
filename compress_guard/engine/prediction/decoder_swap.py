"""The decoder swap: the same streams, decoded by another decoder, are predicted by the model."""

from __future__ import annotations

from collections.abc import Sequence

from compress_guard.codecs.decoding.second import SecondDecoder
from compress_guard.engine.coding.coder import Coder
from compress_guard.engine.coding.streams.reader import of_size
from compress_guard.engine.prediction.batches import Batch, geometries
from compress_guard.errors import CodecError
from compress_guard.records import PlannedRate


def swapped_batch(
    coder: Coder,
    second: SecondDecoder,
    planned: PlannedRate,
    positions: Sequence[int],
    device: str,
) -> Batch:
    """Return the batch of `batches.coded_batch` for these positions, but decoded by the second decoder.

    Call it after the pass of the codec's own decoder: images that this lost are left out here too, so that the model
    gets the same images in the same batches, and streams come from the store. Raises `CodecError` for an image that
    only the second decoder cannot decode.
    """
    lost = coder.lost(planned)
    requests = [(at, setting) for at in positions if at not in lost and (setting := planned.settings[at]) is not None]
    streams = []
    for (at, _), stream in zip(requests, coder.streams(requests), strict=True):
        if stream is None:
            raise CodecError(f"image {coder.survey.infos[at].id} was coded before, but could not be coded again")
        streams.append(stream)
    chosen = [coder.source(at) for at, _ in requests]
    images = second.decode(streams, coder.workers) if streams else []
    delivered = [coder.geometry(at) for at, _ in requests]
    for sample, image, geometry in zip(chosen, images, delivered, strict=True):
        if tuple(image.shape) != (3, *geometry.delivered):
            raise CodecError(
                f"image {sample.id}: {second.name} decoded it to {tuple(image.shape)}, not to the {of_size(geometry)}"
            )
    return Batch(
        tuple(sample.id for sample in chosen),
        [image.to(device) for image in images],
        [sample.target for sample in chosen],
        [sample.size for sample in chosen],
        tuple(
            8 * coder.codec.cost(stream) / coder.survey.infos[at].pixels
            for (at, _), stream in zip(requests, streams, strict=True)
        ),
        coder.codec.bits,
        geometries=geometries(delivered),
    )
