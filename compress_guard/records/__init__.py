"""What crosses a layer, a worker or a file: frozen records without images."""

from __future__ import annotations

from compress_guard.records.evidence import Evidence
from compress_guard.records.guards import Cell, CodecSpec, Guard, Policy, Scalar, Thresholds, format_bpp
from compress_guard.records.judgements import Interval, Judgement
from compress_guard.records.plans import ImageInfo, PlannedRate, RatePlan, seeded_fraction
from compress_guard.records.results import CellResult
from compress_guard.records.vocabulary import (
    JUDGED,
    SCHEMA,
    Bits,
    OnInconclusive,
    OnMissing,
    Outcome,
    RateMode,
    SettledBy,
    Verdict,
)

__all__ = [
    "JUDGED",
    "SCHEMA",
    "Bits",
    "Cell",
    "CellResult",
    "CodecSpec",
    "Evidence",
    "Guard",
    "ImageInfo",
    "Interval",
    "Judgement",
    "OnInconclusive",
    "OnMissing",
    "Outcome",
    "PlannedRate",
    "Policy",
    "RateMode",
    "RatePlan",
    "Scalar",
    "SettledBy",
    "Thresholds",
    "Verdict",
    "format_bpp",
    "seeded_fraction",
]
