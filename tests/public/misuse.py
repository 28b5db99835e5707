"""Mistakes that mypy finds in users' code; each line says the code of its error."""

from __future__ import annotations

from typing import Any

import torch

from compress_guard import compress, measure, predictor
from compress_guard.transforms import RandomCompression


def wrong(module: torch.nn.Module, data: list[Any], images: list[torch.Tensor]) -> None:
    measure(module, data)  # expected: call-overload
    measure(module, data, task="classification", bpp="0.5")  # expected: arg-type
    measure(module, data, task="classification", seed=None)  # expected: call-overload
    compress(images, rate="picture")  # expected: call-overload
    compress(images, "jpeg")  # expected: call-overload
    predictor("module")  # expected: arg-type
    predictor(module, batches=8)  # expected: call-arg
    RandomCompression("jpeg", bpp="low")  # expected: arg-type
    RandomCompression("jpeg", q=0.5)  # expected: call-arg
    _: float = measure(module, data, task="classification").drop  # expected: assignment
