"""Scenes of textured objects, rendered from a seed and an index."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from examples.world.background import backdrop
from examples.world.shape import SHAPES, Pose
from examples.world.texture import TEXTURES, Texture

Field = NDArray[np.float32]

SIZE = 256
IGNORE = 255
PERIOD = (3.5, 6.0)  # of a texture, in pixels
CONTRAST = (12.0, 24.0)  # of a texture, root mean square in levels
NOISE = (3.0, 5.0)  # of the sensor, standard deviation in levels
CLASSES = tuple(f"{texture} {shape}" for shape in SHAPES for texture in TEXTURES)

_OUTLINE = 1.0  # pixels on either side of an outline that no segmentation is judged on
_TRIES = 30


@dataclass(frozen=True, slots=True)
class Layout:
    """The content of a kind of scene: number of objects, radius in pixels, distance from the border."""

    stream: int
    objects: tuple[int, int]
    radius: tuple[float, float]
    margin: float


SINGLE = Layout(stream=1, objects=(1, 1), radius=(40, 72), margin=1.05)
GROUP = Layout(stream=2, objects=(3, 5), radius=(22, 44), margin=1.0)


@dataclass(frozen=True, slots=True)
class Scene:
    """One rendered picture and its truth.

    image: uint8 (256, 256, 3). regions: uint8 (256, 256), 0 background, 1 + class inside an object, 255 on outlines.
    boxes: float32 (N, 4), xyxy in pixels, tight around what is visible. classes: int64 (N,), indices into CLASSES.
    """

    image: NDArray[np.uint8]
    regions: NDArray[np.uint8]
    boxes: Field
    classes: NDArray[np.int64]


def render(layout: Layout, seed: int, index: int) -> Scene:
    """Render scene number `index` of a seed: the same on every call and machine, up to float rounding in numpy."""
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, layout.stream, index])))
    canvas = backdrop(rng, SIZE)
    instances = np.zeros((SIZE, SIZE), np.uint8)
    outlines = np.zeros((SIZE, SIZE), bool)
    light = float(rng.uniform(0, 2 * np.pi))
    poses = _poses(rng, layout)
    classes = rng.integers(0, len(CLASSES), len(poses))
    for number, (pose, kind) in enumerate(zip(poses, classes, strict=True), start=1):
        _paint(canvas, instances, outlines, pose, int(kind), number, light, rng)
    palette = np.concatenate([[0], classes + 1]).astype(np.uint8)
    regions = palette[instances]
    regions[outlines] = IGNORE
    boxes = np.array([_bounds(instances == number) for number in range(1, len(poses) + 1)], np.float32)
    return Scene(_exposed(canvas, light, rng), regions, boxes.reshape(-1, 4), classes)


def _poses(rng: np.random.Generator, layout: Layout) -> list[Pose]:
    """Draw poses that stay inside the picture and hardly cover one another."""
    poses: list[Pose] = []
    for _ in range(int(rng.integers(layout.objects[0], layout.objects[1] + 1))):
        for _ in range(_TRIES):
            radius = float(rng.uniform(*layout.radius))
            low, high = layout.margin * radius, SIZE - layout.margin * radius
            x, y = (float(value) for value in rng.uniform(low, high, 2))
            angle, aspect = float(rng.uniform(0, 2 * np.pi)), float(np.exp(rng.uniform(-0.25, 0.25)))
            if all(np.hypot(x - other.x, y - other.y) > 1.05 * (radius + other.radius) for other in poses):
                poses.append(Pose(x, y, radius, angle, aspect))
                break
    return poses


def _paint(
    canvas: Field,
    instances: NDArray[np.uint8],
    outlines: NDArray[np.bool_],
    pose: Pose,
    kind: int,
    number: int,
    light: float,
    rng: np.random.Generator,
) -> None:
    """Draw one object with its shadow, and mark its pixels."""
    shape = list(SHAPES.values())[kind // len(TEXTURES)]
    texture = list(TEXTURES.values())[kind % len(TEXTURES)]
    reach = pose.reach + 12
    top, bottom = max(0, int(pose.y - reach)), min(SIZE, int(pose.y + reach) + 1)
    left, right = max(0, int(pose.x - reach)), min(SIZE, int(pose.x + reach) + 1)
    window = np.s_[top:bottom, left:right]
    xs = np.arange(left, right, dtype=np.float32)[None, :] + np.float32(0.5)
    ys = np.arange(top, bottom, dtype=np.float32)[:, None] + np.float32(0.5)

    thrown = 0.12 * pose.radius
    shift = (np.float32(thrown * np.cos(light)), np.float32(thrown * np.sin(light)))
    shadow = shape(*pose.local(xs - shift[0], ys - shift[1]), pose)
    soft = np.float32(0.4) * np.clip(np.float32(0.5) - shadow / np.float32(8), 0, 1)
    canvas[window] *= (1 - soft)[:, :, None]

    u, v = pose.local(xs, ys)
    distance = shape(u, v, pose)
    surface = _surface(u, v, xs, ys, pose, texture, light, rng)
    cover = np.clip(np.float32(0.5) - distance, 0, 1)[:, :, None]
    canvas[window] += cover * (surface - canvas[window])
    instances[window][distance < 0] = number
    outlines[window][distance < 0] = False
    outlines[window][np.abs(distance) < _OUTLINE] = True


def _surface(
    u: Field, v: Field, xs: Field, ys: Field, pose: Pose, texture: Texture, light: float, rng: np.random.Generator
) -> Field:
    """Return the colours of an object (h, w, 3) in levels: base colour, fine texture, and shading along the light."""
    colour = (rng.uniform(85, 170) + rng.normal(0, 24, 3)).astype(np.float32)
    turn = rng.uniform(0, 2 * np.pi)
    cosine, sine = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    period = float(np.exp(rng.uniform(np.log(PERIOD[0]), np.log(PERIOD[1]))))
    pattern = texture(cosine * u + sine * v, cosine * v - sine * u, period, rng)
    pattern *= np.float32(rng.uniform(*CONTRAST))
    towards = (xs - np.float32(pose.x)) * np.float32(np.cos(light)) + (ys - np.float32(pose.y)) * np.float32(
        np.sin(light)
    )
    shading = 1 - np.float32(0.18 / pose.radius) * towards
    result: Field = (colour + pattern[:, :, None]) * shading[:, :, None]
    return result


def _exposed(canvas: Field, light: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Turn the canvas into the picture of a sensor: uneven light, signal-dependent noise, 8 bits."""
    ramp = np.linspace(-1, 1, SIZE, dtype=np.float32)
    fall = 1 - np.float32(rng.uniform(0, 0.2)) * (
        ramp[None, :] * np.float32(np.cos(light)) + ramp[:, None] * np.float32(np.sin(light))
    )
    canvas *= fall[:, :, None]
    noise = rng.standard_normal(canvas.shape, dtype=np.float32)
    noise *= np.float32(rng.uniform(*NOISE))
    canvas += noise
    return np.clip(np.rint(canvas), 0, 255).astype(np.uint8)


def _bounds(inside: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
