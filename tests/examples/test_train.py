"""Training: seeded, resumable, and fed with pictures whose targets turn with them."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from examples import train
from examples.pool import pool
from examples.recipe import RECIPES
from examples.shipped import SHIPPED, loaded, stored
from examples.world import GROUP, IGNORE, SIZE

TINY = {"steps": 2, "batch": 2, "scenes": 2}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("training")


def options(folder, run, *arguments):
    return train._parser().parse_args(
        [
            "trunk",
            *("--device=cpu", "--workers=1", f"--out={folder / run}", f"--cache={folder}"),
            *(f"--checkpoints={folder / run / 'kept'}", *arguments),
        ]
    )


def weights(training):
    return training.network.state_dict()


def test_training_that_stopped_reaches_the_weights_of_training_that_did_not(folder):
    recipe = replace(RECIPES["trunk"], **TINY)
    straight = train.train("trunk", recipe, options(folder, "straight"))
    train.train("trunk", recipe, options(folder, "stopped"), until=1)
    resumed = train.train("trunk", recipe, options(folder, "stopped"))
    assert resumed.step == straight.step == 2
    for key, value in weights(straight).items():
        assert torch.equal(value, weights(resumed)[key]), key


def test_a_seed_decides_the_weights(folder):
    recipe = replace(RECIPES["trunk"], **TINY)
    one = train.train("trunk", recipe, options(folder, "one", "--seed=1"), until=1)
    same = train.train("trunk", recipe, options(folder, "same", "--seed=1"), until=1)
    other = train.train("trunk", recipe, options(folder, "other", "--seed=2"), until=1)
    key = "backbone.stem.0.weight"
    assert torch.equal(weights(one)[key], weights(same)[key])
    assert not torch.equal(weights(one)[key], weights(other)[key])


def test_a_checkpoint_of_other_options_is_refused_and_fresh_ignores_it(folder):
    recipe = replace(RECIPES["trunk"], **TINY)
    train.train("trunk", recipe, options(folder, "kept"), until=1)
    longer = replace(recipe, steps=3)
    with pytest.raises(ValueError, match="start again with --fresh") as refusal:
        train.train("trunk", longer, options(folder, "kept"))
    assert str(refusal.value) == (
        f"{folder / 'kept' / 'kept' / 'trunk.pt'}: made by trunk: 2 steps of 2 at 128 pixels, 2 scenes, "
        "rate 0.004, start None, seed 1, but this run is trunk: 3 steps of 2 at 128 pixels, 2 scenes, "
        "rate 0.004, start None, seed 1; use the same options or start again with --fresh"
    )
    assert train.train("trunk", longer, options(folder, "kept", "--fresh"), until=1).step == 1


def test_the_command_trains_the_trunk_first_and_writes_the_weights(folder, capsys):
    out, kept = folder / "all", folder / "all-kept"
    arguments = [
        *("--device=cpu", "--workers=1", "--no-judge", "--steps=1", "--batch=2", "--scenes=2"),
        *(f"--out={out}", f"--cache={folder}", f"--checkpoints={kept}"),
    ]
    train.main(["detector", *arguments])
    assert [line.split(":")[0] for line in capsys.readouterr().out.splitlines()] == ["trunk", "detector"]
    train.main(["classifier", *arguments])
    assert [line.split(":")[0] for line in capsys.readouterr().out.splitlines()] == ["classifier"]
    assert {path.stem for path in out.glob("*.safetensors")} == {"detector", "classifier"}
    assert loaded("detector", out).keys() > {"backbone.backbone.stem.0.weight"}


@pytest.mark.parametrize("name", SHIPPED)
def test_a_model_starts_from_the_trunk(folder, name):
    trunk: Any = RECIPES["trunk"].network()
    stored(trunk, "trunk", folder)
    begun: Any = train.Training.begun(name, RECIPES[name], 7, torch.device("cpu"), folder)
    backbone = begun.network.backbone.backbone if name == "detector" else begun.network.backbone
    for key, value in backbone.state_dict().items():
        assert torch.allclose(value.float(), trunk.backbone.state_dict()[key].float(), rtol=1e-3, atol=1e-6)
    if name == "segmenter":
        assert torch.allclose(begun.network.head[2].weight, trunk.head[2].weight, rtol=1e-3, atol=1e-6)


def test_boxes_turn_and_mirror_with_the_picture(folder):
    scenes = pool(GROUP, 1, 2, folder, 1)
    for step in range(12):
        batch = scenes.batch(3, step, 2, SIZE)
        for regions, boxes, classes in zip(batch.regions, batch.boxes, batch.classes, strict=True):
            for (left, top, right, bottom), kind in zip(boxes.int().tolist(), classes, strict=True):
                window = regions[top:bottom, left:right]
                rows, columns = np.nonzero((window == kind + 1).numpy())
                assert max(rows.min(), columns.min()) <= 4
                assert max(bottom - top - 1 - rows.max(), right - left - 1 - columns.max()) <= 4
        assert set(batch.regions.unique().tolist()) <= {*range(10), IGNORE}


def test_a_batch_follows_from_seed_and_step_alone(folder):
    scenes = pool(GROUP, 1, 2, folder, 1)
    first, again = scenes.batch(3, 5, 2, 64), scenes.batch(3, 5, 2, 64)
    assert torch.equal(first.images, again.images)
    assert torch.equal(first.regions, again.regions)
    assert not torch.equal(first.images, scenes.batch(3, 6, 2, 64).images)


def test_the_options_default_to_the_recipe_and_to_resuming():
    chosen = train._parser().parse_args(["all"])
    assert isinstance(chosen, argparse.Namespace)
    assert (chosen.steps, chosen.resume, chosen.device) == (None, True, "auto")
