"""The bundled world: seeded scenes whose targets agree with one another and with the picture."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from examples import data
from examples.world import CLASSES, GROUP, IGNORE, SINGLE, SIZE, render

FACTORIES = ("classification", "detection", "segmentation")


@pytest.mark.parametrize("layout", [SINGLE, GROUP])
def test_a_scene_follows_from_seed_and_index_alone(layout):
    first, again = render(layout, 5, 3), render(layout, 5, 3)
    assert np.array_equal(first.image, again.image)
    assert np.array_equal(first.regions, again.regions)
    for other in (render(layout, 6, 3), render(layout, 5, 4)):
        assert not np.array_equal(first.image, other.image)


@pytest.mark.parametrize("index", range(12))
def test_boxes_are_tight_around_the_objects_that_the_regions_show(index):
    scene = render(GROUP, 2, index)
    inside = (scene.regions > 0) & (scene.regions != IGNORE)
    covered = np.zeros_like(inside)
    for box, kind in zip(scene.boxes.astype(int), scene.classes, strict=True):
        left, top, right, bottom = box
        assert 0 <= left < right <= SIZE
        assert 0 <= top < bottom <= SIZE
        rows, columns = np.nonzero((scene.regions == kind + 1)[top:bottom, left:right])
        # The outline that is ignored takes a pixel and a half from a side, more from the tip of a triangle.
        assert rows.min() <= 4
        assert columns.min() <= 4
        assert bottom - top - 1 - rows.max() <= 4
        assert right - left - 1 - columns.max() <= 4
        covered[top:bottom, left:right] = True
    assert not (inside & ~covered).any()


def test_every_class_and_the_background_occur_in_the_evaluation_sets():
    singles = [data.label(render(SINGLE, data.EVALUATION_SEED, index)) for index in range(100)]
    assert set(singles) == set(range(len(CLASSES)))
    seen = set().union(*(np.unique(render(GROUP, data.EVALUATION_SEED, index).regions) for index in range(40)))
    assert seen == {*range(len(CLASSES) + 1), IGNORE}


def test_textures_of_one_shape_differ_in_structure_and_not_in_mean_colour():
    colours = {kind: [] for kind in range(3)}
    for index in range(120):
        scene = render(SINGLE, 9, index)
        inside = (scene.regions > 0) & (scene.regions != IGNORE)
        colours[data.label(scene) % 3].append(scene.image[inside].mean())
    means = [np.mean(values) for values in colours.values()]
    spread = np.std([value for values in colours.values() for value in values])
    assert max(means) - min(means) < spread


@pytest.mark.parametrize("name", FACTORIES)
def test_a_factory_gives_pictures_targets_and_stable_ids(name):
    samples = getattr(data, name)()
    assert len(samples) == 300
    image, target, identity = samples[123]
    assert image.dtype == torch.uint8
    assert image.shape == (3, SIZE, SIZE)
    assert identity.endswith("-000123")
    again, _, same = samples[123]
    assert torch.equal(image, again)
    assert identity == same
    if name == "classification":
        assert 0 <= target < len(CLASSES)
    elif name == "detection":
        assert target["boxes"].shape == (len(target["labels"]), 4)
        assert set(target["labels"].tolist()) <= set(range(1, len(CLASSES) + 1))
    else:
        assert target.shape == (SIZE, SIZE)
        assert set(target.unique().tolist()) <= {*range(len(CLASSES) + 1), IGNORE}


def test_a_data_set_can_be_walked_and_refuses_what_is_outside():
    samples = data.Rendered(SINGLE, 3, 4, data.label, "few")
    assert [identity for _, _, identity in samples] == [f"few-{index:06d}" for index in range(4)]
    assert samples[-1][2] == "few-000003"
    with pytest.raises(IndexError, match="index 4 is outside a data set of 4 pictures"):
        samples[4]


def test_detection_and_segmentation_look_at_the_same_pictures():
    for index in (0, 57, 299):
        assert torch.equal(data.detection()[index][0], data.segmentation()[index][0])
        assert data.detection()[index][2] == data.segmentation()[index][2]


@pytest.mark.parametrize("name", FACTORIES)
def test_training_and_evaluation_share_no_seed_and_no_picture(name):
    evaluation, training = getattr(data, name)(), getattr(data, f"{name}_train")()
    assert evaluation.seed != training.seed
    assert {identity for _, _, identity in evaluation[:3]}.isdisjoint(identity for _, _, identity in training[:3])
    assert not torch.equal(evaluation[0][0], training[0][0])
