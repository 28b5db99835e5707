"""The tables: every codec and task of the package, and the groups of entry points by which others add theirs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from compress_guard.registry.contracts import CODEC, DATA_SET, MODEL, TASK
from compress_guard.registry.lazy_table import Registry

CODECS: Final = Registry(
    CODEC,
    {
        "jpeg": "compress_guard.codecs.jpeg:Jpeg",
        "webp": "compress_guard.codecs.webp:WebP",
        "avif": "compress_guard.codecs.avif:Avif",
        "jp2": "compress_guard.codecs.jp2:Jp2",
        "heic": "compress_guard.codecs.heic:Heic",
        "jxl": "compress_guard.codecs.jxl:Jxl",
        "command": "compress_guard.codecs.command:Command",
        "neural": "compress_guard.codecs.neural.codec:Neural",
        "zoo": "compress_guard.codecs.zoo.published:Zoo",
        "compressai": "compress_guard.codecs.zoo.own:CompressAi",
        "pipeline": "compress_guard.codecs.pipeline.codec:Pipeline",
    },
)

SCHEMES: Final[Mapping[str, str]] = {"zoo": "model", "compressai": "path"}
"""Codecs that a name may carry options of, and the option that stands right behind the colon."""

TASKS: Final = Registry(
    TASK,
    {
        "classification": "compress_guard.tasks.classification:Classification",
        "detection": "compress_guard.tasks.detection:Detection",
        "segmentation": "compress_guard.tasks.segmentation:Segmentation",
    },
)

MODELS: Final = Registry(MODEL, {})
"""Factories of models, all by others."""
DATA: Final = Registry(DATA_SET, {})
"""Factories of data sets, all by others."""
