"""Work of a run on a cell: its controls, its use of earlier runs, and its cost."""

from __future__ import annotations

from dataclasses import dataclass

from compress_guard.records.cell_parts.part import CellPart


@dataclass(frozen=True, slots=True)
class ControlFigures(CellPart):
    """Lossless control: images whose predictions must not change."""

    control_images: int | None = None
    """Images that went through a lossless codec and the model, to the same predictions as the clean ones."""
    control_changed: int | None = None
    """Number of them that were predicted otherwise."""
    control_mixed: int | None = None
    """Clean predictions of these images in batches of other neighbours; None where none could be mixed."""
    control_mixed_changed: int | None = None
    """Number of these that differ from before."""


@dataclass(frozen=True, slots=True)
class EarlierRuns(CellPart):
    """Evidence of earlier runs on the same store, and what has moved since."""

    codec_moved: str | None = None
    """Version of the codec in the run before this one, if it was another."""
    remembered: int | None = None
    """Images whose evidence (clean, compressed or of controls) an earlier run had left, so that the model was not
    asked; None for a model without a fingerprint."""
    model_moved: bool = False
    """The model with this fingerprint answered the probing batch, or the first batch of a codec's cell, otherwise than
    in an earlier run; nothing of that run was used."""
    decoder_moved: bool = False
    """The codec decoded streams to other pixels than in an earlier run, at the same version."""


@dataclass(frozen=True, slots=True)
class WorkDone(CellPart):
    """Work that this run did for the cell."""

    encodes: float | None = None
    """Encoder calls, weighted by pixels: 1.0 is every image once."""
    check_encodes: int | None = None
    """Images coded beside that to check estimates, in the cell of a codec and guard that was measured first."""
    predictions: int | None = None
    """Images that the model was asked to predict (clean ones and those of controls count where this cell made
    them)."""
    seconds: float | None = None
