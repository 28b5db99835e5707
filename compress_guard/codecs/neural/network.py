"""The network of the bundled codec: a block transform that starts as a DCT, and predictors of its coefficients.

One description serves training and coding. In training it runs in float32, and quantisation lets gradients through.
For coding it runs in float64, with weights and activations rounded to binary fractions: sums of products of such
numbers have no rounding error, so that every machine, device, thread count and batch size computes the same entropy
parameters and the same pixels, in whatever order it adds.

This module needs torch to be imported; it is itself imported on first use only.
"""

from __future__ import annotations

import math
from typing import Final, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

BLOCK: Final = 8
"""Side of a block in pixels; a block is one position of the latent."""
COEFFICIENTS: Final = 3 * BLOCK * BLOCK
WIDTH: Final = 96
CONTEXT: Final = 64
HYPER: Final = 48
KNOTS: Final = 12
"""Knots on the axis of step sizes, at 1, 2, 4, ... 2048, between which layers are modulated."""

_ACTIVATION: Final = 2.0**10
_WEIGHT: Final = 2.0**16
# Moves a sum away from the middle between two fractions, by less than its resolution: where a device computes a
# convolution by another method than sums of products (Winograd, FFT), its error of 1e-12 changes no result.
_NO_TIE: Final = 2.0**-20


def snap(values: Tensor) -> Tensor:
    """Return the multiples of 2 ** -10 nearest to float64 `values`.

    Float32 values, as in training, stay as they are.
    """
    if values.dtype != torch.float64:
        return values
    return values.mul(_ACTIVATION).add_(0.5 + _NO_TIE).floor_().mul_(1 / _ACTIVATION)


def snap_weights(values: Tensor) -> Tensor:
    """Return the multiples of 2 ** -16 nearest to `values`, in float64."""
    return torch.round(values.double() * _WEIGHT) / _WEIGHT


class Convolution(nn.Conv2d):
    """A convolution of stride 1 that keeps the size; in float64 on a CPU nearly twice as fast as torch's own."""

    def forward(self, values: Tensor) -> Tensor:
        """Convolve `values` (B, C, H, W)."""
        if values.dtype != torch.float64 or values.device.type != "cpu" or self.kernel_size != (3, 3):
            return super().forward(values)
        # Nine matrix products instead of one of nine times the depth, whose matrix would have to be written first.
        count, channels, height, width = values.shape
        padded = functional.pad(values, (1, 1, 1, 1))
        found = values.new_empty(count, self.out_channels, height * width)
        for at in range(count):
            found[at] = 0.0 if self.bias is None else self.bias[:, None]
            for row in range(3):
                for column in range(3):
                    part = padded[at, :, row : row + height, column : column + width].reshape(channels, -1)
                    found[at].addmm_(self.weight[:, :, row, column], part)
        return found.reshape(count, self.out_channels, height, width)


def _dct(size: int) -> Tensor:
    """Return the orthonormal DCT-II (size, size), one basis function per row."""
    at = torch.arange(size, dtype=torch.float64)
    basis = torch.cos(math.pi / size * (at[None, :] + 0.5) * at[:, None]) * math.sqrt(2 / size)
    basis[0] /= math.sqrt(2)
    return basis


# Highest row + column of a band's frequencies, for luma and for the two colour differences.
_LUMA: Final = (0, 2, 4, 7, 14)
_COLOUR: Final = (0, 1, 2, 4, 14)


def _coding_order() -> tuple[list[int], list[int]]:
    """Return the channels (colour * 64 + row * 8 + column) by band, low frequencies first, and the bands' sizes."""
    order: list[int] = []
    sizes = []
    for luma, colour in zip(_LUMA, _COLOUR, strict=True):
        before = len(order)
        for channel in range(COEFFICIENTS):
            frequency = channel % 64 // BLOCK + channel % BLOCK
            if channel not in order and frequency <= (luma if channel < 64 else colour):
                order.append(channel)
        sizes.append(len(order) - before)
    return order, sizes


_ORDER, _SIZES = _coding_order()
BANDS: Final = tuple(slice(sum(_SIZES[:band]), sum(_SIZES[: band + 1])) for band in range(len(_SIZES)))
STEPS: Final = ((0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1), (3, 0), (3, 1), (4, None))
"""Coding order: a band, and which squares of the chequerboard of blocks, or all of them."""


def transform_matrix() -> Tensor:
    """Return the orthonormal 8x8 DCT-II of a 3-point DCT over colour, (192, 3, 8, 8), rows in coding order."""
    plane, colour = _dct(BLOCK), _dct(3)
    basis = torch.einsum("kc,uy,vx->kuvcyx", colour, plane, plane).reshape(COEFFICIENTS, 3, BLOCK, BLOCK)
    return basis[_ORDER].float()


class Modulation(nn.Module):
    """A gain and an offset per channel, piecewise linear in log2 of the step size."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(KNOTS, width))
        self.offset = nn.Parameter(torch.zeros(KNOTS, width))

    def forward(self, values: Tensor, blend: Tensor) -> Tensor:
        """Modulate `values` (B, C, H, W) by `blend` (B, KNOTS), each image's weights of the knots."""
        gain, offset = blend @ self.gain, blend @ self.offset
        return snap(torch.addcmul(offset[:, :, None, None], values, gain[:, :, None, None]))


