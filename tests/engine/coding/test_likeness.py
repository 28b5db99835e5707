"""A decoder that is wrong for every image: its codec is at fault, never the model; coarse codecs are not accused."""

from __future__ import annotations

import re
import shlex
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import compress_guard
from compress_guard.codecs.avif import Avif
from compress_guard.codecs.command import Command
from compress_guard.codecs.jp2 import Jp2
from compress_guard.codecs.jpeg import Jpeg
from compress_guard.codecs.webp import WebP
from compress_guard.engine.coding import watch
from compress_guard.engine.coding.likeness import Pair, Rated, below_flat, mishap
from compress_guard.engine.compressed_batches import compressed_batches
from compress_guard.engine.recovery.material import Material
from compress_guard.engine.settings import RunSettings
from compress_guard.errors import CodecError, OptionError
from compress_guard.records import Fingerprint, Rate
from compress_guard.registry import CODECS

BLAMED = "; the codec is at fault, so the model was not judged"


def scene(seed, size=(72, 96)):
    """A picture of coloured blotches, on which no two sides or channels are alike."""
    noise = torch.Generator().manual_seed(seed)
    blotches = torch.rand(1, 3, 9, 11, generator=noise)
    picture = torch.nn.functional.interpolate(blotches, size=size, mode="bicubic", align_corners=False)[0]
    picture = 255 * picture + 4 * torch.randn(3, *size, generator=noise)
    return picture.clamp(0, 255).to(torch.uint8)


def border(image, down, right):
    height, width = image.shape[-2:]
    rows, columns = torch.arange(height) - down, torch.arange(width) - right
    return image[:, rows.clamp(0, height - 1)][:, :, columns.clamp(0, width - 1)]


class Model:
    """Knows each scene by its mean colours, so that it is right on every image that comes back unharmed."""

    def __init__(self, data, batch_size=8):
        self.batch_size, self.shown = batch_size, []
        self._means = torch.stack([image.float().mean((1, 2)) for image, _, _ in data])
        self._labels = [label for _, label, _ in data]

    def __call__(self, images):
        self.shown += [image.clone() for image in images]
        return [self._scores(image) for image in images]

    def _scores(self, image):
        nearest = int((self._means - image.float().mean((1, 2))).abs().sum(1).argmin())
        return torch.nn.functional.one_hot(torch.tensor(self._labels[nearest]), 4).float()


@pytest.fixture
def scenes():
    return [(scene(at), at % 4, f"s{at:02d}") for at in range(20)]


@pytest.fixture
def wrong(monkeypatch):
    """Registers a JPEG whose decoder applies `change` to each image, or `shuffle` to all of a call."""

    def plant(change=lambda image: image, shuffle=lambda images: images, **more):
        def decode(self, streams, workers=1):
            return shuffle([change(image).contiguous() for image in Jpeg.decode(self, streams, workers)])

        made = type("Wrong", (Jpeg,), {"decode": decode, **more})
        monkeypatch.setitem(CODECS._found, "jpeg", made)

    return plant


@pytest.fixture
def gate(make_guard, make_world):
    def run(data, rates=(2.0,), model=None, settings=None, **keys):
        guard = make_guard(("jpeg",), rates=rates, max_drop=20.0, **keys)
        return make_world(guard, Model(data) if model is None else model, data, **(settings or {}))

    return run


FAULTS = {
    "read as BGR": lambda image: image.flip(0),
    "read as RBG": lambda image: image[[0, 2, 1]],
    "mirrored left to right": lambda image: image.flip(2),
    "mirrored top to bottom": lambda image: image.flip(1),
    "turned by 180 degrees": lambda image: image.flip(1, 2),
    "moved 1 pixel left": lambda image: border(image, 0, 1),
    "moved 1 pixel up and 1 pixel right": lambda image: torch.roll(image, (1, -1), (1, 2)),
    "inverted": lambda image: 255 - image,
}


def assert_only_sources(model, scenes):
    """The model saw clean images, the control's among them, and not one that came out of a decoder."""
    assert model.shown
    assert all(any(image.equal(source) for source, _, _ in scenes) for image in model.shown)


@pytest.mark.parametrize("remedy", FAULTS)
def test_what_is_done_to_every_image_is_the_codecs_doing(remedy, wrong, gate, scenes):
    wrong(FAULTS[remedy])
    world = gate(scenes)
    measured = world.only()
    result = measured.result
    assert (result.verdict, result.outcome, result.score, result.drop) == ("codec_error", "failed", None, None)
    assert isinstance(measured.problem, CodecError)
    sentence = (
        rf"jpeg at 2 bpp: the decoded images fit their sources much better when {remedy} "
        rf"\((\d+\.\d) dB instead of (\d+\.\d) dB, median of 3 images\){BLAMED}"
    )
    after, before = map(float, re.fullmatch(sentence, result.reason).groups())
    assert after - before >= 2
    assert_only_sources(world.model, scenes)


