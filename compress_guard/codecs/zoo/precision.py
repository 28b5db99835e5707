"""Sums that do not depend on the rest of the batch, nor on the machine where they decide symbols."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import torch

_SUMMING: Final = ("g_a", "h_a", "g_s", "QuantABCD")
"""Modules of CompressAI's models with sums, beside those of `steady`."""


def steady(module: Any) -> Callable[[torch.Tensor], torch.Tensor]:
    """Return a module's function on the CPU, in float64, for one item of a batch at a time.

    Takes and returns what the module does.
    """
    import torch

    precise = copy.deepcopy(module).cpu().double()

    def forward(values: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            return torch.cat([precise(item) for item in torch.split(values.cpu().double(), 1)]).to(values)

    return forward


def sum_in_double(model: Any) -> None:
    """Change a model of CompressAI in place so that its sums are computed in float64 and rounded to float32.

    What is left in float32 goes element by element, which neither batches nor devices change.
    """
    for name in _SUMMING:
        if hasattr(model, name):
            module = getattr(model, name).double()
            module.forward = _rounded(module.forward)
    bottleneck = model.entropy_bottleneck
    for name, parameter in bottleneck.named_parameters():
        if name != "quantiles":  # the medians, which are added to symbols
            parameter.data = parameter.data.double()
    bottleneck._logits_cumulative = _rounded(bottleneck._logits_cumulative)


def _rounded(function: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    def forward(values: torch.Tensor, **options: Any) -> torch.Tensor:
        return function(values.double(), **options).float()

    return forward


@contextmanager
def reproducible() -> Iterator[None]:
    """Forbid cuDNN algorithms whose sums depend on the order of threads, and the choice of an algorithm by time.

    Not by `torch.backends.cudnn.flags`, which fails where somebody has set ``fp32_precision``. TF32 is for float32,
    in which nothing is summed here.
    """
    import torch

    cudnn = torch.backends.cudnn
    before = cudnn.enabled, cudnn.deterministic, cudnn.benchmark
    cudnn.enabled, cudnn.deterministic, cudnn.benchmark = True, True, False
    try:
        yield
    finally:
        cudnn.enabled, cudnn.deterministic, cudnn.benchmark = before
