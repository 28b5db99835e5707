"""Images stream through: how many are alive at a time does not depend on how many there are."""

from __future__ import annotations

import threading
import weakref

import pytest
import torch

from compress_guard import measure
from compress_guard.engine.coding.coder import CHUNK_IMAGES
from compress_guard.engine.images import reader
from compress_guard.engine.images.readings import own
from compress_guard.engine.prediction.batches import AHEAD

SIDE = 48
KEPT = 10
BATCH = 4


class Alive:
    """Counts objects that are still there."""

    def __init__(self):
        self.now = self.most = self.seen = 0
        self._lock = threading.Lock()

    def add(self, thing):
        with self._lock:
            self.now, self.seen = self.now + 1, self.seen + 1
            self.most = max(self.most, self.now)
        weakref.finalize(thing, self._gone)
        return thing

    def _gone(self):
        with self._lock:
            self.now -= 1


class Watched:
    """Smooth pictures made from their index."""

    def __init__(self, images, target):
        self._images, self._target = images, target
        noise = torch.Generator().manual_seed(0)
        coarse = torch.rand(1, 3, 12, 48, generator=noise)
        smooth = torch.nn.functional.interpolate(coarse, size=(SIDE, SIDE + images), mode="bicubic")[0]
        self._texture = smooth + torch.randn(smooth.shape, generator=noise) / 20

    def __len__(self):
        return self._images

    def __getitem__(self, index):
        image = (self._texture[:, :, index : index + SIDE] * 255).clamp(0, 255).byte().contiguous()
        return image, self._target(image)


class Model:
    """Answers what is right of a clean image, and counts the images that it is given."""

    batch_size = BATCH

    def __init__(self, answer):
        self._answer, self.alive = answer, Alive()

    def __call__(self, images):
        for image in images:
            self.alive.add(image)
        return [self._answer(image) for image in images]


def label(image):
    return int(image.float().mean((1, 2)).argmax())


def scores(image):
    return image.float().mean((1, 2))


def regions(image):
    return (image[0] > 127).long()


TASKS = {"classification": (label, scores), "segmentation": (regions, regions)}


def most_alive(task, images, monkeypatch):
    """The most sources, and images given to the model, that were alive at a time."""
    target, answer = TASKS[task]
    sources, model = Alive(), Model(answer)
    # What is kept is a copy of what the data set gives.
    monkeypatch.setattr(reader, "own", lambda image: sources.add(own(image)))
    result = measure(model, Watched(images, target), task=task, codec="jpeg", bpp=4.0, device="cpu", workers=2)
    assert result.images_used == images, result.reason
    # Clean, after the lossless codec (in part), and compressed.
    assert model.alive.seen >= 2 * images
    assert sources.seen > 2 * images, "with so few images kept, each is read for every pass"
    return sources.most, model.alive.most


@pytest.mark.parametrize("task", TASKS)
def test_twice_the_images_are_no_more_at_a_time(task, monkeypatch):
    monkeypatch.setattr(reader, "KEPT_BYTES", KEPT * 3 * SIDE * SIDE)
    sources, given = zip(*(most_alive(task, images, monkeypatch) for images in (36, 72)), strict=True)
    # Those kept, and those that an encoder works on or that wait for the model.
    assert max(sources) <= KEPT + CHUNK_IMAGES < 72
    assert max(given) <= (1 + AHEAD) * BATCH
