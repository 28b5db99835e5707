"""Models and decoders that changed under an old name, where clean images do not show it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from compress_guard.engine.cells import cell_pass
from compress_guard.engine.prediction.earlier_evidence import Recall
from compress_guard.engine.prediction.shards import Predicted, Shard
from compress_guard.records import Evidence, Fingerprint
from compress_guard.store import Store
from tests.engine.conftest import Toy
from tests.engine.prediction.test_remembered import BATCH, IMAGES, Worlds, looked, predicted, recalled, without_work

RATES = (0.5, 1.5, 3.0)
WAYS = ("model_moved", "decoder_moved")


@pytest.fixture
def worlds(pictures, spectrum, diary, make_guard, make_world):
    guard = make_guard(rates=RATES, max_drop=100.0, fingerprint=Fingerprint("v1"))
    return Worlds(make_world, spectrum, guard, pictures(IMAGES, sizes=[(64, 64), (66, 70)]))


@pytest.fixture
def deblocking(spectrum: Any):
    """A model that answers the wrong class where an image has so few levels: strongly quantised ones have."""

    class Deblocking(spectrum):
        def __init__(self, levels):
            super().__init__(BATCH)
            self.levels = levels

        def scores(self, image):
            scores = super().scores(image)
            return scores.roll(1) if len(image.unique()) <= self.levels else scores

    return Deblocking


@pytest.fixture
def few(worlds):
    """Return the largest number of levels in images of the lowest rate; all other images have more."""
    seen = []
    for at in range(len(RATES)):
        world = worlds.world(folder=f"look{at}")
        world.run(order=[at])
        seen.append([len(image.unique()) for image in world.model.images_seen])
    lowest = max(seen[0][-IMAGES:])
    assert lowest < min(seen[0][:-IMAGES] + seen[1] + seen[2])
    return lowest


def moved(results, field="model_moved"):
    return [getattr(result, field) for result in results.values()]


def numbers(results):
    """Return the fields of results, without those about changes."""
    return {
        label: {name: value for name, value in fields.items() if name not in WAYS}
        for label, fields in without_work(results).items()
    }


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0)], ids=["lowest rate first", "lowest rate last"])
def test_a_change_that_acts_at_one_rate_alone_is_found_out_before_any_cell_of_the_codec_is_judged(
    worlds, deblocking, few, order
):
    first = worlds.run()

    def changed(**keys):
        return worlds.world(model=deblocking(few), **keys)

    expected = numbers(changed(folder="afresh").whole())
    assert expected["toy-0.5bpp"]["score"] != numbers(first)["toy-0.5bpp"]["score"]
    assert [expected[f"toy-{rate}bpp"] for rate in RATES[1:]] == [
        numbers(first)[f"toy-{rate}bpp"] for rate in RATES[1:]
    ]

    world = changed()
    found = {label: measured.result for label, measured in world.run(order).items()}
    assert numbers(found) == expected
    assert moved(found) == [True] * 3
    assert recalled(found) == 0
    third = changed().whole()
    assert numbers(third) == expected
    assert moved(third) == [False] * 3
    assert predicted(third) == looked(cells=3)


def test_what_a_model_left_before_a_change_is_no_part_of_what_came_after(worlds, deblocking, few):
    first = worlds.run()
    worlds.run(model=deblocking(few))
    back = worlds.run()
    assert numbers(back) == numbers(first)
    assert moved(back) == [True] * 3
    assert recalled(back) == 0


def test_a_change_on_one_clean_image_of_the_control_is_found_out(worlds, spectrum: Any):
    """The probing batch, a choice of all images, does not hold this one; the first batch of the control does."""

    class Changed(spectrum):
        other = None

        def scores(self, image):
            scores = super().scores(image)
            return scores.roll(1) if self.other is not None and image.equal(self.other) else scores

    first = worlds.run()
    world = worlds.world(model=Changed(BATCH), run="look")
    world.run()
    probing = world.model.seen[0]
    inside = [image for image, _, _ in worlds.data[:BATCH]]
    other = next(image for image in inside if not any(image.equal(one) for one in probing))
    model = Changed(BATCH)
    model.other = other
    expected = worlds.run(model=model, folder="afresh")
    found = worlds.run(model=model)
    assert numbers(found) == numbers(expected) != numbers(first)
    assert moved(found) == [True] * 3


@pytest.fixture
def brighter(monkeypatch):
    """Has the codec toy decode one level brighter, at some settings, under its old version."""

    def act(when=lambda setting: True):
        read = Toy._read

        def brightened(self, stream):
            image = read(self, stream)
            return image.clamp(max=254) + 1 if when(float(stream[0])) else image

        monkeypatch.setattr(Toy, "_read", brightened)

    return act


def test_a_decoder_that_changed_under_its_old_version_is_said_and_its_images_are_predicted_again(
    worlds, make_guard, brighter
):
    worlds.guard = make_guard(codecs=("toy", "jpeg"), rates=(1.5,), fingerprint=Fingerprint("v1"))
    first = worlds.run()
    brighter()
    expected = worlds.run(folder="afresh")
    second = worlds.run()
    assert numbers(second) == numbers(expected)
    assert moved(second, "decoder_moved") == [True, False]
    assert moved(second) == [False, False], "the model is not to blame"
    # Probing batch and the control's, the first of both codecs, and then all of toy.
    assert predicted(second) == looked(cells=2) + IMAGES
    assert recalled(second) == predicted(first) - predicted(second) + BATCH
    third = worlds.run()
    assert moved(third, "decoder_moved") == [False, False]
    assert predicted(third) == looked(cells=2)


def test_a_decoder_that_changed_at_one_setting_alone_is_found_out_for_all_its_cells(worlds, brighter):
    worlds.run()
    world = worlds.world(run="look")
    lowest = {setting for setting, _ in world.whole()["toy-0.5bpp"].settings}
    brighter(lambda setting: setting in lowest)
    second = worlds.run()
    assert numbers(second) == numbers(worlds.run(folder="afresh"))
    assert moved(second, "decoder_moved") == [True] * 3
    # The first batch of the lowest rate alone comes out otherwise; that of the others is of the other generation.
    assert predicted(second) == looked(cells=1) + 3 * IMAGES


def test_a_second_decoder_that_changed_is_predicted_again(worlds, make_guard, monkeypatch):
    worlds.guard = make_guard(codecs=("jpeg",), rates=(1.0,), decoder_swap=True, fingerprint=Fingerprint("v1"))
    first = worlds.run()
    real = cell_pass.second_decoder

    def changed(codec):
        second = real(codec)
        return replace(
            second,
            decode=lambda streams, workers: [torch.full_like(image, 7) for image in second.decode(streams, workers)],
        )

    monkeypatch.setattr(cell_pass, "second_decoder", changed)
    second = worlds.run()
    assert second["jpeg-1.0bpp"].swap_score != first["jpeg-1.0bpp"].swap_score
    assert second["jpeg-1.0bpp"].score == first["jpeg-1.0bpp"].score
    assert moved(second, "decoder_moved") == [True]


def test_early_stops_look_again_too(worlds, deblocking, few):
    first = worlds.run(early_stop=True)
    second = worlds.run(model=deblocking(few), early_stop=True)
    assert numbers(second) == numbers(worlds.run(model=deblocking(few), early_stop=True, folder="afresh"))
    assert second["toy-0.5bpp"].score != first["toy-0.5bpp"].score
    assert moved(second) == [True] * 3


def test_another_process_of_the_run_gives_up_what_the_first_gave_up(worlds, make_guard, deblocking, few):
    """Two workers have looked at clean images when one of them comes to the codec that shows the change."""
    worlds.guard = make_guard(codecs=("jpeg", "toy"), rates=(0.5, 1.0), fingerprint=Fingerprint("v1"))
    worlds.run()
    one, other = (worlds.world(model=deblocking(few), run="shared", shared=True) for _ in range(2))
    _, jpeg, toy, _ = worlds.guard.cells
    before = other.subject.recall
    assert before is not None
    first = one.bench.measure(toy, toy.name).result
    second = other.bench.measure(jpeg, jpeg.name).result
    assert (first.model_moved, second.model_moved) == (True, True)
    assert second.remembered == 0


# The memory by itself


@pytest.fixture
def recalls(tmp_path):
    """Recalls of one model in runs of these names, on one store."""
    (tmp_path / "store").mkdir()

    def make(run):
        (tmp_path / run).mkdir(exist_ok=True)
        return Recall(Store(tmp_path / "store"), tmp_path / run, "model", shard("probe", way=""), [])

    return make


def shard(name, way="codec"):
    return Shard(lambda: pytest.fail("nothing is made here"), (name,), f"content of {name}", way)


def evidence(name):
    from compress_guard.engine.coding.fidelity import NOTHING

    return Predicted(Evidence((name,), ({},)), NOTHING)


def proof(answers=1, pixels=1):
    from compress_guard.engine.prediction.earlier_evidence import BatchDigests

    return BatchDigests(bytes([answers]) * 20, bytes([pixels]) * 20)


@pytest.fixture
def kept(recalls):
    """A first batch with its digests and another batch, from an earlier run."""
    earlier = recalls("earlier")
    earlier.put(shard("a"), evidence("a"), proof())
    earlier.put(shard("b"), evidence("b"))
    return [shard("a"), shard("b")]


def test_what_nobody_has_looked_at_again_is_not_used(recalls, kept):
    now = recalls("now")
    assert [now.get(one) for one in kept] == [None, None]
    shard_again, predicted, digests = now.unproven(kept)
    assert (shard_again, predicted.evidence.ids, digests) == (kept[0], ("a",), proof())
    now.trust(kept)
    assert [now.get(one).evidence.ids for one in kept] == [("a",), ("b",)]


def test_clean_images_are_vouched_for_by_the_probing_batch(recalls):
    recalls("earlier").put(shard("a", way=""), evidence("a"))
    assert recalls("now").get(shard("a", way="")) is not None


def test_batches_without_digests_cannot_be_looked_at_again(recalls):
    recalls("earlier").put(shard("b"), evidence("b"))
    now = recalls("now")
    assert now.unproven([shard("b")]) is None
    assert now.get(shard("b")) is None


@pytest.mark.parametrize("agreed", [True, False])
def test_another_process_of_the_run_believes_what_the_first_found_in_order(recalls, kept, agreed):
    one, other = recalls("now"), recalls("now")
    one.put(kept[0], evidence("a"), proof(), agreed=agreed)
    assert other.unproven(kept) is None
    assert (other.get(kept[1]) is not None) is agreed


def test_a_generation_that_was_lost_takes_its_evidence_along(recalls, kept, tmp_path):
    for path in (tmp_path / "store" / "versions").glob("*/*"):
        path.unlink()
    now = recalls("now")
    now.trust(kept)
    assert [now.get(one) for one in kept] == [None, None]


@pytest.mark.parametrize("way", ["", "codec", "other"])
def test_a_new_generation_leaves_out_what_is_older_of_its_way(recalls, kept, way):
    one, other = recalls("now"), recalls("now")
    one.begin(way)
    for recall in (one, other, recalls("now"), recalls("later")):
        found = recall.unproven(kept)
        assert (found is None) is (way != "other")
        recall.trust(kept)
        assert (recall.get(kept[1]) is None) is (way != "other")
    assert [one.moved, other.moved, recalls("now").moved, recalls("later").moved] == [*[way == ""] * 3, False]


def test_what_this_process_made_is_of_use_in_the_new_generation_too(recalls):
    now = recalls("now")
    now.put(shard("a"), evidence("a"), proof())
    now.begin()
    assert now.get(shard("a")) is not None
    assert not now.is_earlier(shard("a"))


def test_an_exact_decoder_decodes_one_image_of_each_first_batch_again(worlds, diary, monkeypatch):
    monkeypatch.setattr(Toy, "device_tolerance", 0)
    first = worlds.run()
    diary.decoded.clear()
    second = worlds.run()
    assert without_work(second) == without_work(first)
    assert len(diary.decoded) == len(RATES)
    assert predicted(second) == looked(cells=3)


def test_an_exact_decoder_that_moved_is_found_out_all_the_same(worlds, brighter, monkeypatch):
    monkeypatch.setattr(Toy, "device_tolerance", 0)
    worlds.run()
    brighter()
    second = worlds.run()
    assert numbers(second) == numbers(worlds.run(folder="afresh"))
    assert moved(second, "decoder_moved") == [True] * 3
