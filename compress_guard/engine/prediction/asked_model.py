"""A model that is asked for predictions: loaded when first needed, and asked its first batch again at the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, final

from compress_guard.engine.prediction.batches import Batch, batch_size_of, predictions
from compress_guard.engine.prediction.shards import Shard
from compress_guard.engine.prediction.steadiness import FirstBatch
from compress_guard.tasks.contract import Task

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from compress_guard.tasks.contract import Arrays


@final
class AskedModel:
    """A model for one task in one process. All methods raise `ModelError` for faults of the model."""

    def __init__(self, task: Task, load: Callable[[], Any], device: str) -> None:
        self._task: Final = task
        self._load: Final = load
        self._device: Final = device
        self._model: Any = None
        self._first: FirstBatch | None = None
        self._scores: Final[dict[str, Mapping[str, NDArray[Any]]]] = {}
        self._steady_at = 0
        """Value of `predictions` when the answers to the first batch were last confirmed."""
        self.predictions = 0
        """Number of images that the model was asked to predict so far."""

    @property
    def batch_size(self) -> int:
        """Number of images per call, as the model requires."""
        return batch_size_of(self._loaded())

    @property
    def idle(self) -> bool:
        """True if the model predicted nothing since its answers were last confirmed."""
        return self.predictions == self._steady_at

    def steady(self) -> None:
        """Record that the latest answers confirm the earlier ones."""
        self._steady_at = self.predictions

    def predict(self, shard: Shard, batch: Batch) -> list[Arrays]:
        """Return the answers to a batch that was made from this shard."""
        self.predictions += len(batch.images)
        answers = predictions(self._loaded(), self._task, batch)
        if self._first is None:
            self._first = FirstBatch(self._task, shard, batch, answers, self._device)
            self.steady()
        if shard.way not in self._scores:
            named = zip(batch.ids, answers, strict=True)
            self._scores[shard.way] = {name: answer["scores"] for name, answer in named if answer.keys() == {"scores"}}
        return answers

    def moved_answers(self, others: bool = False) -> str | None:
        """Ask the model its first batch again; return the fault of the answers, or None.

        Nothing is asked if the model predicted nothing since the last time, unless `others` used the same model. Raises
        `DataError` too.
        """
        if self._first is None or (self.idle and not others):
            return None
        batch = self._first.shard.make()
        answers = self.predict(self._first.shard, batch)
        self.steady()
        return self._first.fault(batch, answers)

    def first_scores(self, way: str) -> Mapping[str, NDArray[Any]]:
        """Return the scores of the first batch of shards with this way, by image.

        They are empty before that batch, and for answers with more than scores.
        """
        return self._scores.get(way, {})

    def _loaded(self) -> Any:
        if self._model is None:
            self._model = self._load()
        return self._model
