"""Names of images and classes: certain or absent."""

from __future__ import annotations

import io
from typing import NamedTuple

import pytest
import torch
from PIL import Image
from torch.utils.data import ConcatDataset, Dataset, Subset
from torchvision.datasets import CocoDetection, ImageFolder, OxfordIIITPet

from compress_guard.codecs.pixels import to_rgb
from compress_guard.engine.images.naming.classes import class_names
from compress_guard.engine.images.naming.names import Known, Names
from compress_guard.engine.images.naming.relative import shared_folder
from compress_guard.engine.images.readings import pixel_hash

SIZE = (16, 24)


def picture(number):
    noise = torch.Generator().manual_seed(number)
    return Image.fromarray(torch.randint(0, 256, (*SIZE, 3), generator=noise, dtype=torch.uint8).numpy())


@pytest.fixture
def folder(tmp_path):
    """Three pictures of cats and two of dogs, in the folders that ImageFolder expects."""
    for number, name in enumerate(["cat/a", "cat/b", "cat/c", "dog/a", "dog/b"]):
        path = tmp_path / "val" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        picture(number).save(path)
    return tmp_path / "val"


def names_of(data, task="classification", opened=False):
    """Return the names of all items of a data set, whose ids are their positions."""
    images = {}
    for position in range(len(data)):
        image = data[position][0]
        file = getattr(image, "filename", "") if opened else ""
        images[str(position)] = Known(position, pixel_hash(to_rgb(image)), file)
    return Names.of(data, task, images)


def listed(names):
    return [names.image(name) for name in names.images]


class Files(Dataset):
    """A data set of a user's own that lists its files under some name."""

    def __init__(self, paths, order=None, entry=lambda path: (str(path), 0), under="samples"):
        setattr(self, under, [entry(path) for path in paths])
        self.read = [paths[place] for place in order or range(len(paths))]
        self.asked = 0

    def __len__(self):
        return len(self.read)

    def __getitem__(self, position):
        self.asked += 1
        return Image.open(self.read[position]).convert("RGB"), 0


def test_files_of_torchvision_are_named_within_their_folder(folder):
    names = names_of(ImageFolder(folder))
    assert listed(names) == ["cat/a.png", "cat/b.png", "cat/c.png", "dog/a.png", "dog/b.png"]
    assert (names.classes, names.remark) == ({0: "cat", 1: "dog"}, None)


def test_subsets_and_joined_data_sets_are_looked_through(folder):
    whole = ImageFolder(folder)
    nested = Subset(ConcatDataset([Subset(whole, [4, 0]), Subset(Subset(whole, [1, 2, 3]), [2, 0])]), [3, 0, 2])
    names = names_of(nested)
    assert listed(names) == ["cat/b.png", "dog/b.png", "dog/a.png"]
    assert names.classes == {0: "cat", 1: "dog"}


def test_names_of_a_part_without_a_list_are_unknown_and_do_not_move_the_others(folder):
    bare = [(picture(9), 0)]
    names = names_of(ConcatDataset([bare, ImageFolder(folder), bare]))
    assert listed(names) == [None, "cat/a.png", "cat/b.png", "cat/c.png", "dog/a.png", "dog/b.png", None]


def test_a_transform_of_torchvisions_leaves_files_known(folder):
    assert listed(names_of(ImageFolder(folder, transform=lambda image: image.resize((8, 8)))))[0] == "cat/a.png"


@pytest.mark.parametrize("under", ["samples", "imgs", "images"])
def test_a_list_of_a_users_class_counts_where_the_file_has_the_pixels(folder, under):
    data = Files(sorted(folder.rglob("*.png")), under=under)
    names = names_of(data)
    data.asked = 0
    assert listed(names) == ["cat/a.png", "cat/b.png", "cat/c.png", "dog/a.png", "dog/b.png"]
    assert data.asked == 0, "names must not read images from the data"


def test_files_that_are_read_in_another_order_than_listed_are_no_names(folder):
    assert listed(names_of(Files(sorted(folder.rglob("*.png")), order=[1, 0, 2, 4, 3]))) == [
        None,
        None,
        "cat/c.png",
        None,
        None,
    ]


class Reversed(Subset):
    """A subset with a way of its own to read."""

    def __getitem__(self, position):
        return self.dataset[self.indices[len(self.indices) - 1 - position]]

    def __getitems__(self, positions):
        return [self[position] for position in positions]


def test_a_subset_that_reads_by_itself_is_not_trusted(folder):
    names = names_of(Reversed(ImageFolder(folder), [0, 1, 3]))
    assert (listed(names), names.classes) == ([None, "cat/b.png", None], {})


def test_a_list_of_another_length_is_no_list_of_images(folder):
    data = Files(sorted(folder.rglob("*.png")))
    data.samples = data.samples[:-1]
    assert listed(names_of(data)) == [None] * 5


def test_pictures_that_pillow_opened_name_themselves(folder):
    paths = sorted(folder.rglob("*.png"))

    class Lazy(list):
        def __getitem__(self, position):
            return Image.open(paths[position]), 0

    assert listed(names_of(Lazy([0] * 5), opened=True))[:2] == ["cat/a.png", "cat/b.png"]


