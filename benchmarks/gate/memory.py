"""Growth of memory with the data: ``python -m benchmarks.gate.memory``.

`compress-guard run` on 400 and on 4000 images, each in a process of its own, whose largest resident set is read from
the system. The bar: 4000 images take at most 10 % and 50 MB more than 400. Images are 256x256, cut from one texture
when they are asked for, so that the data set keeps none; models are a few lines of arithmetic, so that it is the gate
that is measured. JPEG at two rates. Segmentation has a target of as many labels as its image has pixels.
"""

from __future__ import annotations

import contextlib
import io
import json
import multiprocessing
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.command import Command

if TYPE_CHECKING:
    from torch import Tensor

FEW: Final = 400
MANY: Final = 4000
SHARE: Final = 1.10
MORE_MB: Final = 50.0
SIDE: Final = 256
CLASSES: Final = 4
TASKS: Final = ("classification", "segmentation")
HEADER: Final = """\
| memory | {few} images MB | {many} images MB | more MB | bar |
|---|--:|--:|--:|---|"""


@dataclass(frozen=True, slots=True)
class Job:
    """The measurement of one process."""

    task: str
    images: int


class Pictures:
    """A data set that makes each picture from its index: (uint8 RGB (3, 256, 256), target, id)."""

    def __init__(self, count: int, target: Callable[[Tensor], int | Tensor]) -> None:
        import torch

        noise = torch.Generator().manual_seed(0)
        coarse = torch.rand(1, 3, 40, 40, generator=noise)
        texture = torch.nn.functional.interpolate(coarse, size=(640, 640), mode="bicubic")[0]
        fine = torch.randn(3, 640, 640, generator=noise)
        self._texture = (texture * 230 + fine * 6).clamp(0, 255).byte()
        self._count = count
        self._target = target

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> tuple[Tensor, int | Tensor, str]:
        if not 0 <= index < self._count:
            raise IndexError(index)
        across = 640 - SIDE  # no two of so many pictures begin at the same place
        top, left = index // across * 31 % across, index % across
        image = self._texture[:, top : top + SIDE, left : left + SIDE].clone()
        return image, self._target(image), f"picture {index}"


def brightest(image: Tensor) -> int:
    """Return the class of a picture: the index of its brightest quarter."""
    return int(_quarters([image])[0].argmax())


def _quarters(images: Sequence[Tensor]) -> list[Tensor]:
    return [image.float().mean(0).reshape(2, SIDE // 2, 2, SIDE // 2).mean((1, 3)).reshape(4) for image in images]


def levels(image: Tensor) -> Tensor:
    """Return the label map of a picture: the quarter of its range that each pixel's green is in."""
    return image[1].long() * CLASSES // 256


def pictures() -> Pictures:
    """Return the factory of classification's data."""
    return Pictures(MANY, brightest)


def maps() -> Pictures:
    """Return the factory of segmentation's data."""
    return Pictures(MANY, levels)


def classifier() -> Callable[[list[Tensor]], list[Tensor]]:
    """Return the factory of a model that answers as `brightest` does."""
    return _quarters


def segmenter() -> Callable[[list[Tensor]], list[Tensor]]:
    """Return the factory of a model that answers as `levels` does."""
    return lambda images: [levels(image) for image in images]


def thresholds(task: str) -> str:
    """Return a thresholds file of one guard whose cells pass, whatever the models lose."""
    model, data = {"classification": (classifier, pictures), "segmentation": (segmenter, maps)}[task]
    names = {key: f"benchmarks.gate.memory:{made.__name__}" for key, made in (("model", model), ("data", data))}
    guard = {"task": task, "codecs": ["jpeg"], "bpp": [0.5, 1.0], "max_drop": 100, **names}
    return json.dumps({"version": 1, "guards": {"pictures": guard}})  # JSON is YAML


def work(job: Job) -> None:
    """Run the gate in this process; raises `RuntimeError` where it does not hold."""
    from compress_guard.cli import main as command

    told = io.StringIO()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "thresholds.yaml")
        file.write_text(thresholds(job.task), encoding="utf-8")
        given = ["run", str(file), "--device=cpu", "--workers=2", f"--cache={folder}/cache", f"--limit={job.images}"]
        with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
            code = command(given)
    if code:
        raise RuntimeError(f"compress-guard run on {job.images} images left with {code}: {told.getvalue()}")


def measure(job: Job) -> float | None:
    """Return this process's largest resident set after the work, in megabytes (10^6 bytes); None if unknown."""
    work(job)
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return None
    found = re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
    return int(found[1]) * 1024 / 1e6 if found else None


def in_own_process(job: Job) -> float | None:
    """Return the same of a fresh process, whose largest resident set comes from nothing else."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(measure, job).result()


def lines(
    few: int = FEW, many: int = MANY, run: Callable[[Job], float | None] = in_own_process, tasks: Sequence[str] = TASKS
) -> Iterator[str]:
    """Yield the table, a task's row as soon as it is measured."""
    yield from HEADER.format(few=few, many=many).splitlines()
    for task in tasks:
        small, large = run(Job(task, few)), run(Job(task, many))
        if small is None or large is None:
            yield f"| {task} | | | | this system does not tell a process its memory |"
            continue
        bar = SHARE * small + MORE_MB
        verdict = "held" if large <= bar else "exceeded"
        yield f"| {task} | {small:.0f} | {large:.0f} | {large - small:+.0f} | {bar - small:+.0f}: {verdict} |"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = Command("gate.memory", __doc__)
    parser.add_whole("--few", FEW, "images of the smaller run")
    parser.add_whole("--many", MANY, f"images of the larger one, at most {MANY}")
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=TASKS)
    chosen = parser.parse_args(arguments)
    if not 2 <= chosen.few <= chosen.many <= MANY:
        parser.error(f"--few {chosen.few} and --many {chosen.many}: expected 2 <= few <= many <= {MANY}")
    for line in lines(chosen.few, chosen.many, tasks=chosen.tasks):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
