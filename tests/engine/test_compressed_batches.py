"""The batches that a network gets, and the batches for users' own tests."""

from __future__ import annotations

import re

import pytest

from compress_guard.engine.compressed_batches import compressed_batches
from compress_guard.engine.settings import RunSettings
from compress_guard.errors import CodecError, CodecUnavailable, DataError, Unreachable


def shown(model):
    """The pictures of each call, by the number in their first pixel."""
    return [[int(image[0, 0, 0]) for image in batch] for batch in model.seen]


class Numbered:
    """A model that notes the pictures by their sizes, which survive every codec."""

    def __init__(self, batch_size):
        self.batch_size, self.calls = batch_size, []

    def __call__(self, images):
        import torch

        self.calls.append([image.shape[1] for image in images])
        return [torch.zeros(4) for _ in images]


@pytest.fixture
def numbered_data(pictures):
    """Pictures of different heights, by which they can be told."""
    return pictures(11, tuple((40 + at, 40) for at in range(11)))


def heights(*numbers):
    return [40 + number for number in numbers]


MIXED = [heights(0, 3, 0, 3), heights(4, 7, 4, 7)]
"""The control's whole batches with other neighbours, where no two images have one size: those of extreme sizes."""


def test_clean_and_compressed_batches_have_the_same_borders(numbered_data, diary, make_guard, make_world):
    model = Numbered(4)
    make_world(make_guard(rates=(1.0, 3.0)), model, numbered_data).run()
    pattern = [heights(0, 1, 2, 3), heights(4, 5, 6, 7), heights(8, 9, 10)]
    # Clean, through the lossless control, then among other neighbours; at both rates.
    assert model.calls == [*pattern * 2, *MIXED, *pattern * 2]


def test_an_image_that_fails_leaves_the_borders_where_they_are(numbered_data, diary, make_guard, make_world):
    diary.refuse = lambda picture, setting: picture == 5
    diary.broken = lambda picture, setting: picture == 1
    model = Numbered(4)
    result = make_world(make_guard(max_error_share=0.5), model, numbered_data).only().result
    assert model.calls == [
        *[heights(0, 1, 2, 3), heights(4, 5, 6, 7), heights(8, 9, 10)] * 2,
        *MIXED,
        *[heights(0, 2, 3), heights(4, 6, 7), heights(8, 9, 10)],
    ]
    assert (result.images, result.images_used, result.errors, result.error_ids) == (11, 9, 2, ("t01", "t05"))


def test_a_batch_of_which_nothing_is_left_is_left_out(numbered_data, diary, make_guard, make_world):
    diary.broken = lambda picture, setting: 4 <= picture < 8
    model = Numbered(4)
    result = make_world(make_guard(max_error_share=0.5), model, numbered_data).only().result
    assert model.calls[8:] == [heights(0, 1, 2, 3), heights(8, 9, 10)]
    assert result.images_used == 7


def test_batches_of_a_limit_are_cut_from_the_subset(numbered_data, diary, make_guard, make_world):
    model = Numbered(4)
    make_world(make_guard(limits={"toy": 6}), model, numbered_data).only()
    clean, control, (mixed,), compressed = model.calls[:2], model.calls[2:4], model.calls[4:5], model.calls[5:]
    assert clean == control == compressed
    assert len(mixed) == 4
    assert [len(call) for call in clean] == [4, 2]
    assert sum(clean, []) == sorted(sum(clean, []))


def test_batches_do_not_depend_on_the_cache(numbered_data, diary, make_guard, make_world):
    models = [Numbered(4) for _ in range(2)]
    for model in models:
        make_world(make_guard(rates=(1.0, 3.0)), model, numbered_data).run()
    assert models[0].calls == models[1].calls


# The fixture's batches


@pytest.fixture
def batches(tmp_path, make_guard):
    def make(data, guard, batch_size=4, **keys):
        settings = RunSettings(tmp_path, tmp_path / "store", device="cpu", workers=1, **keys)
        return compressed_batches(data, guard, guard.cells[0], settings, "cpu", batch_size)

    return make


def test_batches_hold_images_targets_and_rates(pictures, make_guard, batches):
    data = [(image, {"label": label}, name) for image, label, name in pictures(10)]
    found = list(batches(data, make_guard(("webp",), (1.0,))))
    assert [batch.ids for batch in found] == [
        ("t00", "t01", "t02", "t03"),
        ("t04", "t05", "t06", "t07"),
        ("t08", "t09"),
    ]
    targets = [target for batch in found for target in batch.targets]
    assert targets == [row[1] for row in data]
    assert all(target is not row[1] for target, row in zip(targets, data, strict=True))
    rates = [rate for batch in found for rate in batch.bpp]
    assert sum(rates) / 10 == pytest.approx(1.0, rel=0.03)
    for image, (source, _, _) in zip([image for batch in found for image in batch.images], data, strict=True):
        assert image.shape == source.shape
        assert not image.equal(source)


def test_batches_show_what_the_gate_shows(pictures, spectrum, make_guard, make_world, batches):
    model, guard, data = spectrum(4), make_guard(("webp",), (1.0,)), pictures(10)
    make_world(guard, model, data).only()
    shown = [image for batch in batches(data, guard) for image in batch.images]
    assert all(one.equal(other) for one, other in zip(shown, model.images_seen[-10:], strict=True))


def test_batches_know_the_limit_and_the_seed(pictures, make_guard, batches):
    def ids(**keys):
        return [name for batch in batches(pictures(12), make_guard(("webp",)), **keys) for name in batch.ids]

    assert len(ids(limit=5)) == 5
    assert ids(limit=5) == ids(limit=5) != ids(limit=5, seed=1)


def test_batches_below_the_floor(pictures, make_guard, batches):
    message = (
        r"^jpeg cannot reach 0.05 bpp on these images: the mean goes down to 0\.\d+ bpp; ask for a rate above that"
    )
    with pytest.raises(Unreachable, match=message):
        next(batches(pictures(4), make_guard(("jpeg",), (0.05,))))


def test_batches_leave_no_image_out_unsaid(pictures, make_guard, batches, diary):
    diary.refuse = lambda picture, setting: picture == 2
    message = "1 of 8 images failed, allowed by max_error_share 0: 0; the first: image t02: toy refuses picture 2 at"
    with pytest.raises(CodecError, match=f"^{re.escape(message)}"):
        next(batches(pictures(8), make_guard()))
    found = batches(pictures(8), make_guard(max_error_share=0.2))
    assert [name for batch in found for name in batch.ids] == [f"t{at:02d}" for at in (0, 1, 3, 4, 5, 6, 7)]


def test_batches_stop_at_the_first_that_does_not_decode(pictures, make_guard, batches, diary):
    diary.broken = lambda picture, setting: picture == 6
    found = batches(pictures(8), make_guard())
    assert next(found).ids == ("t00", "t01", "t02", "t03")
    with pytest.raises(CodecError, match="the first: image t06: toy cannot decode picture 6$"):
        list(found)


def test_batches_of_unreadable_data_and_of_a_missing_codec(pictures, make_guard, batches, diary):
    with pytest.raises(DataError, match=r"^1 of 3 images failed, .*: 0; the first: sample 2 is a str; expected"):
        next(batches([*pictures(2), "nonsense"], make_guard()))
    diary.missing = "toy is not installed; pip install toy"
    with pytest.raises(CodecUnavailable, match="^toy is not installed; pip install toy$"):
        next(batches(pictures(2), make_guard()))
