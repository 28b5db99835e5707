"""The images of a data set at every codec and point of a study: coded through the store, decoded once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias, final

from compress_guard import store as keys
from compress_guard.codecs.decoding.streams import decoded_by, read_differently, writer
from compress_guard.codecs.pictures.geometry import reshaping_of
from compress_guard.engine.coding.available import available_codec
from compress_guard.engine.coding.coder import CHUNK_IMAGES, Coder
from compress_guard.engine.coding.planned import PlannedCodec
from compress_guard.engine.images.subsets import Subset
from compress_guard.engine.progress import CountProgress
from compress_guard.engine.recovery.pool import Pool
from compress_guard.engine.settings import RunSettings
from compress_guard.errors import CodecError, RunError
from compress_guard.records import Cell, CodecSpec, Guard, OperatingPoint, PlannedRate, phrased

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

Point: TypeAlias = tuple[CodecSpec, OperatingPoint]
"""A codec and its operating point."""

_RESHAPED: Final = (
    "recovery cannot train on codec {alias!r}, which scales or crops pictures, since targets of training images are "
    "not scaled with them; expected a codec that keeps the size; leave it out of the codecs of the recovery section"
)


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """The images of a data set, decoded from one codec at one point, or clean."""

    images: Pool
    rows: Mapping[int, int]
    """Index in the pool of the image at each position among the usable ones; lost images are missing."""
    planned: PlannedRate | None = None
    """None for clean images."""
    identity: str = "clean"
    """A key of the codec, of its decoder if that is another, and of the setting of every image."""

    def image(self, at: int) -> torch.Tensor | None:
        """Return the image, uint8 RGB (3, H, W) on the CPU; None if it was lost in coding."""
        import torch

        row = self.rows.get(at)
        return None if row is None else torch.from_numpy(self.images[row])


@final
class Material:
    """The images of a subset at the points of a study; each point is made when it is first needed."""

    def __init__(
        self,
        guard: Guard,
        subset: Subset,
        points: Callable[[CodecSpec, OperatingPoint], Sequence[OperatingPoint]],
        settings: RunSettings,
        device: str,
        folder: Path,
        allowed: float = 1.0,
    ) -> None:
        self._guard: Final = guard
        self.subset: Final = subset
        self._points: Final = points
        """Returns all points that the plan of a codec at a point covers."""
        self._settings: Final = settings
        self._device: Final = device
        self._folder: Final = folder
        self._allowed: Final = allowed
        """Share of the images that may be lost."""
        self._codecs: Final[dict[tuple[CodecSpec, tuple[OperatingPoint, ...]], PlannedCodec]] = {}
        self._decoded: Final[dict[Point | None, Decoded]] = {}

    def clean(self, progress: CountProgress) -> Decoded:
        """Return the source images."""
        if None not in self._decoded:
            samples, usable = self.subset.samples, self.subset.survey.usable

            def sources() -> Iterator[NDArray[Any]]:
                for done, index in enumerate(usable, start=1):
                    yield samples[index].image.numpy()
                    progress(done, len(usable))

            pool = Pool.of(self._folder / "clean.raw", sources())
            self._decoded[None] = Decoded(pool, {at: at for at in range(len(usable))})
        return self._decoded[None]

    def at(self, point: Point, progress: CountProgress) -> Decoded:
        """Return the images at a codec and point, coded as in the cells of the guard.

        Raises `CodecUnavailable`, `CodecError` (for a codec that fails a check or loses more images than allowed),
        `Unreachable`.
        """
        if point not in self._decoded:
            self._decoded[point] = self._made(point, progress)
        return self._decoded[point]

    def _made(self, point: Point, progress: CountProgress) -> Decoded:
        spec, asked = point
        codec = self._codec(spec, tuple(dict.fromkeys(self._points(spec, asked))), progress)
        coder, planned, survey = codec.coder, codec.at(asked), self.subset.survey
        codec.watch(planned).compare()
        requests = [(at, setting) for at, setting in enumerate(planned.settings) if setting is not None]
        rows: dict[int, int] = {}

        def images() -> Iterator[NDArray[Any]]:
            for start in range(0, len(requests), CHUNK_IMAGES):
                for at, image in _decoded(coder, requests[start : start + CHUNK_IMAGES]):
                    rows[at] = len(rows)
                    yield image.cpu().numpy()
                progress(min(start + CHUNK_IMAGES, len(requests)), len(requests))

        name = keys.key(spec.alias, asked.label)
        pool = Pool.of(self._folder / f"{name}.raw", images())
        lost = coder.lost(planned)
        survey.check_failures(lost, self._allowed)
        if not rows:
            raise CodecError(f"{phrased(spec.alias, asked)}: none of the images can be coded; the first: {lost[0]}")
        kept = planned.without(lost)
        by = read_differently(coder.codec)
        identity = keys.key(coder.identity, *by, *(str(setting) for setting in kept.settings))
        return Decoded(pool, rows, kept, identity)

    def _codec(self, spec: CodecSpec, points: tuple[OperatingPoint, ...], progress: CountProgress) -> PlannedCodec:
        key = spec, points
        if key not in self._codecs:
            available = decoded_by(available_codec(spec, self._device), self._guard.decoder, self._device)
            if reshaping_of(writer(available)):
                raise RunError(_RESHAPED.format(alias=spec.alias))
            samples, survey = self.subset.samples, self.subset.survey
            coder = Coder(available, samples, survey, self._settings.store(), self._settings.workers)
            cells = tuple(self._cell(spec, point) for point in points)
            codec = PlannedCodec(spec, coder, replace(self._guard, cells=cells), self._settings.seed)
            codec.plan(progress)
            codec.prove()[0].check()
            self._codecs[key] = codec
        return self._codecs[key]

    def _cell(self, spec: CodecSpec, point: OperatingPoint) -> Cell:
        return Cell(self._guard.name, spec, point, None, None, None, self._guard.line)


def _decoded(coder: Coder, requests: Sequence[tuple[int, float]]) -> Iterator[tuple[int, torch.Tensor]]:
    """Yield position and image of each request that can be coded and decoded."""
    coded = [
        (request, stream)
        for request, stream in zip(requests, coder.streams(requests), strict=True)
        if stream is not None
    ]
    images = coder.decode([request for request, _ in coded], [stream for _, stream in coded])
    for ((at, _), _), image in zip(coded, images, strict=True):
        if image is not None:
            yield at, image
