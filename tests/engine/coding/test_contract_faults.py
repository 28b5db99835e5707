"""Cells of codecs that break their contract: no image leaves a cell unseen, and no other cell is touched."""

from __future__ import annotations

import torch

from compress_guard import compress

COUNT = 12


def test_images_without_a_stream_are_errors(plant, spectrum, pictures, make_guard, make_world):
    def encode(self, images, settings, workers=1):
        streams = toy.encode(self, images, settings, workers)
        return [None if int(image[0, 0, 0]) % 4 == 0 else stream for image, stream in zip(images, streams, strict=True)]

    toy = plant(encode=encode)
    result = make_world(make_guard(), spectrum(), pictures(COUNT)).only().result
    assert (result.verdict, result.errors) == ("codec_error", COUNT // 4)
    assert "toy gave NoneType for image 1 of 1; expected the bytes of its stream" in result.reason


def test_images_that_do_not_come_back_are_errors(plant, spectrum, pictures, make_guard, make_world):
    def decode(self, streams, workers=1):
        images = toy.decode(self, streams, workers)
        return [None if int(image.sum()) % 3 == 0 else image for image in images]

    toy = plant(decode=decode)
    result = make_world(make_guard(), spectrum(), pictures(COUNT)).only().result
    assert result.verdict == "codec_error"
    assert "to NoneType; expected a uint8 tensor (3, H, W)" in result.reason


def test_a_decoder_of_floats_is_not_the_models_fault(plant, spectrum, pictures, make_guard, make_world):
    def decode(self, streams, workers=1):
        return [image / 255 for image in toy.decode(self, streams, workers)]

    toy = plant(decode=decode)
    result = make_world(make_guard(), spectrum(), pictures(COUNT)).only().result
    assert result.verdict == "codec_error"
    assert "to values of float32; expected a uint8 tensor (3, H, W)" in result.reason


def test_a_codec_that_works_in_place_changes_no_other_cell(plant, spectrum, pictures, make_guard, make_world):
    def encode(self, images, settings, workers=1):
        streams = toy.encode(self, images, settings, workers)
        for image in images:
            image.floor_divide_(2)
        return streams

    alone = make_world(make_guard(("webp",)), spectrum(), pictures(COUNT), folder="alone").only().result
    toy = plant(encode=encode)
    world = make_world(make_guard(("toy", "webp")), spectrum(), pictures(COUNT), folder="both")
    _, beside = [world.bench.measure(cell, cell.name).result for cell in world.guard.cells]
    figures = ("verdict", "score", "clean_score", "drop", "bpp_mean", "psnr_mean")
    assert [getattr(beside, name) for name in figures] == [getattr(alone, name) for name in figures]


def test_compress_leaves_the_callers_images_alone(plant):
    def encode(self, images, settings, workers=1):
        streams = toy.encode(self, images, settings, workers)
        for image in images:
            image.zero_()
        return streams

    toy = plant(encode=encode)
    image = torch.full((3, 32, 32), 90, dtype=torch.uint8)
    compress([image], codec="toy", bpp=2.0)
    assert image.unique().tolist() == [90]


def test_a_codec_without_settings_is_a_codec_error(plant, spectrum, pictures, make_guard, make_world):
    plant(ladder=())
    result = make_world(make_guard(), spectrum(), pictures(COUNT)).only().result
    assert (result.verdict, result.reason) == (
        "codec_error",
        "toy has an empty ladder; a codec needs at least one setting",
    )
