"""A thresholds file as an editor sees it, and what the schema says about it."""

from __future__ import annotations

import functools
import json
import re
from typing import Any, Final

import jsonschema

from compress_guard.errors import ThresholdsError
from compress_guard.thresholds import document
from compress_guard.thresholds.schema import SCHEMA_FILE
from compress_guard.thresholds.value import Value

GAPS: Final = {
    "names that others may have registered": (
        r"unknown (codec|task|model|metric|\w+ metric|object size) '|unknown step "
    ),
    "registered names of models and data": r"is not a factory; write",
    "names of codecs that carry options": (
        r"unknown option|takes no text after a colon|is no option; write|says \w+ twice|, and so do its options"
        r"|has characters that node ids cannot contain; give it a name of its own"
    ),
    "options that a codec needs": r"needs the options|the option \w+ is missing",
    "values of options": r"correct the option or leave it out|for these options; correct|correct the steps?$",
    "scales of codecs": r"is no quality of",
    "points that a limit does not reach": (
        r"is outside the max_|is not in the max_|applies to no cell|applies to no codec"
    ),
    "points that a codec does not have": (
        r"has no rates for|has no settings for|has neither rates nor qualities|has rates to train at"
        r"|neither it nor the guard has rates|whose steps leave no quality open|leaves no quality open"
        r"|leaves no setting open|which is not used here: the codecs are"
    ),
    "decoders and what they read": r"is given, and (decoders names|no guard compares)|does not decode",
    "studies of other codecs": r"which is not (studied|timed) here|which is the reference itself",
    "codecs that crop": r"crops",
    "training data": r"train is missing|the guard's own data",
    "mixed models": r"^.*: mixed (is|has)|mixed is given twice",
    "shares of traffic": r"traffic (gives|names|of)|the shares of traffic add up",
    "waivers and their cells": (
        r"waive: cells .* fits |until must be a date, found '[0-9]{4}-[0-9]{2}-[0-9]{2}'"
        r"|is an empty text; write (a pattern|why these|the last)"
    ),
    "kinds of keys": r"mixes (codec names|names of slices) with|expected a name, found|of \w+ is text; write it",
    "numbers as texts": r"a rate must be a number, found|write it without quotes",
    "numbers that are none": r"(found|rate|is) -?\.(nan|inf|NaN|Inf|NAN|INF)",
    "whole numbers with a point or an exponent": (
        r"must be (a|such a)? ?whole number .*found [-+]?[0-9.]+([eE][-+]?\d+)?;"
    ),
    "one number spelled twice": r"is the same as|is given twice",
    "rates with an exponent as keys": r"rate [-+.\d]+[eE][-+]?\d+ bpp is outside",
    "size of a file": r"has more than|characters, at most",
    "object_size of other tasks": r"object_size needs a task",
    "factories against their sources": r"did you mean \S+:\S+\?$",
}
"""Patterns of the messages about files that the schema takes and the reader refuses, by the reason for each gap."""


@functools.cache
def validator() -> Any:
    schema = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    jsonschema.Draft7Validator.check_schema(schema)
    return jsonschema.Draft7Validator(schema)


def as_json(value: Value) -> Any:
    """Return a value as JSON: keys are the texts that the file spells, merge keys and aliases are written out."""
    if value.is_map:
        return {str(entry.key.node.value): as_json(entry.value) for entry in value.entries()}
    if value.is_list:
        return [as_json(value._child(child)) for child in value.node.value]
    return value.scalar


def schema_fault(text: str) -> str | None:
    """Return what the schema has against the text of a file; None if it takes it."""
    faults = sorted(validator().iter_errors(as_json(document.parse(text, "thresholds.yaml"))), key=str)
    return "; ".join(f"{list(fault.absolute_path)}: {fault.message[:200]}" for fault in faults) or None


def assert_taken(text: str) -> None:
    """Check that the schema takes a file that loads."""
    assert schema_fault(text) is None


def assert_refused(text: str, message: str) -> None:
    """Check that the schema refuses a file that does not load with this message, unless there is a known gap."""
    try:
        fault = schema_fault(text)
    except ThresholdsError:  # no YAML that could be held against a schema
        return
    assert fault is not None or any(re.search(pattern, message) for pattern in GAPS.values()), message
