"""Coding of images to streams at planned settings, through the store, and back."""

from __future__ import annotations

import contextlib
import functools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Final, final

from compress_guard.codecs import calls
from compress_guard.codecs.contract import Codec, CountedEncoders, Proof, encoders_of, kept_parts, needs_files
from compress_guard.codecs.decoding.streams import writer
from compress_guard.codecs.pictures.fidelity import coarse_psnr, flat_psnr
from compress_guard.codecs.pictures.geometry import geometry_of
from compress_guard.codecs.pictures.metadata import Metadata
from compress_guard.engine.coding import kept_images
from compress_guard.engine.coding.source_files import SourceFiles
from compress_guard.engine.coding.streams.names import StreamNames
from compress_guard.engine.coding.streams.reader import StreamReader
from compress_guard.engine.images.sample import Pictures, Sample, UnsteadyError
from compress_guard.engine.images.survey.record import Survey
from compress_guard.errors import CodecError, RunError
from compress_guard.rate import plan, plan_given
from compress_guard.records import Geometry, Guard, OperatingPoint, PlannedRate, Quality, Rate, RatePlan, format_setting
from compress_guard.registry import setting_fault
from compress_guard.store import Store

if TYPE_CHECKING:
    import torch

CHUNK_IMAGES: Final = 32
"""Images in memory at once while coding: enough to keep a thread pool busy, few enough for large photographs."""


