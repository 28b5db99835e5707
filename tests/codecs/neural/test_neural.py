"""The bundled codec: streams that mean the same everywhere, at every size, in every batch."""

from __future__ import annotations

import hashlib
import importlib.util
import itertools
import json
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compress_guard.codecs.contract import Codec
from compress_guard.codecs.neural import model as models
from compress_guard.codecs.neural.codec import Neural
from compress_guard.codecs.pictures.fidelity import psnr
from compress_guard.engine.coding.compress import compress
from compress_guard.errors import CodecError, CodecUnavailable, OptionError

HERE = Path(__file__).parent
STORED = HERE / "stored"
"""Streams made once, by `python -m training.samples`."""


@pytest.fixture(scope="module")
def neural() -> Neural:
    codec = Neural()
    if (reason := codec.unavailable()) is not None:
        pytest.skip(reason)
    return codec


def digest(image: torch.Tensor) -> str:
    return hashlib.sha256(image.contiguous().numpy().tobytes()).hexdigest()


def test_stored_streams_decode_to_the_pixels_they_always_had(neural: Neural) -> None:
    expected = json.loads((STORED / "pixels.json").read_text(encoding="utf-8"))
    assert len(expected) == 4
    streams = [(STORED / name).read_bytes() for name in expected]
    decoded = neural.decode(streams)
    assert {name: digest(image) for name, image in zip(expected, decoded, strict=True)} == expected


def test_threads_change_no_stream_and_no_pixel(neural: Neural) -> None:
    program = (
        "import sys, hashlib, torch\n"
        "torch.set_num_threads(int(sys.argv[1]))\n"
        "from compress_guard.codecs.neural.codec import Neural\n"
        "generator = torch.Generator().manual_seed(3)\n"
        "image = torch.rand(1, 3, 9, 13, generator=generator)\n"
        "image = torch.nn.functional.interpolate(image, (72, 104), mode='bicubic')\n"
        "image = (image[0].clamp(0, 1) * 255).to(torch.uint8)\n"
        "streams = Neural().encode([image, image], [40.0, 100.0])\n"
        "pixels = Neural().decode(streams)\n"
        "print(*[hashlib.sha256(one).hexdigest() for one in [*streams, *[p.numpy().tobytes() for p in pixels]]])\n"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", program, threads], check=True, capture_output=True, text=True, timeout=120
        ).stdout
        for threads in ("1", "2", "5")
    }
    assert len(found) == 1
    assert len(next(iter(found)).split()) == 4


def test_a_batch_gives_what_single_images_give(neural: Neural, natural) -> None:
    images = [natural(64, 96, seed) for seed in range(3)] + [natural(40, 24, 5)]
    wanted = [30.0, 75.0, 110.0, 60.0]
    streams = neural.encode(images, wanted)
    assert streams == [neural.encode([image], [setting])[0] for image, setting in zip(images, wanted, strict=True)]
    together = neural.decode(streams)
    alone = [neural.decode([stream])[0] for stream in streams]
    assert all(torch.equal(one, other) for one, other in zip(together, alone, strict=True))


def test_the_order_of_sums_changes_nothing(neural: Neural, natural) -> None:
    """Exactness itself: the network computes the same with its channels in another order."""
    from compress_guard.codecs.neural.network import snap

    network = models.model("cpu")._network
    layer: Any = network.after.blocks[0].spread
    values = snap(torch.randn(1, layer.in_channels, 12, 9, dtype=torch.float64) * 50)
    order = torch.randperm(layer.in_channels)
    plain = torch.nn.functional.conv2d(values, layer.weight, layer.bias, padding=1)
    turned = torch.nn.functional.conv2d(values[:, order], layer.weight[:, order], layer.bias, padding=1)
    assert torch.equal(plain, turned)
    rough = layer.weight + 1e-3 / 3
    plain = torch.nn.functional.conv2d(values / 3, rough, layer.bias, padding=1)
    turned = torch.nn.functional.conv2d(values[:, order] / 3, rough[:, order], layer.bias, padding=1)
    assert not torch.equal(plain, turned), "numbers that are no binary fractions were expected to differ"


