"""Checks of decoded images before the model sees them: near their sources, and the same when decoded again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final, final

from compress_guard.codecs.contract import Codec, decode_to_sizes
from compress_guard.codecs.pictures.fidelity import Difference, psnr
from compress_guard.engine.coding.coder import Coder
from compress_guard.engine.coding.decoded_image import DecodedImage
from compress_guard.engine.coding.fidelity import Seen
from compress_guard.engine.coding.likeness import Pair, below_flat, mishap
from compress_guard.engine.coding.outliers import Fidelity
from compress_guard.errors import CodecError
from compress_guard.records import PlannedRate, RatePlan, seeded_fraction

if TYPE_CHECKING:
    import torch

SAMPLED: Final = 3
"""Images per cell that are decoded again: one more decode each on the codec's device, and one on the CPU for a GPU."""
BATCH_LEVELS: Final = 1
"""A network may round a value otherwise in a batch than alone, since other sums of floats are made; never by more."""

# For codecs that name no tolerance of their own. Two right decoders of one JPEG differ: chroma is brought to full size
# plainly or smoothly, the IDCT is more or less exact. libjpeg-turbo against its own -nosmooth and -dct fast, 56
# photographs at qualities 5 to 95: luma differs by at most 1.8 levels on average, but colours by 5.5, and the PSNR
# between both goes down to 30.3 dB. Wrong ones are far off: limited for full range 7.3 levels of luma, a shift by one
# pixel 8.8, red for blue 5.5, no chroma at all 22 dB.
DEVICE_LUMA: Final = 2.0
"""Largest mean absolute difference in luma, in levels, between the decoders of a GPU and of the CPU."""
DEVICE_PSNR: Final = 27.0
"""Smallest PSNR between both, in dB."""

NOT_JUDGED: Final = "the codec is at fault, so the model was not judged"
"""The end of every message about a codec that does not hold."""


def sample(planned: PlannedRate, ids: Sequence[str], seed: int, first: int | None = None) -> frozenset[int]:
    """Positions of the images to check at this rate: the one with the highest bpp, the others by a seeded choice.

    Only of the `first` so many, where it is uncertain that the model comes to the others.
    """
    rates = {
        at: bpp for at, bpp in enumerate(planned.bpp[:first]) if bpp is not None and planned.settings[at] is not None
    }
    # With the id alone the choice would fall on those that the mix of two settings puts first, so on one setting.
    order = sorted(rates, key=lambda at: seeded_fraction(seed, f"health at {planned.target!r} bpp: {ids[at]}"))
    largest = max(rates, key=lambda at: rates[at], default=None)
    chosen = [at for at in order if at != largest][: SAMPLED - 1]
    return frozenset(chosen if largest is None else [largest, *chosen])