def test_images_that_come_back_black(wrong, gate, scenes):
    wrong(torch.zeros_like)
    result = gate(scenes).only().result
    assert (result.verdict, result.outcome) == ("codec_error", "failed")
    assert re.fullmatch(
        r"jpeg at 2 bpp: the decoded images are further from their sources than flat pictures of the sources' mean "
        rf"colours are \(\d\.\d dB and 1\d\.\d dB, median of 3 images\){BLAMED}",
        result.reason,
    )


def test_each_image_comes_back_as_another_one(wrong, gate, scenes):
    streams = {}

    def encode(self, images, settings, workers=1):
        made = Jpeg.encode(self, images, settings, workers)
        for image, stream in zip(images, made, strict=True):
            known = next(at for at, (source, _, _) in enumerate(scenes) if source.equal(image))
            streams[stream] = scenes[(known + 1) % len(scenes)][0]
        return made

    def decode(self, coded, workers=1):
        return [streams[stream] for stream in coded]

    wrong(encode=encode, decode=decode)
    result = gate(scenes).only().result
    assert result.verdict == "codec_error"
    assert "further from their sources than flat pictures" in result.reason


def all_but(scenes):
    """A change that blackens all images but those that look like these scenes."""

    def change(image):
        near = min(float((image.float() - source.float()).square().mean()) for source, _, _ in scenes)
        return image if near < 200 else image * 0

    return change


@pytest.mark.parametrize("batch_size", [1, 8, 64])
def test_a_cell_whose_sample_is_sound_is_told_by_its_median(batch_size, monkeypatch, wrong, gate, scenes):
    monkeypatch.setattr(watch, "sample", lambda *given: frozenset(range(3)))
    wrong(all_but(scenes[:3]))
    result = gate(scenes, model=Model(scenes, batch_size)).only().result
    assert (result.verdict, result.outcome, result.score) == ("codec_error", "failed", None)
    found = re.fullmatch(
        r"jpeg at 2 bpp: the decoded images are further from their sources than flat pictures of the sources' mean "
        rf"colours are \((\d\.\d) dB and (1\d\.\d) dB, median of 20 images\){BLAMED}",
        result.reason,
    )
    assert float(found[1]) == pytest.approx(result.psnr_median, abs=0.051)


def test_a_few_broken_images_are_no_broken_codec(wrong, gate, scenes):
    wrong(all_but(scenes[:14]))
    result = gate(scenes).only().result
    assert result.verdict != "codec_error"
    assert result.outlier_count == 6


def test_grey_images_fit_every_order_of_the_channels(wrong, gate, scenes):
    grey = [(image.float().mean(0).to(torch.uint8).expand(3, -1, -1).contiguous(), *rest) for image, *rest in scenes]
    wrong(lambda image: image.flip(0))
    result = gate(grey).only().result
    assert (result.verdict, result.psnr_mean > 25) == ("inconclusive", True)  # the model goes by colours


def test_pictures_alike_on_both_sides_fit_a_mirror_too(wrong, gate, scenes):
    alike = [(torch.cat([image, image.flip(2)], 2), *rest) for image, *rest in scenes]
    wrong(lambda image: image.flip(2))
    assert gate(alike).only().result.verdict == "pass"


def test_some_grey_images_do_not_hide_swapped_channels(wrong, gate, scenes):
    mixed = [
        (image.float().mean(0).to(torch.uint8).expand(3, -1, -1).contiguous() if at % 3 == 0 else image, label, name)
        for at, (image, label, name) in enumerate(scenes)
    ]
    wrong(lambda image: image.flip(0))
    assert "when read as BGR" in gate(mixed).only().result.reason


def test_a_shift_too_fine_for_a_low_rate_is_seen_at_the_highest_rate_of_the_file(wrong, gate, scenes):
    wrong(lambda image: border(image, 0, 1))
    alone = gate(scenes, rates=(0.8,)).only().result
    assert alone.verdict != "codec_error"
    found = gate(scenes, rates=(0.8, 3.0), settings={"folder": "other"}).run((0,))
    (measured,) = found.values()
    assert measured.result.verdict == "codec_error"
    assert measured.result.reason.startswith("jpeg at 3 bpp: the decoded images fit their sources much better when ")