@final
class Coder:
    """The streams of a guard's images by one codec: each is coded when it is first needed, then kept in the store."""

    def __init__(self, codec: Codec, samples: Pictures, survey: Survey, store: Store, workers: int) -> None:
        self.codec: Final = codec
        self._samples: Final = samples
        self.survey: Final = survey
        """The images; positions refer to its usable ones."""
        self._store: Final = store
        self.workers: Final = workers
        source = self.writer = writer(codec)
        """The codec that writes the streams; `codec` may only read them."""
        self.keeps: Final = kept_parts(source)
        """Parts of the sources' metadata that the streams hold."""
        self._files: Final = SourceFiles(samples, survey) if needs_files(source) else None
        self._names: Final = StreamNames(source, survey, self._files)
        self.identity: Final = self._names.identity
        """Key of the codec that writes the streams, whatever reads them."""
        self._reader: Final = StreamReader(codec, samples, survey, workers)
        self.failures: dict[int, str] = {}
        """Errors of images that could not be encoded, by position among the usable ones."""
        self._counted_pixels = 0
        self.made_share = 1.0
        """Share of the plan's streams, by pixels, that an encoder had to make; the others were in the store."""
        self.proved_images = 0
        """Images that were coded with real streams, beside the plan, to check estimates."""
        self.encoded_images = 0
        self._coarse: dict[int, float] = {}
        self._before_plan: int | None = None
        """Value of `encoded_pixels` at the start of a plan that is not finished; None without one."""
        self._flat: dict[int, float] = {}
        self.compared: Final[dict[OperatingPoint, Mapping[int, bytes]]] = {}
        """Hashes of decoded images that were compared with their sources, by point and position; see `CodecWatch`."""
        self.stopped: Callable[[], bool] = lambda: False
        """Called between chunks of a plan; True stops it."""
        self.progress: Callable[[int, int], None] | None = None
        """Called with the number of encoded images, and 0: the total is known only at the end."""

    @property
    def encoded_pixels(self) -> int:
        """Pixels of all images that an encoder was called with, repeated calls and all encoders of a codec included."""
        return self.writer.encoded_pixels if isinstance(self.writer, CountedEncoders) else self._counted_pixels

    def geometry(self, at: int) -> Geometry:
        """Return the part of the source at this position that the codec delivers, and its size."""
        return geometry_of(self.writer, self.survey.sizes[at])

    def uncoded(self, positions: Sequence[int]) -> list[torch.Tensor]:
        """Return what the codec would deliver of these sources if nothing were coded; raises `CodecError`."""
        return calls.reshaped(self.writer, [self.source(at).image for at in positions], self.workers)

    def read_by(self, codec: Codec) -> Coder:
        """Return a coder of the same images and streams, which this codec only reads: see `DecodedBy`."""
        other = Coder(codec, self._samples, self.survey, self._store, self.workers)
        other.failures, other._coarse, other._flat = self.failures, self._coarse, self._flat
        return other

    def coarse(self, at: int, image: torch.Tensor) -> float:
        """Return `coarse_psnr` of the uncoded image at this position, which is the same in all cells."""
        if at not in self._coarse:
            self._coarse[at] = coarse_psnr(image)
        return self._coarse[at]

    def flat(self, at: int, image: torch.Tensor) -> float:
        """Return `flat_psnr` of the uncoded image at this position, which is the same in all cells."""
        if at not in self._flat:
            self._flat[at] = flat_psnr(image)
        return self._flat[at]

    def source(self, at: int) -> Sample:
        """Return the source at this position among the usable images."""
        return self._samples[self.survey.usable[at]]

    @functools.cached_property
    def cpu_twin(self) -> Codec | None:
        """The same codec on the CPU; None if it works there anyway."""
        return None if self.codec.device == "cpu" else self.codec.on("cpu")

    def plan(self, guard: Guard, alias: str, seed: int) -> RatePlan:
        """Return the plan that brings the images to the guard's points by this codec, called `alias` in the file.

        The plan is kept with the streams, under a name of all that it depends on: it is a pure function of that.
        """
        self._store.prepare()
        points, rates = guard.points(alias), guard.rates(alias)
        given = {point: self._given(point) for point in points if not isinstance(point, Rate)}
        # Streams of a plan that was stopped count for the plan that finds them in the store.
        before = self._before_plan = self.encoded_pixels if self._before_plan is None else self._before_plan
        name = self._names.plan(guard, points, seed)
        kept = self._kept_plan(name)
        known = frozenset((*self.codec.ladder, *given.values()))
        if kept is not None and kept.fits(guard.rate, points, len(self.survey.infos), known):
            self.made_share, self._before_plan = 0.0, None
            return kept
        searched = plan(
            self.survey.infos,
            self.codec.ladder,
            rates,
            mode=guard.rate,
            tolerance=guard.rate_tolerance,
            seed=seed,
            encode=self.lengths,
        )
        # After the search, which then asks for the same streams as it does without these points.
        fixed = [plan_given(self.survey.infos, point, setting, self.lengths) for point, setting in given.items()]
        planned = replace(searched, rates=(*searched.rates, *fixed))
        if not self.failures:
            self._store.put(name, planned.to_bytes(), "plans")
        self._before_plan = None
        # A share of the requested pixels, so that the encodes of all cells add up to the work done.
        asked = sum(rate.encodes for rate in planned.rates) * sum(info.pixels for info in self.survey.infos)
        self.made_share = (self.encoded_pixels - before) / asked if asked else 0.0
        return planned

    def _given(self, point: OperatingPoint) -> float:
        """Return the setting of a point that is no rate; a codec with one operating point has one setting.

        Raises `CodecError` for a setting that the codec does not take.
        """
        if not isinstance(point, Quality):
            return self.codec.ladder[0]
        if (taken := setting_fault(self.writer, point.setting)) is not None:
            raise CodecError(f"{self.codec.type} has no quality {format_setting(point.setting)}; it takes {taken}")
        return point.setting

    def _kept_plan(self, name: str) -> RatePlan | None:
        data = self._store.get(name, "plans")
        with contextlib.suppress(ValueError):
            return None if data is None else RatePlan.from_bytes(data)
        return None

    def lengths(self, requests: Sequence[tuple[int, float]]) -> list[int | None]:
        """Return the bytes of each requested stream; requests are (position among the usable images, setting)."""
        lengths: list[int | None] = [None] * len(requests)
        # In data order, so that a large data set is read once, from front to back.
        order = sorted(range(len(requests)), key=lambda number: requests[number])
        for start in range(0, len(order), CHUNK_IMAGES):
            if self.stopped():
                raise RunError("the run ended while a plan was made ahead of it")
            chunk = order[start : start + CHUNK_IMAGES]
            for number, stream in zip(chunk, self.streams([requests[number] for number in chunk]), strict=True):
                lengths[number] = None if stream is None else self.codec.cost(stream)
        return lengths

    def streams(self, requests: Sequence[tuple[int, float]]) -> list[bytes | None]:
        """Return the requested streams, from the store or an encoder; None for images that cannot be coded."""
        names = self._names.streams(requests)
        streams = self._store.get_all(names)
        missing = [
            number
            for number, (stream, (at, _)) in enumerate(zip(streams, requests, strict=True))
            if stream is None and at not in self.failures
        ]
        for number, stream in zip(missing, self._encode([requests[number] for number in missing]), strict=True):
            streams[number] = stream
        made = ((names[number], stream) for number in missing if (stream := streams[number]) is not None)
        self._store.put_all(made)
        return streams

    def _encode(self, requests: Sequence[tuple[int, float]]) -> list[bytes | None]:
        if not requests:
            return []
        images = [self.source(at).image for at, _ in requests]
        self.encoded_images += len(requests)
        if self.progress is not None:
            self.progress(self.encoded_images, 0)
        try:
            return list(self._coded(requests, images))
        except CodecError:
            return [self._encode_one(at, image, setting) for (at, setting), image in zip(requests, images, strict=True)]

    def metadata(self, requests: Sequence[tuple[int, float]]) -> list[Metadata]:
        """Return the metadata that the streams of these requests keep, an entry for each image; empty if none do.

        Raises `UnsteadyError` for an image whose metadata are not those of the survey.
        """
        if not self.keeps:
            return []
        carried = []
        for at, _ in requests:
            sample = self.source(at)
            if sample.metadata.summary != self.survey.metadata[at]:
                raise UnsteadyError(
                    f"image {sample.id} gives different metadata each time it is read; expected the same ICC profile "
                    "and EXIF every time; return each image as it was opened, or set metadata: strip"
                )
            carried.append(sample.metadata)
        return carried

    def _count(self, requests: Sequence[tuple[int, float]]) -> None:
        self._counted_pixels += sum(self.survey.infos[at].pixels for at, _ in requests) * encoders_of(self.writer)

    def _coded(self, requests: Sequence[tuple[int, float]], images: Sequence[torch.Tensor]) -> list[bytes]:
        """Encode these images in one call; raises `CodecError`."""
        settings = [setting for _, setting in requests]
        files = None if self._files is None else list(map(self._files.checked, (at for at, _ in requests), images))
        self._count(requests)
        if files is not None:
            return calls.encode_files(self.writer, images, files, settings, self.workers)
        return calls.encode(self.writer, images, settings, self.workers, self.metadata(requests))

    def _encode_one(self, at: int, image: torch.Tensor, setting: float) -> bytes | None:
        try:
            return self._coded([(at, setting)], [image])[0]
        except CodecError as problem:
            self.failures.setdefault(at, str(problem))
            return None

    def decode(self, requests: Sequence[tuple[int, float]], streams: Sequence[bytes]) -> list[torch.Tensor | None]:
        """Decode each stream; the result is None, and a failure is noted, if it does not have the delivered size."""
        return self._reader.decode(requests, streams)

    def decode_again(
        self, requests: Sequence[tuple[int, float]], streams: Sequence[bytes]
    ) -> list[torch.Tensor | None]:
        """Decode for a second look: with a decoder that is exact on every machine only one stream, the rest is kept."""

        def decode(some: Sequence[bytes]) -> list[torch.Tensor | None]:
            return self.decode(requests[: len(some)], some)

        sizes = [self.geometry(at).delivered for at, _ in requests]
        return kept_images.again(self._store, self.identity, streams, sizes, decode) if self._exact else decode(streams)

    def keep_decoded(self, requests: Sequence[tuple[int, float]], images: Sequence[torch.Tensor]) -> None:
        """Keep the images of all these requests for `decode_again`."""
        streams = [stream for stream in self.streams(requests) if stream is not None]
        if self._exact and len(streams) == len(images) == len(requests):
            kept_images.keep(self._store, self.identity, streams, images)

    @property
    def _exact(self) -> bool:
        return self.codec.device_tolerance == 0

    def proofs(self, requests: Sequence[tuple[int, float]]) -> list[Proof]:
        """Return the codec's proofs of these images: see `Codec.proofs`.

        Proofs of real streams are kept in the store; an estimate is compared with real streams in every run.
        """
        name = self._names.proofs(requests)
        data = self._store.get(name, "plans") if self.codec.bits == "coded" else None
        if data is not None:
            with contextlib.suppress(Exception):  # damaged proofs are made again
                return [Proof(**proof) for proof in json.loads(data)]
        images = [self.source(at).image for at, _ in requests]
        proofs = calls.proofs(self.writer, images, [setting for _, setting in requests], self.workers)
        self.proved_images += len(proofs)
        if proofs and self.codec.bits == "coded":
            self._store.put(name, json.dumps([asdict(proof) for proof in proofs]).encode(), "plans")
        return proofs

    def lost(self, planned: PlannedRate) -> dict[int, str]:
        """Return the errors, by position, of images that could not be encoded, or not decoded at this rate.

        Decoding errors of other rates do not count, or a result would depend on the order of the cells.
        """
        return self._reader.lost(planned) | self.failures

    @property
    def any_lost(self) -> bool:
        """True if any image could not be encoded, or not decoded at some rate."""
        return bool(self.failures) or self._reader.any_lost
