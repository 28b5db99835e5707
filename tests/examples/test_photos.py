"""The example of photographs measures what folder, weights and labels say, or says what is wrong with them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torchvision.models import squeezenet1_0

from compress_guard.engine.session import Session, without_fixtures
from compress_guard.engine.settings import RunSettings
from compress_guard.records import CellResult
from compress_guard.thresholds import load
from examples.photos import photos

EXAMPLE = Path(photos.__file__).parent
NAMES = ("a.png", "b.jpg", "c.PNG", "d.jpeg")


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """State dict of a network that nobody trained, in a .pth file."""
    path = tmp_path_factory.mktemp("weights") / "squeezenet1_0.pth"
    with torch.random.fork_rng():
        torch.manual_seed(0)
        torch.save(squeezenet1_0().state_dict(), path)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four pictures, soft with a little noise, and a file that is none."""
    folder = tmp_path / "images"
    folder.mkdir()
    random = np.random.default_rng(0)
    for name in NAMES:
        coarse = Image.fromarray(random.integers(0, 256, (6, 8, 3), dtype=np.uint8))
        soft = np.asarray(coarse.resize((160, 120), Image.Resampling.BICUBIC), dtype=np.int16)
        noisy = soft + random.integers(-12, 13, soft.shape)
        Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(folder / name)
    (folder / "notes.txt").write_text("not an image")
    return folder


@pytest.fixture(autouse=True)
def given(folder: Path, weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHOTOS", str(folder))
    monkeypatch.setenv("PHOTOS_WEIGHTS", str(weights))
    monkeypatch.delenv("PHOTOS_LABELS", raising=False)


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The path of PHOTOS_LABELS; nothing is in it."""
    path = tmp_path / "labels.csv"
    path.touch()
    monkeypatch.setenv("PHOTOS_LABELS", str(path))
    return path


def measured(folder: Path) -> CellResult:
    """The guard's cell of JPEG at 2 bpp, by the thresholds file as it is shipped."""
    thresholds = load(EXAMPLE / "thresholds.yaml")
    (guard,) = thresholds.guards
    cell = next(cell for cell in guard.cells if (cell.codec.alias, cell.bpp) == ("jpeg", 2.0))
    settings = RunSettings(run_folder=folder / "run", store_folder=folder / "store", device="cpu", limit=4, workers=1)
    return Session(thresholds, settings).measure(cell, cell.name, without_fixtures, lambda *_: None).result


def predictions() -> list[int]:
    """The classes that the model says for the folder's images, in the order of their names."""
    tensors = [torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1) for image, *_ in photos.images()]
    return [int(scores.argmax()) for scores in photos.squeezenet()(tensors)]


def write(table: Path, labels: Sequence[int], names: Sequence[str] = NAMES) -> None:
    table.write_text("".join(f"{name},{label}\n" for name, label in zip(names, labels, strict=True)))


@pytest.mark.parametrize(("shift", "score"), [(0, 100.0), (1, 0.0)], ids=["as predicted", "otherwise"])
def test_the_guard_scores_the_model_by_the_labels_in_the_file(shift: int, score: float, table, tmp_path) -> None:
    write(table, range(4))  # any, so that the folder can be read for the model
    write(table, [(label + shift) % 1000 for label in predictions()])
    result = measured(tmp_path)
    assert (result.images, result.clean_score) == (4, score), result.reason
    assert result.bpp_mean == pytest.approx(2.0, rel=0.1)


def test_weights_may_be_a_safetensors_file(weights, tmp_path, monkeypatch) -> None:
    expected = predictions()
    path = tmp_path / "squeezenet1_0.safetensors"
    save_file(torch.load(weights, weights_only=True), path)
    monkeypatch.setenv("PHOTOS_WEIGHTS", str(path))
    assert predictions() == expected


def test_without_a_file_of_labels_the_nth_image_has_class_n() -> None:
    assert [(label, name) for _, label, name in photos.images()] == list(enumerate(NAMES))


