"""The trained codec: images to symbols and rows of frequencies, and back.

All arithmetic that a decoder repeats is exact, see `network`. The encoder's part is too, so that batches, devices and
machines make the same streams.
"""

from __future__ import annotations

import functools
import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar, final

from compress_guard.codecs.execution.insulation import insulated
from compress_guard.codecs.neural.coefficients import Coefficients

if TYPE_CHECKING:
    import torch

    from compress_guard.codecs.neural.frequencies import Frequencies

WEIGHTS: Final = Path(__file__).with_name("weights") / "neural.safetensors"

RUNGS_PER_OCTAVE: Final = 16
LOWEST_STEP: Final = 1.0
"""log2 of the smallest quantisation step."""
RUNGS: Final = 145
"""Number of settings of the ladder: steps of 2 ** 1 to 2 ** 10, in sixteenths of an octave.

Their rates are 3 to 5 % apart.
"""
SCALE_ROWS: Final = 48
ROWS_PER_OCTAVE: Final = 5
SMALLEST_SCALE: Final = -3.1875
"""log2 of the scale of row 0, in steps. Coefficients of this row are 0 with probability 0.99999, and not coded."""
TRADE: Final = 20.0
"""Bits per pixel that one squared step of mean squared error is worth in the network's training."""


class Answer(NamedTuple):
    """The network's prediction of the coefficients of one coding step, for a batch (B, C, H, W)."""

    mean: torch.Tensor
    row: torch.Tensor
    """Row of frequencies by scale, int64."""


_LOADING: Final = threading.Lock()

Quantise = Callable[[int, Answer], "torch.Tensor"]
"""Function that returns the symbols of a coding step (float64, zeros outside its squares), chosen or read."""


