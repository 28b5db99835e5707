"""Pipelines through a whole cell: counted work, one clean side for each geometry, and crops on cropped targets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from compress_guard.thresholds import parse

FILE = """
version: 1
codecs:
  upload: {{type: pipeline, steps: [{geometry}, jpeg: {{quality: 80}}, webp: {{quality: 60}}]}}
  kept: {{type: pipeline, steps: [{geometry}, jpeg: {{quality: 95}}]}}
  twice: {{type: pipeline, steps: [jpeg: {{quality: 80}}, jpeg: {{quality: 50}}]}}
guards:
  toys: {{task: {task}, model: m:f, data: d:f, codecs: [{codecs}], max_drop: 100, reference: {reference}}}
"""


def guard(task, codecs, reference="input", geometry="resize: {longest: 48}"):
    text = FILE.format(task=task, codecs=", ".join(codecs), reference=reference, geometry=geometry)
    (read,) = parse(text, Path("thresholds.yaml"), shown="thresholds.yaml", folder=Path(), sources=False).guards
    return read


def run(make_world, model, data, *arguments, folder="run", **options):
    world = make_world(guard(*arguments, **options), model, data, run=folder)
    return [measured.result for measured in world.run().values()]


def test_the_clean_side_of_one_geometry_is_predicted_once(make_world, scenes, finder):
    upload, kept = run(make_world, finder(), scenes(), "detection", ["upload", "kept"])
    assert [result.verdict for result in (upload, kept)] == ["pass", "pass"]
    assert kept.predictions == 12, "clean pictures and controls are those of the first cell"
    assert (upload.encodes, kept.encodes) == (pytest.approx(2), pytest.approx(1)), "each encoder is a call"
    assert upload.clean_score == kept.clean_score
    assert [step for step, _ in upload.steps] == ["jpeg", "webp"]


def test_the_losses_of_scaling_and_of_coding_are_told_apart(make_world, scenes, finder):
    (whole,) = run(make_world, finder(), scenes(), "detection", ["upload"], "source")
    (coding,) = run(make_world, finder(), scenes(), "detection", ["upload"], "input", folder="input")
    assert whole.score == coding.score
    assert whole.clean_score == 100
    scaling = whole.clean_score - coding.clean_score
    assert whole.drop == pytest.approx(scaling + coding.drop)


def test_a_pipeline_that_only_codes_has_the_sources_as_clean_side(make_world, scenes, finder):
    model = finder()
    results = [
        run(make_world, model, scenes(), "detection", ["twice"], reference, folder=reference)[0]
        for reference in ("source", "input")
    ]
    assert results[0].clean_score == results[1].clean_score == 100
    assert results[0].predictions == results[1].predictions
    assert results[0].drop == results[1].drop


def test_a_crop_of_a_pipeline_is_scored_on_the_cropped_targets(make_world, scenes, finder):
    geometry = "resize: {longest: 90}, crop: {centre: 0.8}"
    (result,) = run(make_world, finder(), scenes(), "detection", ["kept"], geometry=geometry)
    assert result.verdict == "pass", result.reason
    assert result.clean_score > 95
    assert result.crop_emptied is not None


def test_a_box_outside_of_one_picture_is_an_error_that_names_it(make_world, scenes, finder):
    geometry = "crop: {box: [0, 0, 9999, 9999]}, crop: {box: [9000, 0, 9999, 9999]}"
    (result,) = run(make_world, finder(), scenes(), "detection", ["kept"], geometry=geometry)
    assert (result.verdict, result.reason) == (
        "codec_error",
        "12 of 12 images failed, allowed by max_error_share 0: 0; the first: image s00: the box [9000, 0, 9999, 9999] "
        "lies outside a picture of 144x96 pixels; change that step, or leave this image out of the data set",
    )


def test_a_picture_that_would_become_too_long_is_an_error_that_names_it(make_world, scenes, finder):
    geometry = "resize: {scale: 1.0e+300, upscale: true}"
    (result,) = run(make_world, finder(), scenes(), "detection", ["kept"], geometry=geometry)
    assert (result.verdict, result.reason) == (
        "codec_error",
        "12 of 12 images failed, allowed by max_error_share 0: 0; the first: image s00: a picture of 144x96 pixels "
        "would become longer than 65535 pixels; change that step, or leave this image out of the data set",
    )


OUTSIDE = "crop: {box: [96, 0, 144, 96]}"
"""A box that lies outside of pictures 96 pixels wide."""


@pytest.mark.parametrize("keys", [{}, {"early_stop": True}, {"workers": 2}], ids=["whole", "early stop", "threads"])
def test_a_picture_that_cannot_be_cropped_is_an_error_of_that_image(make_world, scenes, finder, keys):
    """All figures are those of the same cell without these images."""
    data = scenes(18)
    asked = replace(guard("detection", ["upload", "kept"], geometry=OUTSIDE), max_error_share=0.7)
    world = make_world(asked, finder(), data, **keys)
    results = [measured.result for measured in world.run().values()]
    fitting = [item for item in data if item[0].shape[-1] > 96]
    alone = make_world(asked, finder(), fitting, folder="other", run="other")
    assert len(fitting) == 6
    for result, other in zip(results, (measured.result for measured in alone.run().values()), strict=True):
        assert (result.images, result.images_used, result.errors) == (18, 6, 12), result.reason
        assert len(result.error_ids) == 5
        assert not {name for _, _, name in fitting} & set(result.error_ids)
        for name in ("verdict", "clean_score", "score", "drop", "drop_low", "drop_high", "bpp_mean", "crop_emptied"):
            assert getattr(result, name) == pytest.approx(getattr(other, name)), name


def test_images_that_cannot_be_cropped_count_against_the_share(make_world, scenes, finder):
    asked = replace(guard("detection", ["kept"], geometry=OUTSIDE), max_error_share=0.5)
    model = finder()
    result = make_world(asked, model, scenes()).only().result
    assert (result.verdict, result.reason) == (
        "codec_error",
        "8 of 12 images failed, allowed by max_error_share 0.5: 6; the first: image s01: the box [96, 0, 144, 96] lies "
        "outside a picture of 96x120 pixels; change that step, or leave this image out of the data set",
    )
    assert (result.errors, result.encodes, model.seen) == (8, None, [])
