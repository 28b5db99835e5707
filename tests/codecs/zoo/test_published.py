"""The codec `zoo`: what it promises of any published model."""

from __future__ import annotations

import dataclasses
import itertools
import re

import numpy as np
import pytest
import torch

from compress_guard.codecs.zoo.architectures import ARCHITECTURES, GAINS, PUBLISHED
from compress_guard.codecs.zoo.network import KEPT, CompressaiModel, network_of
from compress_guard.codecs.zoo.published import Zoo
from compress_guard.errors import CodecError, CodecUnavailable, OptionError
from compress_guard.rate import plan
from compress_guard.records import ImageInfo, Rate

MODELS = [
    Zoo("bmshj2018-factorized", levels="1..3"),
    Zoo("mbt2018-mean", levels="1..3"),
    Zoo("mbt2018-mean", levels="1..3", bits="estimated"),
    Zoo("mbt2018", levels="1..3"),
    Zoo("mbt2018", levels="1..3", bits="coded"),
    Zoo("bmshj2018-hyperprior-vbr"),
    Zoo("bmshj2018-hyperprior-vbr", bits="estimated"),
]


@pytest.fixture(params=MODELS, ids=lambda codec: f"{codec.model} {codec.bits}")
def codec(request: pytest.FixtureRequest, shelf) -> Zoo:
    return request.param


@pytest.fixture
def batch(codec: Zoo, pictures) -> list[torch.Tensor]:
    """Pictures to code, few of them where a latent takes a millisecond."""
    return pictures[1:3] if codec.architecture.autoregressive else pictures


def picked(codec: Zoo, count: int) -> list[float]:
    """Settings from both ends of the ladder in turn."""
    return [codec.ladder[-(number % 2)] for number in range(count)]


def test_the_table_is_compressais(compressai) -> None:
    published = {**compressai.zoo.image.model_urls, **compressai.zoo.image_vbr.model_urls}
    assert set(PUBLISHED) == set(published)
    for name in PUBLISHED:
        one = ARCHITECTURES[name]
        for metric in one.metrics:
            files = published[name][metric]
            assert isinstance(files, str) if one.variable else list(files) == list(range(1, one.levels + 1))
    known = {**compressai.zoo.image.model_architectures, **compressai.zoo.image_vbr.model_architectures}
    for name, one in ARCHITECTURES.items():
        assert known.get(name, compressai.models.FactorizedPriorReLU).__name__ == one.network
        assert one.autoregressive == issubclass(
            getattr(compressai.models, one.network), compressai.models.JointAutoregressiveHierarchicalPriors
        )


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_published_model_can_be_asked_for(compressai, name: str) -> None:
    for metric in ARCHITECTURES[name].metrics:
        codec = Zoo(name, metric)
        assert list(codec.ladder) == sorted(set(codec.ladder))
        assert len(codec.addresses()) == ARCHITECTURES[name].levels
        assert all(re.search(r"-[0-9a-f]{8}\.pth\.tar$", address) for address in codec.addresses())
        assert codec.bits == ("estimated" if ARCHITECTURES[name].autoregressive else "coded")


def test_any_size_comes_back(codec: Zoo, batch) -> None:
    assert codec.unavailable() is None
    streams = codec.encode(batch, picked(codec, len(batch)))
    decoded = codec.decode(streams)
    assert [image.shape for image in decoded] == [image.shape for image in batch]
    assert {image.dtype for image in decoded} == {torch.uint8}
    assert all(image.is_contiguous() for image in decoded)
    image = decoded[0]
    image += 1  # whoever gets it may change it


def test_streams_and_images_are_those_of_single_runs(codec: Zoo, batch) -> None:
    chosen = picked(codec, len(batch))
    together = codec.encode(batch, chosen, workers=3)
    assert together == [codec.encode([image], [setting])[0] for image, setting in zip(batch, chosen, strict=True)]
    assert codec.encode(batch[::-1], chosen[::-1]) == together[::-1]
    for image, stream in zip(codec.decode(together), together, strict=True):
        assert torch.equal(image, codec.decode([stream])[0])


