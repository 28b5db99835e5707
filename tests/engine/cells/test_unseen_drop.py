"""The result says what rare losses may cost that were not seen, where its metric has an interval without them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from compress_guard import measure
from compress_guard.verdict.power import unseen_share


class Halves:
    """Images of a bright half and a dark one, and which pixels are bright."""

    def __len__(self):
        return 12

    def __getitem__(self, at):
        bright = np.zeros((48, 64), dtype=bool)
        bright[:, 20 + at :] = True
        noise = np.random.default_rng(at).integers(0, 60, (3, 48, 64))
        return torch.from_numpy((noise + 120 * bright).astype(np.uint8)), torch.from_numpy(bright.astype(np.int64))


def brightness(images):
    return [(image.float().mean(0) > 90).long() for image in images]


@pytest.mark.parametrize("metric", ["miou", "pixel_accuracy"])
def test_a_metric_without_flags_comes_with_what_was_not_seen(metric):
    found = measure(brightness, Halves(), task="segmentation", metric=metric, codec="jpeg", bpp=1.0, device="cpu")
    assert found.score > 50
    assert found.unseen_drop == pytest.approx(found.drop + unseen_share(12, 0.95) * found.score)


def test_a_metric_with_flags_needs_no_such_word():
    class Labelled(Halves):
        def __getitem__(self, at):
            return super().__getitem__(at)[0], 1

    found = measure(
        lambda images: [torch.tensor([0.0, 1.0]) for _ in images],
        Labelled(),
        task="classification",
        codec="jpeg",
        bpp=1.0,
        min_clean=0,  # one class is meant
        device="cpu",
    )
    assert found.unseen_drop is None
    assert found.drop_high > 100 * unseen_share(12, 0.95) * 0.9
