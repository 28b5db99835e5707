"""Images to streams at planned settings, through the store, and back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, final

from compress_guard import store as keys
from compress_guard.codecs.contract import Codec
from compress_guard.codecs.pixels import to_rgb
from compress_guard.engine.samples import Samples, Survey
from compress_guard.errors import CodecError, CodecUnavailable, OptionError
from compress_guard.rate import plan
from compress_guard.records import CodecSpec, Guard, ImageInfo, RateMode, RatePlan
from compress_guard.registry import CODECS
from compress_guard.store import Store

if TYPE_CHECKING:
    import torch

CHUNK_IMAGES: Final = 32
"""Images in memory at once while coding; enough to keep a thread pool busy, few enough for large photographs."""


def build_codec(spec: CodecSpec) -> Codec:
    """The codec that a specification names; raises `OptionError` for options that it does not take."""
    if spec.type not in CODECS:
        raise OptionError(CODECS.unknown(spec.type))
    try:
        codec: Codec = CODECS.resolve(spec.type)(**dict(spec.options))
    except TypeError as problem:
        raise OptionError(f"codec {spec.alias}: {problem}") from problem
    return codec


def available_codec(spec: CodecSpec) -> Codec:
    """The codec that a specification names, if it can run here; raises `CodecUnavailable`, `OptionError`."""
    codec = build_codec(spec)
    if (reason := codec.unavailable()) is not None:
        raise CodecUnavailable(reason)
    return codec


@final
class Coder:
    """The streams of a guard's images by one codec: each coded when first asked for, then kept in the store."""

    def __init__(self, codec: Codec, samples: Samples, survey: Survey, store: Store, workers: int) -> None:
        self.codec: Final = codec
        self._samples: Final = samples
        self._survey: Final = survey
        self._store: Final = store
        self._workers: Final = workers
        self._identity: Final = keys.key(codec.type, codec.version, repr(codec))
        self.failures: Final[dict[int, str]] = {}
        """What went wrong with images (by position among the usable ones) that could not be coded."""
        self.encoded_pixels = 0
        """Pixels of every image that an encoder was called with."""
        self.made_share = 1.0
        """What share of the plan's streams, by pixels, an encoder had to make; the others were in the store."""
        self.encoded_images = 0
        self.progress: Callable[[int, int], None] | None = None
        """Told how many images have been encoded, of 0: how many it will be is known only at the end."""

    def plan(self, guard: Guard, alias: str, seed: int) -> RatePlan:
        """How this codec, called `alias` in the file, brings the images to each of the guard's rates."""
        self._store.prepare()
        before = self.encoded_pixels
        planned = plan(
            self._survey.infos,
            self.codec.ladder,
            guard.rates(alias),
            mode=guard.rate,
            tolerance=guard.rate_tolerance,
            seed=seed,
            encode=self.lengths,
        )
        asked = sum(rate.encodes for rate in planned.rates) * sum(info.pixels for info in self._survey.infos)
        self.made_share = (self.encoded_pixels - before) / asked if asked else 0.0
        return planned

    def lengths(self, requests: Sequence[tuple[int, float]]) -> list[int | None]:
        """Bytes of each requested stream; requests are (position among the usable images, setting)."""
        found: list[int | None] = [None] * len(requests)
        # In data order, so that large data sets are read through once, neighbours together.
        order = sorted(range(len(requests)), key=lambda number: requests[number])
        for start in range(0, len(order), CHUNK_IMAGES):
            chunk = order[start : start + CHUNK_IMAGES]
            for number, stream in zip(chunk, self.streams([requests[number] for number in chunk]), strict=True):
                found[number] = None if stream is None else len(stream)
        return found

    def streams(self, requests: Sequence[tuple[int, float]]) -> list[bytes | None]:
        """The requested streams, from the store or an encoder; None where the image cannot be coded."""
        names = [keys.key(self._identity, self._survey.digests[at], float(setting)) for at, setting in requests]
        found: list[bytes | None] = [self._store.get(name) for name in names]
        missing = [
            number
            for number, (stream, (at, _)) in enumerate(zip(found, requests, strict=True))
            if stream is None and at not in self.failures
        ]
        for number, stream in zip(missing, self._encode([requests[number] for number in missing]), strict=True):
            found[number] = stream
            if stream is not None:
                self._store.put(names[number], stream)
        return found

    def _encode(self, requests: Sequence[tuple[int, float]]) -> list[bytes | None]:
        images = [self._samples[self._survey.usable[at]].image for at, _ in requests]
        settings = [setting for _, setting in requests]
        self.encoded_pixels += sum(self._survey.infos[at].pixels for at, _ in requests)
        self.encoded_images += len(requests)
        if self.progress is not None and requests:
            self.progress(self.encoded_images, 0)
        try:
            return list(self.codec.encode(images, settings, self._workers))
        except CodecError:
            return [self._encode_one(at, image, setting) for (at, setting), image in zip(requests, images, strict=True)]

    def _encode_one(self, at: int, image: torch.Tensor, setting: float) -> bytes | None:
        try:
            return self.codec.encode([image], [setting], 1)[0]
        except CodecError as problem:
            self.failures[at] = str(problem)
            return None

    def decode(self, positions: Sequence[int], streams: Sequence[bytes]) -> list[torch.Tensor | None]:
        """One image per stream, None (and a failure on record) where a stream does not decode to its source's size."""
        try:
            images: list[torch.Tensor | None] = list(self.codec.decode(streams, self._workers))
        except CodecError:
            images = [self._decode_one(at, stream) for at, stream in zip(positions, streams, strict=True)]
        for number, at in enumerate(positions):
            image = images[number]
            if image is not None and tuple(image.shape[-2:]) != self._samples[self._survey.usable[at]].size:
                self.failures[at] = f"decoded to {tuple(image.shape)}, not to the size of its source"
                images[number] = None
        return images

    def _decode_one(self, at: int, stream: bytes) -> torch.Tensor | None:
        try:
            return self.codec.decode([stream], 1)[0]
        except CodecError as problem:
            self.failures[at] = str(problem)
            return None