def test_empty_lists(codec: Zoo) -> None:
    assert codec.encode([], []) == codec.decode([]) == codec.proofs([], []) == []


def test_cost_is_the_length_or_the_estimate(codec: Zoo, batch) -> None:
    streams = codec.encode(batch, picked(codec, len(batch)))
    costs = [codec.cost(stream) for stream in streams]
    if codec.bits == "coded":
        assert costs == [len(stream) for stream in streams]
    else:
        # Padding to multiples of 64 is coded, and so it is counted: one pixel costs what 64x64 do.
        assert 0.5 < costs[0] / costs[1] < 2
        assert all(cost >= 1 for cost in costs)


def test_real_streams_prove_the_forward_pass(codec: Zoo, batch) -> None:
    chosen = picked(codec, len(batch))
    streams = codec.encode(batch, chosen)
    for proof, stream in zip(codec.proofs(batch, chosen), streams, strict=True):
        # Strings are whole words of four bytes.
        assert abs(proof.coded - proof.estimated) <= 8
        cost = proof.coded if codec.bits == "coded" else np.ceil(proof.estimated)
        assert abs(codec.cost(stream) - cost) <= 1
        assert proof.loss is not None
        if not codec.architecture.autoregressive:
            assert proof.difference <= 1
            assert abs(proof.loss) < 0.1


def test_estimate_and_stream_are_within_a_percent_of_a_large_image(shelf) -> None:
    image = torch.cat(
        [
            picture.repeat(1, 8, 8)
            for picture in [
                torch.randint(0, 255, (3, 64, 64), generator=torch.Generator().manual_seed(1)).to(torch.uint8)
            ]
        ]
    )
    codec = Zoo("bmshj2018-factorized", levels=[3])
    (proof,) = codec.proofs([image], [3.0])
    assert abs(proof.estimated / proof.coded - 1) < 0.01
    assert proof.difference == 0


def test_another_number_of_threads_reads_the_same_streams(shelf, pictures) -> None:
    codec = Zoo("mbt2018-mean", levels="1..3")
    streams = codec.encode(pictures, [3.0] * len(pictures))
    alone = codec.decode(streams)
    torch.set_num_threads(2)
    try:
        other = codec.decode(streams)
    finally:
        torch.set_num_threads(1)
    assert all((a.int() - b.int()).abs().max() <= 1 for a, b in zip(alone, other, strict=True))


def test_what_decides_symbols_does_not_depend_on_the_batch(shelf) -> None:
    codec = Zoo("mbt2018-mean", levels=[3])
    network = network_of(codec.checkpoints()[0], "cpu")
    latents = torch.randint(-9, 9, (4, 8, 2, 2)).float()
    together = network._model.h_s(latents)
    assert torch.equal(together, torch.cat([network._model.h_s(one) for one in latents.split(1)]))


def test_levels_are_mixed_and_said_to_be(shelf) -> None:
    """Two levels of a zoo are further apart than 15 %."""
    codec = Zoo("bmshj2018-factorized", levels="1..3")
    images = [torch.randint(0, 256, (3, 64, 64)).to(torch.uint8) for _ in range(40)]
    infos = [ImageInfo(str(number), 64 * 64) for number in range(len(images))]

    def encode(requests):
        streams = codec.encode([images[at] for at, _ in requests], [setting for _, setting in requests])
        return [codec.cost(stream) for stream in streams]

    low, high = (8 * np.mean(encode([(at, level) for at in range(len(images))])) / 64**2 for level in (2.0, 3.0))
    target = (low + high) / 2
    planned = plan(infos, codec.ladder, [target], mode="dataset", tolerance=0.02, seed=0, encode=encode).at(
        Rate(target)
    )
    assert planned.mixed
    assert set(planned.setting_counts) == {2.0, 3.0}
    assert abs(planned.bpp_mean / target - 1) <= 0.02


