"""A folder of pictures by class, for readers without photographs: ``python -m examples.folder DIR [PICTURES]``.

The pictures are those that the bundled classifier is evaluated on, each as a PNG file in the folder of its class.
"""

import argparse
from pathlib import Path

from PIL import Image

from examples import data
from examples.world import CLASSES


def write(folder: Path, pictures: int) -> None:
    """Write the first so many pictures, 300 at most."""
    for image, label, name in data.classification()[:pictures]:
        # torchvision's ImageFolder numbers classes in the order of their folders' names.
        path = folder / f"{label}-{CLASSES[label].replace(' ', '-')}" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image.permute(1, 2, 0).numpy()).save(path)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("pictures", type=int, nargs="?", default=data.EVALUATION_IMAGES, metavar="PICTURES")
    given = parser.parse_args()
    write(given.folder, given.pictures)
