"""Coefficients are computed once per image, whatever the rates, and are never those of another image."""

from __future__ import annotations

import threading

import pytest
import torch

from compress_guard.codecs.neural import model as models
from compress_guard.codecs.neural.codec import Neural
from compress_guard.codecs.neural.coefficients import KEPT_BYTES, Coefficients
from compress_guard.rate import plan
from compress_guard.records import ImageInfo


class Counted:
    """A transform, and how many images it was given."""

    def __init__(self, transform):
        self._transform = transform
        self.images = 0

    def __call__(self, images):
        self.images += len(images)
        return self._transform(images)


@pytest.fixture
def counted(monkeypatch):
    """The bundled model's transform, beginning with nothing kept."""
    if (reason := Neural().unavailable()) is not None:
        pytest.skip(reason)
    model = models.model("cpu")
    transform = Counted(model.analysed)
    monkeypatch.setattr(model, "_coefficients", Coefficients(transform))
    return transform


@pytest.fixture
def doubled():
    """A transform of two numbers a pixel and colour."""
    return Counted(lambda images: torch.cat((images.double(), images.double() * 2), 1))


def noise(*shape, seed=0):
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("mode", ["dataset", "image"])
def test_one_transform_per_image_for_all_rates_of_a_plan(counted, natural, mode):
    images = [natural(40 + 8 * (seed % 2), 56, seed) for seed in range(5)]
    codec, asked = Neural(), []

    def encode(requests):
        asked.extend(requests)
        return [len(one) for one in codec.encode([images[at] for at, _ in requests], [s for _, s in requests])]

    infos = [ImageInfo(str(at), image.shape[1] * image.shape[2]) for at, image in enumerate(images)]
    plan(infos, codec.ladder, (0.25, 0.5, 1.0), mode=mode, tolerance=0.05, seed=0, encode=encode)
    assert len(asked) >= 3 * len(images)
    assert counted.images == len(images)


def test_streams_are_the_same_with_and_without_what_was_kept(counted, natural, monkeypatch):
    images = [natural(40, 56, seed) for seed in range(3)]
    codec, settings = Neural(), [30.0, 70.0, 110.0]
    kept = [codec.encode(images, [setting] * 3) for setting in settings]
    assert counted.images == 3
    for setting, streams in zip(settings, kept, strict=True):
        monkeypatch.setattr(models.model("cpu"), "_coefficients", Coefficients(counted, limit=0))
        assert codec.encode(images, [setting] * 3) == streams
    assert counted.images == 3 + 9


def test_many_settings_in_one_call_are_one_transform(counted, natural):
    image = natural(48, 48)
    assert len(set(Neural().encode([image] * 5, [20.0, 50.0, 80.0, 110.0, 140.0]))) == 5
    assert counted.images == 1


def test_an_image_changed_in_place_is_another_image(counted, natural):
    image = natural(40, 40, 1)
    before = Neural().encode([image], [90.0])
    image.numpy()[:] = 255 - image.numpy()
    after = Neural().encode([image], [90.0])
    assert counted.images == 2
    assert after != before
    assert after == Neural().encode([image.clone()], [90.0])
    assert counted.images == 2


def test_an_encoder_does_without_what_only_decoders_need(natural, monkeypatch):
    if (reason := Neural().unavailable()) is not None:
        pytest.skip(reason)
    runs = []
    after = models.model("cpu")._network.after
    monkeypatch.setattr(after, "forward", lambda *given, run=after.forward: (runs.append(1), run(*given))[1])
    stream = Neural().encode([natural(32, 32)], [80.0])
    assert runs == []
    Neural().decode(stream)
    assert runs == [1]


def test_float32_holds_every_coefficient_exactly():
    """They are multiples of 2 ** -10 and no larger than a row of the transform makes of the largest pixels."""
    if (reason := Neural().unavailable()) is not None:
        pytest.skip(reason)
    model = models.model("cpu")
    largest = model._network.analysis.abs().sum(dim=(1, 2, 3)).max() * 128
    assert largest * 2**10 < 2**24
    found = model.analysed(noise(2, 3, 24, 40))
    assert torch.equal(found.float().double(), found)


def test_coefficients_come_in_the_order_of_the_images(doubled):
    images = [noise(3, 2, 4, seed=seed) for seed in range(3)]
    kept = Coefficients(doubled)
    kept.of([images[1]])
    found = kept.of([images[2], images[0], images[1], images[0]])
    for values, image in zip(found, [images[2], images[0], images[1], images[0]], strict=True):
        assert torch.equal(values, torch.cat((image, image.int() * 2)).double())
    assert found.dtype == torch.float64
    assert doubled.images == 3


def test_equal_bytes_of_another_shape_are_another_image(doubled):
    kept = Coefficients(doubled)
    flat = torch.full((3, 2, 8), 7, dtype=torch.uint8)
    assert kept.of([flat]).shape == (1, 6, 2, 8)
    assert kept.of([flat.reshape(3, 8, 2)]).shape == (1, 6, 8, 2)


def test_the_least_recently_used_goes_first(doubled):
    images = [noise(3, 4, 4, seed=seed) for seed in range(3)]
    size = 2 * images[0].numel() * 4
    kept = Coefficients(doubled, limit=2 * size)
    kept.of(images[:2])
    kept.of(images[:1])
    kept.of(images[2:])
    assert doubled.images == 3
    kept.of(images[:1])
    assert doubled.images == 3
    kept.of(images[1:2])
    assert doubled.images == 4


def test_no_more_is_kept_than_allowed(doubled):
    size = 2 * 3 * 16 * 4
    kept = Coefficients(doubled, limit=3 * size + 1)
    for seed in range(10):
        kept.of([noise(3, 4, 4, seed=seed), noise(3, 4, 4, seed=seed + 1)])
        assert sum(one.untyped_storage().nbytes() for one in kept._kept.values()) <= 3 * size + 1
    kept.of([noise(3, 40, 40)])
    assert not kept._kept
    assert KEPT_BYTES == 128 * 2**20


def test_threads_that_want_one_image_share_one_transform(doubled):
    kept, image, found = Coefficients(doubled), noise(3, 64, 64), []
    begin = threading.Barrier(8)

    def work():
        begin.wait()
        found.append(kept.of([image]))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert doubled.images == 1
    assert len(found) == 8
    assert all(torch.equal(one, found[0]) for one in found)


def test_a_transform_that_fails_leaves_nothing_behind(doubled):
    calls = iter([RuntimeError("out of memory"), None])

    def failing(images):
        if (problem := next(calls)) is not None:
            raise problem
        return doubled(images)

    kept = Coefficients(failing)
    with pytest.raises(RuntimeError, match="out of memory"):
        kept.of([noise(3, 4, 4)])
    assert kept.of([noise(3, 4, 4)]).shape == (1, 6, 4, 4)
