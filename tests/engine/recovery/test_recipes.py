"""The built-in recipes: the training of each task's model, and flips that include the targets."""

from __future__ import annotations

from pathlib import Path

import pytest

from compress_guard.engine.recovery import losses, recipes, trainer
from compress_guard.errors import ModelError


def test_a_classifier_learns(tiny):
    losses = []
    tiny.only(tiny.recovery(seeds=(0,)))  # which imports the module
    import torch

    torch.manual_seed(0)  # the weights that the network begins with
    module, batches = tiny.module.Network(), Repeated()
    recipes.finetune(
        module,
        batches,
        30,
        task="classification",
        preprocess=lambda image: image.float() / 255,
        seed=0,
        progress=lambda step, steps, loss: losses.append(loss),
        learning_rate=0.02,
    )
    assert sum(losses[-5:]) < 0.6 * sum(losses[:5])
    assert module.training
    assert all(torch.isfinite(one).all() for one in module.parameters())


class Repeated:
    """One batch of two plain colours, again and again."""

    def after(self, steps):
        import torch

        for _ in range(steps, 30):
            yield [torch.full((3, 16, 16), level, dtype=torch.uint8) for level in (10, 240, 20, 230)], [0, 1, 0, 1]


def test_a_segmenter_is_finetuned_and_tested(tiny):
    result = tiny.only(
        tiny.recovery(seeds=(0,), train="M:maps_train"),
        task="segmentation",
        metric="miou",
        model="M:dense",
        data="M:maps",
    ).result
    assert (result.verdict, result.trained, result.train_images) == ("unjudged", 2, 8)


def test_frozen_modules_are_trained_as_a_whole_and_partly_frozen_ones_in_part():
    import torch

    module = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 2))
    module[0].requires_grad_(False)
    assert len(recipes._trainable(module)) == 2
    module.requires_grad_(False)
    assert len(recipes._trainable(module)) == 4
    with pytest.raises(ModelError, match="the module has no parameters to train"):
        recipes._trainable(torch.nn.Identity())


def test_flips_take_boxes_and_maps_along():
    import torch

    image = torch.zeros(3, 8, 20, dtype=torch.uint8)
    image[:, 2:5, 3:9] = 200
    found = {"boxes": torch.tensor([[3.0, 2.0, 9.0, 5.0]]), "labels": torch.tensor([4])}
    labels = (image[0] > 0).long()
    inputs = recipes._inputs([image] * 4, [found, labels, 7, found], lambda one: one, [0.1, 0.2, 0.3, 0.9])
    box = inputs.targets[0]["boxes"][0].int().tolist()
    assert (inputs.images[0][:, box[1] : box[3], box[0] : box[2]] == 200).all()
    assert box == [11, 2, 17, 5]
    assert torch.equal(inputs.targets[1], (inputs.images[1][0] > 0).long())
    assert inputs.targets[2] == 7
    assert torch.equal(inputs.targets[3]["boxes"], found["boxes"])
    assert torch.equal(inputs.images[3], image)


def test_images_of_several_sizes_are_padded_and_the_padding_is_not_taught():
    import torch

    class Positions(torch.nn.Module):
        """Says class 1 wherever the input is bright; anything else about padding would show in the loss."""

        def forward(self, images):
            bright = images.mean(1, keepdim=True)
            return {"out": torch.cat([-20 * bright, 20 * bright - 20], 1)}

    inputs = losses.Inputs(
        [torch.ones(3, 8, 12), torch.ones(3, 10, 6)],
        [torch.ones(8, 12, dtype=torch.long), torch.ones(10, 6, dtype=torch.long)],
        [(8, 12), (10, 6)],
    )
    assert inputs.stacked().shape == (2, 3, 10, 12)
    assert float(losses.segmentation_loss(Positions(), inputs)) < 1e-6


def test_label_maps_without_a_pixel_that_counts_teach_nothing():
    import torch

    inputs = losses.Inputs([torch.ones(3, 4, 4)], [torch.full((4, 4), 255)], [(4, 4)])
    loss = losses.segmentation_loss(torch.nn.Conv2d(3, 2, 1), inputs)
    loss.backward()
    assert float(loss.detach()) == 0


def test_detectors_get_boxes_in_the_pixels_of_their_input_and_no_crowds():
    import torch

    class Detector(torch.nn.Module):
        def forward(self, images, targets):
            self.seen = targets
            return {"one": torch.tensor(1.5), "other": torch.tensor(2.0)}

    boxes = torch.tensor([[0.0, 0.0, 10.0, 20.0], [5.0, 5.0, 5.0, 9.0], [1.0, 1.0, 2.0, 2.0]])
    target = {"boxes": boxes, "labels": torch.tensor([1, 2, 3]), "iscrowd": torch.tensor([0, 0, 1])}
    detector = Detector()
    loss = losses.detection_loss(detector, losses.Inputs([torch.zeros(3, 10, 40)], [target], [(20, 20)]))
    assert float(loss) == 3.5
    (seen,) = detector.seen
    assert seen["boxes"].tolist() == [[0, 0, 20, 10]]
    assert seen["labels"].tolist() == [1]


@pytest.mark.parametrize(
    ("loss", "target", "said"),
    [
        (losses.classification_loss, 0, "the module returned a Tensor in train mode; expected logits of 2 dimensions"),
        (
            losses.detection_loss,
            None,
            "the detector returned a Tensor in train mode; expected a dict of losses, as torchvision's",
        ),
    ],
)
def test_a_module_that_is_not_like_torchvisions_wants_a_trainer_of_its_own(loss, target, said):
    import torch

    if target is None:
        target = {"boxes": torch.zeros(0, 4), "labels": torch.zeros(0), "iscrowd": torch.zeros(0)}
    inputs = losses.Inputs([torch.zeros(3, 4, 4)], [target], [(4, 4)])
    with pytest.raises(ModelError, match=said):
        loss(lambda *given: torch.zeros(3), inputs)


def test_the_learning_rate_rises_then_falls():
    paces = [recipes.pace(step / 100) for step in range(1, 101)]
    assert paces.index(max(paces)) == 4
    assert max(paces) == pytest.approx(1, abs=0.01)
    assert paces[4:] == sorted(paces[4:], reverse=True)
    assert 0 < paces[-1] < 0.01


# What makes kept weights out of date


@pytest.mark.parametrize("part", ["batches", "losses", "recipes", "targets"])
def test_weights_are_trained_again_after_a_change_of_any_part_of_the_recipes(part, monkeypatch, tmp_path):
    right, before = trainer.source, trainer.Trainer.of(None, tmp_path).identity
    monkeypatch.setattr(trainer, "source", lambda path: right(path) + b"#" * (Path(path).stem == part))
    assert trainer.Trainer.of(None, tmp_path).identity != before
