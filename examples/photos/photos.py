"""A folder of photographs and a torchvision classifier with ImageNet weights, both given by path.

Three environment variables say where things are:

PHOTOS          folder of images
PHOTOS_WEIGHTS  state dict of torchvision.models.squeezenet1_0, a .pth or .safetensors file
PHOTOS_LABELS   optional CSV file without a header, a line ``file name,ImageNet class index`` for each image; the index
                is 0 to 999; without the file the n-th image by name has class n, as in a folder with one per class
"""

import csv
import os
from collections.abc import Sequence
from pathlib import Path

import torch
from PIL import Image
from torchvision.models import SqueezeNet1_0_Weights, squeezenet1_0

from compress_guard import Predictor, predictor

CLASSES = 1000
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}


class LabelledFolder:
    """(image, class index, file name), the images read when they are asked for."""

    def __init__(self, files: Sequence[Path], labels: dict[str, int]) -> None:
        self.files = files
        self.labels = labels

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[Image.Image, int, str]:
        path = self.files[index]
        with Image.open(path) as image:
            image.load()
        return image, self.labels[path.name], path.name


def images() -> LabelledFolder:
    """Return the data set of thresholds.yaml."""
    folder = _given("PHOTOS", "the folder of images")
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    if not files:
        raise ValueError(f"{folder}: no image in it; expected files named {', '.join(sorted(SUFFIXES))}")
    names = [path.name for path in files]
    if "PHOTOS_LABELS" not in os.environ:
        return LabelledFolder(files, _labels_by_order(folder, names))
    table = _given("PHOTOS_LABELS", "a CSV file of file names and class indices, or leave it out")
    labels = _labels_of(table)
    unlabelled = [name for name in names if name not in labels]
    if unlabelled:
        raise ValueError(
            f"{table}: no line for {len(unlabelled)} of {len(names)} images in {folder}, the first {unlabelled[0]!r}; "
            "expected one for each; add them, or remove the images"
        )
    return LabelledFolder(files, labels)


def squeezenet() -> Predictor:
    """Return the model of thresholds.yaml."""
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


def _labels_by_order(folder: Path, names: list[str]) -> dict[str, int]:
    if len(names) > CLASSES:
        raise ValueError(
            f"{folder}: {len(names)} images, and without PHOTOS_LABELS the n-th has class n of {CLASSES}; "
            "name a CSV file of their classes in PHOTOS_LABELS"
        )
    return {name: number for number, name in enumerate(names)}


def _labels_of(table: Path) -> dict[str, int]:
    labels: dict[str, int] = {}
    # Spreadsheets begin a CSV file with a byte order mark.
    with table.open(newline="", encoding="utf-8-sig") as file:
        lines = csv.reader(file)
        for cells in lines:
            if not cells:
                continue
            if len(cells) != 2 or not cells[1].strip().isdecimal() or int(cells[1]) >= CLASSES:
                raise ValueError(
                    f"{table}:{lines.line_num}: found {','.join(cells)!r}; expected a file name and an ImageNet class "
                    f"index from 0 to {CLASSES - 1}, as in 'tench.jpg,0'; a header has no place here"
                )
            name, label = cells[0], int(cells[1])
            if labels.setdefault(name, label) != label:
                raise ValueError(
                    f"{table}:{lines.line_num}: class {label} for {name!r}, which has class {labels[name]} above; "
                    "expected one class for each image; remove one of the lines"
                )
    return labels


def _given(variable: str, what: str) -> Path:
    if not os.environ.get(variable):
        raise LookupError(f"set the environment variable {variable} to {what}")
    return Path(os.environ[variable])
