"""Trainings that are impossible or fail: one clear message, and the verdict `error`."""

from __future__ import annotations

import re

import pytest

from compress_guard.engine.recovery.material import Material
from compress_guard.errors import Unreachable


@pytest.mark.parametrize(
    ("trainer", "said"),
    [
        ("M:nothing", "trainer M:nothing: returned nothing; a trainer must return the finetuned module"),
        ("M:broken", "trainer M:broken: raised OSError: no such disk"),
        ("M:exits", "trainer M:exits: raised SystemExit: 0"),
        ("M:interrupts", "trainer M:interrupts: raised KeyboardInterrupt"),
        (
            "M:diverging",
            "trainer M:diverging: diverged: head.weight holds values that are not finite after 3 steps; lower the "
            "learning rate, or name a trainer that suits the model",
        ),
        (
            "M:telling",
            "trainer M:telling: the loss is nan at step 1 of 3; lower the learning rate, or name a trainer that suits "
            "the model",
        ),
        (
            "M:absent",
            "M:absent: cannot be imported (AttributeError: module 'M' has no attribute 'absent'); expected an "
            "importable package.module:callable, looked up with FOLDER on sys.path",
        ),
        (
            "M:MODELS",
            "M:MODELS: is a list; expected a trainer: a callable (module, batches, steps, ...) that returns the "
            "finetuned module",
        ),
    ],
)
def test_a_trainer_that_does_not_deliver(tiny, trainer, said):
    measured = tiny.only(tiny.recovery(trainer=trainer))
    plain = measured.result.reason.replace(tiny.name, "M").replace(str(tiny.folder), "FOLDER")
    assert plain.removeprefix("finetuning on jpeg 3.0bpp, seed 0: ") == said
    assert (measured.result.verdict, measured.result.outcome, measured.result.trained) == ("error", "failed", 0)
    assert str(measured.problem) == measured.result.reason
    assert tiny.kept == []


def test_a_learning_rate_that_is_too_high_says_at_which_step(tiny, monkeypatch):
    from compress_guard.engine.recovery import recipes

    monkeypatch.setitem(
        recipes.LOSSES, "classification", lambda module, inputs: module.head.weight.sum() * float("inf")
    )
    reason = tiny.only().result.reason
    assert re.fullmatch(
        "finetuning on jpeg 3.0bpp, seed 0: trainer built in: the loss is -?(inf|nan) at step 1 of 3; lower the "
        "learning rate, or name a trainer that suits the model",
        reason,
    )


def test_a_learning_rate_reaches_a_trainer_that_takes_one_and_no_other(tiny):
    asked = tiny.only(tiny.recovery(learning_rate=1e-3))
    assert asked.problem is None
    assert asked.result.learning_rate == 1e-3
    refused = tiny.only(tiny.recovery(learning_rate=1e-3, trainer="M:look")).result
    assert refused.verdict == "error"
    assert refused.reason.replace(tiny.name, "M") == (
        "trainer M:look: has no parameter learning_rate, which the file sets to 0.001; add the parameter, or remove "
        "the key"
    )


def test_no_training_data(tiny):
    result = tiny.only(tiny.recovery(train="M:none")).result
    assert result.verdict == "error"
    assert result.reason == f"{tiny.name}:none: has no images; expected at least one"


@pytest.mark.parametrize(
    ("train", "said"),
    [
        (
            "M:again",
            "training data M:again: all 12 images are among those that the models are tested on; give it images that "
            "the guard does not evaluate",
        ),
        (
            "M:same",
            "training data M:same: samples 0 and 1 both have the id 'e0'; expected ids that tell images apart",
        ),
    ],
)
def test_training_data_that_are_none(tiny, train, said):
    result = tiny.only(tiny.recovery(train=train)).result
    assert (result.verdict, result.reason.replace(tiny.name, "M")) == ("error", said)


def test_a_metric_that_is_undefined_is_told_before_anything_is_trained(tiny):
    recovery = tiny.recovery(train="M:maps_train", seeds=(0,))
    result = tiny.only(recovery, task="segmentation", metric="miou", model="M:dense", data="M:bare_maps").result
    assert (result.verdict, result.trained, result.clean) == ("error", 0, None)
    assert result.reason == (
        "miou is undefined on the clean images: 8 images without ground truth for it; give the guard images that have "
        "some"
    )


def test_a_rate_that_training_images_cannot_have_says_that_it_is_about_them(tiny, monkeypatch):
    made = Material.at

    def refused(self, point, told):
        if self.subset.samples.name(0) and len(self.subset.survey.usable) == 12:
            raise Unreachable("jpeg cannot reach 3 bpp on these images")
        return made(self, point, told)

    monkeypatch.setattr(Material, "at", refused)
    result = tiny.only().result
    assert (result.verdict, result.reason) == (
        "unreachable",
        "training images: jpeg cannot reach 3 bpp on these images; skipped by on_unreachable: skip",
    )


def test_a_model_without_a_module(tiny):
    result = tiny.only(model="M:bare").result
    assert result.verdict == "error"
    assert result.reason == (
        f"{tiny.name}:bare: has no module that could be finetuned; recovery needs a predictor that "
        "compress_guard.predictor made, or one with .module, .preprocess and .with_module(module)"
    )


def test_a_trainer_may_return_another_network_which_is_then_not_kept(tiny):
    recovery = tiny.recovery(trainer="M:other", seeds=(0,))
    assert tiny.only(recovery).result.trained == 2
    assert tiny.kept == []
    assert tiny.only(recovery).result.trained == 2


def test_a_network_with_another_layer_is_another_network_though_its_weights_would_fit(tiny):
    recovery = tiny.recovery(trainer="M:bending", seeds=(0,))
    assert tiny.only(recovery).result.trained == 2
    assert tiny.kept == []


def test_a_codec_that_is_not_there(tiny, monkeypatch):
    from compress_guard.codecs import jpeg

    monkeypatch.setattr(jpeg.Jpeg, "unavailable", lambda self: "install pillow")
    result = tiny.only().result
    assert (result.verdict, result.outcome, result.reason) == (
        "unavailable",
        "failed",
        "install pillow; failed by on_unavailable: fail",
    )