@given(height=st.integers(1, 70), width=st.integers(1, 70), setting=st.integers(1, 145), seed=st.integers(0, 9))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_size_comes_back(neural: Neural, natural, height: int, width: int, setting: int, seed: int) -> None:
    image = natural(height, width, seed)
    (stream,) = neural.encode([image], [float(setting)])
    (decoded,) = neural.decode([stream])
    assert decoded.shape == image.shape
    assert decoded.dtype == torch.uint8


def test_finer_steps_cost_more_and_show_more(neural: Neural, natural) -> None:
    image = natural(128, 128)
    wanted = [20.0, 50.0, 80.0, 110.0, 140.0]
    streams = neural.encode([image] * len(wanted), wanted)
    lengths = [len(stream) for stream in streams]
    quality = [psnr(image, decoded) for decoded in neural.decode(streams)]
    assert lengths == sorted(lengths)
    assert quality == sorted(quality)
    assert quality[-1] > 40


def test_neighbouring_settings_are_a_few_per_cent_apart(neural: Neural, natural) -> None:
    image = natural(192, 192)
    wanted = [float(setting) for setting in range(60, 120)]
    lengths = [len(stream) for stream in neural.encode([image] * len(wanted), wanted)]
    ratios = [after / before for before, after in itertools.pairwise(lengths)]
    assert max(ratios) < 1.1
    assert sum(ratios) / len(ratios) < 1.05


@pytest.mark.parametrize("bpp", [0.1, 0.25, 0.5, 1.0, 2.0])
def test_a_rate_is_met(neural: Neural, natural, bpp: float) -> None:
    image = natural(320, 288)
    found = compress([image], codec="neural", bpp=bpp, rate="image")
    assert found.bpp[0] == pytest.approx(bpp, rel=0.05)
    assert found.bpp[0] == 8 * len(found.streams[0]) / (320 * 288)


def test_the_mean_of_a_data_set_is_met(neural: Neural, natural) -> None:
    images = [natural(64 + 8 * seed, 96, seed) for seed in range(12)]
    found = compress(images, codec="neural", bpp=0.5, rate="dataset")
    assert sum(found.bpp) / len(found.bpp) == pytest.approx(0.5, rel=0.02)
    assert len(set(found.settings)) <= 2


def test_the_estimate_is_within_one_per_cent_and_the_reconstruction_equal(neural: Neural, natural) -> None:
    for setting in (40.0, 70.0, 100.0, 130.0):
        (proof,) = neural.proofs([natural(256, 256, 1)], [setting])
        assert proof.difference == 0
        assert proof.estimated == pytest.approx(proof.coded, rel=0.01, abs=4)


def test_estimated_streams_show_the_same_pixels_and_cost_about_the_same(neural: Neural, natural) -> None:
    guessing: Codec = Neural(bits="estimated")
    image = natural(120, 90)
    (real,), (guess,) = neural.encode([image], [90.0]), guessing.encode([image], [90.0])
    assert torch.equal(neural.decode([real])[0], guessing.decode([guess])[0])
    assert guessing.bits == "estimated"
    assert guessing.cost(guess) == pytest.approx(len(real), rel=0.02)
    assert neural.cost(real) == len(real)


def test_damaged_weights_are_refused(neural: Neural, tmp_path, monkeypatch) -> None:
    damaged = bytearray(models.WEIGHTS.read_bytes())
    damaged[-1] ^= 1
    (tmp_path / "neural.safetensors").write_bytes(damaged)
    monkeypatch.setattr("compress_guard.codecs.neural.codec.WEIGHTS", tmp_path / "neural.safetensors")
    with pytest.raises(CodecUnavailable, match="its weights are damaged"):
        neural.encode([], [])


