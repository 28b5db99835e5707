"""A population of scenes to draw samples from: ``python -m benchmarks.coverage.population --out FOLDER``.

Renders 20 000 scenes of the bundled world with a seed of their own, codes them with JPEG at fixed qualities, lets the
shipped detector and segmenter predict the clean and the coded ones, and keeps the evidence of both tasks in FOLDER, in
shards of 250 images. A run that was cut short goes on where it stopped. One core takes about 45 minutes.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.command import Command
from compress_guard.records import Evidence
from compress_guard.registry import TASKS

if TYPE_CHECKING:
    import torch

    from examples.world import Scene

SEED: Final = 20_240_607
"""A seed that neither the evaluation sets nor the training sets use."""
IMAGES: Final = 20_000
QUALITIES: Final = (20, 12)
"""JPEG qualities. The first costs the detector about 4 points and the segmenter 6, the second 20 and 30."""
SHARD: Final = 250
BATCH: Final = 32
CLEAN: Final = "clean"
METRICS: Final = {"detection": "map", "segmentation": "miou"}
_RECORD: Final = "population.json"


@dataclass(frozen=True, slots=True)
class Population:
    """Content of a folder: evidence of both tasks on the clean images and on the images of each condition."""

    images: int
    seed: int
    qualities: tuple[int, ...]

    @property
    def conditions(self) -> tuple[str, ...]:
        """Names of the conditions: ``clean``, then each quality, such as ``jpeg-20``."""
        return (CLEAN, *(f"jpeg-{quality}" for quality in self.qualities))

    @property
    def shards(self) -> int:
        return -(-self.images // SHARD)

    def settle(self, folder: Path) -> None:
        """Mark the folder as this population's; raises `SystemExit` if it belongs to another."""
        folder.mkdir(parents=True, exist_ok=True)
        record, mine = folder / _RECORD, json.dumps(asdict(self))
        if record.exists() and json.loads(record.read_text(encoding="utf-8")) != json.loads(mine):
            raise SystemExit(
                f"--out {folder}: holds {record.read_text(encoding='utf-8')}, not {mine}; name another one"
            )
        record.write_text(mine, encoding="utf-8")


def read(folder: Path) -> Population:
    """Return the population of a folder; raises `SystemExit` if there is none."""
    record = folder / _RECORD
    if not record.is_file():
        raise SystemExit(f"{folder}: has no {_RECORD}; make it with python -m benchmarks.coverage.population --out")
    values = json.loads(record.read_text(encoding="utf-8"))
    return Population(values["images"], values["seed"], tuple(values["qualities"]))


def complete(folder: Path, population: Population) -> list[int]:
    """Return the shards whose files all exist, in ascending order."""
    names = [(task, condition) for task in METRICS for condition in population.conditions]
    return [
        shard
        for shard in range(population.shards)
        if all(file(folder, task, condition, shard).exists() for task, condition in names)
    ]


def evidence(folder: Path, task: str, condition: str, shards: Sequence[int]) -> Evidence:
    """Return the evidence of these shards."""
    return Evidence.merge(Evidence.from_bytes(file(folder, task, condition, shard).read_bytes()) for shard in shards)


def file(folder: Path, task: str, condition: str, shard: int) -> Path:
    return folder / f"{task}-{condition}" / f"{shard:04d}.npz"


def shard_evidence(
    population: Population, shard: int, predictors: Mapping[str, Any]
) -> dict[tuple[str, str], Evidence]:
    """Return the evidence of one shard by task and condition; `predictors` by task."""
    parts: dict[tuple[str, str], list[Evidence]] = {}
    end = min((shard + 1) * SHARD, population.images)
    for start in range(shard * SHARD, end, BATCH):
        for key, part in _batch(population, range(start, min(start + BATCH, end)), predictors).items():
            parts.setdefault(key, []).append(part)
    return {key: Evidence.merge(found) for key, found in parts.items()}


def _batch(
    population: Population, positions: Sequence[int], predictors: Mapping[str, Any]
) -> dict[tuple[str, str], Evidence]:
    import torch

    from examples.world import GROUP, render

    scenes = [render(GROUP, population.seed, position) for position in positions]
    images = [torch.from_numpy(scene.image).permute(2, 0, 1).contiguous() for scene in scenes]
    coded = [images, *(_coded(images, quality) for quality in population.qualities)]
    ids = tuple(f"population-{position:06d}" for position in positions)
    return {
        (task, condition): Evidence(ids, _items(task, predict(seen), scenes))
        for task, predict in predictors.items()
        for condition, seen in zip(population.conditions, coded, strict=True)
    }


def _coded(images: list[torch.Tensor], quality: int) -> list[torch.Tensor]:
    from compress_guard.codecs.jpeg import Jpeg

    return Jpeg().decode(Jpeg().encode(images, [float(quality)] * len(images)))


def _items(name: str, predictions: Sequence[Any], scenes: Sequence[Scene]) -> tuple[Mapping[str, Any], ...]:
    from examples import data

    task = TASKS.resolve(name)()
    targets = {"detection": data.objects, "segmentation": data.regions}[name]
    items = []
    for prediction, scene in zip(predictions, scenes, strict=True):
        size = (scene.image.shape[0], scene.image.shape[1])
        items.append(task.evidence(task.prediction(prediction, size), task.target(targets(scene), size), size))
    return tuple(items)


def build(folder: Path, population: Population) -> None:
    """Make the shards that are missing."""
    from examples import models

    population.settle(folder)
    done = set(complete(folder, population))
    missing = [shard for shard in range(population.shards) if shard not in done]
    predictors = {"detection": models.detector(), "segmentation": models.segmenter()} if missing else {}
    started = time.monotonic()
    for count, shard in enumerate(missing, start=1):
        for (task, condition), found in shard_evidence(population, shard, predictors).items():
            path = file(folder, task, condition, shard)
            path.parent.mkdir(exist_ok=True)
            unfinished = path.with_suffix(".part")
            unfinished.write_bytes(found.to_bytes())
            unfinished.replace(path)
        left = (time.monotonic() - started) / count * (len(missing) - count) / 60
        _progress(len(done) + count, population.shards, left)
    sys.stderr.write("\n")


def _progress(done: int, of: int, minutes: float) -> None:
    filled = 40 * done // of
    bar = f"{'#' * filled}{'.' * (40 - filled)}"
    sys.stderr.write(f"\r[{bar}] {done} of {of} shards, {minutes:.0f} minutes left ")
    sys.stderr.flush()


def main(arguments: Sequence[str] | None = None) -> None:
    parser = Command("coverage.population", __doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for the evidence")
    parser.add_whole("--images", IMAGES, "how many scenes")
    parser.add_whole("--seed", SEED, "of the renderer")
    parser.add_argument("--quality", type=int, nargs="+", default=QUALITIES, help="of JPEG, 1 to 100 (20 12)")
    chosen = parser.parse_args(arguments)
    parser.check_whole(chosen, "images")
    for quality in chosen.quality:
        if not 1 <= quality <= 100:
            parser.error(f"--quality: {quality} is outside 1 to 100")
    build(chosen.out, Population(chosen.images, chosen.seed, tuple(dict.fromkeys(chosen.quality))))


if __name__ == "__main__":
    main()
