"""Faults found in published measurements of this kind, each put into the package: the checks must notice."""

from __future__ import annotations

from dataclasses import replace

import pytest

CODEC, RATE, COUNT = "jpeg", 1.3, 24


@pytest.fixture
def cell(pictures, spectrum, make_guard, make_world, honest):
    """Return a function that runs one cell and returns the checks of its result by name."""

    def run():
        data, model = pictures(COUNT), spectrum()
        result = make_world(make_guard((CODEC,), (RATE,)), model, data).only().result
        assert result.verdict == "pass", result.reason
        checks, seen = honest(CODEC, data), model.images_seen[-COUNT:]
        return {
            "rate": lambda: checks.rate(result),
            "images": lambda: checks.images(result, seen),
            "mix": lambda: checks.mix(result, seen),
            "scores": lambda: checks.scores(result, model, seen),
        }

    return run


def test_without_a_fault_all_checks_hold(cell):
    for check in cell().values():
        check()


def test_bits_counted_as_bytes(cell, monkeypatch):
    from compress_guard.engine.coding.coder import Coder

    right = Coder.lengths
    monkeypatch.setattr(Coder, "lengths", lambda self, asked: [length // 8 for length in right(self, asked)])
    check = cell()["rate"]
    with pytest.raises(AssertionError):
        check()


def test_bits_counted_as_bytes_in_the_report_alone(cell, monkeypatch):
    from compress_guard.records import PlannedRate

    right = PlannedRate.bpp_mean.fget
    monkeypatch.setattr(PlannedRate, "bpp_mean", property(lambda self: right(self) / 8))
    check = cell()["rate"]
    with pytest.raises(AssertionError):
        check()


def test_a_codec_that_returns_the_clean_image(cell, monkeypatch):
    from compress_guard.codecs.jpeg import Jpeg

    right, sources = Jpeg.encode, {}

    def encode(self, images, settings, workers=1):
        streams = right(self, images, settings, workers)
        sources.update(zip(streams, images, strict=True))
        return streams

    monkeypatch.setattr(Jpeg, "encode", encode)
    monkeypatch.setattr(Jpeg, "decode", lambda self, streams, workers=1: [sources[stream] for stream in streams])
    check = cell()["images"]
    with pytest.raises(AssertionError):
        check()


def test_clean_predictions_scored_as_compressed(cell, monkeypatch):
    from compress_guard.engine.cells.cell_pass import Passed, Trial
    from compress_guard.engine.coding.fidelity import Seen

    def whole(self, progress):
        clean = self.subject.clean_evidence(None, lambda done, total: None)
        return Passed(clean, clean, len(clean.ids), Seen())

    monkeypatch.setattr(Trial, "whole", whole)
    check = cell()["images"]
    with pytest.raises(AssertionError):
        check()


def test_bpp_over_padded_pixels(cell, monkeypatch, pictures):
    from compress_guard.engine.images import subsets

    padded = {
        name: -(-image.shape[1] // 16) * 16 * (-(-image.shape[2] // 16) * 16) for image, _, name in pictures(COUNT)
    }
    right = subsets.survey

    def survey(*arguments):
        found = right(*arguments)
        return replace(found, infos=tuple(replace(info, pixels=padded[info.id]) for info in found.infos))

    monkeypatch.setattr(subsets, "survey", survey)
    check = cell()["rate"]
    with pytest.raises(AssertionError):
        check()


def test_a_mix_by_image_size(cell, monkeypatch, pictures):
    from compress_guard.rate import ledger

    size = {name: image.numel() for image, _, name in pictures(COUNT)}
    largest = max(size.values()) + 1
    monkeypatch.setattr(ledger, "seeded_fraction", lambda seed, name: 1 - size[name] / largest)
    check = cell()["mix"]
    with pytest.raises(AssertionError):
        check()


def test_images_out_of_step_with_their_targets(cell, monkeypatch):
    from compress_guard.engine.cells import cell_pass

    right = cell_pass.coded_batch

    def shifted(*arguments):
        batch = right(*arguments)
        return replace(batch, images=[*batch.images[1:], batch.images[0]])

    monkeypatch.setattr(cell_pass, "coded_batch", shifted)
    check = cell()["images"]
    with pytest.raises(AssertionError):
        check()


@pytest.mark.parametrize(("head", "verdict"), [((0, 1, 2, 3), "pass"), ((2, 3, 0, 1), "fail")])
def test_shuffled_weights_in_a_head_fail_the_gate(head, verdict, pictures, spectrum, make_guard, make_world):
    guard = make_guard(("webp",), (3.0,), max_drop=30, min_score=60)
    measured = make_world(guard, spectrum(head=head), pictures(COUNT)).only()
    assert measured.result.verdict == verdict
