"""RandomCompression in a pipeline: what goes through, what comes back, and what is drawn."""

from __future__ import annotations

import collections
import io
import pickle

import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader
from torchvision import tv_tensors
from torchvision.transforms import v2

import compress_guard
from compress_guard.codecs.jpeg import Jpeg
from compress_guard.codecs.neural.codec import Neural
from compress_guard.codecs.pixels import from_pil, to_pil
from compress_guard.codecs.webp import WebP
from compress_guard.errors import CodecError
from compress_guard.transforms import RandomCompression


def test_the_root_of_the_package_has_it():
    assert compress_guard.transforms.RandomCompression is RandomCompression


def test_a_picture_comes_back_as_a_picture(picture):
    found = RandomCompression(bpp=0.5)(picture)
    assert isinstance(found, Image.Image)
    assert (found.mode, found.size) == ("RGB", picture.size)
    assert not torch.equal(from_pil(found), from_pil(picture))


def test_an_image_comes_back_as_an_image(scenes):
    found = RandomCompression(bpp=0.5)(tv_tensors.Image(scenes[0]))
    assert type(found) is tv_tensors.Image
    assert (found.shape, found.dtype) == (scenes[0].shape, torch.uint8)
    assert not torch.equal(found, scenes[0])


def test_a_tensor_comes_back_as_a_tensor(scenes):
    found = RandomCompression(bpp=0.5)(scenes[0])
    assert type(found) is torch.Tensor
    assert (found.shape, found.dtype) == (scenes[0].shape, torch.uint8)
    assert found.is_contiguous()


@pytest.mark.parametrize("codec", ["jpeg", "webp"])
def test_one_draw_means_the_same_for_all_three(codec, scenes):
    transform = RandomCompression(codec)
    made = []
    for image in (scenes[0], tv_tensors.Image(scenes[0]), to_pil(scenes[0])):
        torch.manual_seed(3)
        made.append(transform(image))
    assert torch.equal(made[0], made[1])
    assert torch.equal(made[0], from_pil(made[2]))


def test_what_was_given_is_left_as_it_was(scenes, picture):
    before, pixels = scenes[0].clone(), picture.tobytes()
    transform = RandomCompression(bpp=0.3)
    transform(scenes[0])
    transform(picture)
    assert torch.equal(scenes[0], before)
    assert picture.tobytes() == pixels


def test_an_opened_file_is_a_picture_too(picture):
    file = io.BytesIO()
    picture.save(file, "PNG")
    torch.manual_seed(0)
    expected = RandomCompression()(picture)
    torch.manual_seed(0)
    found = RandomCompression()(Image.open(io.BytesIO(file.getvalue())))
    assert found.tobytes() == expected.tobytes()


def test_boxes_masks_and_labels_pass_through(scenes, picture):
    size = scenes[0].shape[1:]
    rest = {
        "boxes": tv_tensors.BoundingBoxes([[3, 4, 50, 60]], format="XYXY", canvas_size=size),
        "mask": tv_tensors.Mask(torch.ones(size, dtype=torch.uint8)),
        "labels": torch.tensor([7]),
        "weight": torch.rand(3, 8, 8),
        "name": "a",
        "none": None,
        "area": 2.5,
    }
    for image in (tv_tensors.Image(scenes[0]), picture):
        found = RandomCompression(bpp=0.5)({"image": image, **rest})
        assert list(found) == ["image", *rest]
        assert found["image"] is not image
        assert all(found[name] is value for name, value in rest.items())


def test_samples_keep_their_shape(scenes, picture):
    transform = RandomCompression(bpp=0.5)
    image, target = transform(picture, 3)
    assert isinstance(image, Image.Image)
    assert target == 3
    image, (label, boxes) = transform((scenes[0], (torch.tensor(1), [4])))
    assert type(image) is torch.Tensor
    assert torch.equal(label, torch.tensor(1))
    assert boxes == [4]


def test_images_of_one_sample_share_a_draw(scenes):
    transform = RandomCompression(("jpeg", "webp"), bpp=(0.2, 2.0), p=0.5)
    for seed in range(12):
        torch.manual_seed(seed)
        first, second = transform([tv_tensors.Image(scenes[0]), tv_tensors.Image(scenes[0].clone())])
        assert torch.equal(first, second)


def test_a_video_is_no_image(scenes):
    video = tv_tensors.Video(torch.stack(scenes))
    assert RandomCompression()(video) is video


def test_without_probability_nothing_changes_and_with_certainty_all(picture, scenes):
    never, always = RandomCompression(bpp=0.3, p=0), RandomCompression(bpp=0.3, p=1)
    for _ in range(20):
        assert never(picture) is picture
        assert never(scenes[0]) is scenes[0]
        assert not torch.equal(always(scenes[0]), scenes[0])


def test_p_is_the_share_of_samples_that_are_coded(scenes):
    torch.manual_seed(0)
    transform = RandomCompression(bpp=0.3, p=0.3)
    coded = [transform(scenes[0]) is not scenes[0] for _ in range(300)]
    assert sum(coded) == pytest.approx(90, abs=32)  # four standard deviations


def test_codecs_are_drawn_evenly():
    torch.manual_seed(0)
    transform = RandomCompression(["jpeg", "webp", "jp2"])
    drawn = collections.Counter(transform.make_params([])["codec"] for _ in range(900))
    assert set(drawn) == {0, 1, 2}
    assert max(abs(count - 300) for count in drawn.values()) <= 57  # four standard deviations


