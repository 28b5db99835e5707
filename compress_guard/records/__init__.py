"""Frozen records that cross a layer, a worker or a file; none of them holds images.

Plain values come in, and the other layers pass the records on. Open `guards` first for what a thresholds file asks
for, then `results` for what a run reports: `cell_parts` documents its fields. `plans` is rate
control, `evidence` what the model answered, `vocabulary` the words of the contract.

`codecs` is a codec, a step of one and the geometry of what it delivers, `points` what a cell asks of it, `judgements`
what verdicts say, `slices` parts of a cell; `recovery` and `throughput` are the records of those cells, `traffic`
that of a guard's mean drop. `ids` and `texts` make names and texts printable;
`named` are images with the names that people know them by.
"""

from __future__ import annotations

from compress_guard.records.cell_parts.coding import (
    CodecUsed,
    CodedRate,
    DecoderComparison,
    DecoderSwap,
    EstimateCheck,
    FidelityFigures,
)
from compress_guard.records.cell_parts.images import ImageCounts, IntakeCounts, SourceFigures
from compress_guard.records.cell_parts.part import CellPart
from compress_guard.records.cell_parts.scores import AgainstBaseline, CleanScore, LossFigures, Precision, Scores
from compress_guard.records.cell_parts.terms import CellTerms
from compress_guard.records.cell_parts.work import ControlFigures, EarlierRuns, WorkDone
from compress_guard.records.codecs import (
    CROP,
    PIPELINE,
    RESIZE,
    SOURCE,
    CodecSpec,
    Geometry,
    PipelineStep,
    Scalar,
    format_bpp,
    format_rate,
)
from compress_guard.records.evidence import SOURCE_HASHES, Evidence
from compress_guard.records.guards import (
    Cell,
    Fingerprint,
    Grouping,
    Guard,
    Policy,
    SliceLimit,
    Slicing,
    Thresholds,
    Waiver,
    name_fits,
)
from compress_guard.records.ids import printable
from compress_guard.records.judgements import Interval, Judgement
from compress_guard.records.named import ClassScore, NamedImage
from compress_guard.records.plans import ImageInfo, PlannedRate, RatePlan, seeded_fraction, seeded_numbers
from compress_guard.records.points import (
    Fixed,
    OperatingPoint,
    Quality,
    Rate,
    format_setting,
    labelled,
    phrased,
    shortened,
)
from compress_guard.records.recovery import (
    MIXED,
    Recovery,
    RecoveryCell,
    RecoveryPoint,
    RecoveryResult,
    Share,
    TrainedPoint,
    TrainedRate,
    format_trained,
)
from compress_guard.records.results import CellResult, Ending, Scope
from compress_guard.records.slices import SliceResult
from compress_guard.records.throughput import SpeedLimits, Throughput, ThroughputCell, ThroughputResult, Work
from compress_guard.records.traffic import TrafficResult
from compress_guard.records.vocabulary import (
    JUDGED,
    SCHEMA,
    UNTOLD,
    Bits,
    CleanReference,
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
    "CROP",
    "JUDGED",
    "MIXED",
    "PIPELINE",
    "RESIZE",
    "SCHEMA",
    "SOURCE",
    "SOURCE_HASHES",
    "UNTOLD",
    "AgainstBaseline",
    "Bits",
    "Cell",
    "CellPart",
    "CellResult",
    "CellTerms",
    "ClassScore",
    "CleanReference",
    "CleanScore",
    "CodecSpec",
    "CodecUsed",
    "CodedRate",
    "ControlFigures",
    "Correction",
    "DecoderComparison",
    "DecoderSwap",
    "EarlierRuns",
    "Ending",
    "EstimateCheck",
    "Evidence",
    "FidelityFigures",
    "Fingerprint",
    "Fixed",
    "Geometry",
    "Grouping",
    "Guard",
    "ImageCounts",
    "ImageInfo",
    "IntakeCounts",
    "Interval",
    "Judgement",
    "LossFigures",
    "NamedImage",
    "OnInconclusive",
    "OnMissing",
    "OperatingPoint",
    "Orientation",
    "Outcome",
    "PipelineStep",
    "PlannedRate",
    "Policy",
    "Precision",
    "Quality",
    "Rate",
    "RateMode",
    "RatePlan",
    "Recovery",
    "RecoveryCell",
    "RecoveryPoint",
    "RecoveryResult",
    "Scalar",
    "Scope",
    "Scores",
    "SettledBy",
    "Share",
    "SliceLimit",
    "SliceResult",
    "Slicing",
    "SourceFigures",
    "SpeedLimits",
    "Thresholds",
    "Throughput",
    "ThroughputCell",
    "ThroughputResult",
    "TrafficResult",
    "TrainedPoint",
    "TrainedRate",
    "Verdict",
    "Waiver",
    "Work",
    "WorkDone",
    "format_bpp",
    "format_rate",
    "format_setting",
    "format_trained",
    "labelled",
    "name_fits",
    "phrased",
    "printable",
    "seeded_fraction",
    "seeded_numbers",
    "shortened",
]
