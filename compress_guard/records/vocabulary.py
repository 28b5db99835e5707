"""The words of the contract: modes, verdicts, outcomes and policies."""

from __future__ import annotations

from typing import Final, Literal

SCHEMA: Final = "compress-guard/1"

RateMode = Literal["dataset", "image"]
Bits = Literal["coded", "estimated"]
Verdict = Literal["pass", "fail", "inconclusive", "unreachable", "unavailable", "unjudged", "codec_error", "error"]
Outcome = Literal["passed", "failed", "skipped"]
SettledBy = Literal["interval", "policy", "point"]
OnInconclusive = Literal["pass", "fail", "point"]
OnMissing = Literal["skip", "fail"]
Correction = Literal["none", "bonferroni"]
Orientation = Literal["upright", "stored"]
"""Reading of images that EXIF turns: upright, for targets that are upright, or as their files store them."""
CleanReference = Literal["source", "input"]
"""The clean side of a cell: the sources, or the sources as its codec scales and crops them, without coding."""

JUDGED: Final[frozenset[str]] = frozenset({"pass", "fail", "inconclusive"})
"""The verdicts that compare a drop with a threshold."""

UNTOLD: Final = "could not be told from those of a model that knows nothing"
"""Part of a `clean_remark` that is about the answers, not about the number of images."""
