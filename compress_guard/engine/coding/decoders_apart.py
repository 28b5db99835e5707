"""Two decoders of the same streams: how far apart their images are, and which of both is at fault if it is too far."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, final

from compress_guard.codecs.pictures.fidelity import Difference, mean_difference, psnr
from compress_guard.engine.coding.coder import Coder
from compress_guard.engine.coding.decoded_image import DecodedImage
from compress_guard.engine.coding.fidelity import Distance
from compress_guard.engine.coding.outliers import LEAST_DB
from compress_guard.engine.coding.watch import DEVICE_LUMA, DEVICE_PSNR
from compress_guard.errors import CodecError

if TYPE_CHECKING:
    import torch


@final
class DecoderPair:
    """The decoder of a cell beside the first one of its guard, named in messages."""

    def __init__(self, first: Coder, names: tuple[str, str]) -> None:
        """Take the coder of the first decoder, and the names of the first and of the other decoder."""
        self._coder: Final = first
        self._names: Final = names

    def decode(self, decoded: Sequence[DecodedImage]) -> list[torch.Tensor | None]:
        """Decode the streams of these images by the first decoder; None for an image that it loses."""
        requests = [(image.at, image.setting) for image in decoded]
        return self._coder.decode(requests, [image.stream for image in decoded]) if decoded else []

    def compare(self, decoded: Sequence[DecodedImage], firsts: Sequence[torch.Tensor | None]) -> tuple[Distance, ...]:
        """Return the distance of each image from that of the first decoder, where it has one.

        Raises `CodecError` where one of both is at fault.
        """
        apart = []
        for image, first in zip(decoded, firsts, strict=True):
            if first is None:
                continue
            difference = Difference.between(image.image, first)
            if difference.luma > DEVICE_LUMA or difference.psnr < DEVICE_PSNR:
                (source,) = self._coder.uncoded([image.at])
                self._check(image, psnr(first, source), psnr(image.image, source))
            apart.append(Distance(image.sample.id, difference.largest, mean_difference(image.image, first)))
        return tuple(apart)

    def _check(self, image: DecodedImage, first: float, other: float) -> None:
        """Raise `CodecError` if one of both images is much further from the source, by their PSNR in dB.

        Right decoders may differ by as much where colours have hard edges, but then are as far from the source.
        """
        if abs(first - other) < LEAST_DB:
            return
        bad, good = self._names if first < other else self._names[::-1]
        worse, better = sorted((first, other))
        raise CodecError(
            f"image {image.sample.id} at setting {image.setting:g} of {self._coder.codec.type.partition(' ')[0]}: the "
            f"decoder {bad} brings it to {worse:.1f} dB from its source, {good} to {better:.1f} dB; the decoder is at "
            "fault, so the model was not judged"
        )
