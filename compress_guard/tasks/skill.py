"""How a task's evidence shows whether a model knows anything: what `verdict.knowledge` asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from compress_guard.tasks.contract import Scorer


@dataclass(frozen=True, slots=True, eq=False)
class Agreement:
    """One label of the model and one of the truth per image: they have to agree more often than by chance."""

    predicted: NDArray[Any]
    """(N,) integers, as is the other."""
    target: NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Margin:
    """A score that has to exceed what an answer without knowledge has on the same images."""

    name: str
    """What messages call it."""
    scorer: Scorer
    baseline: Scorer | None = None
    """The score of the best answer without knowledge. The model has to exceed it, or else reach `least`."""
    least: float = 0.0
    """Points."""


Test: TypeAlias = Agreement | Margin


@dataclass(frozen=True, slots=True, eq=False)
class Skill:
    """The least that a model would have to show on these images, and how both sides look for a message."""

    test: Test
    answered: NDArray[Any]
    """Labels that the model used on these images, each once, ascending."""
    truth: NDArray[Any]
    """Labels that the truth uses, likewise."""
    telling: int
    """Images on which an answer without knowledge is found out: those that have something beside the commonest class,
    or that have objects to find."""
    told_by: str
    """What those images have: ``anything but the commonest class``, ``objects to find``."""
    checks: str
    """What to check where the model shows nothing: ``label offsets, class order and weights``."""
    constant: bool = False
    """Whether every image got one and the same answer."""
    hint: str = ""
    """What may lie behind a truth of one class; empty where there is nothing to add."""
