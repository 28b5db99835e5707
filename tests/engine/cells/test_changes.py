from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compress_guard.engine.cells import changes as module
from compress_guard.engine.cells.changes import Flip, changes
from compress_guard.records import Evidence, LossFigures
from compress_guard.registry import TASKS

CLASSES = 4
SIZE = (24, 32)


def evidence(items, name="i"):
    return Evidence(tuple(f"{name}{place}" for place in range(len(items))), tuple(items))


def labelled(pairs):
    """Return classification evidence for pairs (predicted, target)."""
    task, items = TASKS.resolve("classification")(), []
    for predicted, target in pairs:
        scores = np.eye(CLASSES)[predicted]
        items.append(task.evidence({"scores": scores}, {"label": np.int64(target)}, SIZE))
    return evidence(items)


def maps(images, wrong, seed=0):
    """Return segmentation evidence of stripes and of the same with a share of random labels, one share per image."""
    task, rng = TASKS.resolve("segmentation")(), np.random.default_rng(seed)
    items = []
    for place, share in zip(range(images), wrong, strict=True):
        truth = np.add.outer(np.arange(SIZE[0]) // 6, np.zeros(SIZE[1], dtype=int)) + place % 3
        noise = rng.integers(0, CLASSES, SIZE)
        guess = np.where(rng.random(SIZE) < share, noise, truth)
        items.append(task.evidence(task.prediction(guess, SIZE), task.target(truth, SIZE), SIZE))
    return evidence(items)


def boxes(images, strayed, seed=0):
    """Return detection evidence: objects found with boxes that stray by so many pixels, one figure per image."""
    task, rng, finder = TASKS.resolve("detection")(), np.random.default_rng(seed), np.random.default_rng(seed + 1)
    items = []
    for place, pixels in zip(range(images), strayed, strict=True):
        corners = rng.uniform(0, 200, (4, 2))
        target = {"boxes": np.concatenate([corners, corners + 20], axis=1), "labels": np.arange(4) % 3}
        found = target["boxes"] + pixels * finder.choice([-1, 1], (4, 1))
        scores = np.linspace(0.9, 0.1, 4) - place / 1e4
        prediction = {"boxes": found, "labels": target["labels"], "scores": scores}
        items.append(task.evidence(task.prediction(prediction, SIZE), task.target(target, SIZE), SIZE))
    return evidence(items)


def drop_of(task, metric, clean, compressed):
    ones = np.ones((1, len(clean.ids)))
    return float((task.scorer(metric, clean.items)(ones) - task.scorer(metric, compressed.items)(ones))[0])


def total(found):
    return sum(points for _, points in found.losses)


def test_flips_name_the_image_its_class_and_both_predictions():
    clean = labelled([(0, 0), (1, 1), (2, 2), (3, 1), (0, 1)])
    compressed = labelled([(0, 0), (3, 1), (1, 2), (1, 1), (2, 1)])
    found = changes(TASKS.resolve("classification")(), "top1", clean, compressed)
    assert found.harmful == (Flip("i1", target=1, clean=1, compressed=3), Flip("i2", target=2, clean=2, compressed=1))
    assert found.helpful == (Flip("i3", target=1, clean=3, compressed=1),)
    assert found.changed == ("i1", "i2", "i3", "i4")
    assert found.losses == (("i1", 20.0), ("i2", 20.0), ("i3", -20.0))
    assert found.figures() == LossFigures(
        changed=4, harmful_flips=2, helpful_flips=1, worst=(("i1", 20.0), ("i2", 20.0))
    )


@given(st.lists(st.tuples(*[st.integers(0, CLASSES - 1)] * 3), min_size=1, max_size=12))
def test_flips_account_for_the_drop_and_go_the_other_way_round_when_the_sides_are_swapped(images):
    task = TASKS.resolve("classification")()
    clean = labelled([(before, target) for before, _, target in images])
    compressed = labelled([(after, target) for _, after, target in images])
    forth, back = changes(task, "top1", clean, compressed), changes(task, "top1", compressed, clean)
    assert total(forth) == pytest.approx(drop_of(task, "top1", clean, compressed))
    assert [flip.id for flip in forth.harmful] == [flip.id for flip in back.helpful]
    assert forth.changed == back.changed
    assert {flip.id for flip in forth.harmful + forth.helpful} <= set(forth.changed)


@pytest.mark.parametrize(
    ("task", "metric", "make", "hurt"),
    [
        ("segmentation", "miou", maps, [0.0, 0.5, 0.0, 0.1, 0.9, 0.0] * 5),
        ("segmentation", "pixel_accuracy", maps, [0.0, 0.5, 0.0, 0.1, 0.9, 0.0] * 5),
        ("detection", "map", boxes, [0, 1, 0, 1, 9, 0] * 5),
    ],
)
def test_losses_sum_to_the_drop_and_name_the_images_that_were_hurt(task, metric, make, hurt):
    task = TASKS.resolve(task)()
    clean, compressed = make(30, [0] * 30), make(30, hurt)
    found = changes(task, metric, clean, compressed)
    changed = [f"i{place}" for place in range(30) if hurt[place]]
    assert (found.harmful, found.helpful) == (None, None)
    assert list(found.changed) == changed
    assert {name for name, _ in found.losses} <= set(changed)
    assert total(found) == pytest.approx(drop_of(task, metric, clean, compressed), rel=0.1)
    assert [name for name, _ in found.worst if hurt[int(name[1:])] == max(hurt)] == [name for name, _ in found.worst]
    assert [points for _, points in found.losses] == sorted((points for _, points in found.losses), reverse=True)


def test_a_single_image_costs_the_whole_drop():
    task = TASKS.resolve("segmentation")()
    clean, compressed = maps(1, [0.0]), maps(1, [0.4])
    found = changes(task, "miou", clean, compressed)
    assert found.losses == (("i0", pytest.approx(drop_of(task, "miou", clean, compressed))),)


def test_an_image_that_gained_comes_last_and_is_not_among_the_worst():
    task = TASKS.resolve("segmentation")()
    clean, compressed = maps(6, [0.5, 0, 0, 0, 0, 0]), maps(6, [0.0, 0, 0.5, 0, 0, 0])
    found = changes(task, "miou", clean, compressed)
    assert [name for name, _ in found.losses] == ["i2", "i0"]
    assert found.losses[-1][1] < 0
    assert [name for name, _ in found.worst] == ["i2"]


def test_large_sets_are_told_by_parts_that_agree_with_the_whole(monkeypatch):
    task, hurt = TASKS.resolve("segmentation")(), [0.0, 0.5, 0.0, 0.1, 0.9, 0.0, 0.2] * 12
    clean, compressed = maps(len(hurt), [0.1] * len(hurt)), maps(len(hurt), hurt, seed=1)
    whole = changes(task, "miou", clean, compressed)
    monkeypatch.setattr(module, "BLOCK", 30)
    monkeypatch.setattr(module, "_CHUNK", 300)
    parts = changes(task, "miou", clean, compressed)
    assert total(parts) == pytest.approx(total(whole), rel=0.1)
    one, other = dict(whole.losses), dict(parts.losses)
    assert one.keys() == other.keys()
    assert np.corrcoef([one[name] for name in one], [other[name] for name in one])[0, 1] > 0.95


def test_every_image_is_in_one_part(monkeypatch):
    monkeypatch.setattr(module, "BLOCK", 7)
    for images in (1, 7, 8, 50):
        parts = list(module._blocks(images))
        assert sorted(place for part in parts for place in part) == list(range(images))
        assert max(map(len, parts)) <= 7


def test_nothing_changed_has_no_losses():
    found = changes(TASKS.resolve("segmentation")(), "miou", maps(3, [0.2] * 3), maps(3, [0.2] * 3))
    assert (found.changed, found.losses, found.worst) == ((), (), ())
    assert found.figures().changed == 0


def test_an_undefined_score_has_changes_but_no_costs():
    task = TASKS.resolve("segmentation")()
    void = np.full(SIZE, 255)
    items = [
        task.evidence(task.prediction(np.full(SIZE, label), SIZE), task.target(void, SIZE), SIZE) for label in (0, 1)
    ]
    clean, compressed = evidence(items[:1]), evidence([{**items[1], "valid": np.array(1)}])
    found = changes(task, "miou", clean, compressed)
    assert (found.changed, found.losses) == (("i0",), ())


def test_the_archive_holds_all_of_it():
    clean, compressed = labelled([(0, 0), (1, 1), (2, 0)]), labelled([(3, 0), (1, 1), (0, 0)])
    found = json.loads(changes(TASKS.resolve("classification")(), "top1", clean, compressed).to_json())
    flip = {"id": "i0", "target": 0, "clean": 0, "compressed": 3}
    assert found["images"] == 3
    assert found["changed"] == ["i0", "i2"]
    assert found["harmful"] == [flip]
    assert found["helpful"] == [{"id": "i2", "target": 0, "clean": 2, "compressed": 0}]
    assert found["losses"] == [{"id": "i0", "points": 100 / 3}, {"id": "i2", "points": -100 / 3}]


def test_evidence_of_other_images_is_refused():
    clean = labelled([(0, 0), (1, 1)])
    with pytest.raises(ValueError, match="different images"):
        changes(TASKS.resolve("classification")(), "top1", clean, replace(clean, ids=("i1", "i0")))