def test_options_make_another_codec(scenes):
    made = []
    for codecs in ("jpeg", {"jpeg": {"subsampling": "4:4:4"}}, {"jpeg": {"subsampling": "4:2:0"}}):
        torch.manual_seed(0)
        made.append(RandomCompression(codecs, bpp=1.0)(scenes[0]))
    assert not torch.equal(made[0], made[1])
    assert torch.equal(made[0], made[2])


def test_a_lower_rate_loses_more(scenes):
    losses = []
    for bpp in (0.2, 0.5, 1.0, 2.0, 4.0):
        found = RandomCompression(bpp=bpp)(scenes[0])
        losses.append(float((found.float() - scenes[0].float()).square().mean()))
    assert losses == sorted(set(losses), reverse=True)


def test_a_list_is_chosen_from_and_a_pair_drawn_from(scenes, monkeypatch):
    qualities = []
    passed = Jpeg.passed
    monkeypatch.setattr(Jpeg, "passed", lambda self, *args: qualities.append(args[1]) or passed(self, *args))
    for bpp, expected in ((0.8, 1), ([0.4, 2.0], 2), ((0.4, 2.0), 20)):
        qualities.clear()
        torch.manual_seed(0)
        transform = RandomCompression(bpp=bpp)
        for _ in range(40):
            transform(scenes[0])
        assert len(qualities) == 40
        assert (len(set(qualities)) >= expected) if expected > 2 else (len(set(qualities)) == expected)


def test_a_seed_decides_all(scenes, picture):
    transform, other = (RandomCompression(("jpeg", "webp"), p=0.8) for _ in range(2))

    def drawn(transform, seed):
        torch.manual_seed(seed)
        return torch.stack([transform(image) for image in scenes + scenes]), transform(picture).tobytes()

    (first, one), (again, two), (different, _) = drawn(transform, 1), drawn(other, 1), drawn(transform, 2)
    assert torch.equal(first, again)
    assert one == two
    assert not torch.equal(first, different)


@pytest.mark.parametrize("name", ["jpeg", "webp", "neural"])
def test_it_survives_a_pickle(name, scenes):
    if (reason := {"jpeg": Jpeg, "webp": WebP, "neural": Neural}[name]().unavailable()) is not None:
        pytest.skip(reason)
    transform = RandomCompression(name, bpp=(0.2, 1.0), p=0.9)
    copy = pickle.loads(pickle.dumps(transform))
    made = []
    for one in (transform, copy):
        torch.manual_seed(5)
        made.append(one(scenes[0][:, :48, :48]))
    assert torch.equal(*made)
    assert repr(copy) == repr(transform) == f"RandomCompression(codecs=('{name}',), bpp=(0.2, 1.0), p=0.9)"


def loaded(pictures, workers, seed, **options):
    """Return what a DataLoader yields if pictures are coded and made tensors sample by sample."""
    steps = v2.Compose([RandomCompression(("jpeg", "webp"), bpp=(0.2, 2.0)), v2.PILToTensor()])
    loader = DataLoader(
        pictures,
        batch_size=None,
        collate_fn=steps,
        num_workers=workers,
        generator=torch.Generator().manual_seed(seed),
        **options,
    )
    # In the main process it is the global seed that decides.
    torch.manual_seed(seed)
    return list(loader)


# Python 3.12 and later warn of a fork where a library has started threads; DataLoader may fork by default.
FORKED = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")


@FORKED
@pytest.mark.parametrize("workers", [0, 2])
def test_a_seeded_loader_hands_out_the_same_and_each_sample_its_own_draw(workers, picture):
    pictures = [picture] * 8
    first, again, other = (loaded(pictures, workers, seed) for seed in (1, 1, 2))
    assert all(torch.equal(one, two) for one, two in zip(first, again, strict=True))
    assert sum(torch.equal(one, two) for one, two in zip(first, other, strict=True)) <= 1
    assert len({image.numpy().tobytes() for image in first}) >= 7


@pytest.mark.slow
@FORKED
def test_a_worker_that_starts_anew_draws_what_any_worker_draws(picture):
    usual = loaded([picture] * 4, 1, seed=1)
    anew = loaded([picture] * 4, 1, seed=1, multiprocessing_context="spawn")
    assert all(torch.equal(one, two) for one, two in zip(usual, anew, strict=True))
    assert len({image.numpy().tobytes() for image in usual}) >= 3


def test_it_takes_its_place_in_a_pipeline(picture):
    steps = v2.Compose(
        [
            RandomCompression("webp", bpp=0.5),
            v2.RandomHorizontalFlip(),
            v2.Resize((32, 32)),
            v2.ToImage(),
            v2.ToDtype(torch.float32, scale=True),
        ]
    )
    boxes = tv_tensors.BoundingBoxes([[0, 0, 128, 96]], format="XYXY", canvas_size=(96, 128))
    image, moved = steps(picture, boxes)
    assert (image.shape, image.dtype) == ((3, 32, 32), torch.float32)
    assert moved.tolist() == [[0, 0, 32, 32]]


def test_an_image_that_cannot_be_coded_says_so():
    message = "jpeg could not code an image of 65501x16 pixels: sides of at most 65500 pixels can be coded"
    with pytest.raises(CodecError, match=f"^{message}$"):
        RandomCompression()(torch.zeros(3, 16, 65501, dtype=torch.uint8))
