"""Reading of users' data sets: accepted and refused samples, messages, and memory."""

from __future__ import annotations

import io
import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from compress_guard.engine.images import reader as module
from compress_guard.engine.images.reader import SampleReader
from compress_guard.engine.images.sample import SlicesError
from compress_guard.engine.images.samples import Samples
from compress_guard.engine.images.survey.passes import survey
from compress_guard.errors import CodecError, DataError


def plain(raw, size):
    return raw


def picture(height=4, width=5, fill=70):
    return torch.full((3, height, width), fill, dtype=torch.uint8)


class Counted:
    """A data set that notes every read."""

    def __init__(self, rows):
        self.rows, self.reads = rows, []

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, index):
        self.reads.append(index)
        if isinstance(self.rows[index], Exception):
            raise self.rows[index]
        return self.rows[index]


@settings(deadline=None)
@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 60), st.integers(-5, 5))
def test_a_subset_is_seeded_nested_and_in_data_order(count, one, other, seed):
    small, large = sorted((one, other))

    def chosen(limit):
        samples = Samples(SampleReader([(picture(), at) for at in range(count)], plain), limit=limit, seed=seed)
        return [samples[index].target for index in range(len(samples))]

    assert len(chosen(small)) == min(small, count)
    assert chosen(small) == sorted(set(chosen(small)))
    assert set(chosen(small)) <= set(chosen(large))
    assert chosen(small) == chosen(small)
    assert chosen(None) == list(range(count))


def test_another_seed_chooses_another_subset():
    data = [(picture(), at) for at in range(200)]

    def chosen(seed):
        found = Samples(SampleReader(data, plain), limit=20, seed=seed)
        return [found[index].target for index in range(20)]

    assert chosen(0) != chosen(1)


def test_shuffled_samples_are_the_same_in_an_order_whose_beginnings_are_smaller_subsets():
    data = [(picture(), at) for at in range(60)]

    def chosen(limit, seed=0, shuffled=True):
        found = Samples(SampleReader(data, plain), limit=limit, seed=seed, shuffled=shuffled)
        return [found[index].target for index in range(len(found))]

    whole = chosen(None)
    assert whole != sorted(whole) == list(range(60))
    assert chosen(100) == whole
    assert chosen(None, seed=1) != whole
    for limit in (1, 20, 59):
        assert chosen(limit) == whole[:limit]
        assert sorted(chosen(limit)) == chosen(limit, shuffled=False)
    # No part of the data comes earlier than another
    early = [target for seed in range(40) for target in chosen(6, seed)]
    assert 24 < sum(early) / len(early) < 35


@pytest.mark.parametrize(
    ("row", "name", "target"),
    [
        ((picture(), 3), "0", 3),
        ([picture(), 3], "0", 3),
        ((picture(), 3, "street.jpg"), "street.jpg", 3),
        ((picture(), 3, 17), "17", 3),
        ((Image.new("RGB", (5, 4), (70, 70, 70)), {"a": 1}), "0", {"a": 1}),
        ((Image.new("L", (5, 4), 70), None, "grey"), "grey", None),
        ((picture()[:1], 3), "0", 3),
    ],
)
def test_rows_that_are_taken(row, name, target):
    sample = Samples(SampleReader([row], plain))[0]
    assert (sample.id, sample.target, sample.size) == (name, target, (4, 5))
    assert sample.image.equal(picture())


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (picture(), "sample 0 is a Tensor; expected (image, target) or (image, target, id)"),
        ((picture(),), "sample 0 is a tuple of length 1; expected (image, target) or (image, target, id)"),
        ((1, 2, 3, 4), "sample 0 is a tuple of length 4; expected (image, target) or (image, target, id)"),
        ({"image": 1}, "sample 0 is a dict; expected (image, target) or (image, target, id)"),
        (5, "sample 0 is an int; expected (image, target) or (image, target, id)"),
        (None, "sample 0 is a NoneType; expected (image, target) or (image, target, id)"),
        (KeyError("gone"), "sample 0 cannot be read (KeyError: 'gone')"),
        (DataError("lost"), "sample 0 cannot be read (DataError: lost)"),
        (
            (picture().float(), 1, "cat"),
            "sample 0 (id cat): image is a tensor of shape (3, 4, 5) and dtype float32; expected a PIL image or a "
            "uint8 RGB tensor of shape (3, H, W) with H and W at least 1; leave scaling and normalisation to the model "
            "(PILToTensor keeps uint8)",
        ),
    ],
)
def test_rows_that_are_refused(row, message):
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        Samples(SampleReader(Counted([row]), plain))[0]


