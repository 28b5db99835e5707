"""Stopping early: fewer images where the verdict is certain, and the same plan, batches and words as ever."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from compress_guard.records import SliceLimit, Slicing, seeded_fraction
from compress_guard.verdict.power import images_for

COUNT = 200
BATCH = 16


@pytest.fixture
def data(pictures):
    return pictures(COUNT, sizes=[(64, 64)])


@pytest.fixture
def stopped(data, spectrum, diary, make_guard, make_world):
    """Return a function that makes a world with a guard whose cells stop early; keywords are the guard's keys."""

    def make(model=None, *, early_stop=True, folder="store", rates=(3.0,), **keys):
        guard = make_guard(rates=rates, **keys)
        return make_world(guard, model or spectrum(BATCH), data, early_stop=early_stop, folder=folder)

    return make


def test_a_cell_far_from_its_limit_takes_a_part_of_the_images(stopped):
    world = stopped(max_drop=60.0)
    result = world.only().result
    assert (result.verdict, result.settled_by, result.stopped_early) == ("pass", "interval", True)
    assert result.images == COUNT
    assert 32 <= result.images_used <= 96
    assert result.images_used % BATCH == 0
    # Clean, the control's three batches or fewer, compressed: and no more.
    controls = result.control_images + result.control_mixed
    assert result.predictions == len(world.model.images_seen) == 2 * result.images_used + controls
    assert result.drop_low <= result.drop <= result.drop_high <= 60


def test_a_cell_near_its_limit_takes_them_all(stopped):
    result = stopped(max_drop=0.5).only().result
    assert (result.verdict, result.stopped_early, result.images_used) == ("inconclusive", False, COUNT), result.reason


def test_without_a_limit_nothing_stops(stopped):
    result = stopped(max_drop=None).only().result
    assert (result.verdict, result.stopped_early, result.images_used) == ("unjudged", False, COUNT)


def test_the_settings_are_those_of_the_whole_plan(stopped):
    early = stopped(max_drop=60.0, rates=(2.5,), folder="early").only()
    whole = stopped(max_drop=60.0, rates=(2.5,), early_stop=False, folder="whole").only()
    assert early.result.images_used < whole.result.images_used == COUNT
    assert {setting for setting, _ in early.result.settings} <= {setting for setting, _ in whole.result.settings}
    assert early.result.encodes == whole.result.encodes
    by_id = dict(zip(whole.evidence.ids, whole.evidence.items, strict=True))
    assert all(
        {name: array.tolist() for name, array in item.items()}
        == {name: array.tolist() for name, array in by_id[image].items()}
        for image, item in zip(early.evidence.ids, early.evidence.items, strict=True)
    )


def test_images_come_in_random_order_that_the_seed_alone_decides(stopped):
    first, again = (stopped(max_drop=60.0, folder=name).only().evidence.ids for name in ("one", "two"))
    assert first == again
    assert list(first) != sorted(first)
    assert not set(first) <= {f"t{at:02d}" for at in range(len(first))}


def test_a_cell_is_the_same_alone_and_after_others(stopped, data):
    together = stopped(max_drop=60.0, rates=(2.0, 3.0), folder="together").run()
    alone = stopped(max_drop=60.0, rates=(2.0, 3.0), folder="alone")
    cell = alone.guard.cells[-1]
    result = alone.bench.measure(cell, cell.name).result
    varies = dict.fromkeys(("seconds", "encodes", "check_encodes", "predictions"))
    assert result.as_dict() | varies == together["toy-3.0bpp"].result.as_dict() | varies


def test_clean_images_are_predicted_once_for_all_cells(stopped):
    world = stopped(max_drop=60.0, rates=(2.0, 3.0, 4.0))
    results = [measured.result for measured in world.run().values()]
    furthest = max(result.images_used for result in results)
    compressed = sum(result.images_used for result in results)
    controls = results[0].control_images + results[0].control_mixed
    assert world.subject.predictions == furthest + controls + compressed


def test_the_control_and_the_codec_check_come_with_the_first_batch(stopped):
    result = stopped(max_drop=60.0).only().result
    assert (result.control_images, result.control_changed, result.checked) == (BATCH, 0, 3)


