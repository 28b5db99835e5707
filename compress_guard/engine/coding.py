"""Images to streams at planned settings, through the store, and back."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, final

from compress_guard import store as keys
from compress_guard.codecs.contract import Codec, Proof
from compress_guard.codecs.pixels import check_sizes, to_rgb
from compress_guard.engine.samples import Samples, Survey
from compress_guard.errors import CodecError, CodecUnavailable, OptionError
from compress_guard.rate import plan
from compress_guard.records import Bits, CodecSpec, Guard, ImageInfo, PlannedRate, RateMode, RatePlan, Scalar
from compress_guard.registry import CODECS, codec_named, unknown
from compress_guard.store import Store
from compress_guard.thresholds.curve import RATES
from compress_guard.thresholds.settings import TOLERANCE, TOLERANCES

if TYPE_CHECKING:
    import torch

CHUNK_IMAGES: Final = 32
"""Images in memory at once while coding; enough to keep a thread pool busy, few enough for large photographs."""


def build_codec(spec: CodecSpec) -> Codec:
    """The codec that a specification names; raises `OptionError` for options that it does not take."""
    if spec.type not in CODECS:
        raise OptionError(CODECS.unknown(spec.type))
    made = CODECS.resolve(spec.type)
    try:
        codec: Codec = made(**dict(spec.options))
    except TypeError as problem:
        known = tuple(name for name in inspect.signature(made).parameters if not name.startswith("_"))
        for name, _ in spec.options:
            if name not in known:
                raise OptionError(unknown(f"option of codec {spec.alias}", name, known)) from None
        if missing := missing_options(spec):
            raise OptionError(f"codec {spec.alias!r} needs {missing}; add what is missing to its options") from None
        raise OptionError(f"codec {spec.alias}: {problem}") from problem
    return codec


def missing_options(spec: CodecSpec) -> str:
    """``path, arch``: the options that a registered codec needs and that its specification does not give."""
    parameters = inspect.signature(CODECS.resolve(spec.type)).parameters.values()
    required = [one.name for one in parameters if one.default is one.empty and one.kind is not one.VAR_KEYWORD]
    return ", ".join(name for name in required if name not in dict(spec.options))


def available_codec(spec: CodecSpec, device: str = "cpu") -> Codec:
    """The codec that a specification names, if it can run here, on this device where it can work there.

    Raises `CodecUnavailable`, `OptionError`.
    """
    codec = build_codec(spec)
    if (reason := codec.unavailable()) is not None:
        raise CodecUnavailable(reason)
    return codec.on(device)


def check_rate(mode: str, bpp: float, tolerance: float | None) -> None:
    """Raises `OptionError` for a rate mode that is not known, and a rate or tolerance out of range."""
    if mode not in TOLERANCE:
        raise OptionError(unknown("rate mode", mode, tuple(TOLERANCE)))
    if bpp not in RATES:
        raise OptionError(f"rate {bpp:g} bpp is outside {RATES}; use a rate in that range")
    if tolerance is not None and tolerance not in TOLERANCES:
        raise OptionError(f"rate tolerance {tolerance:g} is outside {TOLERANCES}; it is relative, 0.02 means 2 %")


def codec_options(options: Mapping[str, Any]) -> tuple[tuple[str, Scalar], ...]:
    """Options as a specification holds them, lists frozen; their order makes no difference."""
    return tuple((key, tuple(value) if isinstance(value, list) else value) for key, value in sorted(options.items()))


@final
class Coder:
    """The streams of a guard's images by one codec: each coded when first asked for, then kept in the store."""

    def __init__(self, codec: Codec, samples: Samples, survey: Survey, store: Store, workers: int) -> None:
        self.codec: Final = codec
        self._samples: Final = samples
        self._survey: Final = survey
        self._store: Final = store
        self.workers: Final = workers
        # A GPU writes other streams than the CPU, and an estimate is none. Other streams keep the name they always had.
        kind = codec.device.partition(":")[0]
        special = (() if kind == "cpu" else (f"on {kind}",)) + (() if codec.bits == "coded" else (codec.bits,))
        self._identity: Final = keys.key(codec.type, codec.version, repr(codec), *special)
        self.failures: Final[dict[int, str]] = {}
        """What went wrong with images (by position among the usable ones) that could not be encoded."""
        self._undecoded: Final[dict[tuple[int, float], str]] = {}
        self.encoded_pixels = 0
        """Pixels of every image that an encoder was called with."""
        self.made_share = 1.0
        """What share of the plan's streams, by pixels, an encoder had to make; the others were in the store."""
        self.encoded_images = 0
        self.progress: Callable[[int, int], None] | None = None
        """Told how many images have been encoded, of 0: how many it will be is known only at the end."""

    @functools.cached_property
    def cpu_twin(self) -> Codec | None:
        """The same codec on the CPU, None where it works there anyway."""
        return None if self.codec.device == "cpu" else self.codec.on("cpu")

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
        # Of what was asked for in pixels, so that the cells' encodes add up to what was made.
        asked = sum(rate.encodes for rate in planned.rates) * sum(info.pixels for info in self._survey.infos)
        self.made_share = (self.encoded_pixels - before) / asked if asked else 0.0
        return planned

    def lengths(self, requests: Sequence[tuple[int, float]]) -> list[int | None]:
        """Bytes that each requested stream counts for; requests are (position among the usable images, setting)."""
        found: list[int | None] = [None] * len(requests)
        # In data order, so that large data sets are read through once, neighbours together.
        order = sorted(range(len(requests)), key=lambda number: requests[number])
        for start in range(0, len(order), CHUNK_IMAGES):
            chunk = order[start : start + CHUNK_IMAGES]
            for number, stream in zip(chunk, self.streams([requests[number] for number in chunk]), strict=True):
                found[number] = None if stream is None else self.codec.cost(stream)
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
        if not requests:
            return []
        images = [self._samples[self._survey.usable[at]].image for at, _ in requests]
        settings = [setting for _, setting in requests]
        self.encoded_images += len(requests)
        if self.progress is not None:
            self.progress(self.encoded_images, 0)
        try:
            self._count(requests)
            return list(self.codec.encode(images, settings, self.workers))
        except CodecError:
            return [self._encode_one(at, image, setting) for (at, setting), image in zip(requests, images, strict=True)]

    def _count(self, requests: Sequence[tuple[int, float]]) -> None:
        self.encoded_pixels += sum(self._survey.infos[at].pixels for at, _ in requests)

    def _encode_one(self, at: int, image: torch.Tensor, setting: float) -> bytes | None:
        self._count([(at, setting)])
        try:
            return self.codec.encode([image], [setting], 1)[0]
        except CodecError as problem:
            self.failures[at] = str(problem)
            return None

    def decode(self, requests: Sequence[tuple[int, float]], streams: Sequence[bytes]) -> list[torch.Tensor | None]:
        """One image per stream, None (and a failure on record) where a stream does not decode to its source's size."""
        try:
            images: list[torch.Tensor | None] = list(self.codec.decode(streams, self.workers))
        except CodecError:
            images = [self._decode_one(request, stream) for request, stream in zip(requests, streams, strict=True)]
        for number, (at, setting) in enumerate(requests):
            image = images[number]
            if image is None:
                continue
            size = self._samples[self._survey.usable[at]].size
            if tuple(image.shape) != (3, *size):
                self._undecoded[at, setting] = f"decoded to {tuple(image.shape)}, not to the {(3, *size)} of its source"
                images[number] = None
        return images

    def _decode_one(self, request: tuple[int, float], stream: bytes) -> torch.Tensor | None:
        try:
            return self.codec.decode([stream], 1)[0]
        except CodecError as problem:
            self._undecoded[request] = str(problem)
            return None

    def proofs(self, requests: Sequence[tuple[int, float]]) -> list[Proof]:
        """What the codec can prove of these images: see `Codec.proofs`. Nothing is counted or kept."""
        images = [self._samples[self._survey.usable[at]].image for at, _ in requests]
        return self.codec.proofs(images, [setting for _, setting in requests], self.workers)

    def lost(self, planned: PlannedRate) -> dict[int, str]:
        """What went wrong with images, by position, that this rate cannot show: not encoded, or not decoded.

        What another rate could not decode does not count here, or a result would depend on the order of the cells.
        """
        # Copied first, since batches are decoded on a thread while those before them are in use.
        known = list(self._undecoded.items())
        undecoded = {at: why for (at, setting), why in known if planned.settings[at] == setting}
        return undecoded | self.failures