def test_given_names_come_first_and_stay_as_they_are(folder):
    data = ImageFolder(folder)
    data.image_names = ["one", "two/2", folder / "cat" / "c.png", "four", "five"]
    assert listed(names_of(data)) == ["one", "two/2", str(folder / "cat" / "c.png"), "four", "five"]
    data.image_names = lambda position: f"number {position}"
    assert listed(names_of(Subset(data, [3]))) == ["number 3"]
    data.image_names = [folder / "photos" / str(number) for number in range(5)]
    assert listed(names_of(data)) == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (
            ["a"],
            "image_names of the data has 1 names; expected one text or path for each of the 5 images, in their order",
        ),
        (
            "abcde",
            "image_names of the data is a str; expected one text or path for each of the 5 images, in their order",
        ),
        (
            [1, 2, 3, 4, 5],
            "image_names of the data gives an int at 0; expected one text or path for each of the 5 images, in their "
            "order",
        ),
    ],
)
def test_given_names_that_do_not_fit_are_left_out_with_a_remark(folder, given, text):
    data = ImageFolder(folder)
    data.image_names = given
    names = names_of(data)
    assert listed(names) == [None] * 5
    assert names.remark == f"the names of images are left out: {text}"
    assert names.classes == {0: "cat", 1: "dog"}


def test_data_that_raises_is_a_remark():
    class Broken(list):
        @property
        def image_names(self):
            raise OSError("no disk")

    names = names_of(Broken([(picture(0), 0)]))
    assert names.remark == "the names of images are left out: asking the data for them raised OSError: no disk"


def test_names_are_bounded_and_printable():
    data = Files([])
    data.image_names, data.read = ["x" * 5000, "red\x1b[31m\u202e"], []
    data.read = [io.BytesIO(), io.BytesIO()]
    names = Names.of(data, "classification", {"a": Known(0, b"", ""), "b": Known(1, b"", "")})
    assert len(names.image("a")) <= 1000
    assert names.image("b") == "red\\x1b[31m\\u202e"


def test_files_of_coco_are_named_and_their_categories(tmp_path):
    pytest.importorskip("pycocotools")
    (tmp_path / "photos").mkdir()
    picture(0).save(tmp_path / "photos" / "000000000139.jpg")
    (tmp_path / "boxes.json").write_text(
        '{"images": [{"id": 139, "file_name": "000000000139.jpg", "height": 16, "width": 24}], "annotations": [],'
        ' "categories": [{"id": 17, "name": "cat"}, {"id": 18, "name": "dog"}]}'
    )
    names = names_of(CocoDetection(tmp_path / "photos", str(tmp_path / "boxes.json")), "detection")
    assert (listed(names), names.classes) == (["000000000139.jpg"], {17: "cat", 18: "dog"})


class Named(list):
    """A data set with attributes."""

    def __init__(self, **attributes):
        super().__init__([(picture(0), 0)])
        vars(self).update(attributes)


class City(NamedTuple):
    """A class as Cityscapes describes it."""

    name: str
    id: int


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"classes": ["cat", "dog"]}, {0: "cat", 1: "dog"}),
        ({"class_names": ("cat", "dog"), "classes": ["x", "y"]}, {0: "cat", 1: "dog"}),
        ({"class_names": {3: "cat", "7": "dog"}}, {3: "cat", 7: "dog"}),
        ({"categories": [{"id": 3, "name": "cat", "supercategory": "animal"}]}, {3: "cat"}),
        ({"categories": {1: "cat"}}, {1: "cat"}),
        ({"classes": [City("road", 7)], "categories": 4}, {}),
        ({"classes": ["cat"], "target_transform": lambda label: label + 1}, {}),
        ({"class_names": ["cat\u202e"]}, {0: "cat\\u202e"}),
        ({"class_names": ["x" * 300]}, {0: "x" * 97 + "..."}),
        ({}, {}),
    ],
)
def test_class_names_come_in_several_forms(attributes, expected):
    assert class_names(Named(**attributes), "detection") == expected


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (
            {"cat", "dog"},
            "class_names of the data is a set; expected a list of texts, one for each label from 0, a dict of label "
            "and text, or a list of dicts with id and name, as files of COCO have them",
        ),
        (
            [{"id": 1, "name": "cat"}, {"id": 1, "name": "dog"}],
            "class 1 of the data has two names, cat and dog; expected a list of texts, one for each label from 0, a "
            "dict of label and text, or a list of dicts with id and name, as files of COCO have them",
        ),
    ],
)
def test_class_names_that_contradict_themselves_are_left_out_with_a_remark(given, text):
    names = names_of(Named(class_names=given))
    assert (names.classes, names.remark) == ({}, f"the names of classes are left out: {text}")


def test_joined_data_sets_with_other_classes_have_no_names():
    names = names_of(ConcatDataset([Named(classes=["cat"]), Named(classes=["dog"])]))
    assert names.classes == {}
    assert names.remark == (
        "the names of classes are left out: the joined data sets name the same classes differently; expected one list "
        "of classes for all"
    )


def test_torchvisions_classes_are_those_of_its_labels_alone():
    pets = OxfordIIITPet.__new__(OxfordIIITPet)
    pets.classes, pets._target_types = ["Abyssinian"], ["category"]
    assert class_names(pets, "classification") == {0: "Abyssinian"}
    pets._target_types = ["segmentation"]
    assert class_names(pets, "segmentation") == {}


def test_the_folder_that_paths_share():
    assert shared_folder(["/d/a/1.png", "/d/ab/2.png"]) == "/d/"
    assert shared_folder(["/d/a/1.png"]) == "/d/a/"
    assert shared_folder(["a.png", "b.png"]) == ""
    assert shared_folder([]) == ""
