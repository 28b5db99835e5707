"""The test by which a task's evidence shows whether a model knows anything; `verdict.knowledge` evaluates it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from compress_guard.tasks.scorer import Scorer


@dataclass(frozen=True, slots=True, eq=False)
class Agreement:
    """One label of the model and one of the truth per image: they have to agree more often than by chance."""

    predicted: NDArray[Any]
    """Integers (N,). The other field has the same form."""
    target: NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Margin:
    """A score that has to exceed what an answer without knowledge has on the same images."""

    name: str
    """The name in messages."""
    scorer: Scorer
    baseline: Scorer | None = None
    """The score of the best answer without knowledge. The model has to exceed it, or else reach `least`."""
    least: float = 0.0
    """Points that the score has to reach where it does not exceed the baseline."""


Test: TypeAlias = Agreement | Margin


@dataclass(frozen=True, slots=True, eq=False)
class Skill:
    """The least that a model would have to show on these images, and how both sides look for a message."""

    test: Test
    answered: NDArray[Any]
    """Labels that the model used on these images, each once, ascending."""
    truth: NDArray[Any]
    """Labels that the truth uses, each once, ascending."""
    telling: int
    """Number of images on which an answer without knowledge is wrong: those with something beside the commonest class,
    or with objects to find."""
    told_by: str
    """The content of those images: ``anything but the commonest class``, ``objects to find``."""
    checks: str
    """Things to check where the model shows nothing: ``label offsets, class order and weights``."""
    constant: bool = False
    """True if every image got the same answer."""
    hint: str = ""
    """A possible cause of a truth with one class only; empty where there is nothing to add."""
