"""Evidence and threshold to interval, verdict and outcome."""

from __future__ import annotations

from compress_guard.verdict.judgement import judge
from compress_guard.verdict.resampling import Remembered
from compress_guard.verdict.settlement import Settlement, settle, settle_recovery
from compress_guard.verdict.stopping import EarlyStop

__all__ = ["EarlyStop", "Remembered", "Settlement", "judge", "settle", "settle_recovery"]
