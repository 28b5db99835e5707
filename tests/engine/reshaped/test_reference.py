"""`reference: input`: the clean side has the geometry of the codec, and is predicted once for each geometry."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
import torch

from compress_guard.codecs.pixels import from_pil, to_pil
from compress_guard.engine.single_cell import measure
from compress_guard.errors import OptionError
from compress_guard.records import Cell, CodecSpec, Fingerprint, Quality
from compress_guard.tasks.detection import Detection

SMALL = {"longest": 48}
PNG = {"longest": 48, "png": True}


def blind(images):
    """Know the class of pictures whose longest side exceeds 80 pixels, and answer 0 for all others."""
    return [
        torch.nn.functional.one_hot(
            (image[0, 0, 0] % 4 if max(image.shape) > 80 else image[0, 0, 0] * 0).long(), 4
        ).float()
        for image in images
    ]


def test_behind_a_lossless_codec_nothing_is_lost_of_what_was_scaled(thumb, make_fixed, make_world, scenes, finder):
    data = scenes()
    guard = make_fixed("detection", "map", {"longest": 20, "png": True}, reference="input")
    measured = make_world(guard, finder(), data).only()
    result = measured.result
    assert measured.evidence.to_bytes() == measured.clean_evidence.to_bytes()
    assert (result.drop, result.changed, result.reference) == (0, 0, "input")
    source = make_world(replace(guard, reference="source"), finder(), data, run="source").only().result
    assert (source.score, source.reference) == (result.score, "source")
    assert source.clean_score > result.clean_score, "what scaling cost shows against the sources alone"


def test_pictures_of_one_geometry_are_predicted_once(thumb, make_fixed, make_world, pictures, spectrum):
    guard = make_fixed("classification", "top1", {"longest": 88, "png": True}, {"longest": 88}, reference="input")
    model = spectrum(batch_size=4)
    first, second = (measured.result for measured in make_world(guard, model, pictures()).run().values())
    # Clean, after the lossless codec, among other neighbours, coded; then coded alone.
    assert (first.predictions, second.predictions) == (4 * 12, 12)
    assert (first.control_images, first.control_changed, second.clean_score) == (12, 0, first.clean_score)
    scaled = {tuple(image.shape[-2:]) for image in model.images_seen}
    assert all(max(size) <= 88 for size in scaled), "no source is predicted"


def test_each_geometry_has_a_clean_side_of_its_own(thumb, make_fixed, make_world, pictures):
    guard = make_fixed(
        "classification", "top1", {"longest": 200, "png": True}, {"longest": 80, "png": True}, reference="input"
    )
    guard = replace(guard, cells=tuple(replace(cell, min_clean=0) for cell in guard.cells))
    first, second = (each.result for each in make_world(guard, blind, pictures(40)).run().values())
    assert (first.clean_score, second.clean_score) == (100, 25)
    assert second.predictions > 40, "a second clean side is predicted"


@pytest.mark.parametrize("reference", ["source", "input"])
def test_a_codec_that_keeps_the_size_has_the_sources_as_clean_side(
    make_guard, make_world, pictures, spectrum, diary, reference
):
    guard = make_guard(["toy", "jpeg"], [2.0], reference=reference)
    results = [each.result for each in make_world(guard, spectrum(batch_size=4), pictures()).run().values()]
    assert [result.predictions for result in results] == [4 * 12, 12]
    assert [result.reference for result in results] == [reference] * 2


def test_scaled_and_plain_cells_share_no_clean_side(thumb, make_fixed, make_world, pictures, spectrum):
    guard = make_fixed("classification", "top1", {"longest": 88}, reference="input")
    jpeg = Cell("toys", CodecSpec("jpeg", "jpeg"), Quality(95.0), 100.0, None, None, 1)
    both = replace(guard, cells=(*guard.cells, jpeg))
    results = make_world(both, spectrum(batch_size=4), pictures()).run()
    swapped = make_world(both, spectrum(batch_size=4), pictures(), run="swapped").run([1, 0])
    for label, measured in results.items():
        assert measured.result.predictions == 4 * 12
        assert measured.result.clean_score == swapped[label].result.clean_score
        assert measured.evidence.to_bytes() == swapped[label].evidence.to_bytes()


def test_processes_of_a_run_share_the_clean_side(thumb, make_fixed, make_world, pictures, spectrum):
    guard = make_fixed("classification", "top1", {"longest": 88}, reference="input")
    worlds = [make_world(guard, spectrum(batch_size=4), pictures(), shared=True) for _ in range(2)]
    first, second = (world.only().result for world in worlds)
    assert (first.predictions, second.predictions) == (4 * 12, 3 * 12 + 4), "the second one predicts a batch of it"
    assert first.clean_score == second.clean_score


def test_later_runs_remember_the_clean_side_of_the_same_geometry_only(
    thumb, make_fixed, make_world, pictures, spectrum
):
    def run(name, **options):
        guard = make_fixed("classification", "top1", {"longest": 88, **options}, reference="input")
        guard = replace(guard, fingerprint=Fingerprint("v1"))
        (result,) = make_world(guard, spectrum(batch_size=4), pictures(), run=name).whole().values()
        return result

    first = run("first")
    again = run("again")
    other = run("other", longest=92)
    assert first.predictions == 4 * 12 + 4, "the probe is one batch of sources"
    assert first.remembered == 0
    # The probe; the first batch of the clean side, of the control and of the cell; and all among other neighbours.
    assert again.predictions == 4 + 3 * 4 + 12
    assert again.remembered == 3 * (12 - 4)
    assert (other.remembered, other.predictions) == (0, first.predictions)
    assert (again.clean_score, again.score) == (first.clean_score, first.score)


def test_a_run_that_stops_early_predicts_the_clean_side_as_far_as_it_needs(
    thumb, make_fixed, make_world, pictures, spectrum
):
    guard = make_fixed("classification", "top1", {"longest": 88}, reference="input")
    cells = tuple(replace(cell, max_drop=99.0, min_clean=0.0) for cell in guard.cells)
    world = make_world(replace(guard, cells=cells), spectrum(batch_size=4), pictures(40), early_stop=True)
    result = world.only().result
    assert (result.stopped_early, result.verdict) == (True, "pass")
    assert result.images_used < 40


def test_a_model_that_knows_nothing_of_small_pictures_is_an_error(thumb, make_fixed, make_world, pictures, spectrum):
    guard = make_fixed("classification", "top1", {"longest": 80}, reference="input")
    result = make_world(guard, blind, pictures(40)).only().result
    assert result.verdict == "error"
    assert "the model answered label 0 alone" in result.reason
    source = make_world(replace(guard, reference="source"), blind, pictures(40), run="source").only().result
    assert (source.verdict, source.clean_score) == ("pass", 100)


# Crops


def cropped_by_hand(image, crop):
    height, width = image.shape[-2:]
    x1, y1, x2, y2 = (round(crop[0] * width), round(crop[1] * height), round(crop[2] * width), round(crop[3] * height))
    return from_pil(to_pil(image).crop((x1, y1, x2, y2))), (x1, y1, x2, y2)


def test_both_sides_of_a_crop_are_scored_on_the_cropped_targets(thumb, make_fixed, make_world, scenes, finder):
    crop = (0.25, 0.1, 1, 0.9)
    data = scenes()
    guard = make_fixed("detection", "map", {"longest": 1000, "crop": crop, "png": True}, reference="input")
    measured = make_world(guard, finder(), data).only()
    items, sizes, lost = [], [], 0
    task = Detection()
    for image, target, _ in data:
        shown, (x1, y1, x2, y2) = cropped_by_hand(image, crop)
        boxes, labels = [], []
        for (left, top, right, bottom), label in zip(target["boxes"].tolist(), target["labels"].tolist(), strict=True):
            inside = max(left, x1) - x1, max(top, y1) - y1, min(right, x2) - x1, min(bottom, y2) - y1
            if inside[0] < inside[2] and inside[1] < inside[3]:
                boxes.append(inside)
                labels.append(label)
        size = (y2 - y1, x2 - x1)
        lost += not boxes
        sizes.append(size)
        wanted = {"boxes": np.array(boxes, dtype=float).reshape(-1, 4), "labels": np.array(labels, dtype=np.int64)}
        items.append(task.evidence(task.prediction(finder.found(shown), size), task.target(wanted, size), size))
    plain = float(task.scorer("map", items)(np.ones((1, len(items))))[0])
    assert measured.result.clean_score == pytest.approx(plain, abs=1e-9)
    assert measured.result.clean_score > 99, "rectangles that are cut are found as they are cut"
    assert measured.evidence.to_bytes() == measured.clean_evidence.to_bytes()
    assert measured.result.crop_emptied == lost


def test_the_scale_of_a_crop_is_that_of_the_source(thumb, make_fixed, make_world, scenes, finder):
    crop = (0.25, 0.1, 1, 0.9)
    results = [
        make_world(make_fixed("detection", metric, options, reference="input"), finder(), scenes(), run=f"r{number}")
        .only()
        .result
        for number, (metric, options) in enumerate(
            ("map_small", {"longest": longest, "crop": crop, "png": True}) for longest in (1000, 48)
        )
    ]
    assert results[0].clean_score == pytest.approx(results[1].clean_score, abs=2), "objects keep their size class"
    assert results[0].crop_emptied == results[1].crop_emptied


def test_a_map_is_cropped_with_its_picture(thumb, make_fixed, make_world):
    def model(images):
        return [(image[0] > 127).long() for image in images]

    data = []
    for number in range(6):
        image = torch.zeros(3, 40, 60, dtype=torch.uint8)
        image[:, 20:, 30 + number :] = 255
        data.append((image, (image[0] > 127).long(), f"m{number}"))
    options = {"longest": 1000, "crop": (0.5, 0.25, 1, 1), "png": True}
    result = make_world(make_fixed("segmentation", "miou", options, reference="input"), model, data).only().result
    assert (result.clean_score, result.score, result.crop_emptied) == (100, 100, 0)


def test_a_crop_has_to_be_compared_with_cropped_sources(thumb, make_fixed, make_world, scenes, finder):
    guard = make_fixed("detection", "map", {"crop": (0, 0, 0.5, 0.5)})
    message = (
        "codec 'thumb0' delivers a part of its sources, whose targets the clean sources do not have; expected "
        "reference: input, so that both sides are cropped; set it, or take the crop out of the codec"
    )
    with pytest.raises(OptionError, match=f"^{re.escape(message)}$"):
        make_world(guard, finder(), scenes()).only()
    assert thumb.encoded == 0


def test_a_crop_that_loses_all_objects_is_an_error(thumb, make_fixed, make_world, scenes, finder):
    guard = make_fixed("detection", "map", {"crop": (0, 0, 0.02, 0.02)}, reference="input")
    result = make_world(guard, finder(), scenes()).only().result
    assert (result.verdict, result.outcome, result.encodes) == ("error", "failed", None)
    assert result.reason == (
        "the crop of codec 'thumb0' leaves nothing of the target of any of the 12 images that have any; expected "
        "objects, or pixels that count, in some; move or enlarge the crop"
    )


def test_images_that_a_crop_empties_are_counted(thumb, make_fixed, make_world, scenes, finder):
    data = scenes()
    image = data[0][0]
    data[0] = image, {"boxes": torch.tensor([[0.0, 0.0, 4.0, 4.0]]), "labels": torch.tensor([0])}, "corner"
    data[1] = image, {"boxes": torch.zeros(0, 4), "labels": torch.zeros(0, dtype=torch.int64)}, "none"
    guard = make_fixed("detection", "map", {"longest": 500, "crop": (0.1, 0.1, 1, 1)}, reference="input")
    result = make_world(guard, finder(), data).only().result
    assert (result.crop_emptied, result.images_used) == (1, 12), "an image that never had objects has none to lose"


def test_measure_takes_the_reference(thumb, scenes, finder):
    result = measure(
        finder(),
        scenes(),
        task="detection",
        codec="thumb",
        bpp=8.0,
        options=PNG,
        reference="input",
        device="cpu",
        rate="image",
    )
    assert (result.reference, result.drop) == ("input", 0)
    with pytest.raises(OptionError, match=r"^reference is 'clean'; expected 'source' or 'input'$"):
        measure(finder(), scenes(), task="detection", codec="jpeg", reference="clean")
