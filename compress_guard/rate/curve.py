"""Size curves: a Gaussian predictor of every image's log size along the ladder.

log bpp of image i at step s is mu(s) + z_i(s), with mu the mean curve and z_i Gaussian of covariance S. Both are learnt
from the few points measured so far: mu by generalised least squares with a rough prior (Rasmussen and Williams,
Gaussian Processes for Machine Learning, section 2.7), S by expectation-maximisation with an inverse-Wishart prior
around a smooth kernel (Gelman et al., Bayesian Data Analysis, section 3.6). A prediction is the Gaussian conditioned
on the image's own points.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from compress_guard.rate.ledger import LOW_END, Floats, Ints

NODES: Final = 64
"""Number of nodes that longer ladders are interpolated between. Products of 64 x 64 matrices are also the largest that
OpenBLAS keeps on one thread; on a busy machine those of 100 x 100 took a hundred times as long."""
LOW_NODES: Final = 16
"""Nodes on neighbouring steps at the low end, where curves bend most."""
LEARNERS: Final = 192
"""Images that the curves are learnt from; more do not make them sharper."""
CHUNK: Final = 1024
"""Images predicted at a time, so that memory stays small."""
ROUNDS: Final = 1
"""Steps of expectation-maximisation each time that something was measured; more change little (measured)."""
NOISE: Final = 0.002
"""Noise that keeps the matrices regular, in log size; sizes of files are granular to about this degree."""
PRIOR_IMAGES: Final = 6.0
"""Weight of the prior covariance, in images."""


def matern(distance: Floats, length: float) -> Floats:
    """Return the Matern kernel of order 3/2 with unit variance: smooth, yet it allows a bend."""
    scaled = np.sqrt(3.0) * np.abs(distance) / length
    return np.asarray((1.0 + scaled) * np.exp(-scaled), dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Measured points of images that have equally many of them."""

    steps: Ints
    """(n, p)."""
    logs: Floats
    """(n, p), natural log of bpp."""


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Nodes among the steps of a ladder, and linear interpolation between them."""

    nodes: Ints
    """Steps that have a node, ascending, both ends included."""
    left: Ints
    """(L,), the node at or below each step."""
    part: Floats
    """(L,), position of each step between that node and the next, 0 to 1."""
    starts: Ints
    """First step of each left node; every node but the last is a left node."""

    @classmethod
    def over(cls, steps: int) -> Grid:
        low = min(steps, LOW_NODES)
        even = np.rint(np.linspace(low, steps - 1, NODES - low)) if steps > NODES else np.arange(low, steps)
        nodes = np.concatenate((np.arange(low), even)).astype(np.int64)
        left = np.clip(np.searchsorted(nodes, np.arange(steps), side="right") - 1, 0, max(0, len(nodes) - 2))
        right = np.minimum(left + 1, len(nodes) - 1)
        part = (np.arange(steps) - nodes[left]) / np.maximum(1, nodes[right] - nodes[left])
        return cls(nodes, left, part, np.flatnonzero(np.diff(left, prepend=-1)))

    def spread(self, values: Floats) -> Floats:
        """Interpolate values (..., nodes) to (..., L)."""
        right = np.minimum(self.left + 1, len(self.nodes) - 1)
        spread: Floats = values[..., self.left] * (1.0 - self.part) + values[..., right] * self.part
        return spread

    def gather(self, values: Floats) -> Floats:
        """Apply the transpose of `spread`: sum values (L, ...) into nodes, (nodes, ...)."""
        part = self.part.reshape(-1, *([1] * (values.ndim - 1)))
        total = np.zeros((len(self.nodes), *values.shape[1:]))
        total[: len(self.starts)] += np.add.reduceat(values * (1.0 - part), self.starts)
        total[-len(self.starts) :] += np.add.reduceat(values * part, self.starts)
        return total


class Curves:
    """The size curves of a population of images over the steps of one ladder."""

    def __init__(self, steps: int) -> None:
        self.steps: Final = steps
        self._grid: Final = Grid.over(steps)
        nodes = len(self._grid.nodes)
        position = self._grid.nodes / max(1, steps - 1)
        self._trend: Final[Floats] = np.log(0.05) + np.log(5.0 / 0.05) * position
        self._level_trend: Final[Floats] = self._grid.spread(self._trend)
        self._trend_covariance: Final[Floats] = (
            16.0
            + 9.0 * np.outer(position - 0.5, position - 0.5) * 4.0
            + 0.5**2 * matern(position[:, None] - position[None, :], 0.3)
            + np.diag(np.where(np.arange(nodes) <= LOW_END, 0.1**2, 1e-6))
        )
        self._mean: Floats = self._trend.copy()
        self._mean_covariance: Floats = self._trend_covariance.copy()
        self._covariance: Floats = self._prior()
        self._level: Floats = self._level_trend
        self._spread()

    def learn(self, steps: Ints, logs: Floats, count: Ints) -> None:
        """Refit to all that was measured: steps and log bpp, both (n, columns), the first `count` of a row filled."""
        known = np.flatnonzero(count > 0)[:LEARNERS]
        if not len(known):
            return
        groups = [group for _, group in _groups(steps[known], logs[known], count[known])]
        for _ in range(ROUNDS):
            inverses = [self._inverse(group) for group in groups]
            self._fit_mean(groups, inverses)
            self._fit_covariance(groups, inverses)
            self._spread()

    def predict(self, steps: Ints, logs: Floats, count: Ints, at: Ints | None = None) -> tuple[Floats, Floats]:
        """Predict mean and standard deviation of log bpp at every step, or at the distinct steps `at`; both are (n, L).

        Measured steps are exact: the deviation is 0 there and nowhere else.
        """
        wanted = np.arange(self.steps) if at is None else at
        mean = np.empty((len(count), len(wanted)))
        deviation = np.empty((len(count), len(wanted)))
        for rows, group in _groups(steps, logs, count):
            mean[rows], deviation[rows] = self._condition(wanted, group)
        return mean, deviation

    def common_deviation(self, steps: Ints, logs: Floats, count: Ints, step: int, weights: Floats) -> float:
        """Return the standard deviation, due to the mean curve alone, of the weighted sum of predictions at a step."""
        pull = np.zeros(self.steps)
        pull[step] = weights.sum()
        for rows, group in _groups(steps, logs, count):
            gain = np.einsum("npq,nq->np", self._inverse(group), self._full[group.steps, step])
            np.add.at(pull, group.steps, -gain * weights[rows, None])
        at_nodes = self._grid.gather(pull)
        return math.sqrt(max(0.0, float(at_nodes @ self._mean_covariance @ at_nodes)))

    def _prior(self) -> Floats:
        """Return the covariance between nodes before any image: high where the mean sizes are close."""
        size = np.maximum.accumulate(self._mean)
        away = size[:, None] - size[None, :]
        kernel = 0.5**2 + 0.35**2 * matern(away, 3.0) + 0.02**2 * matern(away, 0.1) + 0.002**2 * np.eye(len(size))
        return np.asarray(kernel, dtype=np.float64)

    def _spread(self) -> None:
        """Set the covariance of nodes with steps (nodes, L) and of steps with steps (L, L)."""
        self._cross: Floats = self._grid.spread(self._covariance)
        self._full: Floats = self._grid.spread(self._cross.T)

    def _inverse(self, group: Group) -> Floats:
        """Return the inverse covariance of each image's measured points, (n, p, p)."""
        joint = self._full[group.steps[:, :, None], group.steps[:, None, :]]
        diagonal = np.arange(group.steps.shape[1])
        joint[:, diagonal, diagonal] += NOISE**2
        return np.asarray(np.linalg.inv(joint), dtype=np.float64)

    def _fit_mean(self, groups: list[Group], inverses: list[Floats]) -> None:
        pairs, weights, places, pulls = [], [], [], []
        for group, inverse in zip(groups, inverses, strict=True):
            pairs.append((group.steps[:, :, None] * self.steps + group.steps[:, None, :]).ravel())
            weights.append(inverse.ravel())
            places.append(group.steps.ravel())
            pulls.append(np.einsum("npq,nq->np", inverse, group.logs - self._level_trend[group.steps]).ravel())
        precision = sums(pairs, weights, self.steps**2).reshape(self.steps, self.steps)
        pull = sums(places, pulls, self.steps)
        prior = self._trend_covariance
        # (K^-1 + A)^-1 = (I + K A)^-1 K keeps clear of the inverse of the nearly singular K
        system = np.eye(len(prior)) + prior @ self._grid.gather(self._grid.gather(precision).T)
        self._mean_covariance = np.asarray(np.linalg.solve(system, prior), dtype=np.float64)
        self._mean = self._trend + self._mean_covariance @ self._grid.gather(pull)
        self._level = self._grid.spread(self._mean)

    def _fit_covariance(self, groups: list[Group], inverses: list[Floats]) -> None:
        left, right, images = [], [], 0
        for group, inverse in zip(groups, inverses, strict=True):
            cross = self._cross.T[group.steps]
            gain = inverse @ cross
            scores = np.einsum("npg,np->ng", gain, group.logs - self._level[group.steps])
            left += [scores, -gain.reshape(-1, gain.shape[-1])]
            right += [scores, cross.reshape(-1, cross.shape[-1])]
            images += len(group.steps)
        seen = product(np.concatenate(left), np.concatenate(right)) + images * self._covariance
        updated = (PRIOR_IMAGES * self._prior() + seen) / (PRIOR_IMAGES + images)
        self._covariance = (updated + updated.T) / 2.0

    def _condition(self, wanted: Ints, group: Group) -> tuple[Floats, Floats]:
        cross = self._full[group.steps[:, :, None], wanted]
        gain = self._inverse(group) @ cross
        mean = self._level[wanted] + np.einsum("npl,np->nl", gain, group.logs - self._level[group.steps])
        variance = np.diagonal(self._full)[wanted] - np.einsum("npl,npl->nl", gain, cross)
        deviation = np.sqrt(np.maximum(variance, NOISE**2))
        column = np.full(self.steps, -1)
        column[wanted] = np.arange(len(wanted))
        rows, points = np.nonzero(column[group.steps] >= 0)
        places = column[group.steps[rows, points]]
        mean[rows, places] = group.logs[rows, points]
        deviation[rows, places] = 0.0
        return mean, deviation


def sums(places: list[Ints], values: list[Floats], count: int) -> Floats:
    """Sum values (n,) into `count` places; np.add.at does the same several times more slowly."""
    return np.asarray(np.bincount(np.concatenate(places), np.concatenate(values), count), dtype=np.float64)


def product(left: Floats, right: Floats) -> Floats:
    """Multiply the transpose of `left` (n, g) by `right` (n, h), `NODES` rows at a time, so that no thread starts."""
    total = np.zeros((left.shape[1], right.shape[1]))
    for start in range(0, len(left), NODES):
        total += left[start : start + NODES].T @ right[start : start + NODES]
    return total


def _groups(steps: Ints, logs: Floats, count: Ints) -> Iterator[tuple[Ints, Group]]:
    """Yield groups of at most `CHUNK` images with equally many points, each with the rows of its images."""
    for points in np.unique(count):
        alike = np.flatnonzero(count == points)
        for start in range(0, len(alike), CHUNK):
            rows = alike[start : start + CHUNK]
            yield rows, Group(steps[rows, :points], logs[rows, :points])
