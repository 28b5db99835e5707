"""Data factories of the bundled world: pictures rendered on request, with the targets of a task.

Detection and segmentation use the same scenes, so a gate codes them once for both.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, overload

import torch
from torch import Tensor

from examples.world import CLASSES, GROUP, SINGLE, Layout, Scene, render

EVALUATION_SEED = 20230410
TRAINING_SEED = 1
EVALUATION_IMAGES = 300
TRAINING_IMAGES = 4000

Target = int | Tensor | dict[str, Tensor]
Sample = tuple[Tensor, Any, str]


def label(scene: Scene) -> int:
    """Return the class of a scene's one object, 0 to 8."""
    return int(scene.classes[0])


def objects(scene: Scene) -> dict[str, Tensor]:
    """Return boxes (N, 4), xyxy in pixels, and labels (N,), 1 to 9 as torchvision's detectors count."""
    return {"boxes": torch.from_numpy(scene.boxes), "labels": torch.from_numpy(scene.classes + 1)}


def regions(scene: Scene) -> Tensor:
    """Return a label map (H, W), int64: 0 background, 1 to 9 objects, 255 on outlines."""
    return torch.from_numpy(scene.regions).long()


@dataclass(frozen=True, slots=True)
class Rendered(Sequence[Sample]):
    """A map-style data set of (uint8 RGB image (3, 256, 256), target, id); nothing is kept in memory."""

    layout: Layout
    seed: int
    pictures: int
    target: Callable[[Scene], Target]
    name: str

    @property
    def class_names(self) -> dict[int, str]:
        """Names of the classes by label, which reports show; label 0 of boxes and label maps is no object."""
        if self.target is label:
            return dict(enumerate(CLASSES))
        return {0: "background", **dict(enumerate(CLASSES, start=1))}

    def __len__(self) -> int:
        return self.pictures

    @overload
    def __getitem__(self, index: int) -> Sample: ...

    @overload
    def __getitem__(self, index: slice) -> list[Sample]: ...

    def __getitem__(self, index: int | slice) -> Sample | list[Sample]:
        if isinstance(index, slice):
            return [self[position] for position in range(*index.indices(self.pictures))]
        position = index + self.pictures if index < 0 else index
        if not 0 <= position < self.pictures:
            raise IndexError(f"index {index} is outside a data set of {self.pictures} pictures")
        scene = render(self.layout, self.seed, position)
        image = torch.from_numpy(scene.image).permute(2, 0, 1).contiguous()
        return image, self.target(scene), f"{self.name}-{position:06d}"


def classification() -> Rendered:
    """Return 300 pictures of one object each, for the evaluation of a classifier."""
    return Rendered(SINGLE, EVALUATION_SEED, EVALUATION_IMAGES, label, "single")


def detection() -> Rendered:
    """Return 300 scenes of 2 to 5 objects with their boxes."""
    return Rendered(GROUP, EVALUATION_SEED, EVALUATION_IMAGES, objects, "scene")


def segmentation() -> Rendered:
    """Return the scenes of `detection` with a label map each."""
    return Rendered(GROUP, EVALUATION_SEED, EVALUATION_IMAGES, regions, "scene")


def classification_train() -> Rendered:
    """Return the pictures that the shipped classifier was trained on."""
    return Rendered(SINGLE, TRAINING_SEED, TRAINING_IMAGES, label, "train-single")


def detection_train() -> Rendered:
    """Return the scenes that the shipped detector was trained on."""
    return Rendered(GROUP, TRAINING_SEED, TRAINING_IMAGES, objects, "train-scene")


def segmentation_train() -> Rendered:
    """Return the scenes that the shipped segmenter was trained on."""
    return Rendered(GROUP, TRAINING_SEED, TRAINING_IMAGES, regions, "train-scene")
