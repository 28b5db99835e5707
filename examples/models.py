"""Model factories of the bundled world: shipped weights, checked by their sha256, as predictors."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

import compress_guard
from compress_guard import Predictor
from examples.networks import Classifier, Segmenter, detector_network, normalised
from examples.shipped import WEIGHTS, loaded


def classifier(device: str = "cpu", folder: Path = WEIGHTS) -> Predictor:
    """Return a predictor of scores of the nine classes."""
    network = _filled(Classifier(), "classifier", folder)
    return compress_guard.predictor(network, task="classification", preprocess=normalised, batch_size=16, device=device)


def detector(device: str = "cpu", folder: Path = WEIGHTS) -> Predictor:
    """Return a predictor of at most 30 boxes per picture, with labels 1 to 9."""
    network = _filled(detector_network(), "detector", folder)
    return compress_guard.predictor(network, task="detection", batch_size=16, device=device)


def segmenter(device: str = "cpu", folder: Path = WEIGHTS) -> Predictor:
    """Return a predictor of label maps: 0 background, 1 to 9 objects."""
    network = _filled(Segmenter(), "segmenter", folder)
    return compress_guard.predictor(network, task="segmentation", preprocess=normalised, batch_size=16, device=device)


def _filled(network: nn.Module, name: str, folder: Path) -> nn.Module:
    network.load_state_dict(loaded(name, folder))
    return network.to(memory_format=torch.channels_last)