def test_gains_are_a_fine_ladder() -> None:
    ladder = Zoo("mbt2018-mean-vbr").ladder
    assert ladder == GAINS
    assert (ladder[0], ladder[-1]) == (0.1, 1.0)
    assert all(1.03 < after / before < 1.04 for before, after in itertools.pairwise(ladder))


def test_a_higher_gain_costs_more(compressai, shelf) -> None:
    codec = Zoo("bmshj2018-hyperprior-vbr")
    network = network_of(codec.checkpoints()[0], "cpu")
    with torch.no_grad():
        network._model.g_a[6].weight.mul_(3000)  # latents so large that their quantiser matters
    try:
        image = torch.randint(0, 256, (3, 64, 64)).to(torch.uint8)
        bits = [network.forward([image], gain)[0].bits for gain in (GAINS[0], GAINS[20], GAINS[63])]
        assert bits == sorted(set(bits))
    finally:
        network_of.cache_clear()


def test_few_networks_stay_in_memory(shelf, pictures) -> None:
    network_of.cache_clear()
    for model in ("bmshj2018-factorized", "mbt2018-mean"):
        codec = Zoo(model, levels="1..3")
        codec.encode(pictures[:1] * 3, codec.ladder)
    assert network_of.cache_info().currsize == KEPT


def test_version_names_the_weights(shelf, files) -> None:
    codec = Zoo("mbt2018-mean", levels="1..3")
    hashes = " ".join(name.split("-")[-1][:8] for name, _ in files["mbt2018-mean"].values())
    assert re.fullmatch(rf"compressai \d\S+, torch \d\S+, mbt2018-mean mse, weights {hashes}", codec.version)
    assert Zoo("mbt2018-mean", levels="2..3").version != codec.version
    assert "mbt2018 mse" in Zoo("mbt2018", levels="1..3").version
    vector_unit = torch.backends.cpu.get_cpu_capability()
    assert Zoo("mbt2018", levels="1..3", bits="coded").version.endswith(vector_unit)
    assert not Zoo("mbt2018", levels="1..3").version.endswith(vector_unit)


def test_where_weights_lie_is_no_part_of_the_codec() -> None:
    assert repr(Zoo("mbt2018", weights="here", download=True)) == repr(Zoo("mbt2018"))
    assert repr(Zoo("mbt2018", bits="coded")) != repr(Zoo("mbt2018"))


@pytest.mark.parametrize("given", MODELS, ids=str)
def test_codecs_are_values(given: Zoo) -> None:
    assert dataclasses.replace(given) == given
    assert hash(dataclasses.replace(given)) == hash(given)
    assert not hasattr(given, "__dict__")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"model": "mbt2018-meen"},
            "unknown model 'mbt2018-meen', did you mean 'mbt2018-mean'? known: bmshj2018-factorized, "
            "bmshj2018-hyperprior, bmshj2018-hyperprior-vbr, cheng2020-anchor, cheng2020-attn, mbt2018, mbt2018-mean, "
            "mbt2018-mean-vbr, mbt2018-vbr",
        ),
        ({"metric": "psnr"}, "metric must be 'mse' or 'ms-ssim', found 'psnr'"),
        ({"model": "mbt2018-vbr", "metric": "ms-ssim"}, "metric must be 'mse', found 'ms-ssim'"),
        ({"bits": "real"}, "bits must be 'auto', 'coded' or 'estimated', found 'real'"),
        ({"levels": "0..3"}, "levels must be of 1 to 8, ascending, found '0..3'"),
        ({"levels": [3, 2]}, "levels must be of 1 to 8, ascending, found [3, 2]"),
        ({"levels": 9}, "levels must be of 1 to 8, ascending, found 9"),
        ({"levels": 1.5}, "levels must be of 1 to 8, ascending, found 1.5"),
        ({"levels": True}, "levels must be of 1 to 8, ascending, found True"),
        (
            {"model": "mbt2018-vbr", "levels": [1]},
            "levels has no place with mbt2018-vbr, which is one network for all rates",
        ),
        ({"weights": 3}, "weights must be a folder or the address of a mirror, found 3"),
        ({"download": "yes"}, "download must be true or false, found 'yes'"),
    ],
)
def test_options_without_sense_are_refused(options, message: str) -> None:
    with pytest.raises(OptionError) as caught:
        Zoo(**{"model": "mbt2018-mean"} | options)
    assert str(caught.value) == message


