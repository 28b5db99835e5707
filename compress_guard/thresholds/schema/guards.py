"""Keys that only a guard has, and the codecs that a file names itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from compress_guard.records import PIPELINE
from compress_guard.registry import CODECS, TASKS, option_names, required_options
from compress_guard.thresholds.catalogue import ALIAS, DEFAULT
from compress_guard.thresholds.keys.slices import OBJECT_SIZE
from compress_guard.thresholds.keys.traffic import SHARES
from compress_guard.thresholds.schema.defaults import SETTINGS
from compress_guard.thresholds.schema.forms import (
    BY,
    NAME,
    NAMED_FACTORY,
    NULL,
    REGISTERED,
    Schema,
    by_point,
    choice,
    either,
    number,
    ref,
    suggested,
    table,
)

_SHARE: Final = number(SHARES)
_SLICE_LIMIT: Final[Schema] = either(
    ref("curve"), {"type": "object", "minProperties": 1, "additionalProperties": ref("curve")}
)
_BY: Final = suggested((OBJECT_SIZE, "label"), BY)
_METRICS: Final = (
    "top1",
    "top5",
    "map",
    "map_50",
    "map_75",
    "map_small",
    "map_medium",
    "map_large",
    "miou",
    "pixel_accuracy",
)

KEYS_OF_GUARDS: Final[Mapping[str, Schema]] = {
    "task": suggested(TASKS.own, {"type": "string", "pattern": REGISTERED}) | {"description": "task of the model"},
    "model": NAMED_FACTORY | {"description": "factory package.module:callable, fixture:NAME or a registered name"},
    "data": NAMED_FACTORY | {"description": "factory package.module:callable, fixture:NAME or a registered name"},
    "metric": suggested(_METRICS, {"type": "string"}) | {"description": "metric of the task; its first one by default"},
    "max_drop": ref("limit") | {"description": "allowed drop of the score, in points"},
    "min_score": ref("limit") | {"description": "floor under the compressed score, in points"},
    "slices": {
        "type": "object",
        "minProperties": 1,
        "propertyNames": {"pattern": NAME},
        "additionalProperties": either(_BY, table({"by": _BY, "max_drop": _SLICE_LIMIT}, "by")),
        "description": "parts of the images that every result lists separately",
    },
    "traffic": {
        "type": "object",
        "minProperties": 1,
        "additionalProperties": either(_SHARE, by_point(_SHARE)),
        "description": "share of production that each cell stands for, at most 1 in all",
    },
    "fingerprint": {
        "anyOf": [
            {"type": "string", "pattern": r"\S"},
            {"type": "number"},
            table({"files": {"type": "array", "items": {"type": "string"}, "minItems": 1}}, "files"),
        ],
        "description": "a text that changes whenever the model does, or the files that it is made of",
    },
}
"""The keys; a test holds them against those of the reader."""


def guard_schema() -> Schema:
    """Return the schema of one guard."""
    return table({**KEYS_OF_GUARDS, **SETTINGS}, "task", "model", "data")


def codecs_schema() -> Schema:
    """Return the schema of the section `codecs`."""
    # A registered name may be used only with the type of that name.
    registered = {
        kind: {"allOf": [ref("codec"), {"properties": {"type": {"pattern": f"^{kind}(:|$)"}}}]} for kind in CODECS.own
    }
    return {
        "type": "object",
        "propertyNames": {"pattern": f"^{ALIAS.pattern}$", "not": {"const": DEFAULT}},
        "properties": registered,
        "additionalProperties": ref("codec"),
    }


def codec_schema() -> Schema:
    """Return the schema of one codec: it has the options of its type, which others may have registered."""
    kinds = sorted(CODECS.own)
    return {
        "type": "object",
        "required": ["type"],
        "properties": {"type": suggested(kinds, {"type": "string", "minLength": 1})},
        "if": {"properties": {"type": choice(kinds)}},
        "then": {"oneOf": [_options(kind) for kind in kinds]},
        "else": {"additionalProperties": ref("option")},
    }


def _options(kind: str) -> Schema:
    """Return the schema of a codec of a registered type: which options it has, and needs."""
    options: dict[str, Any] = {name: ref("option") for name in option_names(kind)}
    if kind == PIPELINE:
        options["steps"] = ref("steps")
    return table({"type": {"const": kind}, **options}, *required_options(kind))


_STEP_OPTIONS: Final[Schema] = {"type": "object", "additionalProperties": ref("option")}
CODEC_DEFINITIONS: Final[Mapping[str, Schema]] = {
    "option": {
        "anyOf": [
            {"type": ["string", "number", "boolean"]},
            {"type": "array", "items": {"type": ["string", "number"]}, "minItems": 1},
        ]
    },
    "steps": {
        "type": "array",
        "minItems": 1,
        "maxItems": 100,
        "items": {
            "anyOf": [
                {"type": "string"},
                {
                    "type": "object",
                    "minProperties": 1,
                    "maxProperties": 1,
                    "additionalProperties": either(_STEP_OPTIONS, NULL),
                },
            ]
        },
    },
}