def test_settings_and_options_out_of_range_are_refused(neural: Neural, natural) -> None:
    with pytest.raises(CodecError, match=r"image 1 of 1 \(8x8 pixels\): 146\.0 is not a setting of its ladder"):
        neural.encode([natural(8, 8)], [146.0])
    with pytest.raises(OptionError, match="bits must be"):
        Neural(bits="guessed")


def test_the_weights_are_those_of_the_card_and_small_enough(neural: Neural) -> None:
    data = models.WEIGHTS.read_bytes()
    assert len(data) <= 8_000_000
    (line,) = (models.WEIGHTS.parent / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    assert line.split() == [hashlib.sha256(data).hexdigest(), models.WEIGHTS.name]
    assert f"weights {hashlib.sha256(data).hexdigest()[:8]}" in neural.version


def test_the_version_is_that_of_the_format_and_the_weights_and_not_of_a_library(neural: Neural, monkeypatch) -> None:
    before = neural.version
    monkeypatch.setattr("compress_guard.codecs.neural.codec.FORMAT", 3)
    assert neural.version == before.replace("neural 2,", "neural 3,") != before
    assert before == f"neural 2, weights {hashlib.sha256(models.WEIGHTS.read_bytes()).hexdigest()[:8]}"


@pytest.mark.parametrize("library", ["constriction", "safetensors"])
def test_without_a_library_it_is_unavailable_and_says_how_to_install_it(library, monkeypatch) -> None:
    def found(name: str, *rest: object) -> object:
        return None if name == library else find_spec(name)

    monkeypatch.setattr(importlib.util, "find_spec", found)
    message = f"{library} is not installed; pip install 'compress-guard[neural]'"
    assert Neural().unavailable() == message
    with pytest.raises(CodecUnavailable) as caught:
        Neural().encode([], [])
    assert str(caught.value) == message


def test_without_its_weights_it_is_unavailable_and_says_what_brings_them(neural: Neural, tmp_path, monkeypatch) -> None:
    gone = tmp_path / "neural.safetensors"
    monkeypatch.setattr("compress_guard.codecs.neural.codec.WEIGHTS", gone)
    message = f"its weights are missing ({gone}); pip install --force-reinstall --no-deps compress-guard"
    assert neural.unavailable() == message
    actions = (lambda: neural.version, lambda: neural.encode([], []), lambda: neural.decode([]))
    for action in actions:
        with pytest.raises(CodecUnavailable) as caught:
            action()
        assert str(caught.value) == message


def test_it_works_where_compressai_cannot_be_imported(neural: Neural) -> None:
    program = (
        "import sys, torch\n"
        "sys.modules['compressai'] = None\n"
        "from compress_guard.codecs.neural.codec import Neural\n"
        "codec = Neural()\n"
        "codec.decode(codec.encode([torch.zeros(3, 16, 16, dtype=torch.uint8)], [60.0]))\n"
        "print(codec.unavailable(), sorted(name for name in sys.modules if name.startswith('compressai')))\n"
    )
    run = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=120)
    assert run.stdout == "None ['compressai']\n"


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_makes_the_same_streams_and_pixels(neural: Neural, natural) -> None:
    on_gpu = neural.on("cuda:0")
    images = [natural(64, 96, seed) for seed in range(4)]
    wanted = [30.0, 75.0, 110.0, 140.0]
    streams = on_gpu.encode([image.cuda() for image in images], wanted)
    assert streams == neural.encode(images, wanted)
    decoded = on_gpu.decode(streams)
    assert all(image.is_cuda for image in decoded)
    assert all(torch.equal(one.cpu(), other) for one, other in zip(decoded, neural.decode(streams), strict=True))


def test_options_survive_a_move_to_another_device() -> None:
    codec = Neural(bits="estimated")
    assert codec.on("cpu") is codec
    moved = codec.on("cuda:1")
    assert (moved.device, moved.bits) == ("cuda:1", "estimated")
    assert moved == replace(codec)
