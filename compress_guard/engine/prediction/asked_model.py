"""A model that is asked for predictions: loaded when first needed, counted, and finally asked its first batch again."""

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
    """A model for one task in one process. All methods raise `ModelError` for what the model does wrong."""

    def __init__(self, task: Task, load: Callable[[], Any], device: str) -> None:
        self._task: Final = task
        self._load: Final = load
        self._device: Final = device
        self._model: Any = None
        self._first: FirstBatch | None = None
        self._steady_at = 0
        """`predictions` when answers were last found to be as steady as those to the first batch."""
        self.predictions = 0
        """Images that the model was asked to predict so far."""

    @property
    def batch_size(self) -> int:
        """Images per call, as the model wants them."""
        return batch_size_of(self._loaded())

    @property
    def idle(self) -> bool:
        """Whether the model predicted nothing since its answers were last found to be steady."""
        return self.predictions == self._steady_at

    def steady(self) -> None:
        """Note that the latest answers are as steady as those to the first batch."""
        self._steady_at = self.predictions

    def predict(self, shard: Shard, batch: Batch) -> list[Arrays]:
        """Return the answers to a batch, which was made of this shard."""
        self.predictions += len(batch.images)
        answers = predictions(self._loaded(), self._task, batch)
        if self._first is None:
            self._first = FirstBatch(self._task, shard, batch, answers, self._device)
            self.steady()
        return answers

    def moved_answers(self, others: bool = False) -> str | None:
        """Ask the model its first batch again; return what is wrong with the answers, None where nothing is.

        Nothing is asked where the model predicted nothing else since it was asked last, unless `others` had it predict.
        Raises `DataError` too.
        """
        if self._first is None or (self.idle and not others):
            return None
        batch = self._first.shard.make()
        answers = self.predict(self._first.shard, batch)
        self.steady()
        return self._first.fault(batch, answers)

    @property
    def first_scores(self) -> Mapping[str, NDArray[Any]]:
        """The scores of the first batch by image, as far as the model was asked and answers are scores alone."""
        return {} if self._first is None else self._first.scores

    def _loaded(self) -> Any:
        if self._model is None:
            self._model = self._load()
        return self._model
