"""Small untrained networks where CompressAI's published ones would lie, in tables whose hashes fit."""

from __future__ import annotations

import hashlib
import io
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from compress_guard.codecs.zoo.architectures import ARCHITECTURES
from compress_guard.codecs.zoo.library import compressai_library
from compress_guard.errors import CodecUnavailable

ADDRESS = "https://models.invalid/v1"
N = 8
CHANNELS = {1: 4, 2: 6, 3: 9}
"""Channels of the latents by level: what an untrained network spends grows with them."""
PUBLISHED = ("bmshj2018-factorized", "mbt2018-mean", "mbt2018", "bmshj2018-hyperprior-vbr")


@pytest.fixture(scope="session")
def compressai():
    """The library, or a skip that says why not: numpy 2 environments cannot have it.

    Its import warns; that a gate under -W error can use it is shown here, where the import is the first one.
    """
    torch.set_num_threads(1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return compressai_library()
    except CodecUnavailable as problem:
        pytest.skip(str(problem))


@pytest.fixture(scope="session")
def made(compressai) -> Callable[..., bytes]:
    """A checkpoint of an architecture with M channels of latents, as a file's content."""

    def make(architecture: str, channels: int = 9, seed: int = 0) -> bytes:
        torch.manual_seed(seed)
        one = ARCHITECTURES[architecture]
        sizes = (channels,) if architecture.startswith("cheng") else (N, channels)
        # The two published with variable-rate hyper-latents.
        options = {"vr_entbttlnck": True} if one.variable and not one.autoregressive else {}
        network = getattr(compressai.models, one.network)(*sizes, **options)
        file = io.BytesIO()
        torch.save(network.state_dict(), file)
        return file.getvalue()

    return make


@pytest.fixture(scope="session")
def files(made) -> dict[str, dict[int, tuple[str, bytes]]]:
    """Name and content of each level of the models that these tests publish."""
    found: dict[str, dict[int, tuple[str, bytes]]] = {}
    for model in PUBLISHED:
        levels = {1: 9} if ARCHITECTURES[model].variable else CHANNELS
        for level, channels in levels.items():
            data = made(model, channels, level)
            name = f"{model}-{level}-{hashlib.sha256(data).hexdigest()[:8]}.pth.tar"
            found.setdefault(model, {})[level] = name, data
    return found


@pytest.fixture
def tables(compressai, files, monkeypatch: pytest.MonkeyPatch) -> None:
    """CompressAI's tables of addresses name the files of these tests."""
    fixed, variable = {}, {}
    for model, levels in files.items():
        addresses = {level: f"{ADDRESS}/{name}" for level, (name, _) in levels.items()}
        if ARCHITECTURES[model].variable:
            variable[model] = {"mse": addresses[1]}
        else:
            fixed[model] = {"mse": addresses}
    monkeypatch.setattr(compressai.zoo.image, "model_urls", fixed)
    monkeypatch.setattr(compressai.zoo.image_vbr, "model_urls", variable)


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No weights of this machine, no network: an empty cache, and no word of the environment."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    for name in ("COMPRESS_GUARD_WEIGHTS", "COMPRESS_GUARD_DOWNLOAD"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def shelf(tables, files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder where the environment says that the weights are; it holds them all."""
    folder = tmp_path / "weights"
    folder.mkdir()
    for levels in files.values():
        for name, data in levels.values():
            (folder / name).write_bytes(data)
    monkeypatch.setenv("COMPRESS_GUARD_WEIGHTS", str(folder))
    return folder


def picture(height: int, width: int, seed: int = 0) -> torch.Tensor:
    """Smooth colours with a little noise, uint8 (3, H, W)."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 3, 4, 4, generator=generator)
    smooth = torch.nn.functional.interpolate(coarse, (height, width), mode="bilinear")[0]
    return (255 * (0.8 * smooth + 0.2 * torch.rand(3, height, width, generator=generator))).to(torch.uint8)


@pytest.fixture(scope="session")
def pictures() -> list[torch.Tensor]:
    """Odd sizes, two of one size among them."""
    return [picture(*size, seed) for seed, size in enumerate([(1, 1), (3, 5), (65, 63), (65, 63), (64, 128)])]