def test_slices_that_are_judged_are_not_cut_short(data, spectrum, diary, make_guard, make_world):
    guard = make_guard(rates=(3.0,), max_drop=60.0, slicings=(Slicing("class", "label"),))
    limit = SliceLimit("class", None, 90.0)
    guard = replace(guard, cells=tuple(replace(cell, slice_limits=(limit,)) for cell in guard.cells))
    result = make_world(guard, spectrum(BATCH), data, early_stop=True).only().result
    assert (result.stopped_early, result.images_used, result.verdict) == (False, COUNT, "pass")
    assert [(one.value, one.images, one.verdict) for one in result.slices] == [(str(at), 50, "pass") for at in range(4)]
    assert result.confidence == pytest.approx(1 - 0.05 / 5)


def test_a_guard_says_what_it_can_resolve_before_its_first_cell(stopped):
    told = []
    world = stopped(max_drop=0.5, rates=(3.0, 4.0))
    for cell in world.guard.cells:
        world.bench.measure(cell, cell.name, tell=told.append)
    resolves, warning = told
    assert resolves.startswith(f"toys: with {COUNT} images a drop must be ")
    # A look before the last image may leave 96 %, for which it takes more images than for 95 %.
    assert warning == (
        f"WARNING: toys: {COUNT} images are too few for a max_drop unless compression puts predictions right: where "
        f"none changes, the 95 % interval of the drop reaches 1.9, allowed 0.5; it takes {images_for(0.96, 0.5)} "
        "images, or a higher max_drop"
    )
    assert world.model.seen


def test_a_class_that_was_not_seen_yet_holds_the_looks_back(pictures, diary, make_guard, make_world):
    """The last images have a second class that compression destroys: the others alone would pass at once."""
    order = sorted(range(COUNT), key=lambda position: seeded_fraction(0, f"position {position}"))
    data = [
        (image, torch.full((64, 64), int(at in order[-8:])), name)
        for at, (image, _, name) in enumerate(pictures(COUNT, sizes=[(64, 64)]))
    ]
    known = {image.numpy().tobytes(): target for image, target, _ in data}

    class Segmenter:
        """Right on the source images; it finds the first class everywhere else."""

        batch_size = BATCH

        def __call__(self, images):
            return [known.get(image.numpy().tobytes(), torch.zeros(64, 64, dtype=torch.int64)) for image in images]

    guard = make_guard(rates=(3.0,), max_drop=30.0, task="segmentation", metric="miou")
    whole = make_world(guard, Segmenter(), data, folder="whole").only().result
    early = make_world(guard, Segmenter(), data, early_stop=True).only().result
    assert whole.verdict == early.verdict != "pass"
    assert early.images_used > COUNT - 8


def test_images_that_are_lost_are_counted_among_those_that_were_reached(stopped, diary):
    diary.broken = lambda picture, setting: picture % 10 == 0
    early = stopped(max_drop=60.0, max_error_share=0.04).only().result
    whole = stopped(max_drop=60.0, max_error_share=0.04, early_stop=False, folder="whole").only().result
    assert early.verdict == whole.verdict == "codec_error"
    allowed = stopped(max_drop=60.0, max_error_share=0.3, folder="allowed").only().result
    assert (allowed.verdict, allowed.stopped_early) == ("pass", True)
    assert 0 < allowed.errors < allowed.images_used


def test_images_in_their_own_order_never_stop_early(data, spectrum, diary, make_guard, make_world):
    world = make_world(make_guard(rates=(3.0,), max_drop=60.0), spectrum(BATCH), data)
    trials = world.bench._trials
    trials._settings = replace(trials._settings, early_stop=True)
    assert not world.subject.reading.shuffled
    assert not world.only().result.stopped_early


def test_the_interval_says_what_it_holds_with(stopped):
    early = stopped(max_drop=60.0).only().result
    assert (early.confidence, early.interval_confidence) == (0.95, pytest.approx(0.99))
    assert "99 % interval" in early.reason
    to_the_end = stopped(max_drop=0.5, folder="end").only().result
    assert (to_the_end.confidence, to_the_end.interval_confidence) == (0.95, pytest.approx(0.96))
    whole = stopped(max_drop=60.0, early_stop=False, folder="whole").only().result
    assert whole.confidence == whole.interval_confidence == 0.95
