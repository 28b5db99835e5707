"""Blood cells under a microscope: trains a small detector of them, for what finetuning brings back on real images.

    export BCCD=path/to/BCCD_Dataset/BCCD
    python -m examples.photos.recovery train
    python -m compress_guard recover examples/photos/recovery.yaml

BCCD          folder with JPEGImages, Annotations (Pascal VOC) and ImageSets/Main, as github.com/Shenggan/BCCD_Dataset
              has it: 364 JPEG images of 640x480 pixels with red cells, white cells and platelets (MIT licence)
BCCD_WEIGHTS  optional: the file of the weights; examples/.checkpoints/bccd.pt without it

The 205 images of train.txt are trained on, the 159 of val.txt and test.txt are tested on, all brought to 320x240: at
their own size 0.1 bits per pixel change nothing that a detector of cells looks at, and they have been JPEG before, of
which halving leaves little. The detector is torchvision's FCOS on the small backbone of the bundled world,
from random weights; training it takes a core about six minutes.
"""

import argparse
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

import torch
from PIL import Image
from torch import nn
from torchvision.models.detection.transform import GeneralizedRCNNTransform
from torchvision.transforms.v2.functional import pil_to_tensor

import compress_guard
from compress_guard.engine.recovery.recipes import finetune
from examples.networks import detector_network

CLASSES = ("RBC", "WBC", "Platelets")
HEIGHT, WIDTH = 240, 320
STEPS, BATCH, PEAK, SEED = 600, 8, 2e-3, 1
MOST_CELLS = 100
WEIGHTS = Path(__file__).parent.parent / ".checkpoints" / "bccd.pt"
_REPORT_SECONDS = 10.0


class Cells:
    """(image, boxes and labels, name) of the images that lists of BCCD name, halved, read when they are asked for."""

    def __init__(self, folder: Path, lists: Sequence[str]) -> None:
        self.folder = folder
        paths = [folder / "ImageSets" / "Main" / f"{name}.txt" for name in lists]
        missing = [path for path in paths if not path.is_file()]
        if missing:
            raise ValueError(f"{missing[0]} is not there; set BCCD to the folder that has ImageSets and JPEGImages")
        self.names = [name for path in paths for name in path.read_text(encoding="utf-8").split()]

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> tuple[Image.Image, dict[str, torch.Tensor], str]:
        name = self.names[index]
        with Image.open(self.folder / "JPEGImages" / f"{name}.jpg") as image:
            halved = image.convert("RGB").reduce(2)
        cells = cells_of(self.folder / "Annotations" / f"{name}.xml")
        return halved, {**cells, "boxes": cells["boxes"] / 2}, name


def cells_of(annotation: Path) -> dict[str, torch.Tensor]:
    """Read boxes (N, 4), xyxy in pixels, and labels (N,), 1 to 3, from a Pascal VOC file; empty boxes are left out."""
    boxes, labels = [], []
    for cell in ET.parse(annotation).getroot().iter("object"):
        edges = (cell.findtext(f"bndbox/{edge}", "") for edge in ("xmin", "ymin", "xmax", "ymax"))
        left, top, right, bottom = map(float, edges)
        if right > left and bottom > top:
            boxes.append([left, top, right, bottom])
            labels.append(1 + CLASSES.index(cell.findtext("name", "")))
    return {"boxes": torch.tensor(boxes).reshape(-1, 4), "labels": torch.tensor(labels, dtype=torch.int64)}


def cells() -> Cells:
    """Return the images that are tested on."""
    return Cells(_folder(), ("val", "test"))


def cells_train() -> Cells:
    """Return the images that are trained on."""
    return Cells(_folder(), ("train",))


def detector(device: str = "cpu") -> compress_guard.Predictor:
    """Return the trained detector."""
    path = _weights()
    if not path.is_file():
        raise ValueError(f"{path} is not there; make it with python -m examples.photos.recovery train")
    module = network()
    module.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    return compress_guard.predictor(module, task="detection", preprocess=floats, batch_size=8, device=device)


