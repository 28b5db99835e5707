"""A tiny world to finetune in: pictures whose class is a wave, and a network of two layers."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from compress_guard.engine.recovery.study import MeasuredRecovery
from compress_guard.engine.session import Session, without_fixtures
from compress_guard.engine.settings import RunSettings
from compress_guard.records import CodecSpec, Guard, Rate, Recovery, RecoveryCell, Thresholds

MODULE = """
    import functools
    import random

    import numpy as np
    import torch
    from torch import nn

    import compress_guard

    MODELS = []
    SEEN = []
    TRAINED = []

    def picture(index, size=32):
        noise = torch.Generator().manual_seed(index)
        y, x = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
        wave = torch.sin((x if index % 2 else y) * torch.pi / 2)
        image = 120 + 12 * wave + 8 * torch.randn(3, size, size, generator=noise)
        return image.clamp(0, 255).to(torch.uint8)

    def data():
        return [(picture(at), at % 2, f"e{at}") for at in range(24)]

    def train():
        return [(picture(100 + at), at % 2, f"t{at}") for at in range(16)]

    def none():
        return []

    def twice():
        return [*data()[2:5], *[(picture(100 + at), at % 2, f"t{at}") for at in range(8)], ("no picture", 0, "broken")]

    def again():
        return [(image, target, f"again-{name}") for image, target, name in data()]

    def same():
        return [data()[0]] * 2

    def maps(first=0):
        return [(picture(first + at), torch.full((32, 32), at % 2), f"m{at}") for at in range(8)]

    def maps_train():
        return maps(100)

    def bare_maps():
        return [(image, torch.full((32, 32), 255), name) for image, _, name in maps()]

    def boxes(first=0):
        box = {"boxes": torch.tensor([[4.0, 4.0, 20.0, 20.0]]), "labels": torch.tensor([1])}
        return [(picture(first + at), box, f"b{at}") for at in range(6)]

    def boxes_train():
        return boxes(100)

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 5, stride=2)
            self.norm = nn.BatchNorm2d(4)
            self.bend = nn.ReLU()
            self.head = nn.Linear(4, 2)

        def forward(self, images):
            return self.head(self.bend(self.norm(self.conv(images))).mean((2, 3)))

    class Dense(Network):
        def forward(self, images):
            features = self.norm(self.conv(images)).relu()
            return {"out": self.head(features.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)}

    def made(network, task):
        with torch.random.fork_rng():
            torch.manual_seed(3)
            MODELS.append(compress_guard.predictor(network(), task=task, batch_size=5))
        return MODELS[-1]

    def model():
        return made(Network, "classification")

    def dense():
        return made(Dense, "segmentation")

    def bare():
        return lambda images: [torch.tensor([1.0, 0.0])] * len(images)

    def look(module, batches, steps):
        SEEN.append([(images, targets) for images, targets in batches])
        TRAINED.extend(module.parameters())
        return module

    def nothing(module, batches, steps):
        pass

    def exits(module, batches, steps):
        raise SystemExit(0)

    def interrupts(module, batches, steps):
        raise KeyboardInterrupt

    def broken(module, batches, steps):
        raise OSError("no such disk")

    def diverging(module, batches, steps):
        module.head.weight.data.fill_(float("nan"))
        return module

    def drawing(module, batches, steps):
        TRAINED.append((random.random(), float(np.random.rand()), float(torch.rand(()))))
        return module

    def scaling(module, batches, steps, factor=1.0):
        return module

    scaled = functools.partial(scaling, factor=1.0)

    def bending(module, batches, steps):
        module.bend = nn.Tanh()
        return module

    def telling(module, batches, steps, progress):
        progress(1, steps, float("nan"))

    def other(module, batches, steps):
        return nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 2))
"""


def trained(point: Any) -> Any:
    """The point of a number, which is a rate; another one is itself."""
    return Rate(point) if isinstance(point, float | int) else point


JPEG, WEBP = CodecSpec("jpeg", "jpeg"), CodecSpec("webp", "webp")


@dataclass
class Tiny:
    """A guard with a study, as one process after the other would run it on the same store."""

    folder: Path
    name: str
    told: list[tuple[str, int, int]] = field(default_factory=list)
    runs: int = 0

    @property
    def module(self) -> Any:
        return sys.modules[self.name]

    def recovery(self, points: Any = ((JPEG, 3.0),), min_recovered: float | None = None, **keys: Any) -> Recovery:
        limits = keys.pop("limits", {})
        cells = tuple(
            RecoveryCell("toys", codec, trained(bpp), min_recovered, 1, limits.get(codec)) for codec, bpp in points
        )
        return Recovery(
            **{"train": "M:train", "steps": 3, "batch": 4, "images": 12, "seeds": (0, 1)} | keys, cells=cells
        )

    def session(self, recovery: Recovery, task: str = "classification", settings: Any = None, **keys: Any) -> Session:
        self.runs += 1
        run = self.folder / f"run{self.runs}"
        run.mkdir()
        named = {"model": "M:model", "data": "M:data", "metric": "top1", "cells": ()} | keys
        named |= {key: value.replace("M:", f"{self.name}:") for key, value in named.items() if isinstance(value, str)}
        trainer = recovery.trainer and recovery.trainer.replace("M:", f"{self.name}:")
        asked = replace(recovery, train=recovery.train.replace("M:", f"{self.name}:"), trainer=trainer)
        guard = Guard("toys", task, recovery=asked, rate_tolerance=0.3, **named)
        made = RunSettings(run, self.folder / "store", **{"device": "cpu", "workers": 1} | (settings or {}))
        return Session(Thresholds(str(self.folder / "thresholds.yaml"), (guard,)), made)

    def measure(
        self, recovery: Recovery | None = None, progress: Callable[[str, int, int], None] | None = None, **keys: Any
    ) -> list[MeasuredRecovery]:
        """All cells in a session of its own."""
        recovery = recovery or self.recovery()
        session = self.session(recovery, **keys)
        try:
            return [
                session.measure_recovery(cell, cell.name, without_fixtures, progress or self.tell)
                for cell in recovery.cells
            ]
        finally:
            session.close()

    def only(self, recovery: Recovery | None = None, **keys: Any) -> MeasuredRecovery:
        (measured,) = self.measure(recovery, **keys)
        return measured

    def tell(self, what: str, done: int, total: int) -> None:
        self.told.append((what, done, total))

    @property
    def kept(self) -> list[Path]:
        """Files of finished weights."""
        return sorted((self.folder / "store" / "recovery").glob("*/weights.pt"))


@pytest.fixture
def tiny(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Tiny]:
    name = f"recovery_{abs(hash(request.node.nodeid))}"
    (tmp_path / f"{name}.py").write_text(textwrap.dedent(MODULE))
    yield Tiny(tmp_path, name)
    sys.modules.pop(name, None)
