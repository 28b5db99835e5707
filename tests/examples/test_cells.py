"""The example of blood cells reads its folder, trains to the same weights with and without a stop, and is studied."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from compress_guard.engine.recovery import recipes
from compress_guard.thresholds import load
from examples.photos import recovery

ANNOTATION = """<annotation><size><width>64</width></size>
<object><name>RBC</name><bndbox><xmin>4</xmin><ymin>6</ymin><xmax>40</xmax><ymax>30</ymax></bndbox></object>
<object><name>Platelets</name><bndbox><xmin>9</xmin><ymin>9</ymin><xmax>9</xmax><ymax>9</ymax></bndbox></object>
<object><name>WBC</name><bndbox><xmin>30</xmin><ymin>20</ymin><xmax>60</xmax><ymax>46</ymax></bndbox></object>
</annotation>"""
LISTS = {"train": ("one", "two", "three"), "val": ("four",), "test": ("five",)}


@pytest.fixture
def bccd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Five small images with two cells each, and one cell without a size."""
    folder = tmp_path / "BCCD"
    for name in ("JPEGImages", "Annotations", "ImageSets/Main"):
        (folder / name).mkdir(parents=True)
    random = np.random.default_rng(0)
    for split, names in LISTS.items():
        (folder / "ImageSets" / "Main" / f"{split}.txt").write_text("".join(f"{name}\n" for name in names))
        for name in names:
            pixels = random.integers(0, 256, (48, 64, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / "JPEGImages" / f"{name}.jpg")
            (folder / "Annotations" / f"{name}.xml").write_text(ANNOTATION)
    monkeypatch.setenv("BCCD", str(folder))
    monkeypatch.setenv("BCCD_WEIGHTS", str(tmp_path / "weights" / "bccd.pt"))
    monkeypatch.setattr(recovery, "HEIGHT", 24)
    monkeypatch.setattr(recovery, "WIDTH", 32)
    return folder


def test_what_is_trained_on_is_not_tested_on(bccd):
    assert recovery.cells_train().names == ["one", "two", "three"]
    assert recovery.cells().names == ["four", "five"]


def test_images_are_halved_with_their_boxes_and_boxes_without_a_size_left_out(bccd):
    image, cells, name = recovery.cells()[0]
    assert (image.size, name) == ((32, 24), "four")
    assert cells["boxes"].tolist() == [[2, 3, 20, 15], [15, 10, 30, 23]]
    assert cells["labels"].tolist() == [1, 2]


def test_an_image_is_turned_upside_down_with_its_boxes(bccd):
    steps = recovery.Steps(recovery.cells_train(), steps=8, batch=3, seed=0)
    plain = {image.numpy().tobytes() for image, _ in steps.items}
    seen = {False: 0, True: 0}
    for images, targets in steps.after(0):
        for image, cells in zip(images, targets, strict=True):
            turned = image.numpy().tobytes() not in plain
            assert (image.flip(1).contiguous().numpy().tobytes() in plain) == turned
            assert cells["boxes"][0].tolist() == ([2, 9, 20, 21] if turned else [2, 3, 20, 15])
            seen[turned] += 1
    assert min(seen.values()) >= 5


def test_each_pass_has_every_image_and_the_batches_of_later_steps_stay_the_same(bccd):
    steps = recovery.Steps(recovery.cells_train(), steps=4, batch=3, seed=0)
    batches = list(steps.after(0))
    for images, _ in batches:
        assert len({min(image.numpy().tobytes(), image.flip(1).numpy().tobytes()) for image in images}) == 3
    again = list(steps.after(2))
    assert all(
        (a == b).all()
        for (one, _), (two, _) in zip(batches[2:], again, strict=True)
        for a, b in zip(one, two, strict=True)
    )


def test_a_stopped_training_ends_at_the_same_weights(bccd, monkeypatch, capsys):
    recovery.main(["train", "--steps", "4", "--batch", "2"])
    path = Path(capsys.readouterr().out.split()[-1])
    whole = torch.load(path, weights_only=True)
    monkeypatch.setattr(recipes, "CHECKPOINT_SECONDS", 0.0)
    real = recovery.Steps.after

    def stopped(self, done):
        for at, batch in enumerate(real(self, done)):
            if at == 2:
                raise KeyboardInterrupt
            yield batch

    monkeypatch.setattr(recovery.Steps, "after", stopped)
    with pytest.raises(KeyboardInterrupt):
        recovery.main(["train", "--steps", "4", "--batch", "2"])
    assert list(path.parent.glob("*.ckpt"))
    monkeypatch.setattr(recovery.Steps, "after", real)
    recovery.main(["train", "--steps", "4", "--batch", "2"])
    resumed = torch.load(path, weights_only=True)
    assert all((resumed[name] == whole[name]).all() for name in whole)
    assert [file.name for file in path.parent.iterdir()] == ["bccd.pt"]
    predicted = recovery.detector()([torch.zeros(3, 24, 32, dtype=torch.uint8)])
    assert set(predicted[0]) >= {"boxes", "scores", "labels"}


def test_the_file_asks_for_what_the_module_has():
    guard = load(Path(recovery.__file__).with_name("recovery.yaml")).guards[0]
    assert guard.recovery is not None
    for name in (guard.model, guard.data, guard.recovery.train):
        module, _, attribute = name.partition(":")
        assert module == "examples.photos.recovery"
        assert callable(getattr(recovery, attribute))


def test_what_is_missing_is_said(bccd, monkeypatch):
    with pytest.raises(
        ValueError, match=r"bccd\.pt is not there; make it with python -m examples\.photos\.recovery train"
    ):
        recovery.detector()
    (bccd / "ImageSets" / "Main" / "val.txt").unlink()
    with pytest.raises(ValueError, match=r"val\.txt is not there; set BCCD to the folder"):
        recovery.cells()
    monkeypatch.delenv("BCCD")
    with pytest.raises(LookupError, match="set the environment variable BCCD"):
        recovery.cells()


@pytest.mark.skipif(not os.environ.get("BCCD"), reason="BCCD does not name the folder of the data set")
def test_the_data_set_is_what_the_module_says_of_it():
    tested, trained = recovery.cells(), recovery.cells_train()
    assert (len(trained), len(tested)) == (205, 159)
    assert not set(trained.names) & set(tested.names)
    seen: set[int] = set()
    for image, cells, _ in tested:
        assert image.size == (recovery.WIDTH, recovery.HEIGHT)
        assert cells["boxes"].min() >= 0
        assert (cells["boxes"][:, 2:] <= torch.tensor(image.size)).all()
        seen |= set(cells["labels"].tolist())
    assert seen == {1, 2, 3}
