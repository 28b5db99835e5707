"""Stopping early where images belong together: after whole groups, and as ever where each has one image."""

from __future__ import annotations

import pytest

from compress_guard.engine.images.survey.record import Survey
from compress_guard.records import Grouping
from compress_guard.verdict.grouped.groups import Groups

COUNT = 200
BATCH = 16


@pytest.fixture
def data(pictures):
    return pictures(COUNT, sizes=[(64, 64)])


@pytest.fixture
def stopped(data, spectrum, diary, make_guard, make_world):
    """Return a function that makes a world with a guard whose cells stop early; `size` is that of its groups."""

    def make(size, *, early_stop=True, folder="store", **keys):
        groups = Grouping("places", lambda target, image_id: int(image_id[1:]) // size) if size else None
        guard = make_guard(rates=(3.0,), groups=groups, **keys)
        return make_world(guard, spectrum(BATCH), data, early_stop=early_stop, folder=folder)

    return make


def values(result):
    changing = ("seconds", "groups", "groups_needed", "reason")
    return {key: value for key, value in result.as_dict().items() if key not in changing}


@pytest.mark.parametrize("max_drop", [60.0, 0.5])
def test_groups_of_one_image_stop_where_images_do(stopped, max_drop):
    alone, single = (stopped(size, max_drop=max_drop, folder=f"store{size}").only().result for size in (0, 1))
    assert values(single) == values(alone)
    assert (single.groups, alone.groups) == (single.images_used, None)
    assert single.stopped_early == (max_drop == 60.0)


def test_a_cell_stops_after_whole_groups_of_its_own_images(stopped):
    world = stopped(3, max_drop=60.0)
    measured = world.only()
    result = measured.result
    assert (result.verdict, result.stopped_early) == ("pass", True)
    assert 32 <= result.groups < 67
    assert result.images_used < COUNT
    used = {}
    for image in measured.evidence.ids:
        used.setdefault(int(image[1:]) // 3, []).append(image)
    sizes = [3 if group < 66 else 2 for group in used]
    assert [len(images) for images in used.values()] == sizes
    assert (len(used), sum(sizes)) == (result.groups, result.images_used)
    assert measured.clean_evidence.ids == measured.evidence.ids
    assert f"{result.images_used} images in {result.groups} groups" in result.reason
    # The last batch holds images of a group that was not finished; the model has seen them all the same.
    controls = result.control_images + result.control_mixed
    assert result.predictions == 2 * -(-result.images_used // BATCH) * BATCH + controls
    survey: Survey = world.subject.subset(None).survey
    assert list(measured.evidence.ids) == [info.id for info in survey.infos[: result.images_used]]
    assert survey.groups_of(measured.evidence.ids).count == result.groups


def test_groups_take_longer_than_the_same_images_alone(stopped):
    alone, grouped = (stopped(size, max_drop=60.0, folder=f"store{size}").only().result for size in (0, 4))
    assert alone.images_used < grouped.images_used


def test_too_few_groups_for_a_look_take_all_images(stopped):
    result = stopped(10, max_drop=60.0).only().result
    assert (result.stopped_early, result.images_used, result.groups) == (False, COUNT, 20)


def test_the_last_interval_is_over_groups(stopped):
    whole = stopped(5, max_drop=3.0, early_stop=False, folder="whole").only()
    early = stopped(5, max_drop=3.0).only()
    assert not early.result.stopped_early
    assert early.result.drop == pytest.approx(whole.result.drop)
    # Looks that came before take a part of the error, so the last interval is a little wider.
    assert early.result.interval_confidence > whole.result.interval_confidence
    assert early.result.drop_high > whole.result.drop_high
    names = [int(image[1:]) // 5 for image in early.evidence.ids]
    assert early.result.groups == Groups.of(names).count == 40
