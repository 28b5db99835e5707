"""Predictions on scaled pictures, brought back to the frame of their sources: all cells against plain loops."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from compress_guard.codecs.pictures.fidelity import psnr
from compress_guard.codecs.pixels import from_pil, to_pil
from compress_guard.errors import CodecError
from compress_guard.registry import TASKS
from compress_guard.tasks.detection import Detection
from compress_guard.tasks.segmentation import Segmentation


def by_hand(image, longest, quality):
    """The picture as Pillow alone makes it: scaled, saved and opened again; and the length of its file."""
    height, width = image.shape[-2:]
    scale = min(1, longest / max(height, width))
    small = to_pil(image).resize((max(1, round(width * scale)), max(1, round(height * scale))))
    file = io.BytesIO()
    small.save(file, "JPEG", quality=quality) if quality else small.save(file, "PNG")
    return from_pil(Image.open(io.BytesIO(file.getvalue()))), len(file.getvalue())


def iou(one, other):
    """Intersection over union of two boxes, written out."""
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    both = max(0, wide) * max(0, high)
    return both / ((one[2] - one[0]) * (one[3] - one[1]) + (other[2] - other[0]) * (other[3] - other[1]) - both)


@pytest.mark.parametrize(("longest", "least"), [(48, 99), (20, 10)])
def test_boxes_are_scored_in_the_frame_of_the_source(thumb, make_fixed, make_world, scenes, finder, longest, least):
    data, model = scenes(), finder()
    guard = make_fixed("detection", "map", {"longest": longest, "png": True})
    result = make_world(guard, model, data).only().result
    shown = [by_hand(image, longest, None) for image, _, _ in data]
    items, overlaps = [], []
    for (image, target, _), (small, _) in zip(data, shown, strict=True):
        (height, width), (small_height, small_width) = image.shape[-2:], small.shape[-2:]
        answer = finder.found(small)
        across, down = width / small_width, height / small_height
        answer["boxes"] = answer["boxes"].double() * torch.tensor([across, down, across, down], dtype=torch.float64)
        task = Detection()
        size = (height, width)
        items.append(task.evidence(task.prediction(answer, size), task.target(target, size), size))
        wanted = dict(zip(target["labels"].tolist(), target["boxes"].tolist(), strict=True))
        overlaps += [
            iou(wanted[label], box)
            for label, box in zip(answer["labels"].tolist(), answer["boxes"].tolist(), strict=True)
        ]
    plain = float(Detection().scorer("map", items)(np.ones((1, len(items))))[0])
    assert result.score == pytest.approx(plain, abs=1e-9)
    assert np.mean(overlaps) > 0.8, "boxes that are not scaled back overlap far less"
    assert (result.clean_score, result.drop) == (100, pytest.approx(100 - plain, abs=1e-9))
    assert result.score > least
    assert result.bpp_mean == pytest.approx(
        np.mean([8 * length / image[0].numel() for (image, _, _), (_, length) in zip(data, shown, strict=True)])
    ), "rates are over the pixels of the source"
    assert result.psnr_mean == 100, "compared with the scaled source"
    assert [tuple(image.shape[-2:]) for image in model.seen[-12:]] == [tuple(small.shape[-2:]) for small, _ in shown]


class Labeller:
    """A segmenter by brightness, at the size of what it gets."""

    batch_size = 4

    def __init__(self):
        self.sizes = []

    def __call__(self, images):
        self.sizes += [tuple(image.shape[-2:]) for image in images]
        return [(image[0] > 127).long() for image in images]


def halves(size, at):
    """A picture that is bright from a column on, with its map."""
    image = torch.zeros(3, *size, dtype=torch.uint8)
    image[:, :, at:] = 255
    return image, (image[0] > 127).long()


def test_maps_are_scored_at_the_size_of_the_source(thumb, make_fixed, make_world):
    sizes = ((60, 100), (96, 64), (30, 40))
    data = [(*halves(sizes[number % 3], 10 + number), f"h{number}") for number in range(6)]
    result = (
        make_world(make_fixed("segmentation", "miou", {"longest": 48, "png": True}), Labeller(), data).only().result
    )
    overlaps = np.zeros((2, 2))
    for image, target, _ in data:
        small = (by_hand(image, 48, None)[0][0] > 127).numpy()
        (height, width), (small_height, small_width) = target.shape, small.shape
        for y in range(height):
            for x in range(width):
                found = int(small[int((y + 0.5) * small_height / height), int((x + 0.5) * small_width / width)])
                truth = int(target[y, x])
                overlaps[0, found] += found == truth
                overlaps[1, found] += 1
                overlaps[1, truth] += found != truth
    assert result.score == pytest.approx(100 * (overlaps[0] / overlaps[1]).mean(), abs=1e-9)
    assert result.clean_score == 100


def test_a_classifier_sees_what_is_delivered(thumb, make_fixed, make_world, pictures, spectrum):
    data, model = pictures(), spectrum()
    result = make_world(make_fixed("classification", "top1", {"longest": 88}), model, data).only().result
    shown = [by_hand(image, 88, 30)[0] for image, _, _ in data]
    right = sum(int(model.scores(small).argmax()) == label for small, (_, label, _) in zip(shown, data, strict=True))
    assert result.score == pytest.approx(100 * right / len(data))
    scaled = [
        from_pil(to_pil(image).resize(small.shape[:0:-1])) for small, (image, _, _) in zip(shown, data, strict=True)
    ]
    levels = [psnr(small, uncoded) for small, uncoded in zip(shown, scaled, strict=True)]
    assert result.psnr_mean == pytest.approx(np.mean(levels))
    assert result.encodes == pytest.approx(1)
    assert all(any(one.equal(other) for other in model.images_seen) for one in shown)


def test_a_codec_that_delivers_another_size_than_it_states_is_at_fault(
    thumb, make_fixed, make_world, pictures, spectrum
):
    thumb.grown = True
    measured = make_world(make_fixed("classification", "top1", {"longest": 48}), spectrum(), pictures(4)).only()
    assert (type(measured.problem), measured.result.verdict) == (CodecError, "codec_error")
    assert measured.result.reason == (
        "4 of 4 images failed, allowed by max_error_share 0: 0; the first: image t00: decoded to (3, 48, 49), not to "
        "the (3, 48, 48) that the codec delivers of its source"
    )


class Depth:
    """A task of others that knows no other sizes than those of its pictures: segmentation under another name."""

    name = "depth"
    metrics = Segmentation.metrics

    def __getattr__(self, member):
        if member in ("restored", "cropped"):
            raise AttributeError(member)
        return getattr(Segmentation(), member)


def test_a_task_that_cannot_bring_predictions_back_is_an_error(thumb, make_fixed, make_world, monkeypatch):
    monkeypatch.setitem(TASKS._targets, "depth", "nowhere:depth")
    monkeypatch.setitem(TASKS._found, "depth", Depth)
    data = [(*halves((60, 100), 10 + number), f"h{number}") for number in range(4)]
    measured = make_world(make_fixed("depth", "miou", {"longest": 50}), Labeller(), data).only()
    assert measured.result.verdict == "error"
    assert measured.result.reason == (
        "image h0: the codec delivers 30x50 pixels of a source of 60x100 (height x width), and the task 'depth' cannot "
        "bring predictions back to the source; expected a task with restored() and cropped(); add them "
        "(docs/howto/extending.md), or measure it with codecs that keep the size"
    )
    kept = make_world(make_fixed("depth", "miou", {"longest": 100}), Labeller(), data, run="kept").only()
    assert kept.result.verdict == "pass", "a codec that keeps the size asks nothing of the task"


def test_a_rate_and_a_fixed_point_deliver_the_same_streams(thumb, make_fixed, make_world, pictures, spectrum):
    guard = make_fixed("classification", "top1", {"longest": 48})
    world = make_world(guard, spectrum(), pictures(4))
    first = world.only().result
    made = thumb.encoded
    again = make_world(replace(guard), spectrum(), pictures(4), run="again").only().result
    assert (again.bpp_mean, again.score, thumb.encoded) == (first.bpp_mean, first.score, made)
    assert re.fullmatch(r"toys\[thumb0\]", first.id)
