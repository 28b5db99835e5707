"""A trained network on images of one padded size: real streams, and estimates by its likelihoods."""

from __future__ import annotations

import copy
import math
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, final

from compress_guard.codecs.execution.insulation import insulated
from compress_guard.codecs.zoo.architectures import ARCHITECTURES
from compress_guard.codecs.zoo.checkpoint import Checkpoint
from compress_guard.codecs.zoo.precision import reproducible, steady, sum_in_double
from compress_guard.errors import CodecError

if TYPE_CHECKING:
    import torch

KEPT: Final = 4
"""Number of networks in memory, up to 130 MB each, twice that on a GPU; a mix of two levels needs two."""
STRIDE: Final = 64
"""Sides are padded to multiples of this: the largest scale factor of all networks."""
_CUDA: Final = threading.Lock()
"""Guards settings of cuDNN, which act on the whole process."""

Size = tuple[int, int]
"""Height and width in pixels."""


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """The result of a network's forward pass on an image."""

    latents: torch.Tensor
    """Quantised latents, float32 (1, M, h, w), the input of the synthesis."""
    bits: float
    """Bits of the padded image by the likelihoods."""


@lru_cache(maxsize=KEPT)
def network_of(checkpoint: Checkpoint, device: str) -> CompressaiModel:
    """Return the network of a checkpoint on a device; the last few stay in memory."""
    with insulated():
        return CompressaiModel(checkpoint.load(), checkpoint.architecture, device)