def test_streams_without_sense_are_refused(codec: Zoo, pictures) -> None:
    (stream,) = codec.encode(pictures[1:2], [codec.ladder[0]])
    for broken in (b"", b"\x00", stream[:3], stream[:-4], bytes([0xFE, 1]) + stream[1:], b"\xff" * 30):
        with pytest.raises(CodecError, match=r"could not decode stream 2 of 2 \(\d+ bytes\): "):
            codec.decode([stream, broken])


def test_a_setting_that_is_none_is_refused(codec: Zoo, pictures) -> None:
    with pytest.raises(CodecError, match=r"0\.333 is not one of the settings of "):
        codec.encode(pictures[:1], [0.333])


def test_an_image_that_cannot_be_coded_is_named(shelf, pictures, monkeypatch) -> None:
    monkeypatch.setattr(CompressaiModel, "compress", lambda *_: [].index(3))
    with pytest.raises(CodecError, match=r"^mbt2018-mean mse could not encode image 1 of 5 \(1x1 pixels\): "):
        Zoo("mbt2018-mean", levels="1..3").encode(pictures, [1.0] * 5)


def test_running_out_of_memory_is_said_as_such(shelf, pictures, monkeypatch) -> None:
    def full(*_):
        raise torch.cuda.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(CompressaiModel, "compress", full)
    message = r"could not encode image 1 of 2 \(1x1 pixels\): memory ran out on cpu; free memory there, use smaller "
    with pytest.raises(CodecError, match=message):
        Zoo("mbt2018-mean", levels="1..3").encode(pictures[:2], [1.0] * 2)


def test_real_streams_of_autoregressive_models_stay_on_the_cpu() -> None:
    moved = Zoo("mbt2018", bits="coded").on("cuda:0")
    assert moved.device == "cpu"
    assert moved.remark == "coded on the CPU: the entropy coder of an autoregressive model goes latent by latent"
    for codec in (Zoo("mbt2018"), Zoo("mbt2018-mean")):
        assert codec.remark is None
        assert codec.on("cuda:0").device == "cuda:0"
        assert codec.on("cuda:0").on("cpu") == codec


def test_without_compressai_the_extra_is_named(monkeypatch, pictures) -> None:
    monkeypatch.setitem(__import__("sys").modules, "compressai", None)
    codec = Zoo("mbt2018-mean")
    message = "compressai is not installed; pip install 'compress-guard[zoo]'"
    assert codec.unavailable() == message
    for action in (lambda: codec.version, lambda: codec.encode(pictures, [1.0] * 5), lambda: codec.decode([b"x"])):
        with pytest.raises(CodecUnavailable) as caught:
            action()
        assert str(caught.value) == message


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_the_gpu_writes_streams_that_the_cpu_reads(codec: Zoo, pictures) -> None:
    moved = codec.on("cuda:0")
    chosen = picked(codec, len(pictures))
    streams = moved.encode([image.to("cuda:0") for image in pictures], chosen)
    assert streams == [moved.encode([image], [setting])[0] for image, setting in zip(pictures, chosen, strict=True)]
    there, here = moved.decode(streams), codec.on("cpu").decode(streams)
    assert {str(image.device) for image in there} == {moved.device}
    for one, other in zip(there, here, strict=True):
        assert (one.cpu().int() - other.int()).abs().max() <= 2
    for proof in moved.proofs(pictures, chosen):
        assert abs(proof.coded - proof.estimated) <= 8
