"""A file of weights: its checks, and the network that CompressAI makes of it."""

from __future__ import annotations

import hashlib
import io
import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from compress_guard.codecs.execution.insulation import drawing_apart, insulated
from compress_guard.codecs.zoo.architectures import ARCHITECTURES
from compress_guard.codecs.zoo.library import compressai_library
from compress_guard.errors import CodecUnavailable, described, first_error_line
from compress_guard.foreign import shown

if TYPE_CHECKING:
    import torch

# First layer of the analysis: convolutions in the designs of 2018, a residual block in cheng2020.
_FIRST: Final = ("g_a.0.weight", "g_a.0.conv1.weight")
_LAST: Final = "g_a.6.weight"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Weights in a file, and the network that they belong to."""

    path: Path
    sha256: str
    architecture: str
    N: int | None = None
    """Channels that the file must have, where the user has stated them."""
    M: int | None = None

    def load(self) -> Any:
        """Return the network: a torch module on the CPU in evaluation mode, with the tables of its entropy coder.

        Raises `CodecUnavailable` for a file that is another one than was found, or does not hold this architecture.
        """
        state = self._state()
        self._check_channels(state)
        network = _network(self.architecture, state, self.path)
        network.eval()
        _make_tables(network)
        return network

    def check(self) -> None:
        """Raise the errors of `load` for a file that is no checkpoint or has other channels.

        The result is kept by hash.
        """
        _checked(self)

    def _state(self) -> dict[str, torch.Tensor]:
        import torch

        # Read once, so that the loaded bytes are the hashed ones.
        try:
            data = self.path.read_bytes()
        except OSError as problem:
            raise CodecUnavailable(
                f"{self.path} cannot be read ({problem.strerror}); make it a file that can be read"
            ) from problem
        found = hashlib.sha256(data).hexdigest()
        if found != self.sha256:
            raise CodecUnavailable(f"{self.path} has changed: sha256 {found}, expected {self.sha256}; start again")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # about contents of a file that it then refuses
                state = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
        except Exception as problem:  # junk raises a dozen errors, tarfile.ReadError and AttributeError among them
            # The first sentence only: torch adds the advice to unpickle everything in the file.
            why = first_error_line(problem).partition(". ")[0]
            raise CodecUnavailable(
                f"{self.path} is no file of weights alone ({why}); save it with torch.save(model.state_dict(), PATH)"
            ) from problem
        if isinstance(state, Mapping) and "state_dict" in state:  # as CompressAI's training example saves it
            state = state["state_dict"]
        if not isinstance(state, Mapping) or not all(isinstance(value, torch.Tensor) for value in state.values()):
            raise CodecUnavailable(
                f"{self.path} holds no state_dict; save it with torch.save(model.state_dict(), PATH)"
            )
        compressai_library()
        from compressai.zoo.pretrained import load_pretrained

        try:
            return dict(load_pretrained(state))
        except Exception as problem:  # such as names that are no texts
            raise CodecUnavailable(
                f"{self.path} does not hold {self.architecture}: {described(problem)}; correct arch"
            ) from problem

    def _check_channels(self, state: Mapping[str, torch.Tensor]) -> None:
        first = next((state[name] for name in _FIRST if name in state), None)
        if first is None or first.ndim == 0:
            raise CodecUnavailable(
                f"{self.path} does not hold {self.architecture}: it has no {' or '.join(_FIRST)}; correct arch"
            )
        n = int(first.size(0))
        m = int(state[_LAST].size(0)) if "g_a.0.weight" in state and _LAST in state else n
        for name, wanted, found in (("N", self.N, n), ("M", self.M, m)):
            if wanted is not None and wanted != found:
                raise CodecUnavailable(f"{self.path} has {name}={found}, asked for {name}={wanted}; correct {name}")


@lru_cache(maxsize=64)
def _checked(checkpoint: Checkpoint) -> None:
    checkpoint._check_channels(checkpoint._state())


def _network(architecture: str, state: dict[str, torch.Tensor], path: Path) -> Any:
    import torch

    made = getattr(compressai_library().models, ARCHITECTURES[architecture].network)
    options: dict[str, Any] = {}
    if any(name.startswith("gayn2zqstep.") for name in state):
        options["vr_entbttlnck"] = True
        # They depend on the gain and are made for each; CompressAI refuses to load those of the last one.
        state |= {
            f"entropy_bottleneck.{name}": torch.IntTensor() for name in ("_offset", "_quantized_cdf", "_cdf_length")
        }
    try:
        with drawing_apart():
            network = made.from_state_dict(state, **options)
        if torch.get_default_dtype() != torch.float32:
            network.float().load_state_dict(state)  # the network has the default dtype, which may hold less
    except Exception as problem:  # other weights raise a dozen errors
        why = shown(" ".join(str(problem).split()), 200)
        raise CodecUnavailable(f"{path} does not hold {architecture}: {why}; correct arch") from problem
    return network


def _make_tables(network: Any) -> None:
    """Make the tables of the entropy coder where the checkpoint has none, in float64.

    In float32 a table's 16-bit entries hang on the last bit of exp and erfc, which differ from one processor's vector
    unit to another's (188 entries of one network differ between float32 and float64), and a stream of one would be
    noise to the other.
    """
    import torch
    from compressai.models.base import SCALES_LEVELS, SCALES_MAX, SCALES_MIN

    table = torch.exp(torch.linspace(math.log(SCALES_MIN), math.log(SCALES_MAX), SCALES_LEVELS, dtype=torch.float64))
    gaussian = getattr(network, "gaussian_conditional", None)
    if gaussian is not None:
        gaussian._standardized_cumulative = lambda values: 0.5 * torch.erfc(-(2**-0.5) * values.double())
        # CompressAI keeps the scales in torch's default dtype, which may be any here.
        gaussian._prepare_scale_table = lambda scales: scales.float()
    with insulated():
        network.double().update(scale_table=table)
    if gaussian is not None:
        del gaussian._standardized_cumulative, gaussian._prepare_scale_table
    network.float()
