"""The bundled codec as it is trained: CompressAI's entropy models, and quantisation that lets gradients through."""

from typing import cast

import torch
from compressai.entropy_models import EntropyBottleneck, GaussianConditional
from compressai.ops import quantize_ste
from torch import Tensor, nn
from torch.nn import functional

from compress_guard.codecs.neural.model import dead_zone
from compress_guard.codecs.neural.network import BANDS, BLOCK, HYPER, STEPS, Network, Step, chequerboard, knots

_SMALLEST_SCALE = 0.11


class Relaxed(nn.Module):
    """The codec's network with likelihoods in place of streams."""

    def __init__(self) -> None:
        super().__init__()
        self.network = Network()
        self.bottleneck = EntropyBottleneck(HYPER)
        self.conditional = GaussianConditional(None, scale_bound=_SMALLEST_SCALE)

    def forward(self, pixels: Tensor, log_step: Tensor, hard: Tensor) -> tuple[Tensor, Tensor]:
        """Return bits per pixel and mean squared error of each image.

        Args:
            pixels: float (B, 3, H, W), 0 to 255, sides a multiple of 8.
            log_step: (B,), log2 of the quantisation step.
            hard: bool (B,). True: rates are those of rounded coefficients with the dead zone of the coder, which is
                right at low rates; False: of coefficients with noise in place of rounding.
        """
        network = self.network
        hard = hard[:, None, None, None]
        blend = knots(log_step)
        delta = (2.0**log_step)[:, None, None, None]
        norms = network.norms(delta)
        coefficients = functional.conv2d(pixels - 128.0, network.analysis, stride=BLOCK)
        coefficients = coefficients + network.before(coefficients / norms, blend) * norms
        steps = coefficients / delta
        latent = network.hyperprior.latent(coefficients / norms, steps, blend)
        _, latent_likelihoods = self.bottleneck(latent)
        medians = self.bottleneck._get_medians().reshape(1, -1, 1, 1).detach()
        latent = quantize_ste(latent - medians) + medians
        context = network.hyperprior.context(latent, blend, *steps.shape[-2:])
        mean, scale, rounded_values, context = self._predicted(steps, context, norms / delta, blend, hard)
        rated = torch.where(hard, rounded_values - mean, steps - mean + torch.rand_like(steps) - 0.5)
        likelihoods = self.conditional.likelihood_lower_bound(self.conditional._likelihood(rated, scale))
        bits = -likelihoods.log2().sum((1, 2, 3)) - latent_likelihoods.log2().sum((1, 2, 3))
        values = rounded_values * delta / norms
        values = values + network.after(torch.cat((values, context), 1), blend)
        restored = functional.conv_transpose2d(values * norms, network.synthesis, stride=BLOCK) + 128.0
        error = (restored - pixels).square().mean((1, 2, 3))
        return bits / (pixels.shape[-2] * pixels.shape[-1]), error

    def _predicted(
        self, steps: Tensor, context: Tensor, relative: Tensor, blend: Tensor, hard: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return means, scales and rounded values of coefficients in quantisation steps, and the last context."""
        means: list[Tensor] = []
        scales: list[Tensor] = []
        decoded: list[Tensor] = []
        for (band, parity), layer in zip(STEPS, self.network.steps, strict=True):
            step = cast("Step", layer)
            channels = BANDS[band]
            mean, scale = step.parameters_of(context, blend)
            mean = mean * relative[:, channels]
            scale = scale + torch.log2(relative[:, channels]) - 1.0
            rounded_values = _rounded(steps[:, channels] - mean, scale, hard) + mean
            heard = rounded_values / relative[:, channels]
            if parity is not None:
                mask = chequerboard(steps.shape[-2], steps.shape[-1], parity, steps.device)
                heard = heard * mask
                if parity == 1:  # the step before coded the squares of parity 0
                    mean = torch.where(mask, mean, means.pop())
                    scale = torch.where(mask, scale, scales.pop())
                    rounded_values = torch.where(mask, rounded_values, decoded.pop())
            context = context + step.listen(heard)
            means.append(mean)
            scales.append(scale)
            decoded.append(rounded_values)
        return torch.cat(means, 1), 2.0 ** torch.cat(scales, 1).clamp(-6, 10), torch.cat(decoded, 1), context


def _rounded(values: Tensor, log_scale: Tensor, hard: Tensor) -> Tensor:
    """Round to whole steps, with the coder's dead zone where `hard`; gradients pass as if nothing was rounded."""
    with torch.no_grad():
        stretch = torch.where(hard, dead_zone(4.0**log_scale), 1.0)
        rounded = torch.round(values / stretch)
    return values + (rounded - values).detach()