@final
class CodecWatch:
    """Sees the decoded images of one cell before the model does: holds a sample against its sources, decodes it again,
    and rates each image."""

    def __init__(self, coder: Coder, plan: RatePlan, planned: PlannedRate, seed: int, first: int | None = None) -> None:
        ids = [info.id for info in coder.survey.infos]
        self._coder: Final = coder
        self._planned: Final = planned
        self._best: Final = plan.rates[-1]
        """The highest rate of the file, at which a shift by a pixel shows that is lost in the noise of a low one."""
        self._best_sample: Final = sample(self._best, ids, seed, first)
        self.sample: Final = sample(planned, ids, seed, first)
        """Positions of the images that are compared with their sources, and decoded again."""
        self._alone: Final[dict[int, torch.Tensor]] = {}
        """Images of the sample that were decoded before their batch."""
        self._compared = False

    def compare(self, decoded: Sequence[DecodedImage] = ()) -> None:
        """Hold the sample against its sources, before the first images are used, which may have been decoded here.

        The same is done at the highest rate of the plan, once for all its cells. Raises `CodecError` for a decoder that
        does something wrong to all images.
        """
        if self._compared:
            return
        self._compared = True
        known = {one.at: one.image for one in decoded}
        images = {at: known[at] if at in known else self._early(at, self._planned) for at in sorted(self.sample)}
        self._hold(self._planned, images)
        self._alone.update((at, image) for at, image in images.items() if image is not None and at not in known)
        if self._best.target not in self._coder.compared:
            self._hold(self._best, {at: self._early(at, self._best) for at in sorted(self._best_sample)})

    def _hold(self, planned: PlannedRate, images: Mapping[int, torch.Tensor | None]) -> None:
        pairs = [
            Pair(image, self._coder.source(at).image, setting)
            for at, image in images.items()
            if image is not None and (setting := planned.settings[at]) is not None
        ]
        if (what := mishap(self._coder.codec, planned.target, pairs)) is not None:
            raise CodecError(f"{what}; {NOT_JUDGED}")
        self._coder.compared.add(planned.target)

    def _early(self, at: int, planned: PlannedRate) -> torch.Tensor | None:
        """An image decoded before its batch comes; None where that fails, which will show again in its batch."""
        if (setting := planned.settings[at]) is None:
            return None
        coder, size = self._coder, self._coder.source(at).size
        try:
            streams = [stream for stream in coder.streams([(at, setting)]) if stream is not None]
            images = decode_to_sizes(coder.codec, streams, [size], coder.workers) if streams else []
        except CodecError:
            return None
        return images[0] if len(images) == 1 and tuple(images[0].shape) == (3, *size) else None

    def check(self, decoded: Sequence[DecodedImage]) -> Seen:
        """Decode the sample's images among these again, and compare the whole sample with its sources.

        Raises `CodecError` where an image comes out otherwise the next time, or where all of the sample are wrong.
        """
        checked, luma = 0, []
        for number, one in enumerate(decoded):
            if one.at in self.sample:
                self._check_again(number, decoded)
                luma.append(self._check_device(one))
                checked += 1
        self.compare(decoded)
        return Seen((), checked, max((level for level in luma if level is not None), default=None))

    def check_median(self, seen: Seen) -> None:
        """Raises `CodecError` where flat pictures would be nearer to the sources than most of these decoded images."""
        rated = (one.rated for one in seen.fidelities)
        if (what := below_flat(self._coder.codec, self._planned.target, rated)) is not None:
            raise CodecError(f"{what}; {NOT_JUDGED}")

    def see(self, decoded: Sequence[DecodedImage]) -> Seen:
        """Check these images, and say how far each is from its source."""
        return replace(self.check(decoded), fidelities=tuple(self._fidelity(one) for one in decoded))

    def _fidelity(self, one: DecodedImage) -> Fidelity:
        source, coder = one.sample.image, self._coder
        coarse, level = coder.coarse(one.at, source), psnr(one.image, source)
        rated = Pair(one.image, source, one.setting).rated(coder.codec, level, coder.flat(one.at, source))
        if rated is None:
            return Fidelity(one.sample.id, level, coarse)
        return Fidelity(one.sample.id, level, coarse, rated.flat, rated.worse)

    def _check_again(self, number: int, decoded: Sequence[DecodedImage]) -> None:
        one, codec = decoded[number], self._coder.codec
        place = f"on {codec.device}"
        early = self._alone.pop(one.at, None)
        alone = self._decode(codec, one, f"again {place}") if early is None else early
        found = Difference.between(one.image, alone)
        if not found.differing:
            return
        # Not at once the decoder's fault: the first time it had a batch to decode.
        twice = Difference.between(alone, self._decode(codec, one, f"again {place}"))
        if not twice.differing:
            twice = Difference.between(one.image, self._decode(codec, one, f"again {place}", decoded))
        if twice.differing:
            raise self._fault(one, f"decoded twice {place}: {_told(twice)}")
        if found.largest > BATCH_LEVELS:
            raise self._fault(one, f"decoded in a batch and alone {place}: {_told(found)}, allowed {BATCH_LEVELS}")

    def _check_device(self, one: DecodedImage) -> float | None:
        """Mean difference in luma from the CPU's decoder, None for a codec that works there."""
        twin = self._coder.cpu_twin
        if twin is None:
            return None
        found = Difference.between(self._decode(twin, one, "on the CPU"), one.image)
        if (what := _deviation(found, self._coder.codec.device_tolerance)) is not None:
            raise self._fault(one, f"decoded on {self._coder.codec.device} and on the CPU: {_told(found)}{what}")
        return found.luma

    def _decode(self, codec: Codec, one: DecodedImage, how: str, batch: Sequence[DecodedImage] = ()) -> torch.Tensor:
        """An image decoded anew, alone or in its batch; raises `CodecError` where that gives none of its size."""
        together = batch or (one,)
        try:
            sizes = [each.sample.size for each in together]
            images = decode_to_sizes(codec, [each.stream for each in together], sizes, self._coder.workers)
        except CodecError as problem:
            raise self._fault(one, f"decoded once, but not {how} ({problem})") from problem
        image = images[together.index(one)]
        if image.shape != one.image.shape:
            raise self._fault(one, f"decoded to {tuple(one.image.shape)}, and {how} to {tuple(image.shape)}")
        return image

    def _fault(self, one: DecodedImage, what: str) -> CodecError:
        return CodecError(
            f"image {one.sample.id} at setting {one.setting:g} of {self._coder.codec.type}, {what}; {NOT_JUDGED}"
        )


def _told(found: Difference) -> str:
    return f"{found.differing} of {found.pixels} pixels differ, by up to {found.largest} levels"


def _deviation(found: Difference, tolerance: int | None) -> str | None:
    """What is too much in the difference between a GPU and the CPU, None where it is allowed."""
    if tolerance is not None:
        return f", allowed {tolerance}" if found.largest > tolerance else None
    if found.luma <= DEVICE_LUMA and found.psnr >= DEVICE_PSNR:
        return None
    return (
        f"; luma by {found.luma:.2f} levels on average (allowed {DEVICE_LUMA:g}), "
        f"PSNR {found.psnr:.1f} dB (at least {DEVICE_PSNR:g})"
    )
