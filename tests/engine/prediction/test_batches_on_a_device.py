"""Compressed batches where the run's device is not the CPU: the same rates, and images that are there already.

Every test runs twice: for real on a GPU, and on ``cpu:0``, which is the CPU but not ``cpu``, so that codecs take their
way for GPUs, with a double for nvJPEG.
"""

from __future__ import annotations

import io

import pytest
import torch
from PIL import Image

import compress_guard
from compress_guard.codecs import cuda_jpeg
from compress_guard.codecs.pixels import from_pil, to_pil
from compress_guard.engine import compressed_batches as engine_batches
from compress_guard.engine.compressed_batches import compressed_batches
from compress_guard.engine.settings import RunSettings

GPU = (
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
)


class Double:
    """nvJPEG by Pillow."""

    name = "nvJPEG (double)"

    def encode(self, images, quality):
        return [torch.frombuffer(bytearray(self.write(image, quality)), dtype=torch.uint8) for image in images]

    def decode(self, streams, device):
        return [from_pil(Image.open(io.BytesIO(stream.numpy().tobytes()))) for stream in streams]

    @staticmethod
    def write(image, quality):
        out = io.BytesIO()
        to_pil(image).save(out, "JPEG", quality=quality, subsampling="4:4:4")
        return out.getvalue()


@pytest.fixture(params=["cpu:0", pytest.param("cuda:0", marks=GPU)])
def device(request, monkeypatch):
    if request.param == "cpu:0":
        monkeypatch.setattr(cuda_jpeg, "library", Double)
    return request.param


@pytest.fixture
def batches(tmp_path, make_guard):
    def make(data, guard, device, batch_size=4, **keys):
        settings = RunSettings(tmp_path, tmp_path / f"store-{device}", device=device, workers=2, **keys)
        return list(compressed_batches(data, guard, guard.cells[0], settings, device, batch_size))

    return make


JPEG_444 = (("subsampling", "4:4:4"),)


@pytest.mark.parametrize(
    ("codec", "options"), [("jpeg", ()), ("jpeg", JPEG_444), ("webp", ())], ids=["jpeg", "jpeg444", "webp"]
)
def test_images_are_there_as_bytes_of_their_size(pictures, make_guard, batches, device, codec, options):
    data = pictures(10)
    found = batches(data, make_guard((codec,), (2.0,), options=options), device)
    assert [len(batch.images) for batch in found] == [4, 4, 2]
    for batch in found:
        assert len(batch.bpp) == len(batch.targets) == len(batch.ids) == len(batch.images)
    images = [image for batch in found for image in batch.images]
    for image, (source, _, _) in zip(images, data, strict=True):
        assert (image.device.type, image.dtype, image.shape) == (device[:-2], torch.uint8, source.shape)
        assert image.is_contiguous()
        assert 0 < float((image.cpu().float() - source.float()).abs().mean()) < 30
    rates = [rate for batch in found for rate in batch.bpp]
    assert sum(rates) / len(rates) == pytest.approx(2.0, rel=0.05)


@pytest.mark.parametrize("codec", ["jpeg", "webp"])
def test_rates_are_those_of_the_cpu_where_the_cpu_encodes(pictures, make_guard, batches, device, codec):
    guard = make_guard((codec,), (1.5,))
    there, here = batches(pictures(8), guard, device), batches(pictures(8), guard, "cpu")
    assert [batch.bpp for batch in there] == [batch.bpp for batch in here]
    assert [batch.ids for batch in there] == [batch.ids for batch in here]
    for one, other in zip(there, here, strict=True):
        for image, expected in zip(one.images, other.images, strict=True):
            # Decoders of JPEG differ in how they bring chroma to full size, the others work on the CPU anyway.
            apart = float((image.cpu().float() - expected.float()).abs().mean())
            assert apart < 3 if codec == "jpeg" else apart == 0


def test_what_the_codec_decoded_there_is_what_the_test_gets(pictures, make_guard, batches, device, monkeypatch):
    decode, made = cuda_jpeg.decode, []

    def noted(streams, place):
        images = decode(streams, place)
        made.extend(images)  # held, so that no address is given out twice
        return images

    monkeypatch.setattr(cuda_jpeg, "decode", noted)
    if device == "cpu:0":
        # To torch a tensor on cpu must be copied to be on cpu:0, as none must be between equal names of a GPU.
        available = engine_batches.available_codec
        monkeypatch.setattr(engine_batches, "available_codec", lambda spec, _: available(spec, "cpu:0"))
        device = "cpu"
    found = batches(pictures(6), make_guard(("jpeg",), (1.5,)), device)
    assert made
    addresses = {image.data_ptr() for image in made}
    assert all(image.data_ptr() in addresses for batch in found for image in batch.images)


def test_a_model_there_can_be_asked_for_its_calibration(pictures, make_guard, batches, device):
    """Use the batches as a test of calibration does; the numbers are those of the CPU."""

    class Bands(torch.nn.Module):
        def forward(self, images):
            grey = images.float().mean(1)
            flat = grey - grey.mean((1, 2), keepdim=True)
            energy = torch.fft.rfft2(flat).abs()
            return torch.stack([energy[:, 8, 0], energy[:, 0, 8], energy[:, 32, 0], energy[:, 0, 32]], 1) / 500

    def confidence(place):
        model = compress_guard.predictor(Bands().to(place))
        found = []
        for batch in batches(pictures(12, ((96, 96),)), make_guard(("webp",), (2.0,)), place):
            best = torch.stack(list(model(batch.images))).softmax(1).max(1)
            right = best.indices == torch.tensor(batch.targets, device=best.indices.device)
            found.append(torch.stack([best.values, right.float()], 1))
        return torch.cat(found)

    there, here = confidence(device), confidence("cpu")
    assert there.device.type == device[:-2]
    torch.testing.assert_close(there.cpu(), here, rtol=1e-3, atol=1e-3)
    assert float(here[:, 1].mean()) > 0.5
