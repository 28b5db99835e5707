"""Batches of images: made a few ahead of the model, predicted by it, and turned into evidence of each image."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeVar

from compress_guard import interrupts
from compress_guard.engine.coding.coder import Coder
from compress_guard.engine.coding.decoded_image import DecodedImage
from compress_guard.engine.coding.fidelity import NOTHING, Seen
from compress_guard.engine.images.access import OtherThread
from compress_guard.engine.images.sample import Pictures
from compress_guard.engine.images.survey.record import Survey
from compress_guard.engine.machine.worker import Worker
from compress_guard.engine.models.bare_modules import hint
from compress_guard.engine.models.predictor import DEFAULT_BATCH_SIZE
from compress_guard.engine.prediction.source_frame import framed_size, framed_target, restored
from compress_guard.engine.trouble import pass_on
from compress_guard.engine.wording import kind
from compress_guard.errors import ModelError, described
from compress_guard.records import Bits, Evidence, Geometry, PlannedRate
from compress_guard.tasks.contract import Task

if TYPE_CHECKING:
    import torch

    from compress_guard.tasks.contract import Arrays

T = TypeVar("T")

AHEAD: Final = 2
"""Number of batches made while the model works on one: enough to overlap, few enough to bound memory."""


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Neighbouring images of a guard in the form that the model gets."""

    ids: tuple[str, ...]
    images: list[torch.Tensor]
    """uint8 RGB (3, H, W) on the guard's device."""
    targets: list[Any]
    """One per image: the target as the task read it, or the data set's own target in compressed batches for a user's
    own tests."""
    sizes: list[tuple[int, int]]
    """(H, W) of each source in pixels."""
    bpp: tuple[float, ...]
    """Bits per pixel of each coded image; empty for clean images."""
    bits: Bits = "coded"
    """``coded`` if `bpp` counts the bytes of real streams, ``estimated`` otherwise."""
    seen: Seen = NOTHING
    """Observations of the decoded images."""
    geometries: tuple[Geometry, ...] = ()
    """Part of the source and size of each image that a codec scaled or cropped; empty where all are as their sources.
    Targets are those of the whole sources."""
    beside: Sequence[torch.Tensor] = ()
    """Images by another decoder that `seen` compares these with."""

    @property
    def frames(self) -> Sequence[Geometry]:
        """The geometry of each image."""
        return self.geometries or [Geometry.unchanged(size) for size in self.sizes]

    @property
    def looked_at(self) -> list[torch.Tensor]:
        """Images that the evidence and `seen` depend on, which a later run looks at again."""
        return [*self.images, *self.beside]


def batch_size_of(model: object) -> int:
    """Return the number of images per call of a model: its attribute ``batch_size`` if it has one, else the default.

    Raises `ModelError` for an invalid batch size.
    """
    try:
        size = getattr(model, "batch_size", DEFAULT_BATCH_SIZE)
    except BaseException as problem:
        pass_on(problem)
        raise ModelError(
            f"the model's batch_size raised {described(problem)}; expected a whole number of at least 1"
        ) from problem
    if isinstance(size, bool) or not isinstance(size, int) or size < 1:
        raise ModelError(f"the model's batch_size is {size!r}; expected a whole number of at least 1")
    return size


def positions_in_batches(count: int, size: int) -> Iterator[range]:
    """Yield the positions of each batch by data order and batch size only, so that all passes have the same batches."""
    for start in range(0, count, size):
        yield range(start, min(start + size, count))


def clean_batch(samples: Pictures, survey: Survey, positions: Sequence[int], device: str) -> Batch:
    """Return the batch of the images at these positions as they are."""
    chosen = [samples[survey.usable[at]] for at in positions]
    return Batch(
        tuple(sample.id for sample in chosen),
        # A copy, since a model that works in place must not change the source, which is coded or scored later.
        [sample.image.to(device, copy=True) for sample in chosen],
        [sample.target for sample in chosen],
        [sample.source_size for sample in chosen],
        (),
        geometries=geometries([sample.geometry for sample in chosen]),
    )


def coded_batch(
    coder: Coder,
    planned: PlannedRate,
    positions: Sequence[int],
    device: str,
    watch: Callable[[Sequence[DecodedImage]], Seen] | None,
) -> Batch:
    """Return the batch of the images at these positions, coded by the plan; images that cannot be coded are left out.

    `watch` checks the decoded images, and may raise. None is for a second look at images that were checked before.
    """
    requests = [(at, setting) for at in positions if (setting := planned.settings[at]) is not None]
    coded = [
        (request, stream)
        for request, stream in zip(requests, coder.streams(requests), strict=True)
        if stream is not None
    ]
    decode = coder.decode_again if watch is None else coder.decode
    images = decode([request for request, _ in coded], [stream for _, stream in coded])
    kept = [
        DecodedImage(at, setting, stream, image, coder.source(at))
        for ((at, setting), stream), image in zip(coded, images, strict=True)
        if image is not None
    ]
    seen = NOTHING if watch is None else watch(kept)
    return Batch(
        tuple(image.sample.id for image in kept),
        [image.image.to(device) for image in kept],
        [image.sample.target for image in kept],
        [image.sample.source_size for image in kept],
        tuple(8 * coder.codec.cost(image.stream) / coder.survey.infos[image.at].pixels for image in kept),
        coder.codec.bits,
        seen,
        geometries([image.sample.reshaped or coder.geometry(image.at) for image in kept]),
    )


