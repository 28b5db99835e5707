"""Evidence and threshold to interval, verdict and outcome."""

from __future__ import annotations

from compress_guard.verdict.bootstrap import Remembered
from compress_guard.verdict.judgement import judge
from compress_guard.verdict.settlement import Settlement, settle

__all__ = ["Remembered", "Settlement", "judge", "settle"]
