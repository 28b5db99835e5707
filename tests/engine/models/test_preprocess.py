"""Preprocessing that was written for PIL images."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import transforms as v1
from torchvision.transforms import functional, v2

import compress_guard
from compress_guard.errors import ModelError


def pictures(count=3, size=(40, 56)):
    noise = torch.Generator().manual_seed(0)
    return [torch.randint(0, 256, (3, *size), dtype=torch.uint8, generator=noise) for _ in range(count)]


class Kept(torch.nn.Module):
    """Keeps its inputs."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def forward(self, x):
        self.seen += list(x)
        return x.float().mean((2, 3))


def by_hand(image):
    """An image as a project's own loop over PIL images hands it over."""
    return Image.fromarray(image.permute(1, 2, 0).numpy())


MEANS = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
WANTS_PIL: dict[str, Any] = {
    "v1": v1.Compose([v1.Resize(24), v1.CenterCrop(16), v1.ToTensor(), v1.Normalize(*MEANS)]),
    "v1 nested": v1.Compose([v1.Compose([v1.Resize(24)]), v1.RandomApply([v1.ToTensor()], p=1.0)]),
    "v1 PILToTensor": v1.Compose([v1.Resize(24), v1.PILToTensor()]),
    "v2": v2.Compose([v2.Resize(24), v2.PILToTensor(), v2.ToDtype(torch.float32, scale=True)]),
    "to_tensor": functional.to_tensor,
    "convert": lambda image: functional.to_tensor(image.convert("L").convert("RGB")),
    "resize": lambda image: functional.to_tensor(image.resize((16, 16), Image.Resampling.BICUBIC)),
    "size": lambda image: functional.to_tensor(image.crop((0, 0, image.size[0] // 2, image.size[1] // 2))),
    "numpy": lambda image: torch.from_numpy(np.asarray(image.rotate(90, expand=True)).transpose(2, 0, 1).copy()),
    "wrapped": lambda image: WANTS_PIL["v1"](image).flip(-1),
}


@pytest.mark.parametrize("name", WANTS_PIL)
def test_a_transform_that_wants_pil_images_gives_the_bits_of_a_loop_over_them(name):
    module, images = Kept(), pictures()
    compress_guard.predictor(module, preprocess=WANTS_PIL[name])(images)
    expected = [WANTS_PIL[name](by_hand(image)) for image in images]
    assert len(module.seen) == len(images)
    assert all(seen.equal(wanted) for seen, wanted in zip(module.seen, expected, strict=True))


TAKES_TENSORS = {
    "weights": v1.Compose([v1.Resize(24), v1.ConvertImageDtype(torch.float32)]),
    "back and forth": v1.Compose([v1.ToPILImage(), v1.Resize(24), v1.ToTensor()]),
    "by a lambda": v1.Compose([v1.Lambda(functional.to_pil_image), v1.Resize(24), v1.ToTensor()]),
    "v2": v2.Compose([v2.ToImage(), v2.Resize(24), v2.ToDtype(torch.float32, scale=True)]),
}


@pytest.mark.parametrize("name", TAKES_TENSORS)
def test_a_transform_that_takes_tensors_gets_them(name):
    module, images = Kept(), pictures()
    compress_guard.predictor(module, preprocess=TAKES_TENSORS[name])(images)
    assert all(seen.equal(TAKES_TENSORS[name](image)) for seen, image in zip(module.seen, images, strict=True))


def test_the_first_image_decides_for_all_and_for_other_modules():
    seen = []

    def preprocess(image):
        seen.append(type(image).__name__)
        return functional.to_tensor(image)

    predict = compress_guard.predictor(Kept(), preprocess=preprocess)
    predict(pictures())
    predict.with_module(Kept())(pictures(2))
    assert seen == ["Tensor", *["Image"] * 5]

    def picky(image):
        if int(image[0, 0, 0]) == 0:
            raise TypeError("no black corners")
        return image.float()

    first, second = pictures(2)
    first[0, 0, 0], second[0, 0, 0] = 1, 0
    with pytest.raises(TypeError, match="^no black corners$"):
        compress_guard.predictor(Kept(), preprocess=picky)([first, second])


def test_the_images_are_not_changed_by_the_attempt():
    def preprocess(image):
        if isinstance(image, torch.Tensor):
            image.zero_()
        return functional.to_tensor(image)

    module, images = Kept(), pictures(1)
    before = images[0].clone()
    compress_guard.predictor(module, preprocess=preprocess)(images)
    assert module.seen[0].equal(functional.to_tensor(by_hand(before)))


def test_a_transform_that_takes_neither():
    message = (
        "preprocess raised TypeError: got Tensor for a uint8 tensor (3, 40, 56), and TypeError: got Image for a PIL "
        "image of it; expected a transform that takes one of the two and returns a tensor"
    )

    def neither(image):
        raise TypeError(f"got {type(image).__name__}")

    with pytest.raises(ModelError, match=f"^{re.escape(message)}$"):
        compress_guard.predictor(Kept(), preprocess=neither)(pictures())


def test_what_a_processor_returns_is_named():
    message = (
        "preprocess returned a dict with pixel_values (1, 3, 40, 56); expected a tensor (3, h, w); take it out, for "
        'example preprocess=lambda image: processor(image, return_tensors="pt")["pixel_values"][0]'
    )

    def processed(image):
        return {"pixel_values": image[None]}

    with pytest.raises(ModelError, match=f"^{re.escape(message)}$"):
        compress_guard.predictor(Kept(), preprocess=processed)(pictures())


def test_out_of_memory_is_no_reason_to_try_something_else():
    def preprocess(image):
        raise torch.OutOfMemoryError("full")

    with pytest.raises(torch.OutOfMemoryError, match="^full$"):
        compress_guard.predictor(Kept(), preprocess=preprocess)(pictures())


@pytest.mark.gpu
def test_what_a_pil_transform_makes_follows_the_image_to_the_gpu():
    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")
    module = Kept()
    compress_guard.predictor(module, preprocess=WANTS_PIL["v1"])([image.cuda() for image in pictures()])
    assert all(seen.is_cuda for seen in module.seen)
    assert all(s.cpu().equal(WANTS_PIL["v1"](by_hand(i))) for s, i in zip(module.seen, pictures(), strict=True))
