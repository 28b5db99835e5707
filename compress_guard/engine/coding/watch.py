"""Checks of decoded images before the model gets them: near their sources, and the same when decoded again.

The source of an image that a codec scales or crops is its uncoded version in these comparisons.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final, final

from compress_guard.codecs import calls
from compress_guard.codecs.contract import Codec
from compress_guard.codecs.pictures.fidelity import Difference, psnr
from compress_guard.engine.coding.coder import Coder
from compress_guard.engine.coding.decoded_image import DecodedImage
from compress_guard.engine.coding.fidelity import Seen
from compress_guard.engine.coding.likeness import Pair, below_flat, mishap
from compress_guard.engine.coding.outliers import Fidelity
from compress_guard.engine.images.readings import pixel_hash
from compress_guard.errors import CodecError
from compress_guard.records import PlannedRate, RatePlan, seeded_fraction

if TYPE_CHECKING:
    import torch

SAMPLED: Final = 3
"""Images per cell that are decoded again: once on the codec's device, and for a GPU once more on the CPU."""
BATCH_LEVELS: Final = 1
"""Largest difference, in levels, between decoding in a batch and alone: a network may round sums differently."""

# For codecs without a tolerance of their own. Two correct decoders of one JPEG differ: chroma is upsampled plainly or
# smoothly, the IDCT is more or less exact. libjpeg-turbo against its own -nosmooth and -dct fast, 56
# photographs at qualities 5 to 95: luma differs by at most 1.8 levels on average, but colours by 5.5, and the PSNR
# between both goes down to 30.3 dB. Wrong ones are far off: limited for full range 7.3 levels of luma, a shift by one
# pixel 8.8, red for blue 5.5, no chroma at all 22 dB.
DEVICE_LUMA: Final = 2.0
"""Largest mean absolute difference in luma, in levels, between decoding on a GPU and on the CPU."""
DEVICE_PSNR: Final = 27.0
"""Smallest PSNR between these two, in dB."""

NOT_JUDGED: Final = "the codec is at fault, so the model was not judged"
"""The end of every message about a codec that fails a check."""


def sample(planned: PlannedRate, ids: Sequence[str], seed: int, first: int | None = None) -> frozenset[int]:
    """Return the positions of the images to check at a point: the one with the highest bpp, and a seeded choice.

    With `first`, only that number of first images is considered: the model may never get the others.
    """
    rates = {
        at: bpp for at, bpp in enumerate(planned.bpp[:first]) if bpp is not None and planned.settings[at] is not None
    }
    # A hash of the id alone would choose the images that a mix of two settings puts first, all at one setting.
    where = f"{planned.target!r} bpp" if planned.target is not None else planned.point.label
    order = sorted(rates, key=lambda at: seeded_fraction(seed, f"health at {where}: {ids[at]}"))
    largest = max(rates, key=lambda at: rates[at], default=None)
    chosen = [at for at in order if at != largest][: SAMPLED - 1]
    return frozenset(chosen if largest is None else [largest, *chosen])