def test_a_broken_picture_that_opens_lazily_is_named():
    whole = io.BytesIO()
    Image.effect_noise((64, 64), 50).save(whole, "JPEG")
    opened = Image.open(io.BytesIO(whole.getvalue()[:700]))
    with pytest.raises(DataError, match=r"^sample 0 \(id half\): image cannot be read: "):
        Samples(SampleReader([(opened, 1, "half")], plain))[0]


def test_a_target_reader_that_stumbles_is_the_samples_error():
    def stumbles(raw, size):
        raise ZeroDivisionError("oh")

    with pytest.raises(DataError, match=r"^sample 0 \(id a\) cannot be read \(ZeroDivisionError: oh\)$"):
        Samples(SampleReader([(picture(), 1, "a")], stumbles))[0]


def test_the_target_reader_is_told_the_size_of_the_upright_image():
    tall = Image.new("RGB", (9, 4))
    tall.getexif()[0x0112] = 6
    sizes = []
    Samples(SampleReader([(tall, 1)], lambda raw, size: sizes.append(size)))[0]
    assert sizes == [(9, 4)]


@settings(deadline=None)
@given(st.lists(st.integers(1, 12), min_size=1, max_size=12), st.lists(st.integers(0, 11), max_size=40))
def test_memory_holds_the_bound_plus_one_image_at_most(sides, reads):
    samples = Samples(SampleReader([(picture(side, side), 0) for side in sides], plain))
    bound = 300
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "KEPT_BYTES", bound)
        for at in reads:
            sample = samples[at % len(sides)]
            kept = sum(one.image.numel() for one in samples._reader._kept.values())
            assert kept <= max(bound, sample.image.numel())
            assert sample.size == (sides[at % len(sides)],) * 2


def test_what_fits_is_read_once_and_the_least_recent_goes_first(monkeypatch):
    data = Counted([(picture(10, 10), at) for at in range(3)])
    monkeypatch.setattr(module, "KEPT_BYTES", 600)
    samples = Samples(SampleReader(data, plain))
    for at in (0, 1, 0, 1, 2, 1, 0):
        samples[at]
    assert data.reads == [0, 1, 2, 0]


# The same image every time


class Flipping:
    """Flips each picture or not, by a seeded coin, whenever it is read."""

    def __init__(self, rows, seed=0):
        self.rows, self.coins = rows, torch.Generator().manual_seed(seed)

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, index):
        image, *rest = self.rows[index]
        return (image.flip(-1) if torch.rand(1, generator=self.coins) < 0.5 else image, *rest)


def ramps(count):
    return [(torch.arange(60, dtype=torch.uint8).reshape(3, 4, 5) + at, at, f"r{at}") for at in range(count)]


def test_an_image_that_changes_between_reads_is_refused_from_then_on(monkeypatch):
    monkeypatch.setattr(module, "KEPT_BYTES", 0)
    samples = Samples(SampleReader(Flipping(ramps(12)), plain))
    first = [samples[index].image for index in range(12)]
    refusal = (
        r"sample (\d+) \(id r\1\) gives different pixels each time it is read; expected the same image every time; "
    )

    def again():
        for index in range(12):
            assert samples[index].image.equal(first[index])

    with pytest.raises(DataError, match=f"^{refusal}switch random transforms off for evaluation$") as caught:
        again()
    for index in range(12):
        with pytest.raises(DataError, match=f"^{re.escape(str(caught.value))}$"):
            samples[index]


