"""Write the streams whose pixels a test knows: python -m training.samples, after new weights."""

import hashlib
import json
from pathlib import Path

from compress_guard.codecs.neural.codec import Neural
from examples.data import EVALUATION_SEED
from examples.world import GROUP, render

_FOLDER = Path(__file__).parents[1] / "tests/codecs/neural/stored"
_SETTINGS = (30.0, 65.0, 100.0, 135.0)


def main() -> None:
    """Code parts of four scenes, each of another size and at another setting."""
    import torch

    images = []
    for index in range(len(_SETTINGS)):
        scene = torch.from_numpy(render(GROUP, EVALUATION_SEED, index).image).permute(2, 0, 1)
        images.append(scene[:, : 200 - 37 * index, : 256 - 11 * index].contiguous())
    codec = Neural()
    pixels = {}
    for setting, stream in zip(_SETTINGS, codec.encode(images, _SETTINGS), strict=True):
        name = f"setting{setting:g}.neural"
        (_FOLDER / name).write_bytes(stream)
        (image,) = codec.decode([stream])
        pixels[name] = hashlib.sha256(image.contiguous().numpy().tobytes()).hexdigest()
    (_FOLDER / "pixels.json").write_text(json.dumps(pixels, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
