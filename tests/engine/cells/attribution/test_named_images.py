"""The worst images of a measured cell have names, and nothing else of the cell depends on them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from compress_guard.records import NamedImage

NAMES = ["across", "down", "fine across", "fine down"]


class Named(list):
    """Pictures with names of images and classes."""

    image_names = property(lambda self: [f"photos/{number}.png" for number in range(len(self))])
    class_names = property(lambda self: NAMES)


@pytest.fixture
def measured(diary, make_guard, make_world, spectrum, pictures):
    """Return the cell of a guard whose pictures are coded so coarsely that some are no longer recognised."""

    def measure(kind=list, **keys):
        return make_world(make_guard(("jpeg",), (0.6,), **keys), spectrum(), kind(pictures(12))).only()

    return measure


def test_worst_images_have_file_names_classes_and_both_predictions(measured):
    cell = measured(Named)
    result, flips = cell.result, cell.changes.harmful
    assert 0 < len(flips) <= 12
    assert [image.id for image in result.worst_images] == [name for name, _ in result.worst]
    for image, flip in zip(result.worst_images, flips, strict=False):
        number = int(flip.id[1:])
        assert image == NamedImage(
            flip.id,
            f"photos/{number}.png",
            number % 4,
            NAMES[number % 4],
            flip.clean,
            NAMES[flip.clean],
            flip.compressed,
            NAMES[flip.compressed],
        )
    assert result.names_remark is None


def test_data_without_names_has_ids_and_numbers(measured):
    result = measured().result
    image = result.worst_images[0]
    assert (image.name, image.target_name, image.compressed_name) == (None, None, None)
    assert image.shown == image.id == result.worst[0][0]
    assert image.target == int(image.id[1:]) % 4
    assert result.names_remark is None


def test_names_change_nothing_else(measured):
    plain, named = measured().result, measured(Named).result
    same = {"losses": replace(named.losses, worst_images=(), names_remark=None), "work": plain.work}
    assert replace(named, **same) == replace(plain, losses=replace(plain.losses, worst_images=()))


def test_labels_without_a_name_keep_their_number_with_a_remark(measured):
    class Short(list):
        class_names = property(lambda self: NAMES[:2])

    result = measured(Short).result
    for image in result.worst_images:
        assert image.target_name == (NAMES[image.target] if image.target < 2 else None)
    assert result.names_remark == (
        "the data names 2 classes, 0 to 1, and has labels without a name: 2, 3; expected a name for each label, "
        "counted from 0 in a list"
    )


def test_names_that_do_not_fit_leave_the_verdict_alone(measured):
    class Odd(list):
        image_names = property(lambda self: ["one"])

    plain, odd = measured().result, measured(Odd).result
    assert odd.verdict == plain.verdict
    assert [image.name for image in odd.worst_images] == [None] * len(plain.worst)
    assert odd.names_remark == (
        "the names of images are left out: image_names of the data has 1 names; expected one text or path for each of "
        "the 12 images, in their order"
    )
