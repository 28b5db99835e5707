"""Keys of the section `defaults`, each of which a guard may set again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from compress_guard.registry import CODECS, DECODERS
from compress_guard.thresholds.keys.groups import FOLDER
from compress_guard.thresholds.keywords import CHOICES, NUMBERS, POLICIES
from compress_guard.thresholds.schema.forms import (
    BY,
    NULL,
    TEXT,
    Schema,
    choice,
    either,
    listed,
    number,
    per_codec,
    ref,
    suggested,
)
from compress_guard.thresholds.settings import CODECS_BY_DEFAULT, RATES_BY_DEFAULT, Settings

CODEC_LIST: Final = listed(suggested(CODECS.own, TEXT))
_COUNT: Final = either({"type": "integer", "minimum": 1}, NULL)

_SETTINGS: Final[Mapping[str, Schema]] = {
    "codecs": CODEC_LIST | {"description": "codecs to test, registered ones or names from the section codecs"},
    "bpp": ref("rates") | {"description": "target rates in bits per pixel; or per codec; null: none"},
    "quality": ref("qualities") | {"description": "settings on the codec's own scale; or per codec; null: none"},
    "rate": choice(CHOICES["rate"])
    | {"description": "the mean of the images hits the target (dataset), or each does (image)"},
    "rate_tolerance": number(NUMBERS["rate_tolerance"].span)
    | {"description": "relative distance from the target rate that counts as met"},
    "limit": per_codec(_COUNT) | {"description": "a seeded subset of this many images; or per codec; null: all"},
    "confidence": number(NUMBERS["confidence"].span) | {"description": "confidence of every interval"},
    "correction": choice(CHOICES["correction"])
    | {"description": "bonferroni: the limits of all cells together share the error"},
    "decoders": either(listed(choice(DECODERS)), NULL)
    | {"description": "decoders of the streams; the first decodes the cells, each other one is compared with it"},
    "max_decoder_drop": either(ref("limit"), NULL)
    | {"description": "allowed drop, in points, by a further decoder below the first"},
    "max_regression": either(ref("limit"), NULL)
    | {"description": "allowed fall of the compressed score, in points, below that of the baseline"},
    "decoder_swap": {"type": "boolean", "description": "also predict on images from a second decoder"},
    "min_clean": either(ref("points"), NULL)
    | {"description": "floor under the clean score, in points; 0: a model may know nothing"},
    "max_error_share": number(NUMBERS["max_error_share"].span)
    | {"description": "share of images that may fail to load or code"},
    "orientation": either(choice(CHOICES["orientation"]), NULL)
    | {"description": "how images are read that EXIF turns"},
    "groups": either(suggested((FOLDER,), BY), NULL)
    | {"description": "images that belong together: a field of the targets, a factory or folder"},
    "reference": choice(CHOICES["reference"])
    | {"description": "clean side of a codec that scales or crops: the source, or the source changed likewise"},
    "throughput": ref("throughput"),
    "recovery": ref("recovery"),
    "on_inconclusive": choice(CHOICES["on_inconclusive"])
    | {"description": "outcome of a cell that these images cannot decide"},
    "on_unreachable": choice(CHOICES["on_unreachable"])
    | {"description": "outcome of a rate that the codec does not reach"},
    "on_unavailable": choice(CHOICES["on_unavailable"]) | {"description": "outcome of a codec that is not installed"},
}


def _default(key: str) -> Any:
    """Return the default of a key as a file would state it."""
    initial = Settings(())
    if key in POLICIES:
        return getattr(initial.policy, key)
    stated = {
        "codecs": list(CODECS_BY_DEFAULT),
        "bpp": list(RATES_BY_DEFAULT.default.values if RATES_BY_DEFAULT.default else ()),
        "limit": None,
    }
    return stated[key] if key in stated else getattr(initial, key)


DEPENDENT: Final = ("rate_tolerance",)
"""Keys whose default depends on another key, so that the schema states none."""
SETTINGS: Final[Mapping[str, Schema]] = {
    key: form if key in DEPENDENT else form | {"default": _default(key)} for key, form in _SETTINGS.items()
}
"""The keys; a test holds them against those of the reader."""
