"""The lossless control and the decoder swap: a lossless pass changes nothing, and every change is noticed."""

from __future__ import annotations

import re
import tempfile
from dataclasses import replace
from functools import partial

import pytest
import torch

from compress_guard.codecs.decoding.second import SecondDecoder, second_decoder
from compress_guard.codecs.jpeg import Jpeg
from compress_guard.engine.coding.coder import Coder
from compress_guard.engine.images.subsets import ReadingOptions
from compress_guard.engine.prediction import lossless_control as module
from compress_guard.engine.prediction.batches import coded_batch
from compress_guard.engine.prediction.decoder_swap import swapped_batch
from compress_guard.engine.prediction.lossless_control import Ppm, control
from compress_guard.engine.prediction.shards import Shard
from compress_guard.engine.prediction.subject import Subject
from compress_guard.errors import CodecError, ModelError
from compress_guard.files import Folder
from compress_guard.records import ControlFigures, PlannedRate
from compress_guard.store import Store

BLAME = (
    "expected the clean predictions again, since nothing was lost; either the model is not deterministic (dropout or "
    "batch statistics left on, unseeded augmentation in its preprocessing), or the images are changed on the way to "
    "it; call eval() on the model and seed or drop what is random"
)


def silent(done, total):
    pass


def coloured(count):
    """(image, label, id): noise, brightest in the channel of its label."""
    noise = torch.Generator().manual_seed(0)
    images = [torch.randint(0, 200, (3, 9 + number % 3, 11), generator=noise) for number in range(count)]
    for number, image in enumerate(images):
        image[number % 3] += 50
    return [(image.to(torch.uint8), number % 3, f"c{number:02d}") for number, image in enumerate(images)]


class Means:
    """The brightest channel, after the changes of a fault to the images; it keeps the images that it got."""

    batch_size = 4

    def __init__(self, fault=lambda images, calls: images):
        self.fault, self.seen = fault, []

    def __call__(self, images):
        self.seen.append([image.clone() for image in images])
        return [image.float().mean((1, 2)) for image in self.fault(images, len(self.seen))]


def measured(model, count=19, task="classification", device="cpu", data=None, known=None):
    """Return the control of a model, with the subject and the reported progress."""
    data = coloured(count) if data is None else data
    subject = Subject(task, lambda: model, lambda: data, ReadingOptions(0), device=device)
    subset = subject.subset(None)
    clean = subject.clean_evidence(None, silent)
    told = []
    found = control(
        subject,
        subset,
        clean.select(clean.ids[:known]),
        lambda done, total: told.append((done, total)),
    )
    return found, subject, told


def test_a_sound_model_passes_on_the_batches_of_the_clean_pass():
    model = Means()
    found, subject, told = measured(model)
    clean, again = model.seen[:5], model.seen[5:]
    assert [len(batch) for batch in again] == [4, 4, 3, 4, 4]
    again, mixed = again[:3], again[3:]
    for batch, twin in zip(again, (clean[0], clean[2], clean[4]), strict=True):
        assert all(torch.equal(image, other) for image, other in zip(batch, twin, strict=True))
    assert (found.images, found.changed, found.fault) == (11, 0, None)
    assert found.figures() == ControlFigures(
        control_images=11, control_changed=0, control_mixed=8, control_mixed_changed=0
    )
    for batch, own in zip(mixed, (clean[0], clean[2]), strict=True):
        # The extreme sizes stay, half of the images come twice.
        assert {image.shape for image in batch} <= {image.shape for image in own}
        assert sum(any(torch.equal(image, other) for other in batch) for image in own) == 2
    assert told == [(4, 11), (8, 11), (11, 11)]
    assert subject.predictions == 19 + 11 + 8
    found.check()


def test_no_file_is_written(monkeypatch):
    """The images are coded in memory: a full disk changes nothing, and nothing is left behind."""

    def written(*given, **keys):
        raise AssertionError("a file was opened to write")

    monkeypatch.setattr(Folder, "replacing", written)
    monkeypatch.setattr(tempfile, "mkdtemp", written)
    model = Means()
    found, subject, _ = measured(model)
    assert (found.images, found.changed, found.fault) == (11, 0, None)
    assert [len(batch) for batch in model.seen[5:]] == [4, 4, 3, 4, 4]
    assert subject.predictions == 19 + 11 + 8


@pytest.mark.parametrize(("count", "images"), [(1, 1), (4, 4), (7, 7), (12, 12), (13, 9)])
def test_no_batch_is_taken_twice(count, images):
    assert measured(Means(), count)[0].images == images


def test_only_batches_that_the_clean_evidence_holds_are_taken():
    model = Means()
    assert measured(model, known=10)[0].images == 8
    assert [len(batch) for batch in model.seen[5:]] == [4, 4, 4, 4]


