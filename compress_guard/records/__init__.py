"""What crosses a layer, a worker or a file: frozen records without images."""

from __future__ import annotations

from compress_guard.records.codecs import CodecSpec, Scalar, format_bpp, format_rate
from compress_guard.records.evidence import Evidence
from compress_guard.records.guards import (
    Cell,
    Fingerprint,
    Guard,
    Policy,
    SliceLimit,
    Slicing,
    Thresholds,
)
from compress_guard.records.ids import printable
from compress_guard.records.judgements import Interval, Judgement
from compress_guard.records.plans import ImageInfo, PlannedRate, RatePlan, seeded_fraction
from compress_guard.records.recovery import (
    MIXED,
    Recovery,
    RecoveryCell,
    RecoveryPoint,
    RecoveryResult,
    Share,
    TrainedRate,
    format_trained,
)
from compress_guard.records.results import CellResult, Ending, SliceResult
from compress_guard.records.throughput import SpeedLimits, Throughput, ThroughputCell, ThroughputResult, Work
from compress_guard.records.vocabulary import (
    JUDGED,
    SCHEMA,
    UNTOLD,
    Bits,
    Correction,
    OnInconclusive,
    OnMissing,
    Orientation,
    Outcome,
    RateMode,
    SettledBy,
    Verdict,
)

__all__ = [
    "JUDGED",
    "MIXED",
    "SCHEMA",
    "UNTOLD",
    "Bits",
    "Cell",
    "CellResult",
    "CodecSpec",
    "Correction",
    "Ending",
    "Evidence",
    "Fingerprint",
    "Guard",
    "ImageInfo",
    "Interval",
    "Judgement",
    "OnInconclusive",
    "OnMissing",
    "Orientation",
    "Outcome",
    "PlannedRate",
    "Policy",
    "RateMode",
    "RatePlan",
    "Recovery",
    "RecoveryCell",
    "RecoveryPoint",
    "RecoveryResult",
    "Scalar",
    "SettledBy",
    "Share",
    "SliceLimit",
    "SliceResult",
    "Slicing",
    "SpeedLimits",
    "Thresholds",
    "Throughput",
    "ThroughputCell",
    "ThroughputResult",
    "TrainedRate",
    "Verdict",
    "Work",
    "format_bpp",
    "format_rate",
    "format_trained",
    "printable",
    "seeded_fraction",
]
