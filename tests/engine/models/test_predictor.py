"""Predictors of torchvision-style modules: sizes, batches, and answers brought back to the source's pixels."""

from __future__ import annotations

import re

import pytest
import torch
from torch.nn.functional import interpolate

import compress_guard
from compress_guard.errors import ModelError


def pictures(*sizes):
    noise = torch.Generator().manual_seed(0)
    return [torch.randint(0, 256, (3, *size), dtype=torch.uint8, generator=noise) for size in sizes]


class Means(torch.nn.Module):
    """Scores are the channels' means; keeps the shapes of its inputs."""

    def __init__(self):
        super().__init__()
        self.shapes = []
        self.scale = torch.nn.Parameter(torch.ones(()))

    def forward(self, x):
        assert not self.training
        assert not torch.is_grad_enabled()
        self.shapes.append(tuple(x.shape))
        return x.mean((2, 3)) * self.scale


def test_classification_of_mixed_sizes_keeps_the_order():
    module = Means()
    images = pictures((4, 6), (4, 6), (8, 3), (4, 6))
    scores = compress_guard.predictor(module)(images)
    assert module.shapes == [(2, 3, 4, 6), (1, 3, 8, 3), (1, 3, 4, 6)]
    for image, score in zip(images, scores, strict=True):
        torch.testing.assert_close(score, image.float().mean((1, 2)) / 255)


def test_a_batch_is_split_and_an_empty_list_is_empty():
    module = Means()
    predict = compress_guard.predictor(module, batch_size=2)
    assert len(predict(pictures(*[(4, 4)] * 5))) == 5
    assert [shape[0] for shape in module.shapes] == [2, 2, 1]
    assert predict([]) == []
    assert predict.batch_size == 2


def test_preprocessing_sees_the_source_and_its_shapes_decide_what_is_stacked():
    seen, module = [], Means()

    def preprocess(image):
        seen.append((image.dtype, tuple(image.shape)))
        return interpolate(image[None].float(), size=(8, 8))[0]

    compress_guard.predictor(module, preprocess=preprocess)(pictures((4, 6), (9, 3)))
    assert seen == [(torch.uint8, (3, 4, 6)), (torch.uint8, (3, 9, 3))]
    assert module.shapes == [(2, 3, 8, 8)]


class Segmenter(torch.nn.Module):
    """Class 1 where red is bright; logits at a part of the size."""

    def __init__(self, part=1, named=False):
        super().__init__()
        self.part, self.named = part, named

    def forward(self, x):
        red = x[:, :1]
        logits = torch.cat([0.5 - red, red - 0.5, torch.full_like(red, -9)], dim=1)[:, :, :: self.part, :: self.part]
        return {"out": logits, "aux": None} if self.named else logits


@pytest.mark.parametrize("named", [False, True])
def test_segmentation_gives_a_label_map_of_the_sources_size(named):
    images = pictures((6, 8), (5, 7))
    maps = compress_guard.predictor(Segmenter(named=named), task="segmentation")(images)
    for image, labels in zip(images, maps, strict=True):
        assert labels.dtype == torch.int64
        assert labels.equal((image[0] > 127).long())


def test_segmentation_at_another_size_is_brought_back():
    halves = torch.zeros(3, 12, 20, dtype=torch.uint8)
    halves[0, :, 10:] = 255
    expected = (halves[0] > 127).long()
    (coarse,) = compress_guard.predictor(Segmenter(part=2), task="segmentation")([halves])
    resized = compress_guard.predictor(
        Segmenter(), task="segmentation", preprocess=lambda image: interpolate(image[None] / 255, size=(24, 40))[0]
    )([halves])[0]
    assert coarse.shape == resized.shape == expected.shape
    assert resized.equal(expected)
    assert (coarse != expected).float().mean() < 0.1


def test_segmentation_logits_of_another_shape():
    class Flat(torch.nn.Module):
        def forward(self, x):
            return x.mean((2, 3))

    message = (
        "the segmentation module returned a Tensor of shape (1, 3) for 1 images; expected logits (B, C, H, W), alone, "
        "under 'out' or 'logits', or first in a tuple of which nothing else has that shape; take them out with "
        "predictor(..., output=lambda output: ...)"
    )
    with pytest.raises(ModelError, match=f"^{re.escape(message)}$"):
        compress_guard.predictor(Flat(), task="segmentation")(pictures((4, 4)))


class Detector(torch.nn.Module):
    """One box over the whole image that it was given."""

    def forward(self, images):
        assert isinstance(images, list)
        return [
            {
                "boxes": torch.tensor([[0.0, 0.0, image.shape[2], image.shape[1]]]),
                "scores": torch.tensor([0.5]),
                "labels": torch.tensor([3]),
            }
            for image in images
        ]


@pytest.mark.parametrize("factor", [1, 2, 0.5])
def test_boxes_come_back_in_the_pixels_of_the_source(factor):
    def preprocess(image):
        size = (int(image.shape[1] * factor), int(image.shape[2] * factor * 2))
        return interpolate(image[None].float(), size=size)[0]

    images = pictures((8, 12), (20, 6))
    found = compress_guard.predictor(Detector(), task="detection", preprocess=preprocess)(images)
    for image, one in zip(images, found, strict=True):
        torch.testing.assert_close(one["boxes"], torch.tensor([[0.0, 0.0, image.shape[2], image.shape[1]]]))
        assert one.keys() == {"boxes", "scores", "labels"}


def test_what_predictor_refuses():
    with pytest.raises(
        ValueError,
        match=r"^unknown task 'detect', did you mean 'detection'\? known: classification, detection, segmentation$",
    ):
        compress_guard.predictor(Means(), task="detect")
    with pytest.raises(ValueError, match=r"^batch_size is 0; it must be at least 1$"):
        compress_guard.predictor(Means(), batch_size=0)


def test_a_module_that_was_training_is_set_to_evaluate_and_gives_no_graph():
    module = Means().train()
    (scores,) = compress_guard.predictor(module)(pictures((4, 4)))
    assert not module.training
    assert not scores.requires_grad


@pytest.mark.gpu
def test_the_module_follows_the_images_to_the_gpu_or_stays_where_it_was_told():
    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")
    images = pictures((4, 6), (8, 3))
    expected = compress_guard.predictor(Means())(images)
    for predict, given in (
        (compress_guard.predictor(Means()), [image.cuda() for image in images]),
        (compress_guard.predictor(Means(), device="cuda"), images),
    ):
        found = predict(given)
        assert all(score.is_cuda for score in found)
        torch.testing.assert_close([score.cpu() for score in found], expected)
