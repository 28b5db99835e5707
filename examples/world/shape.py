"""Outlines of objects as signed distances: negative inside, in pixels, positive outside."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Pose:
    """The pose of an object: centre and size in pixels, angle in radians, aspect as width over height."""

    x: float
    y: float
    radius: float
    angle: float
    aspect: float

    @property
    def reach(self) -> float:
        """Radius of a circle around the centre that holds every shape of this pose, in pixels."""
        return 1.5 * self.radius

    def local(self, xs: Field, ys: Field) -> tuple[Field, Field]:
        """Return coordinates of pixels (1, W) and (H, 1) in the object's own, unscaled frame, both (H, W)."""
        cosine, sine = np.float32(np.cos(self.angle)), np.float32(np.sin(self.angle))
        dx, dy = xs - np.float32(self.x), ys - np.float32(self.y)
        return cosine * dx + sine * dy, cosine * dy - sine * dx


def disc(u: Field, v: Field, pose: Pose) -> Field:
    """Return distances from an ellipse, exact on its outline and approximate elsewhere."""
    stretch = np.sqrt(pose.aspect)
    a, b = np.float32(pose.radius * stretch), np.float32(pose.radius / stretch)
    result: Field = (np.sqrt((u / a) ** 2 + (v / b) ** 2) - np.float32(1)) * min(a, b)
    return result


def box(u: Field, v: Field, pose: Pose) -> Field:
    """Return distances from a rectangle with about the area of the ellipse."""
    stretch = np.sqrt(pose.aspect)
    half = 0.89 * pose.radius
    result: Field = np.maximum(np.abs(u) - np.float32(half * stretch), np.abs(v) - np.float32(half / stretch))
    return result


def triangle(u: Field, v: Field, pose: Pose) -> Field:
    """Return distances from an equilateral triangle: the largest of those to its three sides."""
    inner = np.float32(0.72 * pose.radius)
    side = np.float32(np.sqrt(3) / 2) * u
    half = np.float32(0.5) * v
    result: Field = np.maximum(np.maximum(side - half, -side - half), v) - inner
    return result


SHAPES: dict[str, Callable[[Field, Field, Pose], Field]] = {"disc": disc, "box": box, "triangle": triangle}
