"""The keys `throughput` and `recovery`, which have keys of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from functools import partial
from typing import Final

from compress_guard.records import MIXED
from compress_guard.registry import CODECS
from compress_guard.thresholds.keys import recovery, throughput
from compress_guard.thresholds.schema.defaults import CODEC_LIST
from compress_guard.thresholds.schema.forms import (
    NAMED_FACTORY,
    NULL,
    OWN_FACTORY,
    RATE,
    TEXT,
    Schema,
    choice,
    either,
    listed,
    number,
    per_codec,
    ref,
    suggested,
    table,
    whole,
)
from compress_guard.thresholds.value import Span


def _by_work(span: Span, *more: str) -> Schema:
    """Return the schema of limits of speed by kind of work."""
    keys: dict[str, Schema] = {key: {"type": "string", "pattern": r"\S"} for key in more}
    keys |= {work: per_codec(number(span)) for work in throughput.WORKS}
    limits = table(keys, *more)
    return limits | {"anyOf": [{"required": [work]} for work in throughput.WORKS]}


def _trained(point: Schema) -> Schema:
    """Return the schema of points that models are trained at."""
    return either(per_codec(listed(either(point, choice((MIXED,))))), NULL)


def _default(record: type, name: str) -> object:
    """Return the default of a field, as a file would state it."""
    (value,) = (each.default for each in fields(record) if each.name == name)
    return list(value) if isinstance(value, tuple) else value


_timed: Final = partial(_default, throughput.Asked)
_trained_by: Final = partial(_default, recovery.Finetuning)


KEYS_OF_THROUGHPUT: Final[Mapping[str, Schema]] = {
    "reference": suggested(CODECS.own, TEXT)
    | {"description": "codec that others are compared with", "default": throughput.REFERENCE},
    "codecs": CODEC_LIST | {"description": "codecs to time; the guard's by default"},
    "bpp": ref("rates") | {"description": "rates to time; the guard's by default"},
    "quality": ref("qualities") | {"description": "qualities to time; the guard's by default"},
    "images": whole(throughput.IMAGES)
    | {"description": "images that are coded in one call", "default": _timed("images")},
    "rounds": whole(throughput.ROUNDS)
    | {"description": "timed passes, each beside one of the reference", "default": _timed("rounds")},
    "min_ratio": _by_work(throughput.RATIOS) | {"description": "least speed, divided by the reference's"},
    "min_speed": _by_work(throughput.SPEEDS, "device")
    | {"description": "least megapixels per second, on this device alone"},
    "max_growth": number(throughput.GROWTHS) | {"description": "megabytes by which memory may grow"},
}
"""The keys; a test holds them against those of the reader."""

KEYS_OF_RECOVERY: Final[Mapping[str, Schema]] = {
    "train": NAMED_FACTORY | {"description": "training data: a factory, fixture:NAME or a registered name"},
    "trainer": either(OWN_FACTORY, NULL) | {"description": "factory that finetunes; the task's recipe by default"},
    "codecs": CODEC_LIST | {"description": "codecs of training and of test images; the guard's by default"},
    "bpp": _trained(RATE) | {"description": "rates to train at; mixed beside two or more is one model over them all"},
    "quality": _trained({"type": "number"}) | {"description": "qualities to train at, in the same forms"},
    "steps": whole(recovery.STEPS) | {"description": "steps of each training", "default": _trained_by("steps")},
    "batch": whole(recovery.BATCH) | {"description": "images of each step", "default": _trained_by("batch")},
    "images": whole(recovery.IMAGES)
    | {"description": "training images, a seeded choice", "default": _trained_by("images")},
    "seeds": either(whole(recovery.SEEDS), listed(whole(recovery.SEEDS)))
    | {"description": "each is a training of its own", "default": _trained_by("seeds")},
    "learning_rate": either(number(recovery.LEARNING_RATES), NULL) | {"description": "the highest learning rate"},
    "min_recovered": either(per_codec(number(recovery.SHARES)), NULL)
    | {"description": "least share of the drop that has to come back, 0 to 1"},
}
"""The keys; a test holds them against those of the reader."""

STUDIES: Final[Mapping[str, Schema]] = {
    "throughput": either(table(KEYS_OF_THROUGHPUT), NULL)
    | {"description": "what --cg-benchmark times, and how fast it has to be"},
    "recovery": either(table(KEYS_OF_RECOVERY), NULL)
    | {"description": "how --cg-recovery finetunes the model, and what that has to bring back"},
}
