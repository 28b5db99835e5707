"""Verdicts: clean and compressed evidence and limits go in; interval, verdict and outcome come out.

Open `judgement` first. Intervals are those of `paired` and `wilson` for flags (top1), and of `bootstrap` over the
draws of `resampling` for other metrics; with early stopping (`stopping`) those of `betting`. Images that belong
together have those of `grouped`. `settlement` turns a
verdict into the outcome of a test, `sentence` into words, and says what so many images can decide. `power` counts the
images that a limit needs, `knowledge` asks whether a model knows anything, and `speed` and `recovery` judge the other
two kinds of cells. `weighted` is the mean drop over several cells, `releases` the change from one run to another.
"""

from __future__ import annotations

from compress_guard.verdict.judgement import judge
from compress_guard.verdict.resampling import Remembered
from compress_guard.verdict.settlement import Settlement, settle, settle_recovery, waive
from compress_guard.verdict.stopping import EarlyStop

__all__ = ["EarlyStop", "Remembered", "Settlement", "judge", "settle", "settle_recovery", "waive"]
