"""A trainer of one's own for a recovery study: ``trainer: examples.recipes:finetune`` in a thresholds file."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from examples.world import IGNORE


def finetune(
    module: nn.Module,
    batches: Iterable[tuple[list[Tensor], list[Any]]],
    steps: int,
    *,
    preprocess: Callable[[Tensor], Tensor],
    progress: Callable[[int, int, float], None],
    learning_rate: float = 0.02,
) -> nn.Module:
    """Finetune a classifier or segmenter by SGD, its normalisation left as it was; returns the average of its weights.

    The average is exponential, over about the last tenth of the steps; it makes up for the noise of small batches.
    """
    module.train()
    for part in module.modules():
        if isinstance(part, nn.modules.batchnorm._BatchNorm):
            part.eval()
    decay = get_ema_multi_avg_fn(max(0.0, 1 - 10 / steps))  # type: ignore[no-untyped-call]  # of torch
    average = AveragedModel(module, multi_avg_fn=decay, use_buffers=True)
    optimiser = torch.optim.SGD(module.parameters(), lr=learning_rate, momentum=0.9, nesterov=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, learning_rate, total_steps=steps + 1, pct_start=0.1)
    for step, (images, targets) in enumerate(batches, start=1):
        logits = module(torch.stack([preprocess(image) for image in images]))
        if isinstance(logits, Mapping):
            logits = logits["out"]
        wanted = torch.stack([torch.as_tensor(target) for target in targets]).to(logits.device)
        loss = nn.functional.cross_entropy(logits, wanted, ignore_index=IGNORE)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # of torch
        optimiser.step()
        schedule.step()
        average.update_parameters(module)
        progress(step, steps, loss.item())
    finished: nn.Module = average.module
    return finished
