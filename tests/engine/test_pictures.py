"""Pictures of the worst images: drawn at their place, read only if they are of this run and of this package."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
import torch
from PIL import Image

from compress_guard.engine.pictures import drawing
from compress_guard.engine.pictures.kept import WorstImage, keep_images, kept_images
from compress_guard.records import Geometry

CELL = "thresholds.yaml::photos[jpeg-0.25bpp]"


def opened(data):
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)


def picture(side=8, colour=(10, 20, 30)):
    buffer = io.BytesIO()
    Image.new("RGB", (side, side), colour).save(buffer, "WEBP", lossless=True)
    return buffer.getvalue()


WORST = [("a/1.png", 0.5), ("a/2.png", 0.5)]


@pytest.fixture
def image():
    return WorstImage("a/1.png", 0.5, "class 3", "class 3", "class 7", (picture(), picture(9), picture(10)))


def test_what_is_kept_is_read(tmp_path, image):
    keep_images(tmp_path / "pics", CELL, 12.5, [image])
    assert kept_images(tmp_path / "pics", CELL, 12.5, WORST) == (image,)
    assert kept_images(tmp_path / "pics", "other", 12.5, WORST) == ()


def test_pictures_of_another_run_are_not_read(tmp_path, image):
    keep_images(tmp_path, CELL, 12.5, [image])
    assert kept_images(tmp_path, CELL, 12.6, WORST) == ()
    keep_images(tmp_path, CELL, 3.0, [])
    assert kept_images(tmp_path, CELL, 12.5, WORST) == ()


@pytest.mark.parametrize("damage", ["missing", "foreign", "huge", "index"])
def test_damaged_pictures_are_left_out(tmp_path, image, damage):
    keep_images(tmp_path, CELL, 12.5, [image])
    (coded,) = tmp_path.glob("*.coded.webp")
    (index,) = tmp_path.glob("*.json")
    if damage == "missing":
        coded.unlink()
    elif damage == "foreign":
        coded.write_bytes(b"<svg onload=alert(1)>")
    elif damage == "huge":
        coded.write_bytes(picture() + b" " * 2**19)
    else:
        index.write_text(json.dumps({"drop": 12.5, "images": [3]}))
    assert kept_images(tmp_path, CELL, 12.5, WORST) == ()


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path, image):
    (tmp_path / "file").write_text("")
    keep_images(tmp_path / "file", CELL, 1.0, [image])
    assert kept_images(tmp_path / "file", CELL, 1.0, WORST) == ()


def test_a_cropped_image_is_shown_at_its_place():
    half = Geometry((40, 80), (20.0, 10.0, 60.0, 30.0), (10, 20))
    shown = np.asarray(drawing.in_frame(torch.full((3, 10, 20), 250, dtype=torch.uint8), half))
    assert shown.shape == (40, 80, 3)
    assert (shown[10:30, 20:60] == 250).all()
    assert (shown[:10] == 128).all()
    assert (shown[:, :20] == 128).all()


def test_boxes_are_drawn_where_they_are_and_weak_ones_are_not():
    grey = Image.new("RGB", (640, 320), (128, 128, 128))
    found = {
        "boxes": np.array([[100.0, 100.0, 300.0, 200.0], [400.0, 50.0, 500.0, 90.0]]),
        "labels": np.array([1, 2]),
        "scores": np.array([0.9, 0.1]),
    }
    shown = opened(drawing.drawn(grey, found, (20, 40)))
    assert shown.shape == (160, 320, 3)
    changed = np.argwhere(abs(shown - 128).max(axis=2) > 60)
    # Half the size: from ((100 + 20) / 2, (100 + 40) / 2) to (160, 120), and nothing around the weak box.
    assert changed.min(axis=0) == pytest.approx([70, 60], abs=2)
    assert changed.max(axis=0) == pytest.approx([120, 160], abs=2)
    assert drawing.words(found) == "1 box"


def test_a_mask_is_drawn_without_its_background():
    labels = np.zeros((60, 60), dtype=np.uint16)
    labels[20:40, 20:40] = 3
    labels[:5] = 255
    shown = opened(drawing.drawn(Image.new("RGB", (60, 60), (128, 128, 128)), {"labels": labels}, (0, 0)))
    assert abs(shown[30, 30] - 128).max() > 20
    assert abs(shown[50, 50] - 128).max() < 8
    assert abs(shown[2, 30] - 128).max() < 8
    assert drawing.words({"labels": labels}) == "2 labels"


def test_the_difference_is_four_times_as_strong():
    one, other = Image.new("RGB", (16, 16), (100, 100, 100)), Image.new("RGB", (16, 16), (110, 100, 20))
    assert opened(drawing.difference(one, other)).mean(axis=(0, 1)) == pytest.approx([40, 0, 255], abs=12)


@pytest.mark.parametrize(
    ("arrays", "text"),
    [
        ({"scores": np.array([0.1, 0.7, 0.2])}, "class 1"),
        ({"label": np.array(4)}, "class 4"),
        ({"boxes": np.zeros((2, 4)), "labels": np.zeros(2)}, "2 boxes"),
        ({"other": np.zeros(2)}, ""),
    ],
)
def test_words(arrays, text):
    assert drawing.words(arrays) == text


def test_words_say_which_class_a_mask_takes_for_which():
    clean = np.zeros((20, 20), dtype=np.uint8)
    clean[:10] = 1
    clean[0, :] = 255
    coded = clean.copy()
    coded[5:10, :] = 2
    coded[12, :] = 3
    coded[19, 0] = 1  # a pixel is no change of a class
    coded[0, :] = 2
    names = {0: "background", 1: "cat", 2: "dog"}
    text = drawing.taken_for({"labels": clean}, {"labels": coded}, names)
    assert text == "cat taken for dog, background taken for class 3"
    assert drawing.taken_for({"labels": clean}, {"labels": clean}, names) == ""


def test_other_predictions_have_no_such_words():
    boxes = {"boxes": np.zeros((2, 4)), "labels": np.array([1, 2])}
    assert drawing.taken_for(boxes, boxes, {}) == ""
    scores = {"scores": np.array([0.1, 0.9])}
    assert drawing.taken_for(scores, scores, {}) == ""
