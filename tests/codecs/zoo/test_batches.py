"""On any device but the CPU the networks take batches, and nobody can tell from streams, estimates or images."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import torch

from compress_guard.codecs.zoo import jobs, precision
from compress_guard.codecs.zoo.architectures import ARCHITECTURES
from compress_guard.codecs.zoo.network import KEPT, CompressaiModel, network_of
from compress_guard.codecs.zoo.own import CompressAi
from compress_guard.errors import CodecError

PLACES = [
    "cpu:0",  # torch takes it for the CPU, and the codec for another device
    pytest.param(
        "cuda:0",
        marks=[pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")],
    ),
]
SIZES = [(33, 40), (64, 64), (70, 20), (64, 64), (1, 63), (128, 64)]
"""Four are padded to 64x64, two to 128x64."""


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="session")
def images(natural) -> list[torch.Tensor]:
    return [natural(*size, seed) for seed, size in enumerate(SIZES)]


@pytest.fixture(scope="session")
def lively(made, tmp_path_factory):
    """The path of a checkpoint whose latents, other than those of untrained networks, are not all zero."""
    folder = tmp_path_factory.mktemp("lively")

    def save(architecture: str, channels: int = 9) -> str:
        path: Path = folder / f"{architecture}-{channels}.pth"
        if not path.exists():
            state = torch.load(io.BytesIO(made(architecture, channels)), weights_only=True)
            state[[name for name in state if name.startswith("g_a.") and name.endswith(".weight")][-1]] *= 200
            torch.save(state, path)
        return str(path)

    return save


@pytest.fixture
def two_levels(lively, place) -> CompressAi:
    files = [lively("mbt2018-mean", channels) for channels in (4, 9)]
    return CompressAi(files, "mbt2018-mean", bits="coded").on(place)


@pytest.fixture
def batches(monkeypatch) -> list[int]:
    """Return the number of images in each use of a network."""
    found = []

    def watched(method):
        def spy(self, items, *rest):
            found.append(len(items))
            return method(self, items, *rest)

        return spy

    for name in ("compress", "decompress", "forward", "synthesise"):
        monkeypatch.setattr(CompressaiModel, name, watched(getattr(CompressaiModel, name)))
    return found


def equal(one: list[torch.Tensor], other: list[torch.Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("bits", ["coded", "estimated"])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_batch_gives_what_single_images_give(lively, images, place, batches, architecture, bits) -> None:
    codec = CompressAi(lively(architecture), architecture, bits=bits).on(place)
    if codec.device == "cpu":
        assert codec.remark is not None  # real streams of autoregressive models, one by one
        return
    chosen = [codec.ladder[-1]] * 4
    some = [images[0], *images[2:5]]
    streams = codec.encode(some, chosen)
    decoded = codec.decode(streams)
    assert batches == [3, 1, 3, 1]
    assert streams == [codec.encode([image], [setting])[0] for image, setting in zip(some, chosen, strict=True)]
    assert equal(decoded, [codec.decode([stream])[0] for stream in streams])
    assert equal(decoded, codec.decode(streams))
    assert {str(image.device) for image in decoded} == {str(torch.empty(0, device=place).device)}
    assert codec.remark is None


@pytest.mark.parametrize("bits", ["coded", "estimated"])
@pytest.mark.parametrize("architecture", ["bmshj2018-factorized", "mbt2018-mean", "bmshj2018-hyperprior-vbr"])
def test_the_cpu_reads_what_another_device_wrote(lively, images, place, architecture, bits) -> None:
    here = CompressAi(lively(architecture), architecture, bits=bits)
    there = here.on(place)
    streams = there.encode(images, [there.ladder[-1]] * len(images))
    for one, other in zip(here.decode(streams), there.decode(streams), strict=True):
        assert len(other.unique()) > 9
        assert (one.int() - other.cpu().int()).abs().max() <= 1


def test_levels_and_sizes_are_mixed_and_come_back_in_order(two_levels, images, batches) -> None:
    chosen = [1.0, 2.0, 2.0, 1.0, 2.0, 1.0]
    streams = two_levels.encode([image.to(two_levels.device) for image in images], chosen)
    assert sorted(batches) == [1, 1, 2, 2]
    assert [image.shape[1:] for image in two_levels.decode(streams)] == SIZES
    assert streams == [two_levels.encode([image], [setting])[0] for image, setting in zip(images, chosen, strict=True)]
    proofs = two_levels.proofs(images, chosen)
    assert [proof.coded for proof in proofs] == [len(stream) for stream in streams]
    assert all(proof.difference <= 1 for proof in proofs)


def test_a_batch_has_so_many_pixels_at_most(two_levels, images, batches, monkeypatch) -> None:
    monkeypatch.setattr(jobs, "BATCH_PIXELS", 2 * 64 * 64)
    two_levels.encode(images, [1.0] * 6)
    assert batches == [2, 2, 1, 1]
    batches.clear()
    two_levels.on("cpu").encode(images, [1.0] * 6)
    assert batches == [1] * 6


def test_a_network_is_loaded_once_however_many_levels_are_in_use(lively, images) -> None:
    levels = KEPT + 1
    codec = CompressAi(
        [lively("bmshj2018-factorized", channels) for channels in range(4, 4 + levels)], "bmshj2018-factorized"
    )
    network_of.cache_clear()
    codec.on("cpu:0").encode([*images[:levels], *images[1 : levels + 1]], codec.ladder * 2)
    assert network_of.cache_info().misses == levels


def test_without_memory_batches_are_halved_and_it_is_said(two_levels, images, monkeypatch) -> None:
    expected = two_levels.encode(images, [2.0] * 6)
    compress = CompressaiModel.compress

    def small(self, batch, gain):
        if len(batch) > 1:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory.")
        return compress(self, batch, gain)

    monkeypatch.setattr(CompressaiModel, "compress", small)
    assert two_levels.encode(images, [2.0] * 6) == expected
    assert two_levels.remark == f"batches cut to 1 after memory ran out on {two_levels.device}"


def test_the_stream_at_fault_is_named(two_levels, images) -> None:
    streams = two_levels.encode(images, [2.0] * 6)
    broken = [*streams[:3], streams[3][:-1] + bytes([streams[3][-1] ^ 1]), *streams[4:]]
    with pytest.raises(CodecError, match=r"could not decode stream 4 of 6 \(\d+ bytes\): its check byte does not fit"):
        two_levels.decode(broken)


def test_latents_of_another_size_are_refused(lively, images, place) -> None:
    codec = CompressAi(lively("mbt2018-mean"), "mbt2018-mean", bits="estimated").on(place)
    small, large = codec.encode([images[1], images[5]], [1.0, 1.0])
    forged = large[:1] + small[1:3] + large[4:]  # a side of 128 pixels takes two bytes
    with pytest.raises(
        CodecError, match=r"stream 2 of 2 \(\d+ bytes\): latents of 64x128 pixels for an image of 64x64"
    ):
        codec.decode([small, forged])


def test_a_batch_that_fails_where_no_image_does_is_said(two_levels, images, monkeypatch) -> None:
    expected = two_levels.encode(images, [2.0] * 6)
    compress = CompressaiModel.compress

    def fussy(self, batch, gain):
        if len(batch) > 1:
            raise RuntimeError("cuDNN error: CUDNN_STATUS_NOT_SUPPORTED\nand so on")
        return compress(self, batch, gain)

    monkeypatch.setattr(CompressaiModel, "compress", fussy)
    assert two_levels.encode(images, [2.0] * 6) == expected
    assert two_levels.remark == (
        f"a batch failed on {two_levels.device} (cuDNN error: CUDNN_STATUS_NOT_SUPPORTED); its images went one by one"
    )


def test_sums_are_taken_in_double(lively, place) -> None:
    codec = CompressAi(lively("mbt2018-mean"), "mbt2018-mean")
    plain, network = (network_of(codec.checkpoints()[0], device)._model for device in ("cpu", place))
    pixels = torch.rand(2, 3, 64, 64)
    found = network.g_a(pixels.to(place)).cpu()
    exact = codec.checkpoints()[0].load().double().g_a(pixels.double())
    assert found.dtype == torch.float32
    assert torch.allclose(found.double(), exact, rtol=2**-23, atol=1e-12)
    assert not torch.allclose(plain.g_a(pixels).double(), exact, rtol=2**-23, atol=1e-12)


def test_cudnn_is_told_to_be_reproducible_and_left_as_it_was(lively, images, monkeypatch) -> None:
    cudnn, seen = torch.backends.cudnn, []
    codec = CompressAi(lively("mbt2018-mean"), "mbt2018-mean").on("cpu:0")
    network = network_of(codec.checkpoints()[0], "cpu:0")
    monkeypatch.setattr(network, "_on_cuda", True)
    hook = network._model.g_s.register_forward_pre_hook(
        lambda *_: seen.append((cudnn.enabled, cudnn.deterministic, cudnn.benchmark))
    )
    before = cudnn.enabled, cudnn.deterministic, cudnn.benchmark
    cudnn.benchmark, precise = True, cudnn.conv.fp32_precision
    cudnn.conv.fp32_precision = "ieee"  # whoever sets it can no longer call cudnn.flags
    try:
        codec.decode(codec.encode(images[:1], [1.0]))
        assert cudnn.benchmark
        with pytest.raises(ZeroDivisionError), precision.reproducible():
            _ = 1 / 0
        assert cudnn.benchmark
    finally:
        cudnn.enabled, cudnn.deterministic, cudnn.benchmark = before
        cudnn.conv.fp32_precision = precise
        hook.remove()
    assert seen == [(True, True, False)]