def geometries(each: Sequence[Geometry]) -> tuple[Geometry, ...]:
    """Return the geometries of a batch's images, none if all are as their sources."""
    return () if all(geometry.same for geometry in each) else tuple(each)


def never() -> bool:
    """Return False: a helper thread may make every result. The default of `ahead`'s `bound`."""
    return False


def ahead(makers: Iterable[Callable[[], T]], bound: Callable[[], bool] = never) -> Iterator[T]:
    """Yield the result of each maker in order; a thread makes the next ones while the earlier results are in use.

    A result that the thread must not make (`OtherThread`), and all results once `bound` returns True, are made on the
    calling thread when they are needed.
    """
    worker = Worker("compress-guard-coding")
    coming, watch = iter(makers), interrupts.current()
    waiting: deque[tuple[Callable[[], T], Future[T]]] = deque()
    try:
        while not bound() and (make := next(coming, None)) is not None:
            waiting.append((make, worker.submit(make)))
            if len(waiting) > AHEAD:
                yield _made(waiting)
                watch.check()  # a model may have swallowed Ctrl-C
        while waiting:
            yield _made(waiting)
            watch.check()
    finally:
        worker.close()
    for make in coming:
        yield make()
        watch.check()


def _made(waiting: deque[tuple[Callable[[], T], Future[T]]]) -> T:
    """Return the first result; make it here if the thread was cancelled or must not make it."""
    make, future = waiting.popleft()
    if not future.cancelled():
        try:
            return future.result()
        except OtherThread:
            # Two threads must not use the same codec at once, and the remaining ones would fail in the same way.
            wait([other for _, other in waiting if not other.cancel()])
    return make()


def predictions(model: Any, task: Task, batch: Batch) -> list[Arrays]:
    """Return the model's prediction of each image, read by the task; raises `ModelError` unless each image has one."""
    if not batch.images:
        return []
    try:
        answers = model(batch.images)
    except ModelError:
        raise
    except BaseException as problem:
        pass_on(problem)
        advice = hint(model, task.name, problem)
        raise ModelError(f"the model raised {described(problem)}{advice}") from problem
    try:
        count = len(answers)
        # Read after len(): a scalar tensor or a generator has no length. One item more shows a wrong length.
        each = list(islice(answers, count + 1)) if count == len(batch.images) else []
    except TypeError:
        count, each = -1, []
    except BaseException as problem:
        pass_on(problem)
        raise ModelError(
            f"the model's answer, {kind(answers)}, raised {described(problem)} when it was read"
        ) from problem
    if count != len(batch.images) or len(each) != count:
        given = f"{count} predictions" if count >= 0 else kind(answers)
        raise ModelError(
            f"the model returned {given} for {len(batch.images)} images; expected a list with one prediction per image"
        )
    return [
        _named(image_id, _prediction, task, raw, geometry)
        for image_id, raw, geometry in zip(batch.ids, each, batch.frames, strict=True)
    ]


def _prediction(task: Task, raw: object, geometry: Geometry) -> Arrays:
    return restored(task, task.prediction(raw, geometry.delivered), geometry)


def evidence_of(task: Task, batch: Batch, predicted: Sequence[Arrays]) -> Evidence:
    """Return the evidence of one batch from the predictions of its images."""
    return Evidence(
        batch.ids,
        tuple(
            _named(image_id, _evidence, task, answer, target, geometry)
            for image_id, answer, target, geometry in zip(
                batch.ids, predicted, batch.targets, batch.frames, strict=True
            )
        ),
    )


def _evidence(task: Task, answer: Arrays, target: Arrays, geometry: Geometry) -> Arrays:
    return task.evidence(answer, framed_target(task, target, geometry), framed_size(geometry))


def _named(image_id: str, made: Callable[..., Arrays], *arguments: Any) -> Arrays:
    """Call `made` for an image; a `ModelError` gets the name of the image."""
    try:
        return made(*arguments)
    except ModelError as problem:
        raise ModelError(f"image {image_id}: {problem}") from problem


def predict(model: Any, task: Task, batch: Batch) -> Evidence:
    """Return the evidence of one batch; raises `ModelError` for an answer that is not one prediction per image."""
    return evidence_of(task, batch, predictions(model, task, batch))