def padded(size: Size) -> Size:
    """Return the size that an image of this size is padded to."""
    height, width = (-(-side // STRIDE) * STRIDE for side in size)
    return height, width


@final
class CompressaiModel:
    """One model of CompressAI on one device.

    What decides how symbols are coded is computed on the CPU, in float64 and for one image at a time, everywhere:
    float32 sums depend on batch size, thread count and processor in their last bit, one bit tips a scale into another
    table, and from there on a stream decodes to noise.

    The other transforms take one image at a time in float32 on the CPU, where batches gain nothing. On any other
    device they take batches, in float64: sums of batches of different sizes are then 1e-13 apart at most, and no
    latent is so near to where rounding turns, so that streams, estimates and images are those of single images.
    (float32 sums are 2e-6 off, of the mean of the latents of mbt2018-mean; that much another algorithm for another
    batch size may change, and some latent of a few hundred thousand would round the other way.) That costs
    little on a GPU for data centres (A100, H100: float64 at half the speed of float32 or better). On one for games or
    for inference (RTX, A10, L4) it is 32 to 64 times slower, and the transforms of mbt2018-mean, 0.2 TFLOP a megapixel
    each way, take tenths of a second for a megapixel.
    """

    def __init__(self, model: Any, architecture: str, device: str) -> None:
        import torch

        self._device: Final = device
        self._variable: Final = ARCHITECTURES[architecture].variable
        self._on_cuda: Final = device.startswith("cuda")
        self._lock: Final = _CUDA if self._on_cuda else threading.Lock()
        self._gain: float | None = None
        for name in ("h_s", "gayn2zqstep"):
            if hasattr(model, name):
                getattr(model, name).forward = steady(getattr(model, name))
        self._precise: Final = (
            copy.deepcopy(model.entropy_bottleneck).double() if hasattr(model, "gayn2zqstep") else None
        )
        self._model: Final = model.to(device)
        self._dtype = torch.float32
        if device == "cpu":
            return
        if ARCHITECTURES[architecture].autoregressive:
            # Their real streams are made on the CPU, so results here need not agree with it to the last bit of float32.
            self._model.double()
            self._dtype = torch.float64
        else:
            sum_in_double(self._model)

    def compress(self, images: Sequence[torch.Tensor], gain: float) -> list[list[bytes]]:
        """Return the entropy-coded strings of each image, uint8 (3, H, W), of one padded size."""
        with self._working():
            strings = self._model.compress(self._stacked(images), **self._options(gain))["strings"]
            return [list(of_image) for of_image in zip(*strings, strict=True)]

    def decompress(self, strings: Sequence[Sequence[bytes]], sizes: Sequence[Size], gain: float) -> list[torch.Tensor]:
        """Return the images of such strings, uint8 (3, H, W) of the given sizes, on the network's device."""
        factor = self._model.downsampling_factor
        shape = tuple(side // factor for side in padded(sizes[0]))
        by_part = [list(part) for part in zip(*strings, strict=True)]
        if len(by_part) != self.strings:
            raise CodecError(f"a stream of {len(by_part)} strings; this network writes {self.strings}")
        with self._working():
            return _pixels(self._model.decompress(by_part, shape, **self._options(gain))["x_hat"], sizes)

    def forward(self, images: Sequence[torch.Tensor], gain: float) -> list[Outcome]:
        """Return the outcomes of coding images, uint8 (3, H, W) of one padded size, without streams."""
        import torch

        with self._working(), self._without_synthesis() as caught:
            likelihoods = self._model(self._stacked(images), **self._options(gain))["likelihoods"]
            bits = -sum(one.double().log2().flatten(1).sum(1) for one in likelihoods.values())
        found = [Outcome(*pair) for pair in zip(torch.split(caught[0].float(), 1), bits.tolist(), strict=True)]
        if not all(math.isfinite(one.bits) for one in found):
            raise CodecError("the network's likelihoods are no numbers; its weights are no good")
        return found

    def synthesise(self, latents: Sequence[torch.Tensor], sizes: Sequence[Size]) -> list[torch.Tensor]:
        """Return the images of quantised latents (1, M, h, w) of one shape, uint8 (3, H, W) of the given sizes."""
        import torch

        with self._working():
            together = torch.cat([one.to(self._device, self._dtype) for one in latents])
            return _pixels(self._model.g_s(together), sizes)

    @property
    def strings(self) -> int:
        """Number of strings in a stream: latents, and hyper-latents where the network has them."""
        return 2 if hasattr(self._model, "h_s") else 1

    def _stacked(self, images: Sequence[torch.Tensor]) -> torch.Tensor:
        """Return a padded batch (B, 3, h, w) of 0 to 1; repeated edges cost fewer bits than a black border."""
        import torch
        from torch.nn.functional import pad

        found = []
        for image in images:
            height, width = image.shape[-2:]
            below, right = (to - side for to, side in zip(padded((height, width)), (height, width), strict=True))
            pixels = image.to(self._device).float().div(255)[None]
            found.append(pad(pixels, (0, right, 0, below), mode="replicate"))
        return torch.cat(found).to(self._dtype)

    @contextmanager
    def _working(self) -> Iterator[None]:
        """Allow one use of the network at a time, since its tables belong to a gain."""
        with self._lock, insulated(), reproducible() if self._on_cuda else nullcontext():
            yield

    @contextmanager
    def _without_synthesis(self) -> Iterator[list[torch.Tensor]]:
        """Keep the input of the synthesis, and skip its work, which is half of a forward pass."""
        caught: list[torch.Tensor] = []

        def keep(latents: torch.Tensor) -> torch.Tensor:
            caught.append(latents.clone())
            return latents

        synthesis = self._model.g_s
        forward, synthesis.forward = synthesis.forward, keep
        try:
            yield caught
        finally:
            synthesis.forward = forward

    def _options(self, gain: float) -> dict[str, Any]:
        """Return the arguments that the methods of a variable-rate model need."""
        import torch

        if not self._variable:
            return {}
        if gain != self._gain and self._precise is not None:
            self._make_tables(self._precise, gain)
        self._gain = gain
        return {"stage": 2, "inputscale": torch.tensor(gain, dtype=self._dtype, device=self._device)}

    def _make_tables(self, precise: Any, gain: float) -> None:
        """Make the tables of the hyper-latents at a gain, by a twin of the bottleneck in float64 (see `checkpoint`)."""
        import torch

        model = self._model
        step = model.gayn2zqstep(1.0 / torch.tensor([gain], dtype=torch.float32))
        precise.update_variable(force=True, qs=model.lower_bound_zqstep(step.to(self._device)).cpu().double())
        for name in ("_offset", "_quantized_cdf", "_cdf_length"):
            setattr(model.entropy_bottleneck, name, getattr(precise, name).to(self._device))


def _pixels(values: torch.Tensor, sizes: Sequence[Size]) -> list[torch.Tensor]:
    """Return each image (3, H, W) of a batch (B, 3, h, w) of 0 to 1, without its padding."""
    import torch

    shape = values.shape[-2], values.shape[-1]
    for size in sizes:
        if padded(size) != shape:
            raise CodecError(f"latents of {shape[1]}x{shape[0]} pixels for an image of {size[1]}x{size[0]}")
    whole = values.clamp(0, 1).mul(255).round().to(torch.uint8)
    # Copies, so that a kept image does not keep its batch.
    return [
        image[:, : size[0], : size[1]].clone(memory_format=torch.contiguous_format)
        for image, size in zip(whole, sizes, strict=True)
    ]