class Residual(nn.Module):
    """A residual layer: x plus a 3x3 convolution of it, modulated, rectified and mixed."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.spread = Convolution(width, width, 3, padding=1)
        self.modulation = Modulation(width)
        self.mix = nn.Conv2d(width, width, 1)

    def forward(self, values: Tensor, blend: Tensor) -> Tensor:
        inner = self.modulation(snap(self.spread(values)), blend)
        return values + snap(self.mix(functional.relu(inner)))


class Correction(nn.Module):
    """The correction that a small network adds to normalised coefficients (B, 192, H, W); 0 before training."""

    def __init__(self, blocks: int, context: int = 0) -> None:
        super().__init__()
        self.enter = nn.Conv2d(COEFFICIENTS + context, WIDTH, 1)
        self.blocks = nn.ModuleList(Residual(WIDTH) for _ in range(blocks))
        self.modulation = Modulation(WIDTH)
        self.leave = nn.Conv2d(WIDTH, COEFFICIENTS, 1)
        _nothing(self.leave)

    def forward(self, values: Tensor, blend: Tensor) -> Tensor:
        values = snap(self.enter(values))
        for block in self.blocks:
            values = block(values, blend)
        return snap(self.leave(functional.relu(self.modulation(values, blend))))


class Hyperprior(nn.Module):
    """Side information at a 32nd of the resolution: coefficients to latent, latent to the first context."""

    def __init__(self) -> None:
        super().__init__()
        self.enter = nn.Conv2d(2 * COEFFICIENTS, CONTEXT, 1)
        self.modulation = Modulation(CONTEXT)
        self.shrink = nn.Conv2d(CONTEXT, CONTEXT, 4, stride=2, padding=1)
        self.shrink_again = nn.Conv2d(CONTEXT, HYPER, 4, stride=2, padding=1)
        self.rise = Convolution(HYPER, 4 * CONTEXT, 3, padding=1)
        self.rise_again = Convolution(CONTEXT, 4 * CONTEXT, 3, padding=1)
        self.level = Modulation(CONTEXT)

    def latent(self, normalised: Tensor, steps: Tensor, blend: Tensor) -> Tensor:
        """Return the latent (B, 48, H / 4, W / 4), sides rounded up, of coefficients normalised and in quantisation
        steps."""
        values = torch.cat((normalised, snap(torch.log1p(steps.abs()))), 1)
        values = functional.relu(self.modulation(snap(self.enter(values)), blend))
        height, width = values.shape[-2:]
        values = functional.pad(values, (0, -width % 4, 0, -height % 4))
        return snap(self.shrink_again(functional.relu(snap(self.shrink(values)))))

    def context(self, latent: Tensor, blend: Tensor, height: int, width: int) -> Tensor:
        """Return the first context (B, 64, height, width)."""
        values = functional.pixel_shuffle(snap(self.rise(latent)), 2)
        values = functional.pixel_shuffle(snap(self.rise_again(functional.relu(values))), 2)
        context: Tensor = self.level(values[..., :height, :width], blend)
        return context


class Step(nn.Module):
    """Means and scales of the coefficients of one step, and the context that these coefficients give to later steps."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.look = Convolution(CONTEXT, CONTEXT, 3, padding=1)
        self.modulation = Modulation(CONTEXT)
        self.predict = nn.Conv2d(CONTEXT, 2 * channels, 1)
        self.listen = Convolution(channels, CONTEXT, 3, padding=1)
        _nothing(self.predict)

    def parameters_of(self, context: Tensor, blend: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log2 of scale, relative to the norm of each coefficient."""
        seen = snap(self.look(functional.relu(context)))
        mean, scale = snap(self.predict(functional.relu(self.modulation(seen, blend)))).chunk(2, 1)
        return mean, scale


class Network(nn.Module):
    """All parts of the codec. `model` and the training script have the order in which they work."""

    spread: Tensor

    def __init__(self) -> None:
        super().__init__()
        basis = transform_matrix()
        self.analysis = nn.Parameter(basis.clone())
        self.synthesis = nn.Parameter(basis.clone())
        self.register_buffer("spread", torch.ones(COEFFICIENTS))  # standard deviation of each coefficient
        self.before = Correction(2)
        self.hyperprior = Hyperprior()
        self.steps = nn.ModuleList(Step(BANDS[band].stop - BANDS[band].start) for band, _ in STEPS)
        self.after = Correction(3, CONTEXT)

    def step(self, number: int) -> Step:
        """Return the part for a coding step."""
        return cast("Step", self.steps[number])

    def norms(self, delta: Tensor) -> Tensor:
        """Return the divisors (B, 192, 1, 1) of coefficients before a network, for step sizes (B, 1, 1, 1)."""
        return torch.sqrt(self.spread[None, :, None, None] ** 2 + (0.5 * delta) ** 2)


def knots(log_step: Tensor) -> Tensor:
    """Return the weights (B, KNOTS) of the two knots beside each log2 of a step size (B,), 0 to 11."""
    at = torch.arange(KNOTS, dtype=log_step.dtype, device=log_step.device)
    return (1 - (log_step[:, None] - at).abs()).clamp(min=0)


def chequerboard(height: int, width: int, parity: int, device: torch.device) -> Tensor:
    """Return the squares whose row + column is even (parity 0) or odd (1), bool (height, width)."""
    rows, columns = torch.arange(height, device=device), torch.arange(width, device=device)
    return (rows[:, None] + columns) % 2 == parity


def _nothing(layer: nn.Conv2d) -> None:
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
