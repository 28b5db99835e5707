"""Pictures of a measured cell have the names of images and classes, and the truth where it is drawn."""

from __future__ import annotations

import io

import numpy as np
import torch
from PIL import Image

from compress_guard.engine.pictures.kept import kept_images

NAMES = ["across", "down", "fine across", "fine down"]


class Named(list):
    image_names = property(lambda self: [f"photos/{number}.png" for number in range(len(self))])
    class_names = property(lambda self: NAMES)


def test_names_reach_the_pictures(diary, make_guard, make_world, spectrum, pictures, tmp_path):
    del diary
    world = make_world(make_guard(("jpeg",), (0.6,)), spectrum(), Named(pictures(12)), pictures=tmp_path / "kept")
    result = world.only().result
    (image,) = kept_images(tmp_path / "kept", result.id, result.drop, result.worst)
    worst = result.worst_images[0]
    assert (image.id, image.name) == (worst.id, worst.name)
    assert (image.target, image.clean, image.compressed) == (
        worst.target_name,
        worst.clean_name,
        worst.compressed_name,
    )
    assert (image.truth, image.key) == (b"", ())


class Boxed(Named):
    class_names = property(lambda self: {1: "box", 2: "never there"})


def test_the_truth_of_boxes_is_drawn_in_the_source(diary, make_guard, make_world, pictures, tmp_path):
    del diary
    boxes = {"boxes": torch.tensor([[10.0, 10.0, 50.0, 50.0]]), "labels": torch.tensor([1])}

    def find(images):
        # What is coded is not found: its noise is gone.
        return [
            {**boxes, "scores": torch.tensor([0.9])}
            if image.float().diff(dim=2).abs().mean() > 6
            else {"boxes": torch.zeros(0, 4), "labels": torch.zeros(0, dtype=torch.long), "scores": torch.zeros(0)}
            for image in images
        ]

    data = Boxed([(image, boxes, name) for image, _, name in pictures(12)])
    guard = make_guard(("jpeg",), (0.4,), task="detection", metric="map")
    result = make_world(guard, find, data, pictures=tmp_path / "kept").only().result
    image, *_ = kept_images(tmp_path / "kept", result.id, result.drop, result.worst)
    assert (image.target, image.clean, image.compressed) == ("1 box", "1 box", "0 boxes")
    assert image.key == ((1, "box"),)
    truth, source, coded = (
        np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)
        for data in (image.truth, *image.pictures[:2])
    )
    blue = [(side[9:52, 9:52, 2] - side[9:52, 9:52, 0] > 100).sum() for side in (truth, source, coded)]
    assert blue[0] == blue[1] > 50
    assert blue[2] == 0
    assert [(each.label, each.name) for each in result.class_scores] == [(1, "box")]
    assert result.class_scores[0].clean == result.clean_score
    assert result.class_scores[0].score == result.score