@final
class Model:
    """The network on one device, in exact arithmetic, with its tables. Threads may share it."""

    def __init__(self, path: Path = WEIGHTS, device: str = "cpu") -> None:
        import torch
        from safetensors.torch import load_file

        from compress_guard.codecs.neural import network as parts

        stored = load_file(path)
        tables = {name: stored.pop(name) for name in list(stored) if name.startswith("table.")}
        with torch.device("meta"):  # draws no random numbers, and torch's default dtype does not matter
            made = parts.Network()
        made.load_state_dict(stored, assign=True)
        self._parts: Final = parts
        self._network: Final = made.double().eval().requires_grad_(requires_grad=False).to(device)
        self.device: Final = torch.device(device)
        steps = LOWEST_STEP + torch.arange(RUNGS, dtype=torch.float64) / RUNGS_PER_OCTAVE
        self._blends: Final = parts.knots(steps).to(device)
        self._deltas: Final = tables["table.delta"].double().to(device)
        self._norms: Final = tables["table.norm"].double().to(device)
        self._relative: Final = tables["table.relative"].double().to(device)
        self._log_relative: Final = tables["table.log_relative"].double().to(device)
        self._stretch: Final = tables["table.stretch"].double().to(device)
        self._medians: Final = tables["table.median"].double().to(device)[None, :, None, None]
        self.scales: Final = _frequencies(tables, "scale")
        self.latents: Final = _frequencies(tables, "latent")
        self._coefficients: Final = Coefficients(self.analysed)

    # Encoder

    def analysed(self, images: torch.Tensor) -> torch.Tensor:
        """Return the coefficients of images (B, 3, H, W), uint8: multiples of 2 ** -10 below 2 ** 13, for any rung."""
        import torch
        from torch.nn import functional

        parts = self._parts
        height, width = images.shape[-2:]
        # The last row and column are repeated up to whole blocks.
        padding = (0, -width % parts.BLOCK, 0, -height % parts.BLOCK)
        pixels = functional.pad(images.to(self.device, torch.float64), padding, mode="replicate") - 128
        blocks = functional.pixel_unshuffle(pixels, parts.BLOCK)
        kernel = self._network.analysis.reshape(parts.COEFFICIENTS, -1, 1, 1)
        found: torch.Tensor = parts.snap(functional.conv2d(blocks, kernel))
        return found

    def coded(self, images: Sequence[torch.Tensor], rungs: Sequence[int]) -> Coded:
        """Return the symbols of images (3, H, W) of one size, uint8, coded at their rungs."""
        import torch

        parts, network = self._parts, self._network
        tables = self._at(rungs)
        coefficients = self._coefficients.of(images)
        correction = network.before(parts.snap(coefficients / tables.norm), tables.blend)
        coefficients = parts.snap(coefficients + correction * tables.norm)
        steps = parts.snap(coefficients / tables.delta)
        latent = network.hyperprior.latent(parts.snap(coefficients / tables.norm), steps, tables.blend)
        latent = torch.floor(latent - self._medians + 0.5)
        answers: list[Answer] = []
        symbols: list[torch.Tensor] = []

        def choose(number: int, answer: Answer) -> torch.Tensor:
            values = steps[:, parts.BANDS[parts.STEPS[number][0]]] - answer.mean
            # Round towards 0 where that saves more bits than it costs in error; what has no row of its own is 0.
            chosen = values.sign() * torch.floor(values.abs() / self._stretch[answer.row] + 0.5)
            chosen = torch.where(answer.row > 0, chosen, 0.0)
            answers.append(answer)
            symbols.append(chosen)
            return chosen

        values, context = self._dequantised(latent, tables, tuple(steps.shape[-2:]), choose)
        return Coded(latent, symbols, [answer.row for answer in answers], values, context)

    # Decoder

    def decoded(
        self, latent: torch.Tensor, rungs: Sequence[int], size: tuple[int, int], quantise: Quantise
    ) -> torch.Tensor:
        """Return images (B, 3, H, W), uint8, from latent symbols and those that `quantise` gives step by step."""
        values, context = self._dequantised(latent, self._at(rungs), self.blocks(size), quantise)
        return self.pixels(values, context, rungs, size)

    def pixels(
        self, values: torch.Tensor, context: torch.Tensor, rungs: Sequence[int], size: tuple[int, int]
    ) -> torch.Tensor:
        """Return images, uint8 (B, 3, H, W), from dequantised coefficients and their context."""
        import torch
        from torch.nn import functional

        parts, network, tables = self._parts, self._network, self._at(rungs)
        # The context of the last step: no symbol depends on it, so an encoder skips it.
        context = context + parts.snap(network.step(-1).listen(values[:, parts.BANDS[-1]]))
        correction = network.after(torch.cat((values, context), 1), tables.blend)
        values = parts.snap((values + correction) * tables.norm)
        kernel = network.synthesis.reshape(parts.COEFFICIENTS, -1).t()[:, :, None, None]
        images = functional.pixel_shuffle(parts.snap(functional.conv2d(values, kernel)), parts.BLOCK)
        images = torch.floor(images[..., : size[0], : size[1]] + 128.5)
        return images.clamp(0, 255).to(torch.uint8)

    def blocks(self, size: tuple[int, int]) -> tuple[int, int]:
        """Return the rows and columns of blocks that cover (H, W) pixels."""
        height, width = (-(-length // self._parts.BLOCK) for length in size)
        return height, width

    def latent_shape(self, size: tuple[int, int]) -> tuple[int, int, int]:
        """Return the size of the latent of an image of (H, W) pixels."""
        height, width = (-(-length // 4) for length in self.blocks(size))
        return self._parts.HYPER, height, width

    # Both

    def _dequantised(
        self, latent: torch.Tensor, tables: _Tables, blocks: tuple[int, int], quantise: Quantise
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the coefficients that the symbols mean, relative to their norms, and the context of the last step."""
        import torch

        parts, network = self._parts, self._network
        context = network.hyperprior.context(latent + self._medians, tables.blend, *blocks)
        bands: list[torch.Tensor] = []
        for number, (band, parity) in enumerate(parts.STEPS):
            step, channels = network.step(number), parts.BANDS[band]
            mean, scale = step.parameters_of(context, tables.blend)
            mean = parts.snap(mean * tables.relative[:, channels])
            row = torch.floor((scale + tables.log_relative[:, channels] - 1 - SMALLEST_SCALE) * ROWS_PER_OCTAVE + 0.5)
            answer = Answer(mean, row.clamp(0, SCALE_ROWS - 1).long())
            coefficients = quantise(number, answer) + mean
            relative = parts.snap(coefficients / tables.relative[:, channels])
            if parity is not None:
                relative = relative * self.squares(number, blocks)
            if number + 1 < len(parts.STEPS):
                context = context + parts.snap(step.listen(relative))
            if parity == 1:
                bands[-1] = bands[-1] + relative
            else:
                bands.append(relative)
        return torch.cat(bands, 1), context

    def squares(self, number: int, blocks: tuple[int, int]) -> torch.Tensor:
        """Return the blocks that a coding step codes, bool (rows, columns)."""
        import torch

        parity = self._parts.STEPS[number][1]
        if parity is None:
            return torch.ones(blocks, dtype=torch.bool, device=self.device)
        return self._parts.chequerboard(*blocks, parity, self.device)

    def _at(self, rungs: Sequence[int]) -> _Tables:
        chosen = list(rungs)
        return _Tables(
            blend=self._blends[chosen],
            delta=self._deltas[chosen][:, None, None, None],
            norm=self._norms[chosen][:, :, None, None],
            relative=self._relative[chosen][:, :, None, None],
            log_relative=self._log_relative[chosen][:, :, None, None],
        )


class _Tables(NamedTuple):
    """The networks' inputs that depend on the step size of each image of a batch."""

    blend: torch.Tensor
    delta: torch.Tensor
    norm: torch.Tensor
    relative: torch.Tensor
    log_relative: torch.Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Coded:
    """The symbols of a batch, and the decoder's result from them."""

    latent: torch.Tensor
    symbols: list[torch.Tensor]
    """Symbols (B, C, rows, columns) of each coding step, float64."""
    rows: list[torch.Tensor]
    """Rows of frequencies of the symbols of each coding step, int64."""
    values: torch.Tensor
    """Dequantised coefficients."""
    context: torch.Tensor
    """Context for the decoder's correction of the coefficients."""


def _frequencies(tables: dict[str, Any], name: str) -> Frequencies:
    from compress_guard.codecs.neural.frequencies import from_cumulative

    return from_cumulative(
        tables[f"table.{name}.cdf"].tolist(),
        tables[f"table.{name}.size"].tolist(),
        tables[f"table.{name}.offset"].tolist(),
    )


V = TypeVar("V", float, "torch.Tensor")


def dead_zone(variance: V) -> V:
    """Return the number that distances to the mean are divided by before they are rounded, for a variance in squared
    steps.

    Between n - 1 and n steps a Gaussian of variance s² gains (n - 1/2) / (s² ln 2) bits, and `TRADE` / 3 says what
    these are worth. Three quarters of that is taken, since zeros also tell the context less; 0.08 is the variance of
    the rounding itself.
    """
    return 1 + 0.75 / (variance + 0.08) / (math.log(2) * 2 * TRADE / 3)


def model(device: str) -> Model:
    """Return the bundled model on a device; it is loaded once, by the first thread that needs it."""
    with _LOADING, insulated():
        return _model(device)


@functools.cache
def _model(device: str) -> Model:
    return Model(device=device)