def test_dropout_left_on():
    torch.manual_seed(0)
    dropout = torch.nn.Dropout(0.9)
    model = Means(lambda images, calls: [dropout(image.float()) for image in images])
    found, _, _ = measured(model)
    assert found.changed > 0
    first = re.search(r"the first: (c\d\d);", found.fault)[1]
    message = f"lossless control: {found.changed} of 11 predictions changed, the first: {first}; {BLAME}"
    with pytest.raises(ModelError, match=f"^{re.escape(message)}$"):
        found.check()
    dropout.eval()
    measured(model)[0].check()


def test_batch_statistics_left_on():
    """Scores depend on what came before: the same batch is normalised otherwise the second time."""
    norm = torch.nn.BatchNorm2d(3, momentum=0.5)

    def drifting(images, calls):
        norm(torch.stack([image[:, :9].float() for image in images]))
        return [(image.float() - norm.running_mean[:, None, None] * calls) for image in images]

    found, _, _ = measured(Means(drifting))
    assert found.changed > 0
    assert found.fault is not None


def test_a_model_that_answers_by_the_count_of_its_calls():
    found, _, _ = measured(Means(lambda images, calls: [image.roll(calls // 6, 0) for image in images]))
    assert found.changed == 11
    assert "11 of 11 predictions changed, the first: c00;" in found.fault


def test_unseeded_augmentation_in_its_preprocessing():
    torch.manual_seed(0)
    found, _, _ = measured(Means(lambda images, calls: [image[torch.randperm(3)] for image in images]))
    with pytest.raises(ModelError, match="unseeded augmentation"):
        found.check()


def test_pixels_that_come_back_in_another_order_are_the_codecs_fault(monkeypatch):
    right = Ppm._read
    monkeypatch.setattr(Ppm, "_read", lambda self, stream: _bgr(right(self, stream)))
    message = (
        "lossless control: image c00 came back from PPM with other pixels; the code that takes images to codecs and "
        "back is at fault, so the model was not judged"
    )
    with pytest.raises(CodecError, match=f"^{re.escape(message)}$"):
        measured(Means())


def _bgr(image):
    from PIL import Image

    return Image.merge("RGB", image.split()[::-1])


def test_images_changed_on_the_way_to_the_model(monkeypatch):
    right = coded_batch

    def swapped(*arguments):
        batch = right(*arguments)
        return replace(batch, images=[image.flip(0) for image in batch.images])

    monkeypatch.setattr(module, "coded_batch", swapped)
    found, _, _ = measured(Means())
    # Green stays where it is; the second and the fourth batch are not looked at.
    assert found.changed == sum(
        label != 1 for _, label, name in coloured(19) if int(name[1:]) not in (*range(4, 8), *range(12, 16))
    )
    with pytest.raises(ModelError, match="images are changed on the way"):
        found.check()


def test_an_image_that_is_lost_on_the_way(monkeypatch):
    right = Ppm._write

    def write(self, image, setting, metadata):
        if image.height == 10:
            raise OSError("no room")
        return right(self, image, setting, metadata)

    monkeypatch.setattr(Ppm, "_write", write)
    message = r"^lossless control: image c01 was lost on the way through PPM: ppm could not encode .*: no room$"
    with pytest.raises(CodecError, match=message):
        measured(Means())


# On a GPU, here one by name only, the last bits may change


@pytest.mark.parametrize(("tipped", "fault"), [(0, False), (1, False), (2, True)])
def test_a_near_tie_may_tip_on_a_gpu(tipped, fault):
    def kernel(images, calls):
        return [image.flip(0) if calls == 6 and number < tipped else image for number, image in enumerate(images)]

    # Green, which stays where it is, becomes blue.
    data = [(image[[0, 2, 1]] if label == 1 else image, label, name) for image, label, name in coloured(19)]
    found, _, _ = measured(Means(kernel), data=data, device="cpu:0")
    assert found.changed == tipped
    assert (found.fault is not None) == fault
    if fault:
        assert found.fault.startswith(
            "lossless control: 2 of 11 predictions changed (allowed on a GPU 1), the first: c00; "
        )


@pytest.mark.parametrize("count", [1, 9])
def test_of_a_handful_none_may_tip(count):
    found, _, _ = measured(
        Means(lambda images, calls: [image.roll(int(calls > -(-count // 4)), 0) for image in images]),
        count,
        device="cpu:0",
    )
    assert found.changed == count
    assert "(allowed on a GPU 0)" in found.fault


class Segments:
    """Light and dark; from the sixth call on, so many pixels of each image tip over."""

    batch_size = 4

    def __init__(self, tipped):
        self.tipped, self.calls = tipped, 0

    def __call__(self, images):
        self.calls += 1
        maps = [(image[0] > 100).long() for image in images]
        if self.calls > 5:
            for labels in maps:
                labels.view(-1)[: self.tipped] ^= 1
        return maps


@pytest.mark.parametrize(
    ("device", "tipped", "fault"),
    [
        ("cpu", 0, None),
        ("cpu", 1, ""),
        ("cpu:0", 1, None),
        ("cpu:0", 60, " (miou by "),
    ],
)
def test_where_a_metric_has_no_flags_its_score_may_move_a_little(device, tipped, fault):
    noise = torch.Generator().manual_seed(1)
    images = [torch.randint(0, 256, (3, 64, 64), generator=noise, dtype=torch.uint8) for _ in range(20)]
    data = [(image, (image[0] > 100).long(), f"s{at}") for at, image in enumerate(images)]
    found, _, _ = measured(Segments(tipped), task="segmentation", device=device, data=data)
    assert found.changed == (12 if tipped else 0)
    if fault is None:
        found.check()
    else:
        assert f"12 of 12 predictions changed{fault}" in found.fault


GPU = (pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"))


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda:0", marks=GPU)])
@pytest.mark.parametrize("dropout", [False, True])
def test_a_network(device, dropout):
    torch.manual_seed(0)
    network = torch.nn.Sequential(
        torch.nn.Conv2d(3, 16, 3, padding=1),
        torch.nn.ReLU(),
        torch.nn.Dropout(0.7),
        torch.nn.AdaptiveAvgPool2d(1),
        torch.nn.Flatten(),
        torch.nn.Linear(16, 10),
    ).to(device)
    network.train(dropout)

    class Network:
        batch_size = 8

        @torch.no_grad()
        def __call__(self, images):
            return [network(image[None].float() / 255)[0] for image in images]

    found, _, _ = measured(Network(), count=40, device=device)
    assert found.images == 24
    assert (found.fault is not None) == dropout


# The decoder swap


@pytest.fixture
def coding(pictures, tmp_path):
    """A subject, its subset, and its images at JPEG quality 40 with the coder that made them."""

    def make(model, codec=None):
        subject = Subject("classification", lambda: model, lambda: pictures(10), ReadingOptions(0), device="cpu")
        subset = subject.subset(None)
        coder = Coder(codec or Jpeg(), subset.samples, subset.survey, Store(tmp_path), 1)
        nothing = (None,) * 10
        return subject, subset, coder, PlannedRate(1.0, (40.0,) * 10, nothing, nothing, True, None, 0, False, 0.0)

    return make


def own(subject, subset, coder, planned, cut):
    return coded_batch(coder, planned, cut, subject.device, lambda decoded: None)


def test_the_model_sees_the_same_streams_by_another_decoder(coding, spectrum):
    model = spectrum(4)
    subject, subset, coder, planned = coding(model)
    first = [own(subject, subset, coder, planned, cut) for cut in subject.batches(subset)]
    made = coder.encoded_pixels
    inverted = SecondDecoder(
        "negatives", lambda streams, workers: [255 - image for image in coder.codec.decode(streams)]
    )
    makers = [partial(swapped_batch, coder, inverted, planned, cut, subject.device) for cut in subject.batches(subset)]
    shards = [Shard(maker, batch.ids, "") for maker, batch in zip(makers, first, strict=True)]
    evidence = subject.evidence(shards, silent).evidence
    assert evidence.ids == tuple(name for batch in first for name in batch.ids)
    assert [len(batch) for batch in model.seen] == [4, 4, 2]
    for image, other in zip(model.images_seen, [image for batch in first for image in batch.images], strict=True):
        assert torch.equal(image, 255 - other)
    assert coder.encoded_pixels == made
    for maker, batch in zip(makers, first, strict=True):
        assert maker().bpp == batch.bpp
        assert maker().sizes == batch.sizes


def test_what_the_codec_itself_lost_is_left_out_in_both(coding, spectrum, monkeypatch):
    subject, subset, coder, planned = coding(spectrum(10))
    right = Jpeg._decode_one
    lost = coder.streams([(3, 40.0)])[0]

    def decode(self, at, count, stream):
        if stream == lost:
            raise CodecError("broken")
        return right(self, at, count, stream)

    monkeypatch.setattr(Jpeg, "_decode_one", decode)
    first = own(subject, subset, coder, planned, range(10))
    second = second_decoder(Jpeg())
    batch = swapped_batch(coder, second, planned, range(10), "cpu")
    assert len(batch.ids) == 9
    assert batch.ids == first.ids


def test_nothing_left_is_nothing_decoded(coding, spectrum):
    subject, _, coder, planned = coding(spectrum(10))
    never = SecondDecoder("never", lambda streams, workers: pytest.fail("there is nothing to decode"))
    batch = swapped_batch(coder, never, planned.without(range(10)), range(10), subject.device)
    assert (batch.ids, batch.images) == ((), [])


def test_a_second_decoder_that_gives_another_size(coding, spectrum):
    subject, _, coder, planned = coding(spectrum(10))
    wrong = SecondDecoder("cropper 1", lambda streams, workers: [image[:, 1:] for image in coder.codec.decode(streams)])
    message = "image t00: cropper 1 decoded it to (3, 95, 96), not to the (3, 96, 96) of its source"
    with pytest.raises(CodecError, match=f"^{re.escape(message)}$"):
        swapped_batch(coder, wrong, planned, range(10), subject.device)