def test_an_image_of_another_size_at_the_second_read_is_refused(monkeypatch):
    monkeypatch.setattr(module, "KEPT_BYTES", 0)
    rows = [(picture(4, 6), 0), (picture(4, 5), 1)]
    samples = Samples(SampleReader(rows, plain))
    survey(samples)
    rows[0] = (picture(6, 4), 0)
    with pytest.raises(DataError, match=r"^sample 0 \(id 0\) gives different pixels each time"):
        samples[0]


def test_the_same_image_may_be_read_as_often_as_memory_wants(monkeypatch):
    monkeypatch.setattr(module, "KEPT_BYTES", 0)
    data = Counted(ramps(3))
    samples = Samples(SampleReader(data, plain))
    for at in (0, 1, 2, 0, 1, 2):
        assert samples[at].image.equal(data.rows[at][0])
    assert data.reads == [0, 1, 2, 0, 1, 2]


# Slices


def test_slicers_see_the_data_sets_own_target_and_the_id():
    seen = []

    def parity(target, image_id):
        seen.append((target, image_id))
        return ("odd",) if target["n"] % 2 else ()

    rows = [(picture(), {"n": 3}, "a"), (picture(), {"n": 4})]
    samples = Samples(
        SampleReader(rows, lambda raw, size: None, slicers={"parity": parity, "same": lambda target, name: ("x", "y")})
    )
    assert [samples[at].slices for at in (0, 1)] == [
        {"parity": ("odd",), "same": ("x", "y")},
        {"parity": (), "same": ("x", "y")},
    ]
    assert seen == [({"n": 3}, "a"), ({"n": 4}, "1")]
    assert Samples(SampleReader(rows, plain))[0].slices == {}


def test_a_slicer_that_refuses_an_image_is_the_samples_error():
    def refuses(target, image_id):
        raise DataError("slices s: no weather")

    def stumbles(target, image_id):
        return target["sun"]

    for slicer, what in (
        (refuses, ": slices s: no weather"),
        (stumbles, ": its slices cannot be determined (TypeError: 'int' object is not subscriptable)"),
    ):
        with pytest.raises(SlicesError, match=f"^{re.escape(f'sample 0 (id a){what}')}$"):
            Samples(SampleReader([(picture(), 1, "a")], plain, slicers={"s": slicer}))[0]


def test_a_survey_keeps_the_slices_of_the_usable_images():
    rows = [(picture(), 1, "a"), OSError("gone"), (picture(), 1, "c")]
    found = survey(Samples(SampleReader(Counted(rows), plain, slicers={"s": lambda target, image_id: (image_id,)})))
    assert found.slices == ({"s": ("a",)}, {"s": ("c",)})
    assert found.slices_by_id == {"a": {"s": ("a",)}, "c": {"s": ("c",)}}
    assert survey(Samples(SampleReader(ramps(2), plain))).slices_by_id == {"r0": {}, "r1": {}}


def test_an_image_that_no_slice_can_be_told_of_is_not_left_out():
    def refuse_b(target, image_id):
        if image_id == "b":
            raise DataError("slices s: no weather")
        return (image_id,)

    with pytest.raises(SlicesError, match=r"^sample 1 \(id b\): slices s: no weather$"):
        survey(
            Samples(SampleReader(Counted([(picture(), 1, "a"), (picture(), 1, "b")]), plain, slicers={"s": refuse_b}))
        )


# The survey


@pytest.mark.parametrize(
    ("labels", "enough"),
    [([], 0), ([{1}], 1), ([{1}] * 9, 5), ([{1}, {1}, {2}, {1}, {1}, {1}, {1}, {2}, {1}], 8), ([set()] * 4, 0)],
)
def test_a_survey_says_when_each_class_was_seen_often_enough(labels, enough):
    rows = [(picture(), 0, f"i{at}") for at in range(len(labels) + 1)]
    told = iter([*labels, set()])
    assert (
        survey(Samples(SampleReader(Counted(rows), plain)), lambda target: frozenset(next(told))).classes_seen == enough
    )


