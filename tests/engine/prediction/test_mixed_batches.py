"""Batches of mixed neighbours: what they hold, and that what depends on neighbours is told from what does not."""

from __future__ import annotations

import re
from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from compress_guard.engine.images.subsets import ReadingOptions
from compress_guard.engine.prediction.lossless_control import control
from compress_guard.engine.prediction.mixed_batches import mixed
from compress_guard.engine.prediction.subject import Subject
from compress_guard.errors import ModelError


def silent(done, total):
    pass


@st.composite
def shown(draw):
    """Batches as the control chooses them, with sizes and levels of their images."""
    size = draw(st.integers(1, 9))
    count = draw(st.integers(1, 3 * size))
    sizes = draw(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 4)), min_size=count, max_size=count))
    levels = draw(st.lists(st.integers(0, 255), min_size=count, max_size=count))
    return [list(range(start, min(start + size, count))) for start in range(0, count, size)], sizes, levels


@settings(deadline=None)
@given(shown())
def test_batches_have_the_size_shown_the_frame_they_had_and_other_neighbours(case):
    batches, sizes, levels = case
    made = mixed(batches, sizes, levels)
    size = max(map(len, batches))
    known = {at for batch in batches for at in batch}
    assert all(len(batch) == size and set(batch) <= known for batch in made)
    assert sum(map(len, made)) <= sum(map(len, batches))
    frames = [frame([sizes[at] for at in batch]) for batch in batches]
    assert all(frame([sizes[at] for at in batch]) in frames for batch in made)
    assert all(Counter(batch) != Counter(other) for batch in made for other in batches)


def frame(sizes):
    """Return the measures of a model that pads or resizes: the largest sides and the most extreme proportions."""
    proportions = [height / width for height, width in sizes]
    return max(one[0] for one in sizes), max(one[1] for one in sizes), min(proportions), max(proportions)


def test_images_of_one_size_are_dealt_out_by_their_brightness():
    levels = [5, 1, 4, 2, 3, 0, 9, 8]
    assert mixed([[0, 1, 2, 3], [4, 5, 6, 7]], [(8, 8)] * 8, levels) == [[5, 1, 3, 4], [2, 0, 7, 6]]


def test_every_place_keeps_its_size():
    sizes = [(8, 8), (8, 9)] * 6
    made = mixed([[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]], sizes, [at % 5 for at in range(12)])
    assert [[sizes[at] for at in batch] for batch in made] == [[(8, 8), (8, 9)] * 2] * 3
    assert sorted(at for batch in made for at in batch) == list(range(12))


def test_of_a_single_batch_the_darker_half_comes_twice():
    (made,) = mixed([[0, 1, 2, 3, 4, 5]], [(8, 8)] * 6, [9, 1, 8, 2, 7, 3])
    assert set(made) == {1, 3, 5}
    assert len(made) == 6


@pytest.mark.parametrize("batches", [[], [[0]], [[0], [1], [2]], [[0, 1]]])
def test_where_nothing_can_be_mixed_there_is_nothing(batches):
    assert mixed(batches, [(8, 9), (9, 8), (7, 7)], [1, 2, 3]) == []


# Models


def picture(number, size=(16, 16)):
    noise = torch.Generator().manual_seed(number)
    coarse = torch.randint(0, 256, (1, 3, 4, 4), generator=noise).float()
    return torch.nn.functional.interpolate(coarse, size=size)[0].to(torch.uint8)


def controlled(model, count, sizes=((16, 16),), task="classification", target=lambda number: number % 4):
    data = [(picture(number, sizes[number % len(sizes)]), target(number), f"m{number}") for number in range(count)]
    subject = Subject(task, lambda: model, lambda: data, ReadingOptions(0), device="cpu")
    subset = subject.subset(None)
    return control(subject, subset, subject.clean_evidence(None, silent), silent)


class Normed:
    """A small network with batch statistics, whose module may be left in train mode."""

    def __init__(self, train, batch_size=8, seed=1):
        torch.manual_seed(seed)
        norm = torch.nn.BatchNorm2d(16)
        conv = torch.nn.Conv2d(3, 16, 3)
        self.module = torch.nn.Sequential(
            conv, norm, torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(16, 6)
        ).train(train)
        self.batch_size = batch_size

    @torch.no_grad()
    def __call__(self, images):
        return list(self.module(torch.stack([image.float() / 255 for image in images])))


SENTENCE = (
    "when the clean images came among other neighbours, the first: {first}; expected an image's prediction to be the "
    "same whatever else is in its batch; batch statistics are left on (BatchNorm in train mode), or the model mixes "
    "the images of a batch in another way; call eval() on the model"
)


