"""The targets of the training images in the form that trainers take."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, final

from compress_guard.engine.images.subsets import Subset
from compress_guard.engine.recovery.pool import Pool
from compress_guard.errors import ModelError
from compress_guard.registry import TASKS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from compress_guard.tasks.contract import Arrays


@final
class Targets:
    """One target per usable image, in the same form for all data sets.

    Classification: an int. Segmentation: labels (H, W) int64, 255 does not count. Detection: a dict of `boxes` (N, 4)
    float32, xyxy in pixels, `labels` (N,) int64, `area` (N,) float32 and `iscrowd` (N,) int64.
    """

    def __init__(self, task: str, subset: Subset, path: Path) -> None:
        if task not in TASKS.own:
            raise ModelError(
                f"recovery cannot study the task {task!r}; it knows {', '.join(TASKS.own)}; leave recovery out here"
            )
        self._task: Final = task
        self._count: Final = len(subset.survey.usable)
        self._maps: Pool | None = None
        self._small: list[Arrays] = []
        if task == "segmentation":  # a label map is as large as its image
            self._maps = Pool.of(path, _maps(subset))
        else:
            self._small = [subset.samples[index].target for index in subset.survey.usable]

    def __len__(self) -> int:
        return self._count

    def on(self, at: int, device: str) -> Any:
        """Return the target of the image at this position, its tensors on this device."""
        import numpy as np
        import torch

        if self._maps is not None:
            return torch.from_numpy(self._maps[at].astype(np.int64)).to(device)
        arrays = self._small[at]
        if self._task == "classification":
            return int(arrays["label"])
        target = {
            "boxes": arrays["boxes"].astype(np.float32),
            "labels": arrays["labels"].astype(np.int64),
            "area": arrays["area"].astype(np.float32),
            "iscrowd": arrays["crowd"].astype(np.int64),
        }
        return {name: torch.from_numpy(array).to(device) for name, array in target.items()}


def _maps(subset: Subset) -> Iterator[NDArray[Any]]:
    for index in subset.survey.usable:
        yield subset.samples[index].target["labels"]
