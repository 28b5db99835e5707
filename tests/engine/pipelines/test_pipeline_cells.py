"""Cells of a pipeline beside a plain loop of Pillow: pixels, bits, the bits of each step, encoder calls."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image

from compress_guard.codecs.jpeg import Jpeg
from compress_guard.codecs.pillow import PillowCodec
from compress_guard.codecs.webp import WebP
from compress_guard.engine.coding import coder as coding
from compress_guard.engine.coding.streams import names
from compress_guard.records import Cell, CodecSpec, Fixed, Guard, Quality, Rate
from compress_guard.registry import read_steps

WIDE = ((96, 96), (89, 95), (95, 88))
"""Sizes that leave the model enough pixels behind the pipeline."""
STEPS = [
    {"resize": {"longest": 90, "filter": "lanczos"}},
    {"jpeg": {"quality": 85}},
    {"resize": {"longest": 80}},
    {"webp": {"quality": 75}},
]


def guard_of(steps, *points) -> Guard:
    spec = CodecSpec("upload", "pipeline", (("steps", read_steps(steps)),))
    cells = tuple(Cell("toys", spec, point, 100.0, None, None, 1) for point in points)
    return Guard("toys", "classification", "top1", "m:model", "m:data", cells)


def saved(image: Image.Image, kind: str, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


def shrunk(image: Image.Image, longest: int, kind: Image.Resampling) -> Image.Image:
    factor = longest / max(image.size)
    return image if factor >= 1 else image.resize(tuple(int(side * factor + 0.5) for side in image.size), kind)


def by_hand(image) -> tuple[bytes, bytes]:
    """Return the file of the upload and the file that is delivered."""
    picture = Image.fromarray(np.ascontiguousarray(image.permute(1, 2, 0).numpy()))
    upload = saved(shrunk(picture, 90, Image.Resampling.LANCZOS), "JPEG", quality=85, optimize=True, subsampling=2)
    return upload, saved(shrunk(opened(upload), 80, Image.Resampling.BICUBIC), "WEBP", quality=75, method=4)


@pytest.fixture
def calls(monkeypatch) -> list[int]:
    """The pixels of each picture that an encoder of Pillow gets."""
    made: list[int] = []
    write = PillowCodec._write

    def counted(self, image, *settings):
        if isinstance(self, Jpeg | WebP):  # the lossless control has another
            made.append(image.width * image.height)
        return write(self, image, *settings)

    monkeypatch.setattr(PillowCodec, "_write", counted)
    return made


def test_a_fixed_pipeline_is_what_the_plain_loop_makes(make_world, spectrum, pictures):
    data = pictures(12, WIDE)
    model = spectrum()
    result = make_world(guard_of(STEPS, Fixed()), model, data).only().result
    assert result.reason.endswith(": upload, 12 images"), result.reason
    files = [by_hand(image) for image, _, _ in data]
    uploads, deliveries = (
        [8 * len(file) / (image.shape[-2] * image.shape[-1]) for file, (image, _, _) in zip(each, data, strict=True)]
        for each in zip(*files, strict=True)
    )
    assert (result.target_bpp, result.target_quality, result.off_target) == (None, None, None)
    assert result.settings == ((75.0, 12),)
    assert result.bpp_mean == pytest.approx(np.mean(deliveries), rel=1e-12)
    assert [name for name, _ in result.steps] == ["jpeg", "webp"]
    assert [bpp for _, bpp in result.steps] == pytest.approx([np.mean(uploads), np.mean(deliveries)], rel=1e-12)
    assert result.as_dict()["steps"] == [{"step": name, "bpp": bpp} for name, bpp in result.steps]
    delivered = [torch_of(np.asarray(opened(file))) for _, file in files]
    assert all(any(torch.equal(picture, image) for image in model.images_seen) for picture in delivered)
    hits = [
        int(model.scores(picture).argmax()) == label for picture, (_, label, _) in zip(delivered, data, strict=True)
    ]
    assert result.score == pytest.approx(100 * np.mean(hits))


def torch_of(picture: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(picture.copy()).permute(2, 0, 1)


def test_each_encoder_counts_once_and_a_second_run_encodes_nothing(make_world, spectrum, pictures):
    guard = guard_of(STEPS, Fixed())
    first = make_world(guard, spectrum(), pictures(6, WIDE), run="one").only().result
    assert first.encodes == pytest.approx(2, abs=1e-12)
    second = make_world(guard, spectrum(), pictures(6, WIDE), run="two").only().result
    assert second.encodes == 0
    assert second.steps == first.steps


def test_a_fixed_pipeline_and_an_open_one_at_its_quality_give_one_result(make_world, spectrum, pictures):
    fixed = make_world(guard_of(STEPS, Fixed()), spectrum(), pictures(6, WIDE), run="one").only().result
    opened_guard = guard_of([*STEPS[:-1], "webp"], Quality(75.0))
    at_quality = make_world(opened_guard, spectrum(), pictures(6, WIDE), run="two").only().result
    assert at_quality.target_quality == 75.0
    for name in ("bpp_mean", "bpp_pooled", "settings", "steps", "score", "drop_low", "drop_high", "psnr_mean"):
        assert getattr(fixed, name) == getattr(at_quality, name), name


def test_the_calls_of_all_encoders_are_counted_exactly(make_world, spectrum, pictures, calls):
    data = pictures(8)
    steps = [{"jpeg": {"quality": 85}}, "webp"]
    world = make_world(guard_of(steps, Rate(0.6), Rate(1.0), Quality(50.0)), spectrum(), data)
    results = [measured.result for measured in world.run().values()]
    pixels = sum(image.shape[-2] * image.shape[-1] for image, _, _ in data)
    counted = sum(result.encodes for result in results) * pixels
    assert counted == pytest.approx(sum(calls), rel=1e-9)
    deliveries = sum(calls) - pixels
    assert deliveries > 2 * pixels, "each image was delivered at several settings"


def test_the_code_of_each_step_is_part_of_the_identity(make_world, spectrum, pictures, monkeypatch):
    made: list[coding.Coder] = []
    plan = coding.Coder.plan

    def noted(self, *args):
        made.append(self)
        return plan(self, *args)

    monkeypatch.setattr(coding.Coder, "plan", noted)

    def identity() -> str:
        made.clear()
        world = make_world(guard_of([{"jpeg": {"quality": 85}}, "webp"], Quality(50.0)), spectrum(), pictures(2))
        world.only()
        return next(coder.identity for coder in made)

    before = identity()
    monkeypatch.setattr(names, "code_of", lambda made: "changed" if made.__name__ == "Jpeg" else "")
    assert identity() != before
    monkeypatch.setattr(names, "code_of", lambda made: "")
    assert identity() == before
