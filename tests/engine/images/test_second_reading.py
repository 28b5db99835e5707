"""Data that shares or changes what it hands out: copied where it is kept, noticed where it is no longer the same."""

from __future__ import annotations

import random
import re
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from compress_guard import measure
from compress_guard.engine.compressed_batches import compressed_batches
from compress_guard.engine.images import reader
from compress_guard.engine.images.reader import SampleReader
from compress_guard.engine.images.readings import copied, target_hash
from compress_guard.engine.images.samples import Samples
from compress_guard.engine.images.second_reading import read_again
from compress_guard.engine.images.survey import passes
from compress_guard.engine.images.survey.passes import survey
from compress_guard.engine.keyword_guard import one_cell_guard
from compress_guard.engine.settings import RunSettings
from compress_guard.errors import DataError


def plain(raw, size):
    return raw


def coloured(position):
    """Noise, brightest in channel `position` mod 3."""
    image = torch.randint(0, 150, (3, 24, 24), generator=torch.Generator().manual_seed(position))
    image[position % 3] += 100
    return image.to(torch.uint8)


def brightest(images):
    return [image.float().mean((1, 2)) for image in images]


class Data:
    """A data set of coloured pictures; `row` makes the row of a position."""

    def __init__(self, row, count=12):
        self.row, self.count, self.reads = row, count, []

    def __len__(self):
        return self.count

    def __getitem__(self, position):
        self.reads.append(position)
        return self.row(position)


def measured(data, task="classification", model=brightest, **wanted):
    return measure(model, data, task=task, codec="webp", bpp=6.0, device="cpu", workers=1, **wanted)


# What is kept is a copy


def test_a_set_that_refills_one_tensor():
    buffer = torch.empty(3, 24, 24, dtype=torch.uint8)
    assert measured(Data(lambda at: (buffer.copy_(coloured(at)), at % 3))).clean_score == 100


def test_a_set_that_refills_one_picture():
    picture = Image.new("RGB", (24, 24))

    def row(at):
        picture.paste(Image.fromarray(coloured(at).permute(1, 2, 0).numpy()))
        return picture, at % 3

    assert measured(Data(row)).clean_score == 100


def test_a_set_that_refills_one_array_of_labels():
    labels = np.zeros((24, 24), np.uint16)

    def row(at):
        labels[:] = at % 3
        return coloured(at), labels

    def answer(images):
        return [torch.full((24, 24), int(image.float().mean((1, 2)).argmax())) for image in images]

    assert measured(Data(row), "segmentation", answer).clean_score == 100


def test_a_set_that_refills_one_dict_of_boxes():
    boxes = np.zeros((1, 4), np.float64)
    target: dict[str, Any] = {}

    def row(at):
        boxes[:] = (1, 2, 8 + at, 9 + at)
        target.update(boxes=boxes, labels=np.array([at % 3]), area=boxes[:, 0])
        return coloured(at), target

    def parse(raw, size):
        return {"boxes": raw["boxes"], "area": raw["area"]}

    found = Samples(SampleReader(Data(row), parse))
    survey(found)
    assert [found[at].target["boxes"][0, 2] for at in range(12)] == [8.0 + at for at in range(12)]


def test_raw_targets_are_copied_where_that_can_be(tmp_path):
    shared: dict[str, Any] = {"name": "", "boxes": torch.zeros(1)}

    def row(at):
        shared["name"], shared["boxes"][0] = f"i{at}", at
        return coloured(at), shared

    guard = one_cell_guard("data", task="classification", codec="webp", bpp=6.0)
    settings = RunSettings(tmp_path, tmp_path, device="cpu", workers=1)
    found = [
        (target["name"], int(target["boxes"][0]))
        for batch in compressed_batches(Data(row), guard, guard.cells[0], settings, "cpu", 5)
        for target in batch.targets
    ]
    assert found == [(f"i{at}", at) for at in range(12)]
    generator = (number for number in ())
    assert copied(generator) is generator


def test_a_slicer_that_works_in_place_reaches_nothing_that_is_kept():
    rows = [(coloured(at), {"label": torch.tensor([at % 3])}) for at in range(4)]

    def greedy(target, image_id):
        label = str(int(target["label"].add_(7)))
        target.clear()
        return (label,)

    found = Samples(SampleReader(rows, plain, slicers={"one": greedy, "two": greedy}))
    surveyed = survey(found)
    assert [one["two"] for one in surveyed.slices] == [(str(at % 3 + 7),) for at in range(4)]
    assert [int(found[at].target["label"]) for at in range(4)] == [0, 1, 2, 0]
    assert [int(target["label"]) for _, target in rows] == [0, 1, 2, 0]