def test_a_survey_names_failures_and_counts_pixels():
    data = Counted([(picture(3, 5), 0, "a"), OSError("gone"), (picture(2, 2), 0, "c")])
    found = survey(Samples(SampleReader(data, plain)))
    assert found.usable == (0, 2)
    assert [(info.id, info.pixels) for info in found.infos] == [("a", 15), ("c", 4)]
    assert found.failures == (("1", "sample 1 cannot be read (OSError: gone)"),)
    assert found.images == 3


def test_a_survey_names_failures_by_id_where_one_was_given():
    def reader(raw, size):
        if raw == "stumble":
            raise ZeroDivisionError("oh")

    rows = [("no image", 0, "broken.png"), (picture(), "stumble", 17), (picture(), 0, "whole.png"), None]
    found = survey(Samples(SampleReader(rows, reader)))
    assert [name for name, _ in found.failures] == ["broken.png", "17", "3"]
    assert found.failures[0][1].startswith("sample 0 (id broken.png): image is ")
    assert found.failed_ids({0: "toy refuses"}) == ("broken.png", "17", "3", "whole.png")


def test_digests_tell_pixels_and_shapes_apart_and_nothing_else():
    rows = [(picture(2, 6), 0, "a"), (picture(3, 4), 0, "b"), (picture(2, 6), 9, "c"), (picture(2, 6, 8), 0, "d")]
    a, b, c, d = survey(Samples(SampleReader(rows, plain))).digests
    assert a == c
    assert len({a, b, d}) == 3


def test_a_view_into_a_larger_tensor_has_the_digest_of_its_pixels():
    wide = torch.arange(3 * 4 * 10, dtype=torch.uint8).reshape(3, 4, 10)
    one, other = survey(Samples(SampleReader([(wide[:, :, 2:7], 0), (wide[:, :, 2:7].clone(), 0)], plain))).digests
    assert one == other


def test_two_samples_with_one_id_are_refused():
    rows = [(picture(), 0, "a"), (picture(), 0, "b"), (picture(), 0, "a")]
    message = "samples 0 and 2 both have the id 'a'; expected ids that tell images apart"
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        survey(Samples(SampleReader(rows, plain)))


def test_the_positions_in_messages_are_those_of_the_data_set():
    data = Counted([OSError("gone")] * 50)
    samples = Samples(SampleReader(data, plain), limit=3, seed=4)
    with pytest.raises(DataError) as caught:
        survey(samples)
    first = samples.name(0)
    assert str(caught.value) == (
        f"none of the 3 samples can be used; the first: sample {first} cannot be read (OSError: gone)"
    )
    assert data.reads == [int(samples.name(index)) for index in range(3)]


@pytest.mark.parametrize(
    ("images", "share", "allowed"),
    [(100, 0.29, 29), (100, 0.07, 7), (3, 0.34, 1), (10, 0.3, 3), (10, 0.0, 0), (50, 0.58, 29), (30, 0.1, 3)],
)
def test_a_share_of_failures_holds_exactly_at_its_edge(images, share, allowed):
    def surveyed(failed):
        rows = [OSError("gone")] * failed + [(picture(), 0)] * (images - failed)
        return survey(Samples(SampleReader(Counted(rows), plain)))

    surveyed(allowed).check_failures({}, share)
    message = (
        f"{allowed + 1} of {images} images failed, allowed by max_error_share {share:g}: {allowed}; the first: "
        "sample 0 cannot be read (OSError: gone)"
    )
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        surveyed(allowed + 1).check_failures({}, share)


def test_images_lost_in_coding_count_with_those_that_could_not_be_read():
    found = survey(Samples(SampleReader(Counted([OSError("gone"), (picture(), 0, "a"), (picture(), 0, "b")]), plain)))
    found.check_failures({1: "toy refuses"}, 0.67)
    with pytest.raises(CodecError, match=r"^2 of 3 images failed, .*: 1; the first: sample 0 cannot be read"):
        found.check_failures({1: "toy refuses"}, 0.5)
    assert found.failed_ids({1: "toy refuses"}) == ("0", "b")


def test_a_set_without_images():
    with pytest.raises(DataError, match=r"^the data set has no images; expected at least one$"):
        survey(Samples(SampleReader([], plain)))
