"""Forms of values that several keys take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeAlias

from compress_guard.thresholds.catalogue import DEFAULT
from compress_guard.thresholds.keys.curve import POINTS, QUALITY, RATES
from compress_guard.thresholds.value import Span

Schema: TypeAlias = dict[str, Any]

NULL: Final[Schema] = {"type": "null"}
_PLAIN_NUMBER: Final = r"\+?0*([1-7](\.[0-9]*)?|8(\.0*)?|\.[1-9][0-9]*|\.0[2-9][0-9]*)"
_EXPONENT: Final = r"\+?(\.[0-9]+|[0-9]+(\.[0-9]*)?)[eE][-+]?[0-9]+"
RATE_KEY: Final = rf"^({_PLAIN_NUMBER}|{_EXPONENT})$"
"""A rate as the key of a map: 0.02 to 8, of which no more than the spelling is checked with an exponent."""
QUALITY_KEY: Final = rf"^{QUALITY}$"
CODEC_KEY: Final = r"^[A-Za-z]"
"""A codec as the key of a map; whether the file has it is the reader's to say."""
NAME: Final = r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$"
_IDENTIFIER: Final = r"(?![0-9])[^\x00-\x2f\x3a-\x40\x5b-\x5e\x60\x7b-\x7f]+"
"""A name in Python; letters beyond ASCII are not looked at, since engines differ in these."""
FACTORY: Final = rf"^{_IDENTIFIER}(\.{_IDENTIFIER})*:{_IDENTIFIER}$"
REGISTERED: Final = r"^[A-Za-z][A-Za-z0-9_.-]*$"


def number(span: Span) -> Schema:
    """Return the schema of a number in a span."""
    low = "exclusiveMinimum" if span.open_low else "minimum"
    high = "exclusiveMaximum" if span.open_high else "maximum"
    return {"type": "number", low: span.low, high: span.high}


def whole(allowed: range) -> Schema:
    """Return the schema of a whole number in a range."""
    return {"type": "integer", "minimum": allowed[0], "maximum": allowed[-1]}


def choice(names: Iterable[str]) -> Schema:
    """Return the schema of one of a few texts."""
    return {"enum": list(names)}


def suggested(names: Iterable[str], others: Schema) -> Schema:
    """Return the schema of a text that may be one of these names, which editors then propose, or of another form."""
    return {"anyOf": [choice(names), others]}


def either(*forms: Schema) -> Schema:
    """Return the schema of a value in any of these forms."""
    return {"anyOf": list(forms)}


def listed(element: Schema) -> Schema:
    """Return the schema of a list of one or more different elements."""
    return {"type": "array", "items": element, "minItems": 1, "uniqueItems": True}


def table(properties: Mapping[str, Schema], *required: str) -> Schema:
    """Return the schema of a map of these keys alone."""
    made: Schema = {"type": "object", "properties": dict(properties), "additionalProperties": False}
    return made | {"required": list(required)} if required else made


def per_codec(form: Schema) -> Schema:
    """Return the schema of a value in a form, or of a map from codecs to such values."""
    by_codec: Schema = {
        "type": "object",
        "minProperties": 1,
        "propertyNames": {"pattern": CODEC_KEY},
        "properties": {DEFAULT: form | {"description": "for every codec that is not named"}},
        "additionalProperties": form,
    }
    return either(form, by_codec)


def by_point(value: Schema) -> Schema:
    """Return the schema of a map from rates and qualities to values."""
    return {
        "type": "object",
        "minProperties": 1,
        "patternProperties": {RATE_KEY: value, QUALITY_KEY: value},
        "additionalProperties": False,
    }


def ref(name: str) -> Schema:
    """Return a reference to one of `DEFINITIONS`."""
    return {"$ref": f"#/definitions/{name}"}


TEXT: Final[Schema] = {"type": "string", "minLength": 1}
FACTORIES: Final[Schema] = {"type": "string", "pattern": FACTORY}
OWN_FACTORY: Final[Schema] = FACTORIES | {"not": {"pattern": "^fixture:"}}
"""A factory that may not be a fixture of pytest."""
NAMED_FACTORY: Final[Schema] = either(FACTORIES, {"type": "string", "pattern": REGISTERED})
BY: Final[Schema] = either(OWN_FACTORY, {"type": "string", "pattern": "^[^:]+$"})
"""A factory, a field of the targets or the name of a ready-made rule."""
RATE: Final = number(RATES)
LIMIT: Final = per_codec(ref("curve"))
DEFINITIONS: Final[Mapping[str, Schema]] = {
    "points": number(POINTS),
    "curve": either(ref("points"), by_point(ref("points"))),
    "limit": LIMIT,
    "rates": per_codec(either(listed(RATE), NULL)),
    "qualities": per_codec(either(listed({"type": "number"}), NULL)),
}