# What changes is an error


def changing(part):
    """The row of a position, of which this part is another each time that it is read."""
    dice = random.Random(0)

    def row(at):
        image, label, name = coloured(at), at % 3, f"i{at}"
        if part == "pixels":
            image[0, 0, 0] = dice.randrange(256)
        if part == "target":
            label = dice.randrange(10**6)
        if part == "id":
            name = f"i{at} {dice.random()}"
        return image, label, name

    return row


@pytest.mark.parametrize(
    ("part", "given", "remedy"),
    [
        (
            "pixels",
            "different pixels each time it is read; expected the same image every time",
            "switch random transforms off for evaluation",
        ),
        (
            "target",
            "a different target each time it is read; expected the same target every time",
            "draw no labels or boxes at random, or seed them by the sample's position",
        ),
        (
            "id",
            "a different id each time it is read; expected the same id every time",
            "name images by their files or positions",
        ),
    ],
)
def test_what_changes_from_reading_to_reading_is_noticed_in_one_process(part, given, remedy):
    message = rf"^sample \d+ \(id i[^)]+\) gives {given}; {remedy}$"
    with pytest.raises(DataError, match=message):
        measured(Data(changing(part), 40))


def test_raw_targets_that_change_are_noticed_too():
    with pytest.raises(DataError, match="gives a different target each time it is read"):
        survey(Samples(SampleReader(Data(lambda at: (coloured(at), {"boxes": [torch.rand(4)]})), plain)))


def test_slices_that_change_are_noticed():
    dice = random.Random(0)
    message = (
        r"^sample \d+ \(id \d+\) gives different slices each time it is read; expected the same slices every time; "
        r"make the slices a function of the target and the id alone$"
    )
    with pytest.raises(DataError, match=message):
        survey(
            Samples(
                SampleReader(
                    Data(lambda at: (coloured(at), 0)), plain, slicers={"s": lambda target, name: (str(dice.random()),)}
                )
            )
        )


def test_every_further_look_says_the_same():
    found = Samples(SampleReader(Data(changing("target"), 40), plain))
    with pytest.raises(DataError) as first:
        survey(found)
    with pytest.raises(DataError, match=f"^{re.escape(str(first.value))}$"):
        survey(found)


def test_an_image_that_is_read_again_has_to_have_its_target_again(monkeypatch):
    monkeypatch.setattr(reader, "KEPT_BYTES", 0)
    monkeypatch.setattr(passes, "read_again", lambda *arguments: 0)
    with pytest.raises(DataError, match="gives a different target each time it is read"):
        measured(Data(changing("target"), 8))


def test_an_image_that_is_gone_the_second_time():
    seen = set()

    def row(at):
        if at in seen:
            raise OSError("read only once")
        seen.add(at)
        return coloured(at), 0

    message = (
        r"^at the second reading, sample \d+ cannot be read \(OSError: read only once\); expected samples that can be "
        r"read any number of times$"
    )
    with pytest.raises(DataError, match=message):
        survey(Samples(SampleReader(Data(row), plain)))


@pytest.mark.parametrize(
    "pair",
    [
        (1, 2),
        (True, 1),
        ("a", "b"),
        ([1, 2], [2, 1]),
        ({"a": 1}, {"a": 2}),
        ({"a": 1}, {"b": 1}),
        (torch.tensor([1.0]), torch.tensor([2.0])),
        (torch.tensor([1]), torch.tensor([1.0])),
        (np.zeros((2, 3)), np.zeros((3, 2))),
        (Image.new("L", (2, 2)), Image.new("L", (2, 2), 1)),
        ({"deep": [{"er": torch.zeros(2)}]}, {"deep": [{"er": torch.ones(2)}]}),
        (None, 0),
    ],
)
def test_hashes_tell_targets_apart(pair):
    one, other = pair
    assert target_hash(one) != target_hash(other)
    assert target_hash(one) == target_hash(copied(one))


def test_what_nobody_can_compare_is_the_same_by_its_class():
    class Own:
        def __array__(self, *arguments):
            raise RuntimeError("no")

    loop = []
    loop.append(loop)
    assert target_hash(Own()) == target_hash(Own())
    assert target_hash(loop) == target_hash(loop)


