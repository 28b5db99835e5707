"""The architectures of CompressAI's image models, by the names that CompressAI gives them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

METRICS: Final = ("mse", "ms-ssim")
"""Metrics that published models were trained for."""

# The published networks were trained from gain 0.1 to 1, eight levels 39 % apart; steps of 3.7 % give neighbouring
# settings a few percent of rate apart.
GAINS: Final = tuple(round(0.1 * 10 ** (step / 63), 5) for step in range(64))
"""Settings of a variable-rate network: the inverse of its quantiser's step."""


@dataclass(frozen=True, slots=True)
class Architecture:
    """A network design, and the number of trained models that CompressAI publishes."""

    network: str
    """Name of the class in compressai.models."""
    levels: int = 8
    """Number of published models for each metric; 0: none that can be used."""
    metrics: tuple[str, ...] = METRICS
    autoregressive: bool = False
    """True if each latent is coded given its neighbours, in turn: seconds for an image, and on the CPU only."""
    variable: bool = False
    """True if one network serves a whole range of rates."""


ARCHITECTURES: Final[Mapping[str, Architecture]] = {
    "bmshj2018-factorized": Architecture("FactorizedPrior"),
    # CompressAI's zoo loads the weights of the design above for this name, so no model can be used.
    "bmshj2018-factorized-relu": Architecture("FactorizedPriorReLU", levels=0),
    "bmshj2018-hyperprior": Architecture("ScaleHyperprior"),
    "mbt2018-mean": Architecture("MeanScaleHyperprior"),
    "mbt2018": Architecture("JointAutoregressiveHierarchicalPriors", autoregressive=True),
    "cheng2020-anchor": Architecture("Cheng2020Anchor", levels=6, autoregressive=True),
    "cheng2020-attn": Architecture("Cheng2020Attention", levels=6, autoregressive=True),
    "bmshj2018-hyperprior-vbr": Architecture("ScaleHyperpriorVbr", 1, ("mse",), variable=True),
    "mbt2018-mean-vbr": Architecture("MeanScaleHyperpriorVbr", 1, ("mse",), variable=True),
    "mbt2018-vbr": Architecture(
        "JointAutoregressiveHierarchicalPriorsVbr", 1, ("mse",), autoregressive=True, variable=True
    ),
}

PUBLISHED: Final = tuple(name for name, design in ARCHITECTURES.items() if design.levels)
"""Models that the zoo offers."""