@final
class CodecWatch:
    """Checks the decoded images of one cell before the model gets them.

    A sample is compared with its sources and decoded again; every image is rated.
    """

    def __init__(self, coder: Coder, plan: RatePlan, planned: PlannedRate, seed: int, first: int | None = None) -> None:
        ids = [info.id for info in coder.survey.infos]
        self._coder: Final = coder
        self._planned: Final = planned
        self._best: Final = plan.finest
        """The highest rate of the file: it shows a shift by a pixel, which is lost in the noise of a low rate."""
        self._best_sample: Final = sample(self._best, ids, seed, first)
        self.sample: Final = sample(planned, ids, seed, first)
        """Positions of the images that are compared with their sources and decoded again."""
        self._alone: Final[dict[int, torch.Tensor]] = {}
        """Images of the sample that were decoded before their batch, by position."""
        self._compared = False

    def compare(self, decoded: Sequence[DecodedImage] = ()) -> None:
        """Compare the sample with its sources before the first images are used; `decoded` are images at hand.

        The same is done at the highest rate of the plan, once for all its cells. Raises `CodecError` for a decoder with
        a fault in all images.
        """
        if self._compared:
            return
        self._compared = True
        known = {image.at: image.image for image in decoded}
        images = {at: known[at] if at in known else self._early(at, self._planned) for at in sorted(self.sample)}
        self._hold(self._planned, images)
        self._alone.update((at, image) for at, image in images.items() if image is not None and at not in known)
        if self._best.point not in self._coder.compared:
            self._hold(self._best, {at: self._early(at, self._best) for at in sorted(self._best_sample)})

    def _hold(self, planned: PlannedRate, images: Mapping[int, torch.Tensor | None]) -> None:
        known = {at: image for at, image in images.items() if image is not None}
        digests = {at: pixel_hash(image.cpu()) for at, image in known.items()}
        if self._coder.compared.get(planned.point) == digests:
            return  # another cell has compared these very pixels
        pairs = [
            Pair(image, source, setting)
            for (at, image), source in zip(known.items(), self._coder.uncoded(list(known)), strict=True)
            if (setting := planned.settings[at]) is not None
        ]
        if (what := mishap(self._coder.codec, planned.nominal_bpp, pairs)) is not None:
            raise CodecError(f"{what}; {NOT_JUDGED}")
        self._coder.compared[planned.point] = digests

    def _early(self, at: int, planned: PlannedRate) -> torch.Tensor | None:
        """Decode an image before its batch; return None if that fails, which is reported with its batch."""
        if (setting := planned.settings[at]) is None:
            return None
        coder, geometry = self._coder, self._coder.geometry(at)
        try:
            streams = [stream for stream in coder.streams([(at, setting)]) if stream is not None]
            images = calls.decode(coder.codec, streams, [geometry.source], coder.workers) if streams else []
        except CodecError:
            return None
        return images[0] if len(images) == 1 and tuple(images[0].shape) == (3, *geometry.delivered) else None

    def check(self, decoded: Sequence[DecodedImage]) -> Seen:
        """Decode the images of the sample among these again, and compare the whole sample with its sources.

        Raises `CodecError` if an image differs when it is decoded again, or if the whole sample is wrong.
        """
        checked, luma = 0, []
        for number, image in enumerate(decoded):
            if image.at in self.sample:
                self._check_again(number, decoded)
                luma.append(self._check_device(image))
                checked += 1
        self.compare(decoded)
        return Seen((), checked, max((level for level in luma if level is not None), default=None))

    def check_median(self, seen: Seen) -> None:
        """Raise `CodecError` if flat pictures are nearer to the sources than most of these decoded images."""
        rated = (fidelity.rated for fidelity in seen.fidelities)
        if (what := below_flat(self._coder.codec, self._planned.nominal_bpp, rated)) is not None:
            raise CodecError(f"{what}; {NOT_JUDGED}")

    def see(self, decoded: Sequence[DecodedImage]) -> Seen:
        """Check these images, and measure the distance of each from its source."""
        seen, sources = self.check(decoded), self._coder.uncoded([image.at for image in decoded])
        return replace(seen, fidelities=tuple(map(self._fidelity, decoded, sources)))

    def _fidelity(self, decoded: DecodedImage, source: torch.Tensor) -> Fidelity:
        coder = self._coder
        coarse, level = coder.coarse(decoded.at, source), psnr(decoded.image, source)
        rated = Pair(decoded.image, source, decoded.setting).rated(coder.codec, level, coder.flat(decoded.at, source))
        if rated is None:
            return Fidelity(decoded.sample.id, level, coarse)
        return Fidelity(decoded.sample.id, level, coarse, rated.flat, rated.worse)

    def _check_again(self, number: int, decoded: Sequence[DecodedImage]) -> None:
        image, codec = decoded[number], self._coder.codec
        place = f"on {codec.device}"
        early = self._alone.pop(image.at, None)
        alone = self._decode(codec, image, f"again {place}") if early is None else early
        difference = Difference.between(image.image, alone)
        if not difference.differing:
            return
        # This may be no fault yet: the first time, the image was decoded in a batch.
        twice = Difference.between(alone, self._decode(codec, image, f"again {place}"))
        if not twice.differing:
            twice = Difference.between(image.image, self._decode(codec, image, f"again {place}", decoded))
        if twice.differing:
            raise self._fault(image, f"decoded twice {place}: {_extent(twice)}")
        if difference.largest > BATCH_LEVELS:
            raise self._fault(
                image, f"decoded in a batch and alone {place}: {_extent(difference)}, allowed {BATCH_LEVELS}"
            )

    def _check_device(self, image: DecodedImage) -> float | None:
        """Return the mean difference in luma from the CPU's decoder; None for a codec that works there."""
        twin = self._coder.cpu_twin
        if twin is None:
            return None
        difference = Difference.between(self._decode(twin, image, "on the CPU"), image.image)
        if (what := _deviation(difference, self._coder.codec.device_tolerance)) is not None:
            raise self._fault(
                image, f"decoded on {self._coder.codec.device} and on the CPU: {_extent(difference)}{what}"
            )
        return difference.luma

    def _decode(
        self, codec: Codec, decoded: DecodedImage, how: str, batch: Sequence[DecodedImage] = ()
    ) -> torch.Tensor:
        """Decode an image again, alone or in its batch; raises `CodecError` if the result does not have its size."""
        together = batch or (decoded,)
        try:
            sizes = [each.sample.size for each in together]
            images = calls.decode(codec, [each.stream for each in together], sizes, self._coder.workers)
        except CodecError as problem:
            raise self._fault(decoded, f"decoded once, but not {how} ({problem})") from problem
        image = images[together.index(decoded)]
        if image.shape != decoded.image.shape:
            raise self._fault(decoded, f"decoded to {tuple(decoded.image.shape)}, and {how} to {tuple(image.shape)}")
        return image

    def _fault(self, image: DecodedImage, what: str) -> CodecError:
        return CodecError(
            f"image {image.sample.id} at setting {image.setting:g} of {self._coder.codec.type}, {what}; {NOT_JUDGED}"
        )


def _extent(difference: Difference) -> str:
    """Return the words for the extent of a difference."""
    return f"{difference.differing} of {difference.pixels} pixels differ, by up to {difference.largest} levels"


def _deviation(difference: Difference, tolerance: int | None) -> str | None:
    """Return the words for a difference between a GPU and the CPU that is too large; None if it is allowed."""
    if tolerance is not None:
        return f", allowed {tolerance}" if difference.largest > tolerance else None
    if difference.luma <= DEVICE_LUMA and difference.psnr >= DEVICE_PSNR:
        return None
    return (
        f"; luma by {difference.luma:.2f} levels on average (allowed {DEVICE_LUMA:g}), "
        f"PSNR {difference.psnr:.1f} dB (at least {DEVICE_PSNR:g})"
    )
