"""RandomBatchCompression: whole batches, for learned codecs where they lie."""

from __future__ import annotations

import pickle

import pytest
import torch
from torchvision import tv_tensors

from compress_guard.augment.roundtrip import RateRange, RoundTrip
from compress_guard.codecs.neural.codec import Neural
from compress_guard.transforms import RandomBatchCompression

RATES = RateRange(0.1, 2.0)


@pytest.fixture(scope="module")
def batch(scenes) -> torch.Tensor:
    """Six images, uint8 (6, 3, 48, 64)."""
    return torch.stack([image[:, top : top + 48, :64] for image in scenes[:3] for top in (0, 48)])


@pytest.fixture(scope="module")
def neural() -> Neural:
    codec = Neural()
    if (reason := codec.unavailable()) is not None:
        pytest.skip(reason)
    return codec


def changed(found, given) -> list[bool]:
    return [not torch.equal(one, other) for one, other in zip(found, given, strict=True)]


def settings_of(trip, images, seed) -> list[float]:
    """Return the settings that the transform takes with this seed, by its two draws for each image."""
    torch.manual_seed(seed)
    return [
        trip.aimed(image, RATES, chance)[1]
        for image, (_, chance) in zip(images, torch.rand(len(images), 2).tolist(), strict=True)
    ]


def test_a_tensor_comes_back_as_a_tensor_and_a_list_as_a_list(batch):
    transform = RandomBatchCompression("jpeg", bpp=0.4)
    found = transform(batch)
    assert type(found) is torch.Tensor
    assert (found.shape, found.dtype) == (batch.shape, torch.uint8)
    assert all(changed(found, batch))
    images = [batch[0], batch[1][:, :33, :17], batch[2]]
    listed = transform(images)
    assert type(listed) is list
    assert [image.shape for image in listed] == [image.shape for image in images]
    assert all(changed(listed, images))


def test_images_stay_images(batch):
    for p in (0, 1):
        transform = RandomBatchCompression("jpeg", bpp=0.4, p=p)
        assert type(transform(tv_tensors.Image(batch))) is tv_tensors.Image
        assert [type(one) for one in transform([tv_tensors.Image(batch[0]), batch[1]])] == [
            tv_tensors.Image,
            torch.Tensor,
        ]


def test_what_was_given_is_left_as_it_was(batch):
    before = batch.clone()
    images = list(batch)
    RandomBatchCompression("jpeg", bpp=0.4)(batch)
    RandomBatchCompression("jpeg", bpp=0.4)(images)
    assert torch.equal(batch, before)
    assert torch.equal(torch.stack(images), before)


def test_an_empty_batch_comes_back_empty():
    transform = RandomBatchCompression("jpeg")
    assert transform([]) == []
    empty = torch.zeros(0, 3, 16, 16, dtype=torch.uint8)
    assert transform(empty).shape == empty.shape


def test_without_probability_nothing_changes(batch):
    transform = RandomBatchCompression("jpeg", bpp=0.4, p=0)
    assert torch.equal(transform(batch), batch)
    images = list(batch)
    assert all(one is other for one, other in zip(transform(images), images, strict=True))


def test_each_image_is_drawn_for_by_itself(batch):
    torch.manual_seed(0)
    transform = RandomBatchCompression("jpeg", bpp=0.4, p=0.5)
    seen = [changed(transform(batch), batch) for _ in range(40)]
    assert sum(map(sum, seen)) == pytest.approx(120, abs=31)  # four standard deviations
    assert any(0 < sum(one) < len(batch) for one in seen)


def test_a_seed_decides_all(batch):
    transform = RandomBatchCompression("jpeg", p=0.7)
    made = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        made.append(transform(batch))
    assert torch.equal(made[0], made[1])
    assert not torch.equal(made[0], made[2])
    copy = pickle.loads(pickle.dumps(transform))
    torch.manual_seed(1)
    assert torch.equal(copy(batch), made[0])


def test_one_image_gets_many_rates(batch):
    torch.manual_seed(0)
    found = RandomBatchCompression("jpeg")(batch[:1].repeat(12, 1, 1, 1))
    assert len({image.numpy().tobytes() for image in found}) >= 10


def test_pixels_are_those_of_real_streams(batch, neural):
    trip = RoundTrip(neural)
    settings = settings_of(trip, batch, seed=4)
    assert len(set(settings)) > 3
    expected = torch.stack(neural.decode(neural.encode(list(batch), settings)))
    torch.manual_seed(4)
    assert torch.equal(RandomBatchCompression("neural")(batch), expected)


def test_an_image_does_not_depend_on_its_batch(batch, neural):
    """Images that are drawn are coded as they would be if all were drawn."""
    torch.manual_seed(2)
    all_of_them = RandomBatchCompression("neural")(batch)
    torch.manual_seed(2)
    some = RandomBatchCompression("neural", p=0.5)(batch)
    coded = changed(some, batch)
    assert 0 < sum(coded) < len(batch)
    for one, other, was_coded in zip(some, all_of_them, coded, strict=True):
        assert torch.equal(one, other) == was_coded


def test_no_gradient_passes(batch):
    with torch.enable_grad():
        assert not RandomBatchCompression("jpeg")(batch).requires_grad


def test_a_device_gets_a_codec_of_its_own_once(neural):
    transform = RandomBatchCompression("neural")
    there = transform._trip("cuda:1")
    assert there.codec.device == "cuda:1"
    assert transform._trip("cuda:1") is there
    assert transform._trip("cpu").codec.device == "cpu"


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_batch_on_a_gpu_stays_there_and_has_the_pixels_of_real_streams(batch, neural):
    transform = RandomBatchCompression("neural")
    there = batch.cuda()
    torch.manual_seed(4)
    found = transform(there)
    assert found.device == there.device
    settings = settings_of(RoundTrip(neural.on(str(there.device))), there, seed=4)
    expected = torch.stack(neural.decode(neural.encode(list(batch), settings)))
    assert torch.equal(found.cpu(), expected)
    # Sums in another order may tip a setting over to the next, no further.
    on_cpu = settings_of(RoundTrip(neural), batch, seed=4)
    assert max(abs(one - other) for one, other in zip(settings, on_cpu, strict=True)) <= 1


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_codec_of_the_cpu_codes_batches_of_a_gpu(batch):
    transform = RandomBatchCompression("webp")
    made = []
    for given in (batch, batch.cuda(), [image.cuda() for image in batch]):
        torch.manual_seed(4)
        made.append(transform(given))
    assert made[1].is_cuda
    assert all(image.is_cuda for image in made[2])
    assert torch.equal(made[1].cpu(), made[0])
    assert torch.equal(torch.stack(made[2]).cpu(), made[0])