# What it costs


@pytest.mark.usefixtures("untimed_second_look")
@pytest.mark.parametrize(("count", "again"), [(1, 1), (5, 5), (40, 16)])
def test_up_to_sixteen_are_read_twice(count, again):
    data = Data(lambda at: (coloured(at), 0), count)
    survey(Samples(SampleReader(data, plain)))
    assert len(data.reads) == count + again
    assert data.reads[:count] == list(range(count))
    assert len(set(data.reads[count:])) == again


@pytest.mark.usefixtures("untimed_second_look")
def test_the_choice_is_that_of_the_seed():
    def chosen(seed):
        data = Data(lambda at: (coloured(at), 0), 40)
        survey(Samples(SampleReader(data, plain), seed=seed))
        return data.reads[40:]

    assert chosen(0) == chosen(0) != chosen(1)


class Slow:
    """Samples of which each takes the same time to read, by a clock of their own; seconds."""

    seed = 0

    def __init__(self, each, reading_seconds):
        self.each, self.reading_seconds, self.now, self.again = each, reading_seconds, 0.0, []

    def position(self, index):
        return index

    def read_again(self, index):
        self.now += self.each
        self.again.append(index)


@pytest.mark.parametrize(
    ("images", "again"),
    [(1, 1), (2, 2), (25, 2), (100, 2), (149, 2), (151, 3), (201, 4), (301, 6), (801, 16), (5000, 16)],
)
@pytest.mark.parametrize("each", [0.001, 0.03, 2.0])
def test_it_takes_a_fiftieth_of_the_reading_or_two_images(images, again, each):
    slow = Slow(each, images * each)
    assert read_again(slow, range(images), lambda: slow.now) == again == len(set(slow.again))
    assert slow.now <= max(0.02 * slow.reading_seconds, 2 * each) + 1e-9


def test_images_that_take_longer_than_at_first_are_fewer():
    slow = Slow(each=0.07, reading_seconds=200 * 0.03)
    assert read_again(slow, range(200), lambda: slow.now) == 2
    slow = Slow(each=0.05, reading_seconds=300 * 0.03)
    assert read_again(slow, range(300), lambda: slow.now) == 3


def test_data_that_took_no_time_at_all_is_looked_at_twice():
    slow = Slow(each=0.001, reading_seconds=0.0)
    assert read_again(slow, range(200), lambda: slow.now) == 2


# Sets that do not keep their length


class Counting(Data):
    """A set whose len() gives these numbers in turn, the last one from then on."""

    def __init__(self, *lengths):
        super().__init__(lambda at: (coloured(at), at % 3))
        self.lengths = list(lengths)

    def __len__(self):
        return self.lengths.pop(0) if len(self.lengths) > 1 else self.lengths[0]


@pytest.mark.parametrize("lengths", [(20, 20, 12), (20, 20, 20, 20, 19), (20, 20, 25), tuple(range(40, 2, -1))])
def test_a_length_that_changes(lengths):
    message = (
        r"^the data set had \d+ images when it was first read and has \d+ now; expected the same images "
        r"throughout the run; fix the list of images before the data set is handed over$"
    )
    with pytest.raises(DataError, match=message) as caught:
        measured(Counting(*lengths))
    first, now = map(int, re.findall(r"\d+", str(caught.value)))
    assert first != now
    assert {first, now} <= set(lengths)


def test_a_set_that_shrinks_while_it_is_read():
    data = Data(lambda at: (coloured(at), at % 3), 20)
    row = data.row

    def shrinking(at):
        data.count = 15 if at > 10 else 20
        return row(at)

    data.row = shrinking
    with pytest.raises(DataError, match="^the data set had 20 images when it was first read and has 15 now; "):
        measured(data)


@pytest.mark.parametrize("error", [IndexError, StopIteration])
def test_a_set_that_ends_before_its_length(error):
    def row(at):
        if at >= 9:
            raise error("no more")
        return coloured(at), at % 3

    message = (
        "the data set has a length of 12 but ends at 9: sample 9 and all samples after it raise IndexError or "
        "StopIteration; expected 12 images; let len() return the number of images that can be read"
    )
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        measured(Data(row), max_error_share=0.9)


def test_an_index_error_of_one_image_is_that_image_s():
    def row(at):
        if at in (3, 5):
            raise IndexError("no such box")
        return coloured(at), at % 3

    assert measured(Data(row), max_error_share=0.5).errors == 2
