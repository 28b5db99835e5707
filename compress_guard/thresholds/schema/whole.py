"""The schema of a whole file."""

from __future__ import annotations

import json

from compress_guard.registry import TASKS
from compress_guard.thresholds.file import VERSION
from compress_guard.thresholds.schema import SCHEMA_ID
from compress_guard.thresholds.schema.defaults import SETTINGS
from compress_guard.thresholds.schema.forms import DEFINITIONS, NAME, REGISTERED, TEXT, Schema, listed, ref, table
from compress_guard.thresholds.schema.guards import CODEC_DEFINITIONS, codec_schema, codecs_schema, guard_schema
from compress_guard.thresholds.schema.studies import STUDIES
from compress_guard.thresholds.waivers import DATE, KEYS, MOST


def whole_schema() -> Schema:
    """Return the schema of thresholds files; editors know its draft best."""
    of_task = table({"max_drop": ref("limit")}, "max_drop")
    waiver = table(
        {
            "cells": TEXT | {"pattern": r"\S", "description": "pattern of cells, such as photos[jpeg-*]"},
            "reason": TEXT | {"pattern": r"\S", "description": "why they may fail"},
            "until": {"type": "string", "pattern": f"^{DATE}$", "description": "last day, such as 2026-12-31"},
        },
        *KEYS,
    )
    sections: dict[str, Schema] = {
        "version": {"const": VERSION, "description": "version of the format"},
        "thresholds": {
            "type": "object",
            "propertyNames": {"pattern": REGISTERED},
            "properties": dict.fromkeys(TASKS.own, of_task),
            "additionalProperties": of_task,
            "description": "allowed drop by task, for guards that give none themselves",
        },
        "codecs": codecs_schema() | {"description": "names of one's own for codecs with options"},
        "defaults": table(SETTINGS) | {"description": "settings of all guards, each of which a guard may set again"},
        "guards": {
            "type": "object",
            "minProperties": 1,
            "propertyNames": {"pattern": NAME},
            "additionalProperties": ref("guard"),
            "description": "each model on its data, with its limits",
        },
        "waive": listed(waiver) | {"maxItems": MOST, "description": "known failures, red again after a date"},
    }
    made = {"codec": codec_schema(), "guard": guard_schema()}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": SCHEMA_ID,
        "title": "thresholds of compress_guard",
        **table(sections, "version", "guards"),
        "definitions": {**DEFINITIONS, **CODEC_DEFINITIONS, **STUDIES, **made},
    }


def schema_text() -> str:
    """Return the schema as the package contains it."""
    return json.dumps(whole_schema(), indent=1, ensure_ascii=False) + "\n"
