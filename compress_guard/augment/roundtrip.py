"""One codec for training: an image goes in, the decoded image comes out, at a drawn rate or setting, in one encode."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, TypeAlias, final

from compress_guard.augment.activity import of_pil, of_tensor
from compress_guard.augment.aim import Aim, Learning, aim_of
from compress_guard.augment.settings import DrawnSettings
from compress_guard.codecs import calls
from compress_guard.codecs.contract import Codec, kept_parts
from compress_guard.codecs.pictures.metadata import Metadata
from compress_guard.codecs.pillow import PillowCodec
from compress_guard.codecs.pixels import from_pil, to_pil

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray
    from PIL import Image


_LEAST: Final = 1e-6
"""Rate that is asked for where metadata leave nothing for the pixels: any codec then takes its lowest setting."""


@final
class RateRange:
    """A range of bits per pixel to draw rates from, evenly in the logarithm, or a few rates to choose from.

    `carried` are the bits per pixel that a stream takes beside the pixels: metadata that it keeps.
    """

    def __init__(self, low: float, high: float, choices: Sequence[float] = (), carried: float = 0.0) -> None:
        self.low: Final = low
        self.high: Final = high
        self.choices: Final = tuple(choices)
        self.carried: Final = carried

    def beside(self, carried: float) -> RateRange:
        """Return the same range for an image whose stream takes `carried` bits per pixel beside the pixels."""
        return RateRange(self.low, self.high, self.choices, carried) if carried else self

    def at(self, chance: float, reach: tuple[float, float] = (0.0, math.inf)) -> float:
        """Return the rate for a number drawn evenly from 0 to 1, in the part of the range that a codec reaches.

        If it reaches no part, return the nearest end of the range. The rate is what is left for the pixels, to which
        `reach` refers too.
        """
        if self.choices:
            return self._left(self.choices[min(int(chance * len(self.choices)), len(self.choices) - 1)])
        low, high = max(self.low, reach[0] + self.carried), min(self.high, reach[1] + self.carried)
        if low >= high:
            return self._left(min(low, self.high))
        return self._left(low * math.exp(chance * math.log(high / low)))

    def _left(self, bpp: float) -> float:
        return max(bpp - self.carried, _LEAST) if self.carried else bpp


Drawn: TypeAlias = RateRange | DrawnSettings
"""Rates or settings to draw from."""


@final
class RoundTrip:
    """A codec with the knowledge of its rates; a codec that is not in the table is learnt from its images, in order."""

    def __init__(self, codec: Codec) -> None:
        self.codec: Final = codec
        self._aim: Final[Aim] = aim_of(codec)
        self._keeps: Final = kept_parts(codec)

    def aimed(self, image: torch.Tensor, rates: RateRange, chance: float) -> tuple[float, float]:
        """Return the rate in bpp drawn for a uint8 RGB tensor (3, H, W), and the setting predicted to give it.

        Only for codecs of the table; the rates of others are known after coding alone.
        """
        pixels = image.shape[-2] * image.shape[-1]
        return self._aimed(of_tensor(image, self._aim.features), pixels, rates, chance)

    def picture(self, image: Image.Image, drawn: Drawn, chance: float) -> Image.Image:
        """Code and decode a PIL image of mode RGB; raises `CodecError`.

        Metadata that the codec keeps count in the rate.
        """
        if isinstance(drawn, RateRange):
            carried = Metadata.of(image).summary.size(self._keeps) if self._keeps else 0
            drawn = drawn.beside(8 * carried / (image.width * image.height))
        if not self._direct(drawn):
            return to_pil(self.batch([from_pil(image)], drawn, [chance])[0])
        assert isinstance(self.codec, PillowCodec)
        if isinstance(drawn, DrawnSettings):
            return self.codec.passed(image, drawn.at(chance))
        features = of_pil(image, self._aim.features)
        _, setting = self._aimed(features, image.width * image.height, drawn, chance)
        return self.codec.passed(image, setting)

    def tensor(self, image: torch.Tensor, drawn: Drawn, chance: float) -> torch.Tensor:
        """Code and decode a uint8 RGB tensor (3, H, W); the result is on its device."""
        if self._direct(drawn):
            return from_pil(self.picture(to_pil(image), drawn, chance)).to(image.device)
        return self.batch([image], drawn, [chance])[0]

    def batch(self, images: Sequence[torch.Tensor], drawn: Drawn, chances: Sequence[float]) -> list[torch.Tensor]:
        """Code and decode uint8 RGB tensors (3, H, W), together where the codec works in batches."""
        if isinstance(drawn, DrawnSettings):
            settings = [drawn.at(chance) for chance in chances]
        elif isinstance(self._aim, Learning):
            return [self._taught(image, drawn, chance) for image, chance in zip(images, chances, strict=True)]
        else:
            settings = [self.aimed(image, drawn, chance)[1] for image, chance in zip(images, chances, strict=True)]
        passed = getattr(self.codec, "passed", None)
        if passed is not None and not isinstance(self.codec, PillowCodec):
            made = passed(images, settings)
        else:
            streams = calls.encode(self.codec, images, settings)
            made = calls.decode(self.codec, streams, [_size(image) for image in images])
        return [decoded.to(image.device) for decoded, image in zip(made, images, strict=True)]

    def _direct(self, drawn: Drawn) -> bool:
        """Return True if a PIL image can be coded without a tensor and without counting its bits."""
        counted = isinstance(self._aim, Learning) and not isinstance(drawn, DrawnSettings)
        return isinstance(self.codec, PillowCodec) and not counted

    def _aimed(
        self, features: NDArray[np.float32], pixels: int, rates: RateRange, chance: float
    ) -> tuple[float, float]:
        bpp = rates.at(chance, self._aim.reach(features, pixels))
        return bpp, self._aim.setting(features, pixels, bpp, _unmeasured)

    def _taught(self, image: torch.Tensor, rates: RateRange, chance: float) -> torch.Tensor:
        assert isinstance(self._aim, Learning)
        pixels = image.shape[-2] * image.shape[-1]
        features = of_tensor(image, self._aim.features)

        def measure(setting: float) -> float:
            return 8 * self.codec.cost(calls.encode(self.codec, [image], [setting])[0]) / pixels

        setting = self._aim.setting(features, pixels, rates.at(chance), measure)
        (stream,) = calls.encode(self.codec, [image], [setting])
        self._aim.saw(features, setting, 8 * self.codec.cost(stream) / pixels)
        return calls.decode(self.codec, [stream], [_size(image)])[0].to(image.device)


def _size(image: torch.Tensor) -> tuple[int, int]:
    return image.shape[-2], image.shape[-1]


def _unmeasured(setting: float) -> float:
    raise AssertionError(f"a codec of the table is never measured, asked for setting {setting}")