def test_an_early_stop_looks_first_too(wrong, gate, scenes):
    wrong(FAULTS["turned by 180 degrees"])
    world = gate(scenes, settings={"early_stop": True})
    assert "when turned by 180 degrees" in world.only().result.reason
    assert_only_sources(world.model, scenes)


def test_nothing_of_a_wrong_decoder_is_remembered(wrong, gate, scenes):
    keys = {"fingerprint": Fingerprint("stated", ())}
    wrong(FAULTS["read as BGR"])
    first, second = (gate(scenes, settings={"run": f"run{run}"}, **keys).whole()["jpeg-2.0bpp"] for run in range(2))
    assert first.reason == second.reason
    assert second.verdict == "codec_error"


def test_a_median_below_flat_pictures_is_remembered_as_such(monkeypatch, wrong, gate, scenes):
    monkeypatch.setattr("compress_guard.engine.coding.watch.mishap", lambda codec, bpp, pairs: None)
    keys = {"fingerprint": Fingerprint("stated", ())}
    wrong(torch.zeros_like)
    first, second = (gate(scenes, settings={"run": f"run{run}"}, **keys).whole()["jpeg-2.0bpp"] for run in range(2))
    assert first.reason == second.reason
    assert first.reason.endswith(f"median of 20 images){BLAMED}")
    assert second.remembered > 0


def test_a_codec_that_generates_is_compared_by_its_geometry_alone(wrong, gate, scenes):
    wrong(lambda image: image * 0 + 9, generative=True)
    assert gate(scenes).only().result.verdict == "fail"
    wrong(lambda image: image.flip(2), generative=True)
    assert "when mirrored left to right" in gate(scenes, settings={"folder": "other"}).only().result.reason


def test_registered_codecs_promise_to_keep_pixels():
    assert not any(codec().generative for codec in (Avif, Jp2, Jpeg, WebP))


# The other ways in


def test_measure_says_it_too(wrong, scenes):
    wrong(FAULTS["read as BGR"])
    with pytest.raises(CodecError, match="when read as BGR"):
        compress_guard.measure(
            Model(scenes), scenes, task="classification", codec="jpeg", bpp=2.0, device="cpu", workers=1
        )


def test_batches_for_peoples_own_tests_are_not_handed_out(wrong, scenes, make_guard, tmp_path):
    guard = make_guard(("jpeg",), rates=(2.0,))
    run = RunSettings(tmp_path, tmp_path / "store", device="cpu", workers=1)
    wrong(FAULTS["turned by 180 degrees"])
    with pytest.raises(CodecError, match="when turned by 180 degrees"):
        next(compressed_batches(scenes, guard, guard.cells[0], run, "cpu", 4))


def test_material_of_recovery_studies_is_not_made_of_wrong_images(wrong, gate, scenes, tmp_path):
    world = gate(scenes)
    (cell,) = world.guard.cells
    subset = world.subject.subset(None)
    (folder := tmp_path / "material").mkdir()
    material = Material(world.guard, subset, lambda spec, bpp: [bpp], world.settings, "cpu", folder)
    wrong(FAULTS["inverted"])
    with pytest.raises(CodecError, match=r"^jpeg at 2 bpp: .* when inverted .*; the codec is at fault"):
        material.at((cell.codec, Rate(2.0)), lambda done, total: None)


COARSE = """
import sys, zlib
kind, size, depth, pixels = open(sys.argv[1], "rb").read().split(b"\\n", 3)
levels = bytes(value // 32 * 32 + 16 for value in pixels)
open(sys.argv[2], "wb").write(zlib.compress(b"\\n".join([kind, size, depth, levels])))
"""
TURNED = """
import sys, zlib
kind, size, depth, pixels = zlib.decompress(open(sys.argv[1], "rb").read()).split(b"\\n", 3)
turned = b"".join(pixels[at : at + 3] for at in range(len(pixels) - 3, -1, -3))
open(sys.argv[2], "wb").write(b"\\n".join([kind, size, depth, turned]))
"""


@pytest.mark.parametrize("generative", [False, True])
def test_programs_of_ones_own_are_doubted_too(generative, scenes, tmp_path):
    lines = {}
    for name, text, places in (
        ("encoder", COARSE, "{input} {output} {setting}"),
        ("decoder", TURNED, "{input} {output}"),
    ):
        (path := tmp_path / f"{name}.py").write_text(text)
        lines[name] = f"{shlex.quote(sys.executable)} -I -S {shlex.quote(path.as_posix())} {places}"
    options = {**lines, "settings": "1..2", "generative": generative}
    few = scenes[:4]
    with pytest.raises(
        CodecError, match=r"when turned by 180 degrees \(2\d\.\d dB instead of 1?\d\.\d dB, median of 3 "
    ):
        compress_guard.measure(
            Model(few), few, task="classification", codec="command", bpp=8.0, options=options, device="cpu", workers=1
        )


