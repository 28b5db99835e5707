"""Batches of a trainer: images and targets that depend only on the seed and the number of the step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias, final

from compress_guard.engine.recovery.material import Decoded
from compress_guard.engine.recovery.targets import Targets

if TYPE_CHECKING:
    import torch

Batch: TypeAlias = "tuple[list[torch.Tensor], list[Any]]"
"""Images, uint8 RGB (3, H, W), and their targets: see `Targets`."""

_RATES: Final = 1
"""Separates the draw of rates from that of images: a control gets the same images in the same order."""


@final
class Batches(Sequence[Batch]):
    """The batches of all steps; each can be requested again, so that a training can continue after a stop.

    Each pass over the images has a seeded order of its own. With several sources (the same images at several rates) a
    source is drawn for every image. An image that was lost in coding is replaced by the next one.
    """

    def __init__(
        self, sources: Sequence[Decoded], targets: Targets, *, steps: int, size: int, seed: int, device: str = "cpu"
    ) -> None:
        self._sources: Final = tuple(sources)
        self._targets: Final = targets
        self._steps: Final = steps
        self._size: Final = size
        self._seed: Final = seed % 2**63
        self._device: Final = device
        self._order: tuple[int, Sequence[int]] = -1, ()

    def __len__(self) -> int:
        return self._steps

    def __getitem__(self, step: Any) -> Any:
        """Return the batch of a step, 0 to steps - 1."""
        if isinstance(step, slice):
            return [self[at] for at in range(*step.indices(self._steps))]
        if not 0 <= step < self._steps:
            raise IndexError(f"step {step} of {self._steps}")
        shown = [self._shown(*place) for place in zip(self.positions(step), self.rates(step), strict=True)]
        return [image for image, _ in shown], [target for _, target in shown]

    def __iter__(self) -> Iterator[Batch]:
        return self.after(0)

    def after(self, steps: int) -> Iterator[Batch]:
        """Yield the batches after this number of steps."""
        for step in range(steps, self._steps):
            yield self[step]

    def positions(self, step: int) -> list[int]:
        """Return the images of a step, by their positions among the usable ones."""
        return [self._position(step * self._size + slot) for slot in range(self._size)]

    def rates(self, step: int) -> list[int]:
        """Return the source of each image of a step, by its index."""
        import numpy as np

        generator = np.random.default_rng([self._seed, step, _RATES])
        drawn: list[int] = generator.integers(0, len(self._sources), self._size).tolist()
        return drawn

    def _position(self, number: int) -> int:
        import numpy as np

        count = len(self._targets)
        turn, place = divmod(number, count)
        if self._order[0] != turn:
            self._order = turn, np.random.default_rng([self._seed, turn]).permutation(count).tolist()
        return self._order[1][place]

    def _shown(self, at: int, rate: int) -> tuple[torch.Tensor, Any]:
        source = self._sources[rate]
        while (image := source.image(at)) is None:
            at = (at + 1) % len(self._targets)
        return image.to(self._device), self._targets.on(at, self._device)
