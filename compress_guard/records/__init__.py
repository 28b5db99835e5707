"""What crosses a layer, a worker or a file: frozen records without images."""

from __future__ import annotations

from compress_guard.records.evidence import Evidence
from compress_guard.records.guards import (
    Cell,
    CodecSpec,
    Fingerprint,
    Guard,
    Policy,
    Scalar,
    SliceLimit,
    Slicing,
    Thresholds,
    format_bpp,
)
from compress_guard.records.judgements import Interval, Judgement
from compress_guard.records.plans import ImageInfo, PlannedRate, RatePlan, seeded_fraction
from compress_guard.records.results import CellResult, SliceResult
from compress_guard.records.throughput import SpeedLimits, Throughput, ThroughputCell, ThroughputResult, Work
from compress_guard.records.vocabulary import (
    JUDGED,
    SCHEMA,
    Bits,
    Correction,
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
    "Correction",
    "Evidence",
    "Fingerprint",
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
    "SliceLimit",
    "SliceResult",
    "Slicing",
    "SpeedLimits",
    "Thresholds",
    "Throughput",
    "ThroughputCell",
    "ThroughputResult",
    "Verdict",
    "Work",
    "format_bpp",
    "seeded_fraction",
]
