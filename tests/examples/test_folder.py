"""The folder of pictures that the tutorial begins with."""

from __future__ import annotations

from pathlib import Path

import torch
import torchvision
from torchvision.transforms.v2.functional import pil_to_tensor

from examples import data
from examples.folder import write
from examples.world import CLASSES


def test_classes_are_numbered_as_the_bundled_model_numbers_them(tmp_path: Path) -> None:
    write(tmp_path, 30)
    folder = torchvision.datasets.ImageFolder(str(tmp_path))
    assert folder.classes == [f"{number}-{name.replace(' ', '-')}" for number, name in enumerate(CLASSES)]
    shown = {Path(path).stem: label for path, label in folder.samples}
    assert shown == {name: label for _, label, name in data.classification()[:30]}


def test_pictures_are_written_without_loss(tmp_path: Path) -> None:
    write(tmp_path, 1)
    image, _ = torchvision.datasets.ImageFolder(str(tmp_path))[0]
    assert torch.equal(pil_to_tensor(image), data.classification()[0][0])