def floats(image: torch.Tensor) -> torch.Tensor:
    """Scale 0 to 255 to 0 to 1."""
    return image.to(torch.float32) / 255


def network() -> nn.Module:
    """Return an untrained detector of three classes."""
    module: nn.Module = detector_network(classes=len(CLASSES), found=MOST_CELLS)
    module.transform = GeneralizedRCNNTransform(HEIGHT, WIDTH, [0.5] * 3, [0.25] * 3)
    return module


class Steps:
    """Batches of the training images, each pass in a seeded order of its own; half of them are turned upside down."""

    def __init__(self, data: Cells, steps: int, batch: int, seed: int) -> None:
        self.items = [
            (pil_to_tensor(image.convert("RGB")), cells) for image, cells, _ in map(data.__getitem__, range(len(data)))
        ]
        self.steps, self.batch, self.seed = steps, batch, seed

    def after(self, done: int) -> Iterator[tuple[list[torch.Tensor], list[dict[str, torch.Tensor]]]]:
        for step in range(done, self.steps):
            chosen = [self._item(step * self.batch + slot) for slot in range(self.batch)]
            yield [image for image, _ in chosen], [cells for _, cells in chosen]

    def _item(self, number: int) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        turn, place = divmod(number, len(self.items))
        draws = torch.Generator().manual_seed(self.seed * 100_003 + turn)
        order = torch.randperm(len(self.items), generator=draws)
        upside_down = torch.rand(len(self.items), generator=draws) < 0.5
        image, cells = self.items[order[place]]
        boxes = cells["boxes"]
        if upside_down[place]:
            height = image.shape[1]
            left, top, right, bottom = boxes.unbind(1)
            image, boxes = image.flip(1), torch.stack([left, height - bottom, right, height - top], 1)
        return image, {"boxes": boxes, "labels": cells["labels"], "iscrowd": torch.zeros(len(boxes), dtype=torch.int64)}


def train(steps: int, batch: int, seed: int) -> Path:
    """Train from random weights, or go on from the checkpoint of a run that was stopped; returns the weights' file."""
    path = _weights()
    path.parent.mkdir(parents=True, exist_ok=True)
    checkpoint = path.with_name(f"{path.stem}-{steps}x{batch}-{seed}.ckpt")
    torch.manual_seed(seed)
    module = network()
    shown = time.monotonic()

    def tell(step: int, steps: int, loss: float) -> None:
        nonlocal shown
        if time.monotonic() - shown >= _REPORT_SECONDS or step == steps:
            print(f"step {step} of {steps}, loss {loss:.3f}", flush=True)
            shown = time.monotonic()

    module = finetune(
        module,
        Steps(cells_train(), steps, batch, seed),
        steps,
        task="detection",
        preprocess=floats,
        seed=seed,
        checkpoint=checkpoint,
        progress=tell,
        learning_rate=PEAK,
    )
    draft = path.with_suffix(".part")
    torch.save(module.state_dict(), draft)
    draft.replace(path)
    checkpoint.unlink(missing_ok=True)
    return path


def _folder() -> Path:
    if not os.environ.get("BCCD"):
        raise LookupError("set the environment variable BCCD to the folder that has ImageSets and JPEGImages")
    return Path(os.environ["BCCD"])


def _weights() -> Path:
    return Path(os.environ.get("BCCD_WEIGHTS") or WEIGHTS)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m examples.photos.recovery", description="Train the cell detector.")
    parser.add_argument("what", choices=["train"])
    parser.add_argument("--steps", type=int, default=STEPS, help=f"default: {STEPS}")
    parser.add_argument("--batch", type=int, default=BATCH, help=f"images per step; default: {BATCH}")
    parser.add_argument("--seed", type=int, default=SEED, help="of the first weights and of the batches")
    chosen = parser.parse_args(arguments)
    print(train(chosen.steps, chosen.batch, chosen.seed))


if __name__ == "__main__":
    main()
