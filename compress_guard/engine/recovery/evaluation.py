"""Scores of the models of a study: their evidence on the evaluation images, clean and at every codec and point."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from math import isnan
from typing import Any, Final, TypeAlias, final

from compress_guard.engine.prediction.batches import Batch, ahead, batch_size_of, positions_in_batches, predict
from compress_guard.engine.progress import CountProgress, Progress
from compress_guard.engine.recovery.material import Decoded, Material, Point
from compress_guard.errors import DataError, RunError
from compress_guard.records import Evidence, Guard, Recovery, phrased
from compress_guard.tasks.contract import Task
from compress_guard.verdict import Remembered
from compress_guard.verdict.grouped.groups import Groups

Place: TypeAlias = "Point | None"
"""A place at which a model is tested: a codec and its operating point, or None for clean images."""


@final
class Evaluation:
    """Scores of models at the points of a study, all on the same images, which are lost at no point."""

    def __init__(self, guard: Guard, task: Task, material: Material, device: str, points: Sequence[Point]) -> None:
        self._guard: Final = guard
        self._task: Final = task
        self._material: Final = material
        self._device: Final = device
        self._points: Final = tuple(points)
        self._outcomes: Final[dict[Point, Decoded | RunError]] = {}
        self._evidence: Final[dict[str, Mapping[Place, Evidence]]] = {}
        self._scorers: Final[dict[tuple[str, Place], Remembered]] = {}
        self._ids: tuple[str, ...] = ()

    def require(self, points: Sequence[Point], progress: Progress) -> None:
        """Raise the error of a point that cannot be tested: `CodecUnavailable`, `CodecError`, `Unreachable`."""
        for point in self._points:
            if point not in self._outcomes:
                listener = partial(progress, f"coding {self._guard.name} with {point[0].alias}")
                self._outcomes[point] = _decoded_or_error(self._material, point, listener)
        for point in points:
            if isinstance(problem := self._outcomes[point], RunError):
                raise problem

    @property
    def tested(self) -> tuple[Point, ...]:
        """The points of the study that can be tested."""
        return tuple(point for point in self._points if isinstance(self._outcomes[point], Decoded))

    def bpp_mean(self, point: Point) -> float | None:
        """Return the mean bits per pixel of the coded images at a point."""
        planned = self._decoded(point).planned
        return None if planned is None else planned.bpp_mean

    def has(self, name: str) -> bool:
        """Return True if a model of this name was tested."""
        return name in self._evidence

    def add(self, name: str, model: Callable[[], Any], progress: Progress, clean: Evidence | None = None) -> None:
        """Test a model at all places, unless one of this name was; `clean` is its clean evidence, if known.

        Raises `ModelError`, `DataError`, and what `model` raises.
        """
        if self.has(name):
            return
        made = model()
        places: list[Place] = [*([None] if clean is None else []), *self.tested]
        evidence: dict[Place, Evidence] = {} if clean is None else {None: clean}
        for number, place in enumerate(places):
            listener = partial(
                _part, partial(progress, f"predicting {self._guard.name} with {name}"), number, len(places)
            )
            evidence[place] = self._predicted(made, place, listener)
        self._evidence[name] = evidence

    def images(self) -> int:
        """Return the number of images of every score."""
        return len(self._common())

    def groups(self) -> Groups | None:
        """Return the groups that these images belong to; None if each stands alone."""
        return self._material.subset.survey.groups_of(self._common())

    def scorers(self, names: Sequence[str], place: Place) -> list[Remembered]:
        """Return the scorers of tested models, each over `images` images."""
        return [self._scorer(name, place) for name in names]

    def _scorer(self, name: str, place: Place) -> Remembered:
        key = name, place
        if key not in self._scorers:
            items = self._evidence[name][place].select(self._common()).items
            self._scorers[key] = Remembered(self._task.scorer(self._guard.metric, items))
        return self._scorers[key]

    def score(self, name: str, place: Place) -> float:
        """Return the score in points, 0 to 100; raises `DataError` if the metric is undefined."""
        import numpy as np

        score = float(self._scorer(name, place)(np.ones((1, self.images())))[0])
        if isnan(score):
            where = "clean images" if place is None else f"images of {phrased(place[0].alias, place[1])}"
            raise DataError(
                f"{self._guard.metric} is undefined on the {where}: {self.images()} images without ground truth for "
                "it; give the guard images that have some"
            )
        return score

    def _common(self) -> tuple[str, ...]:
        if not self._ids:
            infos = self._material.subset.survey.infos
            rows = [self._decoded(point).rows for point in self.tested]
            self._ids = tuple(info.id for at, info in enumerate(infos) if all(at in decoded for decoded in rows))
        return self._ids

    def _decoded(self, point: Point) -> Decoded:
        decoded = self._outcomes[point]
        assert isinstance(decoded, Decoded)
        return decoded

    def _predicted(self, model: Any, place: Place, progress: CountProgress) -> Evidence:
        parts: list[Evidence] = []
        total, done = len(self._material.subset.survey.usable), 0
        access = self._material.subset.samples.access
        for batch in ahead(self._batches(place, batch_size_of(model)), lambda: access.bound):
            parts.append(predict(model, self._task, batch))
            done += len(batch.ids)
            progress(done, total)
        return Evidence.merge(parts)

    def _batches(self, place: Place, size: int) -> Iterator[Callable[[], Batch]]:
        # In the batches of the guard's own cells, so that a network gets the same ones.
        for cut in positions_in_batches(len(self._material.subset.survey.usable), size):
            yield partial(self._batch, place, cut)

    def _batch(self, place: Place, positions: Sequence[int]) -> Batch:
        samples, usable = self._material.subset.samples, self._material.subset.survey.usable
        kept = []
        for at in positions:
            sample = samples[usable[at]]
            # A copy: a model that works in place must not change the images of another one.
            image = sample.image.clone() if place is None else self._decoded(place).image(at)
            if image is not None:
                kept.append((sample, image.to(self._device)))
        return Batch(
            tuple(sample.id for sample, _ in kept),
            [image for _, image in kept],
            [sample.target for sample, _ in kept],
            [sample.size for sample, _ in kept],
            (),
        )


def _decoded_or_error(material: Material, point: Point, progress: CountProgress) -> Decoded | RunError:
    """Return the decoded images of a point, or the error that prevents them."""
    try:
        return material.at(point, progress)
    except RunError as problem:
        return problem


def _part(progress: CountProgress, number: int, parts: int, done: int, total: int) -> None:
    """Report the progress of one of several parts of equal length."""
    progress(number * total + done, parts * total)


def evaluation_limit(recovery: Recovery, limit: int | None) -> int | None:
    """Return the number of evaluation images of a study: the smallest limit of its codecs and of the command line.

    It is the same for all of its codecs, since scores of different images cannot be compared.
    """
    limits = [cell.limit for cell in recovery.cells] + [limit]
    return min((limit for limit in limits if limit is not None), default=None)