@pytest.mark.parametrize("count", [6, 8, 20, 24, 60])
@pytest.mark.parametrize("seed", range(4))
def test_batch_statistics_left_on_are_told_by_their_own_sentence(count, seed):
    assert controlled(Normed(False, seed=seed), count).fault is None
    found = controlled(Normed(True, seed=seed), count)
    assert found.changed == 0, "the same batches come out the same"
    size = min(count, 8)
    assert found.mixed == {60: 2}.get(count, count // size) * size, "whole batches of the control"
    assert found.fault is not None
    first = re.search(r"the first: (m\d+);", found.fault)[1]
    assert found.fault.startswith("mixed batches: ")
    with pytest.raises(ModelError, match=f"{re.escape(SENTENCE.format(first=first))}$"):
        found.check()


def test_predictions_that_change_are_counted():
    """The brightest of three channels, in the light of the batch."""

    class Relative:
        batch_size = 4

        def __call__(self, images):
            light = sum(image.float().mean((1, 2)) for image in images) / len(images)
            return [image.float().mean((1, 2)) - light for image in images]

    found = controlled(Relative(), 12, target=lambda number: number % 3)
    message = f"mixed batches: {found.mixed_changed} of 12 predictions changed (allowed 1) "
    assert found.fault.startswith(message)
    assert found.mixed_changed > 1


def test_scores_that_move_are_told_where_no_prediction_changes():
    class Fading:
        batch_size = 4

        def __call__(self, images):
            light = float(sum(image.float().mean() for image in images)) / len(images)
            return [torch.tensor([1.0, 0.0, light / 255]) for _ in images]

    found = controlled(Fading(), 12, target=lambda number: number % 3)
    assert found.mixed_changed == 0
    pattern = (
        r"^mixed batches: the scores of [12] of 2 images moved by more than 2 % of their range \(allowed 0\) when "
    )
    assert re.match(pattern, found.fault)


def test_one_image_at_a_time_has_no_neighbours():
    found = controlled(Normed(False, batch_size=1), 4)
    assert (found.mixed, found.mixed_changed, found.fault) == (None, None, None)


@pytest.mark.parametrize("tipped", [1, 3])
def test_a_near_tie_may_tip(tipped):
    """One of 24 predictions among other neighbours may change."""

    class Ties(Normed):
        calls = 0

        def __call__(self, images):
            self.calls += 1
            answers = super().__call__(images)
            return [one.flip(0) if self.calls == 8 and at < tipped else one for at, one in enumerate(answers)]

    found = controlled(Ties(False), 24)
    assert (found.mixed_changed, found.fault is None) == (tipped, tipped == 1)


class Sorter:
    """Works on the largest images first, in a batch that is padded to the largest of them, and answers in order."""

    batch_size = 5

    def __call__(self, images):
        height, width = (max(image.shape[side] for image in images) for side in (1, 2))
        order = sorted(range(len(images)), key=lambda at: -images[at].numel())
        packed = torch.zeros(len(images), 3, height, width)
        for place, at in enumerate(order):
            packed[place, :, : images[at].shape[1], : images[at].shape[2]] = images[at]
        # Padding counts, as in a detector's features near the edge.
        means = packed.mean((2, 3))
        return [means[order.index(at)] for at in range(len(images))]


@pytest.mark.parametrize(
    "sizes", [[(16, 16)], [(16, 20), (20, 16), (18, 18)], [(10 + at, 30 - at) for at in range(17)]]
)
def test_models_that_sort_and_pad_are_not_called_broken(sizes):
    found = controlled(Sorter(), 17, sizes, target=lambda number: number % 3)
    assert (found.mixed_changed, found.fault) == (0, None)


SEVERAL = [(60, 80), (80, 60), (50, 100), (70, 75)]


@pytest.mark.slow
@pytest.mark.parametrize("sizes", [SEVERAL, [(50 + 3 * at, 90 - 2 * at) for at in range(11)]], ids=["few", "unique"])
@pytest.mark.parametrize("kind", ["detector", "segmenter"])
def test_models_of_torchvision_on_images_of_several_sizes(kind, sizes):
    from torchvision.models import detection, segmentation

    from compress_guard import predictor

    torch.manual_seed(0)
    images = [picture(number, sizes[number % len(sizes)]) for number in range(11)]
    if kind == "detector":
        module = detection.fasterrcnn_mobilenet_v3_large_320_fpn(
            weights=None, weights_backbone=None, box_score_thresh=0.0, num_classes=5
        )
        with torch.no_grad():
            answers = module.eval()([image / 255 for image in images])
        truth = [{name: answer[name][:6] for name in ("boxes", "labels")} for answer in answers]
        found = controlled(
            predictor(module, task="detection", batch_size=4), 11, sizes, "detection", lambda number: truth[number]
        )
    else:
        module = segmentation.lraspp_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=5)
        model = predictor(module, task="segmentation", batch_size=4)
        truth = model(images)
        found = controlled(model, 11, sizes, "segmentation", lambda number: truth[number])
    assert found.fault is None
    assert found.mixed == 8
