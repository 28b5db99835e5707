"""The keys of thresholds.yaml, from the JSON Schema in the package."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from compress_guard.registry import CODECS
from compress_guard.thresholds.schema import SCHEMA_FILE
from compress_guard.thresholds.schema.forms import FACTORY, REGISTERED
from docs._generate.markdown import cell, code, table

Schema = Mapping[str, Any]

FORMS: Final[Mapping[str, tuple[str, str]]] = {
    "points": ("points", "A number of points, 0 to 100."),
    "curve": ("limit by point", "Points, or a map from rates and qualities to points: `{0.5: 3, q75: 2}`."),
    "limit": ("limit", "Points, a map from rates and qualities to points, or either of them per codec."),
    "rates": ("rates", "A list of rates in bits per pixel, 0.02 to 8, or `null`; or per codec."),
    "qualities": ("qualities", "A list of settings on the codec's own scale, or `null`; or per codec."),
    "option": ("option", "A text, a number, `true`, `false`, or a list of texts and numbers."),
    "steps": ("steps", "A list of codecs, sizes and crops: [pipelines](../howto/pipelines.md)."),
}
"""Names and explanations of the forms that several keys take, by the definition in the schema."""
TOP: Final[Mapping[str, str]] = {
    "thresholds": "map from tasks to [keys](#keys-of-thresholds)",
    "codecs": "map from names to [types](#types-of-codecs) with options",
    "defaults": "[keys](#keys-of-defaults)",
    "guards": "map from names to [keys](#keys-of-a-guard)",
    "waive": "list of [keys](#keys-of-waive)",
}
"""Forms of the sections of the file, each of which is a section of the page."""


def keys_part() -> str:
    """Return the part on keys: a table for each section of the file."""
    schema = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    return "\n".join(_sections(schema))


def _sections(schema: Schema) -> Iterator[str]:
    definitions, top = schema["definitions"], schema["properties"]
    shared = top["defaults"]["properties"]
    yield "## Sections of the file\n\n" + _rows(schema, definitions, TOP)
    yield "## Forms of values\n\n" + table(
        ("form", "what may stand there"), ((cell(name), cell(text)) for name, text in FORMS.values())
    )
    yield (
        "“Per codec” is a map from names of codecs to such values, in which `default` stands for every codec that is "
        "not named.\n"
    )
    guard = definitions["guard"]
    own = {**guard, "properties": {name: form for name, form in guard["properties"].items() if name not in shared}}
    yield "## Keys of a guard\n\nEach guard takes these, and all keys of `defaults`, which it then sets for itself.\n"
    yield _rows(own, definitions)
    yield "## Keys of `defaults`\n\n" + _rows(top["defaults"], definitions)
    for name in ("throughput", "recovery"):
        (form,) = (each for each in definitions[name]["anyOf"] if "properties" in each)
        text = cell(definitions[name]["description"])
        yield f"## Keys of `{name}`\n\n{text[0].upper()}{text[1:]}.\n\n" + _rows(form, definitions)
    yield "## Keys of `thresholds`\n\nOne entry for each task, such as `classification`.\n"
    yield _rows(top["thresholds"]["additionalProperties"], definitions)
    yield "## Keys of `waive`\n\nEach element of the list has these keys.\n"
    yield _rows(top["waive"]["items"], definitions)
    yield "## Types of `codecs`\n\n" + _codecs(definitions["codec"])


def _rows(section: Schema, definitions: Schema, forms: Mapping[str, str] = MappingProxyType({})) -> str:
    needed = section.get("required", ())
    return table(
        ("key", "value", "default", "meaning"),
        (
            (
                code(name),
                forms.get(name) or form_text(form),
                _default(form, needed=name in needed),
                _description(form, definitions),
            )
            for name, form in section["properties"].items()
        ),
    )


def _description(form: Schema, definitions: Schema) -> str:
    named = definitions[form["$ref"].rpartition("/")[2]] if "$ref" in form else {}
    return cell(form.get("description", named.get("description", "")))


def _default(form: Schema, *, needed: bool) -> str:
    if needed:
        return "needed"
    return code(json.dumps(form["default"])) if "default" in form else ""


def form_text(form: Schema) -> str:
    """Return what a schema allows, in words."""
    if "$ref" in form:
        name = form["$ref"].rpartition("/")[2]
        return FORMS[name][0] if name in FORMS else f"map of [keys](#keys-of-{name})"
    if "const" in form:
        return code(json.dumps(form["const"]))
    if "enum" in form:
        if set(form["enum"]) == set(CODECS.own):
            return "[codec](#types-of-codecs)"
        return ", ".join(code(str(name)) for name in form["enum"])
    if "anyOf" in form and "type" not in form:
        texts = [form_text(each) for each in form["anyOf"]]
        per_codec = {each: "per codec" for each, text in enumerate(texts) if text == "map of " + texts[0]}
        return " or ".join(dict.fromkeys(per_codec.get(number, text) for number, text in enumerate(texts)))
    return _plain(form)


def _plain(form: Schema) -> str:
    match form.get("type"):
        case "array":
            return f"list of {form_text(form['items'])}"
        case "object" if isinstance(form.get("additionalProperties"), Mapping):
            return f"map of {form_text(form['additionalProperties'])}"
        case "object" if "patternProperties" in form:
            return f"map of {form_text(next(iter(form['patternProperties'].values())))} by rate or quality"
        case "object":
            return "map of " + ", ".join(code(name) for name in form.get("properties", ()))
        case "string":
            return {FACTORY: "factory", REGISTERED: "registered name"}.get(form.get("pattern", ""), "text")
        case "number" | "integer" as kind:
            return _number("whole number" if kind == "integer" else "number", form)
        case "boolean":
            return "`true` or `false`"
        case "null":
            return "`null`"
    raise ValueError(f"no words for the schema {form}")


def _number(what: str, form: Schema) -> str:
    bounds = (
        ("exclusiveMinimum", "above"),
        ("minimum", "at least"),
        ("exclusiveMaximum", "below"),
        ("maximum", "at most"),
    )
    return " ".join([what, " and ".join(f"{word} {_figure(form[bound])}" for bound, word in bounds if bound in form)])


def _figure(value: float) -> str:
    """Return a bound, with a space between thousands."""
    return f"{value:g}" if not math.isclose(value, round(value)) else f"{round(value):,}".replace(",", " ")


def _codecs(codec: Schema) -> str:
    text = "[Codecs](codecs.md) explains the names. Each type has options of its own; those in bold are needed.\n\n"
    rows = []
    for form in codec["then"]["oneOf"]:
        options = [name for name in form["properties"] if name != "type"]
        shown = [f"**{code(name)}**" if name in form.get("required", ()) else code(name) for name in options]
        rows.append((code(form["properties"]["type"]["const"]), ", ".join(shown) or "none"))
    return text + table(("`type`", "options"), rows)