def test_programs_say_whether_they_invent_what_they_do_not_code():
    lines = {"encoder": "enc {setting} {input} {output}", "decoder": "dec {input} {output}", "settings": "1..9"}
    assert not Command(**lines).generative
    assert Command(**lines, generative=True).generative
    with pytest.raises(OptionError, match=r"^generative must be true or false, found 'no'$"):
        Command(**lines, generative="no")


# What is coarse, small or strange, by honest codecs


HONEST = [Jpeg(), WebP(), Jp2(), Avif(speed=10)]


def strange(seed, height, width, kind):
    generator = torch.Generator().manual_seed(seed)
    low = int(torch.randint(0, 200, (1,), generator=generator))
    if kind == "noise":
        return torch.randint(0, 256, (3, height, width), generator=generator, dtype=torch.uint8)
    if kind == "faint noise":
        return torch.randint(low, low + 12, (3, height, width), generator=generator, dtype=torch.uint8)
    if kind == "flat":
        return torch.randint(0, 256, (3, 1, 1), generator=generator, dtype=torch.uint8).expand(3, height, width).clone()
    if kind == "line art":
        page = torch.full((3, height, width), 255, dtype=torch.uint8)
        page[:, :: 5 + low % 7, ::3] = 0
        page[:, torch.rand(height, width, generator=generator) < 0.05] = low
        return page
    if kind == "black":
        return torch.zeros(3, height, width, dtype=torch.uint8)
    if kind == "slope":
        return (torch.arange(width) * 200 / width + low / 4).to(torch.uint8).expand(3, height, width).clone()
    return scene(seed, (height, width))


KINDS = ["noise", "faint noise", "flat", "line art", "black", "slope", "scene"]


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(HONEST),
    st.integers(0, 2**32),
    st.sampled_from(KINDS),
    st.sampled_from([(1, 300), (300, 1), (8, 8), (17, 33), (32, 32), (64, 48)]),
    st.sampled_from([0, 0.05, 0.2, 0.5, 1]),
)
def test_honest_codecs_are_never_accused(codec, seed, kind, size, place):
    setting = codec.ladder[int(place * (len(codec.ladder) - 1))]
    images = [strange(seed + at, *size, kind) for at in range(3)]  # type: ignore[call-arg]  # mypy cannot count what a star brings
    decoded = codec.decode(codec.encode(images, [setting] * 3))
    pairs = [Pair(*one, setting) for one in zip(decoded, images, strict=True)]
    assert mishap(codec, 1.0, pairs) is None
    assert below_flat(codec, 1.0, [pair.rated(codec) for pair in pairs]) is None


@pytest.mark.parametrize("setting", [1.0, 10.0, 30.0, 90.0])
def test_the_bundled_learned_codec_is_never_accused(setting):
    pytest.importorskip("constriction")
    codec = CODECS.resolve("neural")()
    for kind in KINDS:
        images = [strange(at, 64, 80, kind) for at in range(3)]
        decoded = codec.decode(codec.encode(images, [setting] * 3))
        pairs = [Pair(*one, setting) for one in zip(decoded, images, strict=True)]
        assert mishap(codec, 1.0, pairs) is None, kind
        assert below_flat(codec, 1.0, [pair.rated(codec) for pair in pairs]) is None, kind


def test_a_majority_must_be_clearly_worse_and_the_median_with_it():
    codec = Jpeg()
    worse, fine, near = Rated(5.0, 15.0, True), Rated(30.0, 15.0, False), Rated(14.8, 15.0, False)
    assert below_flat(codec, 1.0, []) is None
    assert below_flat(codec, 1.0, [None, None]) is None
    assert below_flat(codec, 1.0, [worse, fine]) is None
    assert below_flat(codec, 1.0, [near] * 9) is None
    assert below_flat(codec, 0.25, [worse, worse, fine, None]) == (
        "jpeg at 0.25 bpp: the decoded images are further from their sources than flat pictures of the sources' mean "
        "colours are (5.0 dB and 15.0 dB, median of 3 images)"
    )
    assert below_flat(codec, 0.25, [worse]).endswith("(5.0 dB and 15.0 dB, one image)")
