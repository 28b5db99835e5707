"""The generated pages of reference are complete: each key, option, argument, field and public name is there."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import pytest

import compress_guard
from compress_guard import errors
from compress_guard.records import CellResult, RecoveryPoint, RecoveryResult, ThroughputResult, TrafficResult
from compress_guard.registry import CODECS, option_names
from compress_guard.thresholds.schema import SCHEMA_FILE
from docs._generate import api, commands, keys, matrix, options, parts, units
from docs._generate import fields as results_fields


def section(text: str, heading: str) -> str:
    """The part of a page below a heading of the second level."""
    (found,) = re.findall(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return found


def first_cells(text: str) -> list[str]:
    return re.findall(r"^\| `([^`]+)`", text, re.MULTILINE)


def described_keys(schema: Any) -> Iterator[str]:
    """Every key of a map of the schema that has a form of its own."""
    if isinstance(schema, dict):
        yield from schema.get("properties", {})
        for value in schema.values():
            yield from described_keys(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from described_keys(value)


def test_every_key_of_the_schema_is_there_with_its_meaning() -> None:
    schema = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    text = keys.keys_part()
    # `type` is the column of its table, `default` is explained in prose.
    assert {name for name in described_keys(schema) if f"`{name}`" not in text} == set()
    assert set(first_cells(section(text, "Keys of `defaults`"))) == set(schema["properties"]["defaults"]["properties"])
    own = set(first_cells(section(text, "Keys of a guard")))
    assert own | set(first_cells(section(text, "Keys of `defaults`"))) == set(
        schema["definitions"]["guard"]["properties"]
    )
    for heading in ("Sections of the file", "Keys of a guard", "Keys of `defaults`", "Keys of `throughput`"):
        assert re.findall(r"^\|.*\| +\|$", section(text, heading), re.MULTILINE) == [], "a key without a description"


def test_every_codec_has_its_options() -> None:
    text = section(keys.keys_part(), "Types of `codecs`")
    assert sorted(first_cells(text)) == sorted(["type", *CODECS.own])  # the first is the heading
    for kind in CODECS.own:
        (row,) = re.findall(rf"^\| `{kind}` \| (.+) \|$", text, re.MULTILINE)
        assert set(re.findall(r"`(\w+)`", row)) >= set(option_names(kind))
    assert re.search(r"^\| `command` \| \*\*`encoder`\*\*, ", text, re.MULTILINE)


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ({"type": "number", "exclusiveMinimum": 0, "maximum": 0.5}, "number above 0 and at most 0.5"),
        ({"type": "integer", "minimum": 1, "maximum": 1_000_000}, "whole number at least 1 and at most 1 000 000"),
        ({"anyOf": [{"$ref": "#/definitions/limit"}, {"type": "null"}]}, "limit or `null`"),
        ({"enum": ["skip", "fail"]}, "`skip`, `fail`"),
        ({"type": "array", "items": {"enum": sorted(CODECS.own)}}, "list of [codec](#types-of-codecs)"),
        ({"type": "boolean"}, "`true` or `false`"),
    ],
)
def test_a_form_is_put_into_words(schema: dict[str, Any], text: str) -> None:
    assert keys.form_text(schema) == text


def test_a_form_without_words_is_refused() -> None:
    with pytest.raises(ValueError, match="no words for the schema"):
        keys.form_text({"not": {}})


def test_every_option_of_pytest_is_there(pytester: pytest.Pytester) -> None:
    text = options.options_part()
    config = pytester.parseconfig()
    known = {name for option in config._parser._anonymous.options for name in option.names()}
    for group in config._parser._groups:
        known |= {name for option in group.options for name in option.names()}
    ours = {name for name in known if name.startswith(("--cg-", "--compress-guard"))}
    assert "--cg-baseline" in ours
    assert {cell.partition(" ")[0] for cell in first_cells(section(text, "Command line"))} == ours
    assert first_cells(section(text, "Ini file")) == ["compress_guard_thresholds"]


def test_every_argument_of_every_command_is_there() -> None:
    text = commands.commands_part()
    made = commands.commands()
    assert {"init", "run", "diff", "merge", "github", "github comment"} <= set(made)
    for name, parser in made.items():
        part = section(text, f"`compress-guard {name}`")
        assert (parser.description or "?")[:40] in part
        for action in parser._actions:
            shown = action.option_strings or [str(action.metavar or action.dest)]
            assert [word for word in shown if word not in ("-h", "--help") and f"`{word}" not in part] == [], name
        assert "%(" not in part
        assert "\x1b" not in part


@pytest.mark.parametrize("record", [CellResult, RecoveryPoint, RecoveryResult, ThroughputResult, TrafficResult])
def test_every_field_of_a_result_has_its_form_and_its_meaning(record: Any) -> None:
    (heading,) = (heading for heading, each, _ in results_fields.RECORDS if each is record)
    rows = re.findall(
        r"^\| `(\w+)` \| (.+) \| (.*) \| (.+) \|$",
        section(results_fields.fields_part(), heading),
        re.MULTILINE,
    )
    names = record.field_names() if record is CellResult else [each.name for each in fields(record)]
    assert [row[0] for row in rows] == list(names)
    assert [name for name, form, _, meaning in rows if not form.strip() or len(meaning) < 4] == []
    # A figure says what it counts in.
    assert [name for name, form, unit, _ in rows if form.startswith("number") and not unit.strip()] == []


def test_forms_of_fields() -> None:
    made = {each.name: each for each in results_fields.fields_of(CellResult)}
    assert made["drop"].path == "scores.drop"
    assert results_fields.type_text(made["drop"].hint) == "number or `null`"
    assert results_fields.type_text(made["outcome"].hint) == "`passed`, `failed`, `skipped`"
    assert results_fields.type_text(made["error_ids"].hint) == "list of text"


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("drop_low", "points"),
        ("bpp_mean", "bits per pixel"),
        ("reference_bpp", "bits per pixel"),
        ("interval_confidence", "share"),
        ("min_ratio", "times the reference"),
        ("reference_speed", "megapixels per second"),
        ("nothing", None),
    ],
)
def test_units(name: str, unit: str | None) -> None:
    assert units.unit(name) == unit


def test_every_public_name_is_in_the_api() -> None:
    text = api.api_part()
    shown = set(re.findall(r"^\.\. auto\w+:: ([\w.]+)$", text, re.MULTILINE))
    modules = {
        name: value for name in compress_guard.__all__ if inspect.ismodule(value := getattr(compress_guard, name))
    }
    assert "transforms" in modules
    wanted = {f"compress_guard.{name}" for name in compress_guard.__all__} - {
        f"compress_guard.{name}" for name in modules
    }
    wanted |= {f"compress_guard.{name}.{each}" for name, module in modules.items() for each in module.__all__}
    wanted |= {f"compress_guard.errors.{name}" for name in api.error_names()}
    assert {name for name in wanted if name not in shown and f"`{name}`" not in text} == set()
    assert len(api.error_names()) > 10
    assert errors.ThresholdsError.__name__ in api.error_names()
    for fixture in ("guard", "compressed_batches", "codec_throughput"):
        assert f".. py:function:: {fixture}\n" in text


def test_the_matrix_is_that_of_the_readme() -> None:
    text = matrix.matrix_part()
    assert text.startswith("```text\n")
    assert "bpp" in text
    assert text.count("```") == 2


def test_a_mark_is_replaced_with_what_stands_in_its_place() -> None:
    page = "a\n<!-- generated: matrix -->\nelsewhere\n<!-- end of matrix -->\nb\n"
    made = parts.with_parts(page)
    assert made == f"a\n{matrix.matrix_part()}b\n"
    with pytest.raises(KeyError):
        parts.with_parts("<!-- generated: nothing -->\n")
