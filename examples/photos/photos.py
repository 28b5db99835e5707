"""A folder of photographs and a torchvision classifier with ImageNet weights, both given by path.

Three environment variables say where things are:

PHOTOS          folder of images
PHOTOS_WEIGHTS  state dict of torchvision.models.squeezenet1_0, a .pth or .safetensors file
PHOTOS_LABELS   optional CSV file with lines ``file name,ImageNet class index``; without it the n-th file by name has
                class n, as in a folder with one image per class
"""

import csv
import os
from collections.abc import Sequence
from pathlib import Path

import torch
from PIL import Image
from torchvision.models import SqueezeNet1_0_Weights, squeezenet1_0

from compress_guard import predictor

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}


class LabelledFolder(Sequence):
    """(image, class index, file name), the images read when they are asked for."""

    def __init__(self, folder: Path, labels: dict[str, int] | None) -> None:
        self.files = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
        self.labels = labels or {path.name: number for number, path in enumerate(self.files)}

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[Image.Image, int, str]:
        path = self.files[index]
        return Image.open(path), self.labels[path.name], path.name


def images() -> LabelledFolder:
    """The data factory of thresholds.yaml."""
    labels = None
    if "PHOTOS_LABELS" in os.environ:
        with Path(os.environ["PHOTOS_LABELS"]).open(newline="", encoding="utf-8") as file:
            labels = {name: int(number) for name, number in csv.reader(file)}
    return LabelledFolder(_given("PHOTOS", "the folder of images"), labels)


def squeezenet():
    """The model factory of thresholds.yaml."""
    path = _given("PHOTOS_WEIGHTS", "the state dict of squeezenet1_0")
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        state = load_file(path)
    else:
        state = torch.load(path, map_location="cpu", weights_only=True)
    model = squeezenet1_0()
    model.load_state_dict(state)
    return predictor(
        model, task="classification", preprocess=SqueezeNet1_0_Weights.IMAGENET1K_V1.transforms(), batch_size=16
    )


def _given(variable: str, what: str) -> Path:
    if variable not in os.environ:
        raise KeyError(f"set the environment variable {variable} to {what}")
    return Path(os.environ[variable])