@pytest.mark.parametrize("empty", [False, True], ids=["unset", "empty"])
@pytest.mark.parametrize(
    ("variable", "what"),
    [
        ("PHOTOS", "set the environment variable PHOTOS to the folder of images"),
        ("PHOTOS_WEIGHTS", "set the environment variable PHOTOS_WEIGHTS to the state dict of squeezenet1_0"),
    ],
    ids=["folder", "weights"],
)
def test_a_missing_variable_is_a_verdict_that_names_it(variable, what, empty, tmp_path, monkeypatch) -> None:
    if empty:
        monkeypatch.setenv(variable, "")
    else:
        monkeypatch.delenv(variable)
    result = measured(tmp_path)
    assert (result.verdict, result.outcome) == ("error", "failed")
    assert what in result.reason


def test_a_file_of_labels_that_is_named_by_nothing_is_not_left_out(table, monkeypatch) -> None:
    monkeypatch.setenv("PHOTOS_LABELS", "")
    with pytest.raises(
        LookupError, match=r"^set the environment variable PHOTOS_LABELS to a CSV file of .+ leave it out$"
    ):
        photos.images()


UNLABELLED = [
    ("", "no line for 4 of 4 images in {folder}, the first 'a.png'"),
    ("a.png,1\n\nb.jpg,2\nd.jpeg,3\n", "no line for 1 of 4 images in {folder}, the first 'c.PNG'"),
]
EXPECTED = (
    "expected a file name and an ImageNet class index from 0 to 999, as in 'tench.jpg,0'; a header has no place here"
)
LINES = [
    ("file,class\na.png,1\n", 1, "file,class"),
    ("a.png,1\nb.jpg\n", 2, "b.jpg"),
    ("a.png,1\nb.jpg,2,3\n", 2, "b.jpg,2,3"),
    ("a.png,1\n\nb.jpg,1000\n", 3, "b.jpg,1000"),
    ("a.png,-1\n", 1, "a.png,-1"),
    ("a.png,1.0\n", 1, "a.png,1.0"),
    ("a.png,\n", 1, "a.png,"),
]


@pytest.mark.parametrize(("text", "message"), UNLABELLED, ids=["nothing in it", "one left out"])
def test_every_image_needs_a_label(text, message, table, folder) -> None:
    table.write_text(text)
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the whole message follows
        photos.images()
    assert str(caught.value) == (
        f"{table}: {message.format(folder=folder)}; expected one for each; add them, or remove the images"
    )


@pytest.mark.parametrize(("text", "line", "found"), LINES, ids=[found for *_, found in LINES])
def test_a_line_that_is_no_label_is_named(text, line, found, table) -> None:
    table.write_text(text)
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the whole message follows
        photos.images()
    assert str(caught.value) == f"{table}:{line}: found {found!r}; {EXPECTED}"


def test_two_classes_for_one_image_are_refused(table) -> None:
    write(table, [1, 2, 1, 3, 4], ["a.png", "b.jpg", "a.png", "a.png", "c.PNG"])
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the whole message follows
        photos.images()
    assert str(caught.value) == (
        f"{table}:4: class 3 for 'a.png', which has class 1 above; expected one class for each image; remove one "
        "of the lines"
    )


def test_a_spreadsheet_s_file_is_read_and_may_label_more_than_the_folder_has(table) -> None:
    table.write_bytes("\ufeffa.png, 5\r\nb.jpg,6\r\nc.PNG,7\r\nd.jpeg,999\r\nelsewhere.jpg,0\r\n".encode())
    assert [label for _, label, _ in photos.images()] == [5, 6, 7, 999]


def test_a_mistake_in_the_labels_is_the_cells_verdict(table, tmp_path) -> None:
    table.write_text("file,class\n")
    result = measured(tmp_path)
    assert (result.verdict, result.outcome) == ("error", "failed")
    assert f"{table}:1: found 'file,class'; {EXPECTED}" in result.reason


def test_a_folder_without_images_is_refused(folder, monkeypatch) -> None:
    for name in NAMES:
        (folder / name).unlink()
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the whole message follows
        photos.images()
    assert str(caught.value) == f"{folder}: no image in it; expected files named .jpeg, .jpg, .png, .webp"


def test_more_images_than_classes_need_a_file_of_labels(folder) -> None:
    for number in range(997):
        (folder / f"{number}.png").touch()
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the whole message follows
        photos.images()
    assert str(caught.value) == (
        f"{folder}: 1001 images, and without PHOTOS_LABELS the n-th has class n of 1000; "
        "name a CSV file of their classes in PHOTOS_LABELS"
    )
