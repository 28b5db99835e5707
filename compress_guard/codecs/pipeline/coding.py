"""The steps in front of the last codec, each for real: scaled, encoded, and decoded again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from compress_guard.codecs import calls
from compress_guard.codecs.contract import kept_parts
from compress_guard.codecs.execution.pool import map_ordered
from compress_guard.codecs.pictures.metadata import Metadata
from compress_guard.codecs.pipeline.prefix import Key, Memory, Prepared, content_of
from compress_guard.codecs.pipeline.route import Coding, Route
from compress_guard.codecs.pixels import check_sizes
from compress_guard.errors import CodecError

if TYPE_CHECKING:
    import torch

Called: TypeAlias = Callable[[Sequence[int]], None]
"""Called before an encoder gets images, with their positions: each is an encoder call."""


@dataclass(frozen=True, slots=True, eq=False)
class PipelineInputs:
    """Images at the beginning of a pipeline."""

    images: Sequence[torch.Tensor]
    lengths: Sequence[tuple[int, ...]]
    """Bytes of the file of each image, where the pipeline begins with it; else nothing."""
    metadata: Sequence[Metadata] = ()
    """ICC profile and EXIF of each image where they go from step to step; else empty."""

    def carried(self, parts: Collection[str]) -> list[Metadata]:
        """Return these parts of the metadata."""
        return [each.only(parts) for each in self.metadata]


def prepared(
    route: Route, sources: PipelineInputs, memory: Memory | None, workers: int, called: Called
) -> list[Prepared]:
    """Return the images as the last codec gets them; with a memory each content goes through the steps once.

    Raises `CodecError`, which names the step.
    """
    if not route.before:
        return [Prepared(image, files) for image, files in zip(sources.images, sources.lengths, strict=True)]
    if memory is None:
        made = _run(route, sources, workers, called)
    else:
        made = _remembered(route, sources, memory, workers, called)
    return [Prepared(each.image, (*files, *each.lengths)) for each, files in zip(made, sources.lengths, strict=True)]


def _remembered(route: Route, sources: PipelineInputs, memory: Memory, workers: int, called: Called) -> list[Prepared]:
    keys = map_ordered(content_of, sources.images, workers)
    if sources.metadata:
        keys = [key + each.summary.digest for key, each in zip(keys, sources.metadata, strict=True)]
    known: dict[Key, Prepared] = {}
    missing: dict[Key, int] = {}
    for at, key in enumerate(keys):
        if key in known or key in missing:
            continue
        if (kept := memory.get(key)) is not None:
            known[key] = kept
        else:
            missing[key] = at
    positions = list(missing.values())
    made = _run(
        route,
        PipelineInputs(
            [sources.images[at] for at in positions], (), [sources.metadata[at] for at in positions if sources.metadata]
        ),
        workers,
        lambda some: called([positions[number] for number in some]),
    )
    for key, each in zip(missing, made, strict=True):
        known[key] = each
        memory.keep(key, each)
    return [known[key] for key in keys]


def _run(route: Route, sources: PipelineInputs, workers: int, called: Called) -> list[Prepared]:
    images, metadata = list(sources.images), list(sources.metadata)
    lengths: list[tuple[int, ...]] = [()] * len(images)
    if not images:
        return []
    for step in route.before:
        if not isinstance(step, Coding):
            images = map_ordered(step.applied, images, workers)
            continue
        called(range(len(images)))
        metadata = [each.only(kept_parts(step.codec)) for each in metadata]
        images, costs = coded(step, images, workers, metadata)
        lengths = [(*known, cost) for known, cost in zip(lengths, costs, strict=True)]
    return [Prepared(image, known) for image, known in zip(images, lengths, strict=True)]


def coded(
    step: Coding, images: list[torch.Tensor], workers: int, metadata: Sequence[Metadata] = ()
) -> tuple[list[torch.Tensor], list[int]]:
    """Return images encoded and decoded by a step, and the bytes of their streams; raises `CodecError`."""
    assert step.quality is not None
    with naming(step):
        streams = calls.encode(step.codec, images, [step.quality] * len(images), workers, metadata)
        sizes = [(image.shape[-2], image.shape[-1]) for image in images]
        decoded = calls.decode(step.codec, streams, sizes, workers)
        check_sizes(step.name, images, decoded)
        return decoded, [step.codec.cost(stream) for stream in streams]


@contextmanager
def naming(step: Coding) -> Iterator[None]:
    """Let errors of a codec name the step that it is."""
    try:
        yield
    except CodecError as problem:
        raise CodecError(f"{step.title}: {problem}") from problem
