"""A trained network at work on one image: real streams, and what its likelihoods say of them."""

from __future__ import annotations

import copy
import math
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, final

from compress_guard.codecs.zoo.architectures import ARCHITECTURES
from compress_guard.codecs.zoo.checkpoint import Checkpoint
from compress_guard.errors import CodecError

if TYPE_CHECKING:
    import torch

KEPT: Final = 4
"""Networks in memory at once, up to 130 MB each; a mix of two levels needs two."""
STRIDE: Final = 64
"""Images are padded to multiples of it: the most that any of the networks scales down."""


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What the forward pass of a network says of an image."""

    latents: torch.Tensor
    """Quantised, float32 (1, M, h, w): what the synthesis makes the image of."""
    bits: float
    """By the likelihoods, of the padded image."""


@lru_cache(maxsize=KEPT)
def network_of(checkpoint: Checkpoint, device: str) -> Network:
    """The network of a checkpoint on a device; the last few stay in memory."""
    return Network(checkpoint.load(), checkpoint.architecture, device)


@final
class Network:
    """One model of CompressAI on one device.

    Whatever decides how symbols are coded is computed on the CPU, in float64 and for one image at a time: float32 sums
    depend on batch size, thread count and processor in their last bit, one bit tips a scale into another table, and
    from there on a stream decodes to noise. (Batches of four give other hyperprior outputs than single images, on the
    CPU too.) The other transforms work on one image at a time as well, so that a stream and its reconstruction are
    the same whatever images come along; entropy coding, not batching, is what bounds the speed.
    """

    def __init__(self, model: Any, architecture: str, device: str) -> None:
        self._device: Final = device
        self._variable: Final = ARCHITECTURES[architecture].variable
        self._lock: Final = threading.Lock()
        self._gain: float | None = None
        for name in ("h_s", "gayn2zqstep"):
            if hasattr(model, name):
                getattr(model, name).forward = _steady(getattr(model, name))
        self._precise: Final = (
            copy.deepcopy(model.entropy_bottleneck).double() if hasattr(model, "gayn2zqstep") else None
        )
        self._model: Final = model.to(device)

    def compress(self, image: torch.Tensor, gain: float) -> list[bytes]:
        """The entropy-coded strings of an image, uint8 (3, H, W)."""
        with self._working(gain) as options:
            strings = self._model.compress(self._padded(image), **options)["strings"]
            return [string for (string,) in strings]

    def decompress(self, strings: Sequence[bytes], size: tuple[int, int], gain: float) -> torch.Tensor:
        """The image of such strings, uint8 (3, H, W) of the given (H, W), on the network's device."""
        factor = self._model.downsampling_factor
        shape = tuple(_up(side) // factor for side in size)
        if len(strings) != self.strings:
            raise CodecError(f"a stream of {len(strings)} strings; this network writes {self.strings}")
        with self._working(gain) as options:
            return self._pixels(self._model.decompress([[one] for one in strings], shape, **options)["x_hat"], size)

    def forward(self, image: torch.Tensor, gain: float) -> Outcome:
        """What the network would code an image, uint8 (3, H, W), to."""
        caught: list[torch.Tensor] = []
        with self._working(gain) as options:
            hook = self._model.g_s.register_forward_pre_hook(lambda _, inputs: caught.append(inputs[0].clone()))
            try:
                likelihoods = self._model(self._padded(image), **options)["likelihoods"]
            finally:
                hook.remove()
            bits = -sum(float(one.double().log2().sum()) for one in likelihoods.values())
        if not math.isfinite(bits):
            raise CodecError("the network's likelihoods are no numbers; its weights are no good")
        return Outcome(caught[0], bits)

    def synthesise(self, latents: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
        """The image of quantised latents, uint8 (3, H, W) of the given (H, W), on the network's device."""
        import torch

        with torch.no_grad():
            return self._pixels(self._model.g_s(latents.to(self._device)), size)

    @property
    def strings(self) -> int:
        """Strings in a stream: latents, and hyper-latents where the network has them."""
        return 2 if hasattr(self._model, "h_s") else 1

    def _padded(self, image: torch.Tensor) -> torch.Tensor:
        """Float32 (1, 3, h, w) of 0 to 1; the edges are repeated, which costs fewer bits than a border of black."""
        from torch.nn.functional import pad

        height, width = image.shape[-2:]
        pixels = image.to(self._device).float().div(255)[None]
        return pad(pixels, (0, _up(width) - width, 0, _up(height) - height), mode="replicate")

    def _pixels(self, values: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
        import torch

        cut = values[0, :, : size[0], : size[1]]
        return cut.clamp(0, 1).mul(255).round().to(torch.uint8).contiguous()

    @contextmanager
    def _working(self, gain: float) -> Iterator[dict[str, Any]]:
        """One use of the network at a time, since its tables belong to a gain; gives the options of its methods."""
        import torch

        # Not inference_mode, whose tensors nobody may change later, as a user's transform might.
        with self._lock, torch.no_grad():
            yield self._options(gain)

    def _options(self, gain: float) -> dict[str, Any]:
        import torch

        if not self._variable:
            return {}
        if gain != self._gain and self._precise is not None:
            self._make_tables(self._precise, gain)
        self._gain = gain
        return {"stage": 2, "inputscale": torch.tensor(gain, device=self._device)}

    def _make_tables(self, precise: Any, gain: float) -> None:
        """The tables of the hyper-latents at a gain, by a twin of the bottleneck in float64 (see `checkpoint`)."""
        import torch

        model = self._model
        step = model.gayn2zqstep(1.0 / torch.tensor([gain]))
        precise.update_variable(force=True, qs=model.lower_bound_zqstep(step.to(self._device)).cpu().double())
        for name in ("_offset", "_quantized_cdf", "_cdf_length"):
            setattr(model.entropy_bottleneck, name, getattr(precise, name).to(self._device))


def _steady(module: Any) -> Callable[[torch.Tensor], torch.Tensor]:
    """A module's function computed on the CPU in float64; takes and returns what the module does."""
    import torch

    precise = copy.deepcopy(module).cpu().double()

    def forward(values: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            found: torch.Tensor = precise(values.cpu().double())
            return found.to(values)

    return forward


def _up(side: int) -> int:
    return -(-side // STRIDE) * STRIDE
