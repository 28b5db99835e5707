"""Weights as they are shipped: half precision safetensors beside a list of their sha256."""

import hashlib
from pathlib import Path

import torch
from safetensors.torch import load, save
from torch import Tensor, nn

WEIGHTS = Path(__file__).parent / "weights"
SUMS = "SHA256SUMS"
SHIPPED = ("classifier", "detector", "segmenter")


class WeightsError(Exception):
    """A file of weights is missing or is not the one that was shipped; the message names file, finding and remedy."""


def stored(network: nn.Module, name: str, folder: Path = WEIGHTS) -> str:
    """Write a network's weights as `name`.safetensors, enter their sha256 in SHA256SUMS, and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    state = {key: _half(value) for key, value in network.state_dict().items()}
    content = save(state)
    (folder / f"{name}.safetensors").write_bytes(content)
    sums = _sums(folder) if (folder / SUMS).exists() else {}
    sums[f"{name}.safetensors"] = hashlib.sha256(content).hexdigest()
    (folder / SUMS).write_text("".join(f"{digest}  {file}\n" for file, digest in sorted(sums.items())))
    return sums[f"{name}.safetensors"]


def loaded(name: str, folder: Path = WEIGHTS) -> dict[str, Tensor]:
    """Return the weights of `name` in single precision, after a check of their sha256."""
    path = folder / f"{name}.safetensors"
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise WeightsError(
            f"{path}: no such file; expected the weights of the bundled {name}; "
            f"restore it from the repository or train it with 'python -m examples.train {name}'"
        ) from None
    expected = _sums(folder).get(path.name)
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise WeightsError(
            f"{path}: sha256 is {found}, expected {expected or 'an entry'} from {SUMS}; "
            f"restore both files from the repository or train it with 'python -m examples.train {name}'"
        )
    return {key: value.float() if value.is_floating_point() else value for key, value in load(content).items()}


def _half(value: Tensor) -> Tensor:
    compact = value.to("cpu", torch.float16) if value.is_floating_point() else value.cpu()
    return compact.contiguous()


def _sums(folder: Path) -> dict[str, str]:
    """Read file names and their sha256 in the format of the sha256sum program."""
    path = folder / SUMS
    if not path.exists():
        return {}
    pairs = (line.split(maxsplit=1) for line in path.read_text().splitlines() if line.strip())
    return {name.strip().lstrip("*"): digest for digest, name in pairs}
