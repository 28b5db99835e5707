"""Images that belong together, such as the frames of a clip: one group is one draw, however many images it has."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from numpy.typing import NDArray

    from compress_guard.tasks.scorer import Scorer

_CHUNK: Final = 2_000_000
"""Number of image weights that are scored at once: groups have more images than rows of weights show."""


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """The group of each image; there are fewer groups than images, else images are drawn alone."""

    members: NDArray[np.intp]
    """(images,) number of each image's group, from 0, in the order of their first images."""

    @classmethod
    def of(cls, labels: Sequence[Hashable]) -> Groups | None:
        """Return the groups of images with these labels; None if every image has a label of its own."""
        numbers: dict[Hashable, int] = {}
        members = [numbers.setdefault(label, len(numbers)) for label in labels]
        return cls(np.array(members, dtype=np.intp)) if len(numbers) < len(members) else None

    @property
    def sizes(self) -> NDArray[np.float64]:
        """(groups,) number of images in each group."""
        return np.bincount(self.members).astype(np.float64)

    @property
    def images(self) -> int:
        """Number of images."""
        return len(self.members)

    @property
    def count(self) -> int:
        """Number of groups."""
        return len(self.sizes)

    @property
    def alike(self) -> float:
        """The design effect if all images of a group were alike: the mean group size, as an image sees it.

        It is sum m^2 / sum m over the group sizes m (Kish 1965, Survey Sampling, chapter 5).
        """
        return float(np.sum(self.sizes**2)) / self.images

    @property
    def effective(self) -> float:
        """Number of equal groups that tell as much as these: all of them if their sizes are equal, else fewer."""
        return self.images / self.alike

    @property
    def counted(self) -> GroupCount:
        """The numbers of groups."""
        return GroupCount(self.count, self.effective)

    @property
    def key(self) -> bytes:
        """Hash of which images belong together."""
        return hashlib.blake2b(self.members.astype("<i8").tobytes(), digest_size=16).digest()

    def sums(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the sum of the images' values (images,) in each group: (groups,)."""
        return np.bincount(self.members, weights=values).astype(np.float64)


@dataclass(frozen=True, slots=True)
class GroupCount:
    """Numbers of groups, without the images in them."""

    count: int
    effective: float
    """Number of equal groups that tell as much; see `Groups.effective`."""


@dataclass(frozen=True, slots=True, eq=False)
class Sampled:
    """The images that scores are of, and how they are resampled."""

    images: int
    seed: int
    groups: Groups | None = None
    """Images that belong together; None if each stands alone."""


@final
class GroupScorer:
    """A scorer whose weights are those of groups: each image has the weight of its group."""

    __slots__ = ("_groups", "_scorer")

    def __init__(self, scorer: Scorer, groups: Groups) -> None:
        self._scorer: Final = scorer
        self._groups: Final = groups

    @property
    def flags(self) -> None:
        """None: a mean over groups of several images is no mean of one flag per group."""

    def __call__(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the scores, in points, for weights (R, groups): (R,)."""
        rows = max(1, _CHUNK // self._groups.images)
        starts = range(0, len(weights), rows)
        return np.concatenate([self._scorer(weights[at : at + rows][:, self._groups.members]) for at in starts])
