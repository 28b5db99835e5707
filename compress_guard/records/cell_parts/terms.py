"""Terms that a cell is judged by."""

from __future__ import annotations

from dataclasses import dataclass

from compress_guard.records.cell_parts.part import CellPart
from compress_guard.records.vocabulary import CleanReference, Correction


@dataclass(frozen=True, slots=True)
class CellTerms(CellPart):
    """Terms of the cell, from the thresholds file and the command line."""

    rate_tolerance: float | None = None
    """Largest relative distance from the target rate that counts as met: 0.02 is 2 %; None without a target rate."""
    limit: int | None = None
    """Largest number of images allowed; None: all."""
    max_drop: float | None = None
    min_score: float | None = None
    target_quality: float | None = None
    """Setting of the codec that all images are coded at; None with a target rate, or with nothing to choose."""
    max_decoder_drop: float | None = None
    """Allowed drop against the first decoder, in a cell that compares decoders."""
    max_regression: float | None = None
    """Allowed fall of the compressed score below that of the baseline."""
    min_clean: float | None = None
    """Least clean score. None: a model that knows nothing is an error; 0: not even such a model is."""
    traffic: float | None = None
    """Share of production that the cell stands for, 0 to 1."""
    doubts: tuple[str, ...] = ()
    """Sentences on what makes a limit of the cell mean little; they fail it in a strict run."""
    correction: Correction = "none"
    """Correction that `CellResult.confidence` includes."""
    reference: CleanReference = "source"
    """Pictures of the clean side: the sources, or these as the codec scales and crops them, without coding."""
    limit_places: tuple[tuple[str, str], ...] = ()
    """Key of each limit with its place in the thresholds file: ``("max_drop", "thresholds.yaml:14")``; empty for limits
    that a test gives."""
    waived: str | None = None
    """Reason of the waiver that turned the failure of the cell into a skip; None for every other outcome."""
    waived_until: str | None = None
    """Last day of the waiver that names the cell, ``2026-12-31``, whether it was needed or not."""
    limit_line: int | None = None
    """Line in the thresholds file of the number that the limit comes from; None for a cell without a file."""
