"""Pipelines whose delivered files other decoders read, beside a plain loop of Pillow and cv2."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from compress_guard.codecs.decoding.streams import decoded_by
from compress_guard.codecs.jpeg import Jpeg
from compress_guard.codecs.pipeline.codec import Pipeline
from compress_guard.codecs.webp import WebP
from compress_guard.errors import CodecError, CodecUnavailable
from compress_guard.records import Cell, CodecSpec, Fixed, Guard, Quality, Rate
from compress_guard.registry import read_steps
from compress_guard.thresholds.keys.decoders import Decoders, with_decoders

WIDE = ((96, 96), (89, 95), (95, 88))
"""Sizes that leave the model enough pixels behind the pipeline."""
COUNT = 12
STEPS = [
    {"resize": {"longest": 90, "filter": "lanczos"}},
    {"jpeg": {"quality": 85}},
    {"webp": {"quality": 75}},
    {"resize": {"longest": 80}},
]

pytestmark = pytest.mark.usefixtures("soft")


def guard_of(steps, *points, names=("pillow", "opencv"), limit=None, **keys) -> Guard:
    spec = CodecSpec("upload", "pipeline", (("steps", read_steps(steps)),))
    cells = []
    for point in points:
        cell = Cell("toys", spec, point, 100.0, None, None, 1)
        plain, *others = with_decoders(None, (cell,), Decoders(tuple(names), 1), None, own=False)
        cells += [plain, *(replace(other, max_decoder_drop=limit) for other in others)]
    return Guard("toys", "classification", "top1", "m:model", "m:data", tuple(cells), **keys)


def saved(image: Image.Image, kind: str, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


def by_cv2(data: bytes) -> Image.Image:
    return Image.fromarray(
        np.ascontiguousarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1])
    )


def tensor_of(image: Image.Image) -> Any:
    return torch.from_numpy(np.array(image)).permute(2, 0, 1)


def shrunk(image: Image.Image, longest: int, kind: Image.Resampling = Image.Resampling.BICUBIC) -> Image.Image:
    factor = longest / max(image.size)
    return image if factor >= 1 else image.resize(tuple(int(side * factor + 0.5) for side in image.size), kind)


def delivered_file(image) -> bytes:
    """The WebP that STEPS deliver of an image; what is in front of it is decoded by Pillow, whoever reads the WebP."""
    picture = shrunk(Image.fromarray(image.permute(1, 2, 0).contiguous().numpy()), 90, Image.Resampling.LANCZOS)
    upload = opened(saved(picture, "JPEG", quality=85, optimize=True, subsampling=2))
    return saved(upload, "WEBP", quality=75, method=4)


def top1(model, images, data) -> float:
    return 100 * model.right(images, data).mean()


def test_cells_of_a_fixed_pipeline_end_with_the_decoder():
    guard = guard_of(STEPS, Fixed(), names=("pillow", "opencv", "torchvision"))
    assert [cell.name for cell in guard.cells] == ["toys[upload]", "toys[upload-opencv]", "toys[upload-torchvision]"]


@pytest.mark.parametrize("name", ["opencv", "soft"])
def test_the_delivered_file_is_read_by_the_decoder_and_scaled_after_it(name, make_world, spectrum, pictures, soft):
    def by_soft(data: bytes) -> Image.Image:
        return Image.fromarray(soft.image(tensor_of(opened(data))).permute(1, 2, 0).contiguous().numpy())

    read = {"opencv": by_cv2, "soft": by_soft}[name]
    data, model = pictures(COUNT, WIDE), spectrum()
    world = make_world(guard_of(STEPS, Fixed(), names=("pillow", name), limit=100.0), model, data)
    plain, other = (measured.result for measured in world.run().values())
    assert other.verdict == "pass", other.reason
    files = [delivered_file(image) for image, _, _ in data]
    first = [tensor_of(shrunk(opened(file), 80)) for file in files]
    second = [tensor_of(shrunk(read(file), 80)) for file in files]
    for image in (*first, *second):
        assert any(torch.equal(image, seen) for seen in model.images_seen)
    assert plain.score == pytest.approx(top1(model, first, data))
    assert other.score == pytest.approx(top1(model, second, data))
    assert other.decoder_drop == pytest.approx(plain.score - other.score)
    clean = top1(model, [image for image, _, _ in data], data)
    assert other.drop == pytest.approx(clean - other.score)
    levels = [(one.int() - two.int()).abs() for one, two in zip(first, second, strict=True)]
    assert other.decoder_difference_max == max(int(each.max()) for each in levels)
    assert other.decoder_difference_mean == pytest.approx(np.mean([float(each.double().mean()) for each in levels]))
    assert (other.decoder_difference_max > 0) == (name == "soft")


def test_streams_are_shared_and_every_call_is_counted(make_world, spectrum, pictures):
    data = pictures(COUNT, WIDE)
    world = make_world(guard_of(STEPS, Fixed(), names=("pillow", "opencv", "soft")), spectrum(), data)
    plain, opencv, other = (measured.result for measured in world.run().values())
    assert plain.encodes == pytest.approx(2, abs=1e-12), "two codecs are two encoders"
    assert (opencv.encodes, other.encodes) == (0, 0)
    assert (opencv.predictions, other.predictions) == (COUNT, COUNT)
    assert plain.steps == opencv.steps == other.steps != ()
    assert plain.bpp_mean == opencv.bpp_mean == other.bpp_mean
    assert (plain.decoder, plain.decoder_version) == ("pillow", WebP().version)
    assert opencv.decoder_version.startswith("OpenCV ")
    assert plain.codec_version == opencv.codec_version


def test_an_open_pipeline_is_read_at_rates_and_at_qualities(make_world, spectrum, pictures):
    data = pictures(COUNT, WIDE)
    guard = guard_of([*STEPS[:2], "webp"], Rate(0.6), Quality(75.0), names=("pillow", "opencv"), limit=10.0)
    results = {label: measured.result for label, measured in make_world(guard, spectrum(), data).run().items()}
    assert list(results) == ["upload-0.6bpp", "upload-0.6bpp-opencv", "upload-q75", "upload-q75-opencv"]
    for label in ("upload-0.6bpp", "upload-q75"):
        plain, other = results[label], results[f"{label}-opencv"]
        assert (other.decoder_drop, other.decoder_difference_max, other.score) == (0, 0, plain.score)
        assert (other.settings, other.encodes) == (plain.settings, 0)


def test_a_comparison_alone_gives_the_same_result(make_world, spectrum, pictures):
    data, guard = pictures(COUNT, WIDE), guard_of(STEPS, Fixed(), names=("pillow", "soft"), limit=30.0)
    together = make_world(guard, spectrum(), data).run()["upload-soft"].result
    alone = make_world(guard, spectrum(), data, folder="other", run="alone").run([1])["upload-soft"].result
    work = ("encodes", "predictions", "seconds")
    one, two = ({key: value for key, value in each.as_dict().items() if key not in work} for each in (together, alone))
    assert one == two
    assert alone.encodes == pytest.approx(2, abs=1e-12)


def test_a_first_decoder_other_than_the_codecs_own(make_world, spectrum, pictures):
    data = pictures(COUNT, WIDE)
    plain = make_world(guard_of(STEPS, Fixed(), names=("soft",)), spectrum(), data).only().result
    other = (
        make_world(guard_of(STEPS, Fixed(), names=("pillow", "soft")), spectrum(), data, folder="other", run="other")
        .run()["upload-soft"]
        .result
    )
    assert (plain.score, plain.bpp_mean, plain.steps) == (other.score, other.bpp_mean, other.steps)
    assert (plain.decoder, plain.decoder_version) == ("soft", "soft 1")


def test_reference_input_is_the_same_geometry_for_each_decoder(make_world, spectrum, pictures):
    data, model = pictures(COUNT, WIDE), spectrum()
    guard = guard_of(STEPS, Fixed(), names=("pillow", "soft"), reference="input")
    plain, other = (measured.result for measured in make_world(guard, model, data).run().values())
    uncoded = Pipeline(read_steps(STEPS)).reshaped([image for image, _, _ in data])
    clean = top1(model, uncoded, data)
    assert plain.clean_score == other.clean_score == pytest.approx(clean)
    assert other.drop == pytest.approx(clean - other.score)
    assert other.predictions == COUNT, "the clean images are predicted once for both"
    assert (other.verdict, other.reference) == ("unjudged", "input")


def test_a_pipeline_that_begins_with_the_files_of_its_sources(make_world, spectrum, pictures, tmp_path):
    data = []
    for image, label, name in pictures(COUNT, WIDE):
        path = tmp_path / f"{name}.jpg"
        Image.fromarray(image.permute(1, 2, 0).contiguous().numpy()).save(path, quality=92)
        data.append((Image.open(path), label, name))
    model = spectrum()
    guard = guard_of(["source", {"webp": {"quality": 75}}], Fixed(), limit=100.0)
    plain, other = (measured.result for measured in make_world(guard, model, data).run().values())
    assert (plain.encodes, other.encodes) == (pytest.approx(1, abs=1e-12), 0)
    assert [step for step, _ in other.steps] == ["source", "webp"]
    files = [saved(image.convert("RGB"), "WEBP", quality=75, method=4) for image, _, _ in data]
    assert other.score == pytest.approx(top1(model, [tensor_of(by_cv2(file)) for file in files], data))
    assert other.bpp_mean == pytest.approx(
        np.mean([8 * len(file) / (image.width * image.height) for file, (image, _, _) in zip(files, data, strict=True)])
    )


# Decoders at fault


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (lambda images: [image.flip(0) for image in images], "when read as BGR"),
        (lambda images: [image.flip(2) for image in images], "mirrored"),
        (lambda images: [image[:, 1:] for image in images], "expected"),
        (lambda images: [image.float() for image in images], "values of float32; expected a uint8 tensor (3, H, W)"),
        (lambda images: images[:-1], "images for"),
    ],
    ids=["channels", "mirror", "size", "dtype", "count"],
)
def test_a_decoder_at_fault_is_no_regression_of_the_model(fault, message, coloured, spectrum, make_world, soft):
    soft.become(fault)
    guard = guard_of(STEPS, Fixed(), names=("pillow", "soft"), limit=5.0)
    plain, other = (measured.result for measured in make_world(guard, spectrum(), coloured(12)).run().values())
    assert plain.verdict == "pass"
    assert (other.verdict, other.outcome) == ("codec_error", "failed")
    assert message in other.reason
    assert (other.score, other.decoder_drop) == (None, None)


def test_a_decoder_that_breaks_one_image_is_found_beside_the_scaled_source(coloured, spectrum, make_world, soft):
    broken = tensor_of(opened(delivered_file(coloured(12)[5][0])))

    soft.become(lambda images: [image.roll(40, 1) if torch.equal(image, broken) else image for image in images])
    guard = guard_of(STEPS, Fixed(), names=("pillow", "soft"), limit=5.0)
    other = make_world(guard, spectrum(), coloured(12)).run([1])["upload-soft"].result
    assert other.verdict == "codec_error"
    assert other.reason.startswith("image c05 at setting 75 of pipeline: the decoder soft brings it to ")
    assert other.reason.endswith(" dB; the decoder is at fault, so the model was not judged")


# The codec itself


def test_the_last_codec_tells_which_decoders_read_it(pictures):
    jpeg_last = Pipeline(read_steps([{"webp": {"quality": 80}}, {"jpeg": {"quality": 80}}]))
    webp_last = Pipeline(read_steps([{"jpeg": {"quality": 80}}, {"webp": {"quality": 80}}]))
    avif_last = Pipeline(read_steps([{"jpeg": {"quality": 80}}, {"avif": {"quality": 60}}]))
    assert decoded_by(jpeg_last, "pillow", "cpu") is jpeg_last, "it reads JPEG itself in the same way"
    assert decoded_by(webp_last, "torchvision", "cpu").type == "pipeline decoded by torchvision"
    with pytest.raises(CodecUnavailable, match="^torchvision does not decode avif; it reads jpeg, webp; use another"):
        decoded_by(avif_last, "torchvision", "cpu")
    with pytest.raises(CodecUnavailable, match="^nvjpeg does not decode webp; it reads jpeg; use another decoder$"):
        decoded_by(webp_last, "nvjpeg", "cpu")


def test_a_broken_file_is_named_with_its_decoder_and_its_step(pictures):
    (image, _, _), *_ = pictures(1, WIDE)
    pipeline = Pipeline(read_steps([{"resize": {"longest": 64}}, {"jpeg": {"quality": 80}}]))
    read = decoded_by(pipeline, "opencv", "cpu")
    (stream,) = read.encode([image], [80.0])
    with pytest.raises(CodecError) as caught:
        read.decode([stream[:60]])
    assert str(caught.value) == (
        f"pipeline could not decode stream 1 of 1 (60 bytes): step 2 (jpeg): jpeg: stream 1 of 1 "
        f"({60 - len(stream) + len(pipeline.delivered_file(stream))} bytes) could not be decoded by opencv: "
        "cv2.imdecode returned nothing"
    )
    with pytest.raises(CodecError, match="its source has 96x96 pixels, expected 95x96"):
        read.decode_sized([stream], [(96, 95)])


def test_only_the_delivered_file_is_read_by_the_decoder(pictures, monkeypatch):
    """Between two steps a service reads its own files."""
    (image, _, _), *_ = pictures(1, WIDE)
    seen = []
    decode = Jpeg.decode
    monkeypatch.setattr(
        Jpeg, "decode", lambda self, streams, workers=1: seen.append(1) or decode(self, streams, workers)
    )
    read = decoded_by(Pipeline(read_steps(STEPS)), "opencv", "cpu")
    (stream,) = read.encode([image], [75.0])
    assert seen == [1], "the JPEG in front of the WebP was decoded by its own codec"
    read.decode([stream])
    assert seen == [1]
