"""Images that behave like photographs, and one codec of each registered type."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from compress_guard.codecs.execution import program
from compress_guard.registry import CODECS

# A codec of a few lines: keeps the upper `setting` bits of each sample and packs them with zlib. Without site packages
# it starts in 20 ms.
PACKER = """
import sys, zlib
mode, source, target = sys.argv[1:4]
data = open(source, "rb").read()
if mode == "encode":
    magic, width, height, top, samples = data.split(maxsplit=4)
    assert (magic, top) == (b"P6", b"255"), (magic, top)
    samples = data[len(data) - 3 * int(width) * int(height):]
    mask = 256 - (1 << 8 - int(sys.argv[4]))
    out = b"PACK %s %s " % (width, height) + zlib.compress(bytes(value & mask for value in samples))
else:
    magic, width, height, packed = data.split(b" ", 3)
    assert magic == b"PACK"
    out = b"P6 %s %s 255\\n" % (width, height) + zlib.decompress(packed)
open(target, "wb").write(out)
"""


@pytest.fixture
def time_is_up(monkeypatch: pytest.MonkeyPatch):
    """Return a function that lets the time of programs be over as soon as a file has content, and no earlier."""

    def at(sign: Path) -> None:
        def monotonic() -> float:
            return 1e9 if sign.exists() and sign.stat().st_size else 0.0

        monkeypatch.setattr(program, "time", SimpleNamespace(monotonic=monotonic))

    return at


@pytest.fixture(scope="session")
def packer(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Options of a command codec that runs everywhere."""
    script = tmp_path_factory.mktemp("packer") / "packer.py"
    script.write_text(PACKER)
    python = f'"{Path(sys.executable).as_posix()}" -I -S "{script.as_posix()}"'
    return {
        "encoder": f"{python} encode {{input}} {{output}} {{setting}}",
        "decoder": f"{python} decode {{input}} {{output}}",
        "settings": "1..8",
    }


LEARNED = ("neural", "zoo", "compressai")
"""Networks have tests of their own: they need weights, and seconds for what takes the others milliseconds."""


OPTIONS = {"pipeline": {"steps": [{"jpeg": {"quality": 95}}, "webp"]}}
"""Options of the codecs that have no defaults."""


@pytest.fixture(scope="session", params=[name for name in CODECS if name not in LEARNED])
def codec(request: pytest.FixtureRequest):
    """One codec of each registered type that is no network, with its default options."""
    options = request.getfixturevalue("packer") if request.param == "command" else OPTIONS.get(request.param, {})
    built = CODECS.resolve(request.param)(**options)
    reason = built.unavailable()
    if reason is not None:
        pytest.skip(f"{request.param}: {reason}")
    return built


def natural(height: int, width: int, seed: int = 0) -> torch.Tensor:
    """Coloured noise with the 1/f spectrum of photographs, uint8 (3, H, W)."""
    generator = np.random.default_rng(seed)
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width)[None, :])
    frequency[0, 0] = 1 / max(height, width)
    shared = generator.standard_normal((height, width))
    planes = []
    for _ in range(3):
        noise = np.fft.ifft2(np.fft.fft2(shared + 0.4 * generator.standard_normal((height, width))) / frequency).real
        planes.append(128 + 50 * (noise - noise.mean()) / max(noise.std(), 1e-9))
    return torch.from_numpy(np.clip(np.rint(planes), 0, 255).astype(np.uint8))


@pytest.fixture(scope="session", name="natural")
def natural_fixture():
    """`natural` for tests in folders below."""
    return natural


@pytest.fixture(scope="session")
def photo() -> torch.Tensor:
    return natural(128, 160)


@pytest.fixture(scope="session")
def photos() -> list[torch.Tensor]:
    """Five of different sizes."""
    return [
        natural(height, width, seed)
        for seed, (height, width) in enumerate([(48, 64), (31, 17), (40, 40), (9, 70), (64, 33)])
    ]


@pytest.fixture(scope="session")
def smooth() -> torch.Tensor:
    """A gradient in which each channel is different, so that swapped or lost channels show."""
    y, x = torch.meshgrid(torch.linspace(0, 1, 64), torch.linspace(0, 1, 96), indexing="ij")
    return torch.stack([220 * x + 20, 200 * y + 30, 120 - 60 * x * y]).round().to(torch.uint8)