@dataclass(frozen=True, slots=True, eq=False)
class Compressed:
    """What `compress` returns; every field has one entry per image."""

    images: list[torch.Tensor]
    """Decoded, uint8 RGB (3, H, W), on the device of the source."""
    streams: list[bytes]
    """The coded files, as the codec's library writes them; where bits are estimated, what stands for them."""
    bpp: list[float]
    """8 x bytes / pixels of the source; bytes of its stream, or estimated ones."""
    settings: list[float]
    """What each was coded at, on the codec's own scale: the quality of JPEG, say."""
    bits: Bits = "coded"
    """Whether `bpp` counts the bytes of real streams or is an estimate."""


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
        images: uint8 RGB tensors (3, H, W) or PIL images, of any sizes. A codec that works on GPUs does so on the
            device of the first image.
        codec: A registered codec; `options` are its options, e.g. ``subsampling="4:4:4"``.
        bpp: Target rate in bits per pixel of the source.
        rate: ``image`` brings each image to the rate; ``dataset`` brings their mean to it.
        tolerance: Relative; 0.05 in image mode and 0.02 in dataset mode by default. An image beyond the codec's
            reach is coded at its floor or ceiling: look at the returned `bpp`.
        seed: Of the hash that parts the images between two settings in dataset mode, and that chooses the images from
            which the search learns; results are the same for the same seed.
        workers: CPU threads.

    Raises:
        OptionError: unknown codec, option or rate mode, or a rate out of range.
        CodecUnavailable: its library is not installed.
        CodecError: an image could not be coded. DataError: something is not an image.
    """
    check_rate(rate, bpp, tolerance)
    one = available_codec(codec_named(codec, dict(codec_options(options))))
    pixels = [to_rgb(image) for image in images]
    if not pixels:
        return Compressed([], [], [], [], one.bits)
    one = one.on(str(pixels[0].device))
    streams: dict[tuple[int, float], bytes] = {}

    def encode(requests: Sequence[tuple[int, float]]) -> list[int | None]:
        coded = one.encode([pixels[at] for at, _ in requests], [setting for _, setting in requests], workers)
        streams.update(zip(requests, coded, strict=True))
        return [one.cost(stream) for stream in coded]

    planned = plan(
        [ImageInfo(str(at), image.shape[-2] * image.shape[-1]) for at, image in enumerate(pixels)],
        one.ladder,
        [bpp],
        mode=rate,
        tolerance=TOLERANCE[rate] if tolerance is None else tolerance,
        seed=seed,
        encode=encode,
    ).at(bpp)
    settings = [setting for setting in planned.settings if setting is not None]
    kept = [streams[at, setting] for at, setting in enumerate(settings)]
    decoded = one.decode(kept, workers)
    check_sizes(codec, pixels, decoded)
    decoded = [image.to(source.device) for image, source in zip(decoded, pixels, strict=True)]
    return Compressed(decoded, kept, [rate for rate in planned.bpp if rate is not None], settings, one.bits)