@dataclass(frozen=True, slots=True, eq=False)
class Compressed:
    """What `compress` returns; every field has one entry per image."""

    images: list[torch.Tensor]
    """Decoded, uint8 RGB (3, H, W), on the device of the source."""
    streams: list[bytes]
    bpp: list[float]
    """8 x bytes / pixels of the source."""
    settings: list[float]
    bits: Literal["coded", "estimated"] = "coded"


def compress(
    images: Sequence[Any],
    *,
    codec: str = "jpeg",
    bpp: float = 0.25,
    rate: RateMode = "image",
    tolerance: float | None = None,
    seed: int = 0,
    workers: int = 1,
    **options: Any,
) -> Compressed:
    """Code a loose batch of images to a target rate and decode it again.

    Args:
        images: uint8 RGB tensors (3, H, W) or PIL images, of any sizes.
        codec: A registered codec; `options` are its options, e.g. ``subsampling="4:4:4"``.
        bpp: Target rate in bits per pixel of the source.
        rate: ``image`` brings each image to the rate; ``dataset`` brings their mean to it.
        tolerance: Relative; 0.05 in image mode and 0.02 in dataset mode by default. An image beyond the codec's
            reach is coded at its floor or ceiling: look at the returned `bpp`.
        workers: CPU threads.

    Raises:
        OptionError: unknown codec or option. CodecUnavailable: its library is not installed.
        CodecError: an image could not be coded. DataError: something is not an image.
    """
    one = available_codec(CodecSpec(codec, codec, tuple(options.items())))
    pixels = [to_rgb(image) for image in images]
    streams: dict[tuple[int, float], bytes] = {}

    def encode(requests: Sequence[tuple[int, float]]) -> list[int | None]:
        coded = one.encode([pixels[at] for at, _ in requests], [setting for _, setting in requests], workers)
        streams.update(zip(requests, coded, strict=True))
        return [len(stream) for stream in coded]

    planned = plan(
        [ImageInfo(str(at), image.shape[-2] * image.shape[-1]) for at, image in enumerate(pixels)],
        one.ladder,
        [bpp],
        mode=rate,
        tolerance=tolerance if tolerance is not None else (0.05 if rate == "image" else 0.02),
        seed=seed,
        encode=encode,
    ).at(bpp)
    settings = [setting for setting in planned.settings if setting is not None]
    kept = [streams[at, setting] for at, setting in enumerate(settings)]
    decoded = [image.to(source.device) for image, source in zip(one.decode(kept, workers), pixels, strict=True)]
    return Compressed(decoded, kept, [rate for rate in planned.bpp if rate is not None], settings)
