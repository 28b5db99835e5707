"""The JSON Schema of thresholds files: current, complete, and of one mind with the reader."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compress_guard.errors import ThresholdsError
from compress_guard.records import PIPELINE
from compress_guard.registry import CODECS, TASKS
from compress_guard.thresholds import guards, parse
from compress_guard.thresholds import settings as reader
from compress_guard.thresholds.file import KEYS
from compress_guard.thresholds.keys import recovery, throughput
from compress_guard.thresholds.schema import SCHEMA_FILE, SCHEMA_ID
from compress_guard.thresholds.schema.defaults import SETTINGS
from compress_guard.thresholds.schema.guards import KEYS_OF_GUARDS
from compress_guard.thresholds.schema.studies import KEYS_OF_RECOVERY, KEYS_OF_THROUGHPUT
from compress_guard.thresholds.schema.whole import schema_text, whole_schema
from tests.thresholds.json_view import assert_refused, assert_taken, schema_fault

ROOT: Final = Path(__file__).parents[3]
GUARD: Final = "version: 1\nguards:\n  photos:\n    task: classification\n    model: m:f\n    data: d:f\n"


@pytest.fixture(autouse=True)
def real_codecs(stand_ins, monkeypatch) -> None:
    """Take codecs and tasks themselves in place of the stand-ins."""
    for registry in (CODECS, TASKS):
        for name in list(registry._found):
            monkeypatch.delitem(registry._found, name)


def test_the_file_in_the_package_is_current() -> None:
    remedy = "run python -m compress_guard.thresholds.schema"
    assert SCHEMA_FILE.read_text(encoding="utf-8") == schema_text(), remedy


def test_it_is_written_where_the_command_says(tmp_path) -> None:
    target = tmp_path / "copy.json"
    subprocess.run([sys.executable, "-m", "compress_guard.thresholds.schema", str(target)], check=True)
    assert json.loads(target.read_text(encoding="utf-8"))["$id"] == SCHEMA_ID


def test_it_has_the_keys_that_the_reader_has() -> None:
    remedy = "give the key a form in compress_guard/thresholds/schema"
    assert set(whole_schema()["properties"]) == set(KEYS), remedy
    assert set(SETTINGS) == set(reader.KEYS), remedy
    assert set(KEYS_OF_GUARDS) == set(guards.KEYS), remedy
    assert set(KEYS_OF_THROUGHPUT) == set(throughput.KEYS), remedy
    assert set(KEYS_OF_RECOVERY) == set(recovery.READERS), remedy


def test_every_key_says_what_it_means() -> None:
    definitions = whole_schema()["definitions"]
    keys = {**SETTINGS, **KEYS_OF_GUARDS, **KEYS_OF_THROUGHPUT, **KEYS_OF_RECOVERY}
    for name, form in keys.items():
        assert form.get("description") or definitions[name]["description"], name


def test_it_takes_every_thresholds_file_of_the_repository() -> None:
    files = [ROOT / "thresholds.yaml", *(ROOT / "examples").rglob("*.yaml")]
    assert len(files) >= 4
    for file in files:
        assert_taken(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize(("lines", "place"), [
    ("max_drops: 5", "max_drops"),
    ("max_drop: 105", "max_drop"),
    ("max_drop: five", "max_drop"),
    ("max_drop: {75: 5}", "max_drop"),
    ("max_drop: {jpeg: {0.5: 200}}", "max_drop"),
    ("codecs: jpeg", "codecs"),
    ("bpp: [20]", "bpp"),
    ("bpp: [0.5, 0.5]", "bpp"),
    ("quality: [high]", "quality"),
    ("confidence: 95", "confidence"),
    ("on_inconclusive: warn", "on_inconclusive"),
    ("limit: 0", "limit"),
    ("decoders: [pilow]", "decoders"),
    ("slices: {night: {max_drop: 5}}", "slices"),
    ("recovery: {train: d:g, steps: 0}", "recovery"),
    ("throughput: {min_speed: {encode: 5}}", "throughput"),
    ("model: my model", "model"),
])  # fmt: skip
def test_an_editor_marks_a_slip(lines, place) -> None:
    """Guards with the key given in a wrong way; the fault lies at that key."""
    text = GUARD.replace("    model: m:f\n", "") if lines.startswith("model") else GUARD
    fault = schema_fault(f"{text}    {lines}\n")
    assert fault is not None
    assert f"'{place}'" in fault


@pytest.mark.parametrize(("codecs", "word"), [
    ("{small: {type: jpeg, subsamplin: 1}}", "small"),
    ("{upload: {type: pipeline}}", "upload"),
    ("{default: {type: jpeg}}", "default"),
    ("{webp: {type: jpeg}}", "webp"),
    ("{small: {subsampling: 1}}", "type"),
])  # fmt: skip
def test_an_editor_marks_a_codec_that_cannot_be(codecs, word) -> None:
    fault = schema_fault(GUARD.replace("guards:", f"codecs: {codecs}\nguards:"))
    assert fault is not None
    assert word in fault


def test_it_proposes_the_registered_codecs_and_tasks() -> None:
    text = SCHEMA_FILE.read_text(encoding="utf-8")
    assert all(f'"{name}"' in text for name in (*CODECS.own, *TASKS.own, PIPELINE))


# Values that each key may have, right and wrong ones by turns
VALUES: Final = {
    "codecs": ["[jpeg]", "[jpeg, webp]", "[jpg]", "[]", "[jpeg, jpeg]", "[own]", "['zoo:mbt2018-mean']", "[upload]"],
    "bpp": ["[0.5]", "[0.25, 1]", "{jpeg: [0.5], default: [1, 2]}", "[9]", "null", "{1: [1]}", "{jpeg: 5}", "[1, 1.0]"],
    "quality": ["[75]", "{jpeg: [75, 50], webp: [80], default: [60]}", "null", "75", "[q75]", "[]", "{default: null}"],
    "max_drop": ["5", "{0.1: 9, 2: 1}", "{q75: 2}", "{jpeg: 3, default: {0.1: 5, 2: 4}}", "{}", "-1", "{9: 1}", "null"],
    "min_score": ["5", "{1: 60}", "{q75: 60}", "{jpeg: 3}", "{jpeg: {}}", "[5]", "{jpeg: {}, 0.5: 1}"],
    "limit": ["5", "null", "{jpeg: 5, default: null}", "0", "1.5", "true"],
    "reference": ["source", "input", "nothing"],
    "rate": ["image", "dataset", "images"],
    "confidence": ["0.9", "1", "'0.9'"],
    "min_clean": ["0", "50", "null", "101", "{1: 50}"],
    "decoders": ["[pillow, opencv]", "[pillow]", "null", "[pil]", "[]"],
    "max_decoder_drop": ["2", "{q75: 1}", "null", "{jpeg: 1, default: 2}", "x"],
    "max_regression": ["2", "{q75: 1, 0.1: 2, 2: 1}", "null", "{jpeg: 1, default: 2}", "x", "101"],
    "decoder_swap": ["true", "yes", "1"],
    "groups": ["folder", "m:f", "clip", "null", "m:", "5", "''"],
    "orientation": ["upright", "null", "up"],
    "slices": ["{a: b}", "{a: {by: m:f, max_drop: 5}}", "{a: {by: s, max_drop: {x: 5, default: {0.1: 9, 2: 1}}}}", "{}",
               "{a: {by: 'fixture:x'}}", "{'a b': c}", "{a: {by: s, max_drop: {q75: 5}}}", "{a: {by: object_size}}"],
    "traffic": ["{jpeg: 0.5}", "{jpeg: {0.5: 0.2, 1: 0.1}}", "{}", "{jpeg: 2}", "0.5", "{jpeg: {}}", "{jpeg: {x: 1}}"],
    "fingerprint": ["v1", "1.10", "{files: [a.pt]}", "true", "null", "' '", "{}", "{files: []}"],
    "throughput": ["{}", "null", "{images: 4, rounds: 3}", "{rounds: 2}", "{min_ratio: {encode: {webp: 0.1}}}",
                   "{min_speed: {device: x, decode: 5}}", "{min_speed: {decode: 5}}", "{min_ratio: {}}",
                   "{max_growth: 0}"],
    "recovery": ["null", "{train: d:g}", "{train: d:f}", "{train: d:g, bpp: [0.1, 1, mixed]}", "{train: d:g, seeds: 3}",
                 "{train: d:g, seeds: []}", "{steps: 10}", "{train: d:g, bpp: [mixed]}",
                 "{train: d:g, min_recovered: 2}"],
    "metric": ["top1", "map", "5"],
    "task": ["classification", "detection", "clasification", "[a]"],
    "model": ["m:f", "'fixture:x'", "m", "5", "m:f()", "a.b.c:d", "'ä:ö'", "'m f:g'", "1:2"],
    "on_inconclusive": ["fail", "point", "skip"],
    "on_unavailable": ["skip", "fail", "pass"],
    "unknown": ["1"],
}  # fmt: skip
JUNK: Final = [
    "5",
    "-1",
    "0.5",
    "true",
    "null",
    "x",
    "''",
    "[]",
    "[1]",
    "{}",
    "{a: 1}",
    "{0.5: 1}",
    "1e-1",
    ".inf",
    "'5'",
]
CODECS_GIVEN: Final = [
    "{own: {type: jpeg, subsampling: '4:4:4'}}",
    "{upload: {type: pipeline, steps: [{resize: {longest: 64}}, {jpeg: {quality: 80}}]}}",
    "{upload: {type: pipeline, steps: [jpeg]}}",
    "{upload: {type: pipeline, steps: []}}",
    "{own: {type: jpeg, nothing: 5}}",
    "{own: {type: 'zoo:mbt2018-mean'}}",
    "{own: {type: other, any: 5}}",
    "{own: {}}",
    "{}",
    "[]",
]


@st.composite
def files(draw) -> str:
    """A file with some keys, each with a value that fits it or not."""

    def keys(names, most) -> str:
        chosen = draw(st.lists(st.sampled_from(sorted(names)), unique=True, max_size=most))
        values = {name: draw(st.sampled_from(VALUES[name]) | st.sampled_from(JUNK)) for name in chosen}
        return ", ".join(f"{name}: {value}" for name, value in values.items())

    needed = {"task": "classification", "model": "m:f", "data": "d:f"}
    own = keys(set(VALUES), 3)
    fixed = ", ".join(f"{key}: {value}" for key, value in needed.items() if f"{key}: " not in own)
    sections = ["version: 1"]
    if draw(st.booleans()):
        sections.append(f"codecs: {draw(st.sampled_from(CODECS_GIVEN))}")
    if draw(st.booleans()):
        sections.append(f"defaults: {{{keys(set(VALUES) & set(reader.KEYS) | {'unknown'}, 2)}}}")
    if draw(st.booleans()):
        value = draw(st.sampled_from([*VALUES["max_drop"], *JUNK]))
        sections.append(f"thresholds: {{classification: {{max_drop: {value}}}}}")
    sections.append(f"guards: {{photos: {{{fixed}{', ' if own else ''}{own}}}}}")
    return "\n".join(sections) + "\n"


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=files())
def test_schema_and_reader_take_the_same_files(text, tmp_path) -> None:
    """Every file that loads is valid; every file that is valid loads, but for the gaps that `json_view` lists."""
    try:
        parse(text, tmp_path / "thresholds.yaml", shown="thresholds.yaml", folder=tmp_path, sources=False)
    except ThresholdsError as refused:
        assert_refused(text, str(refused))
    else:
        assert_taken(text)


def test_rates_as_keys_are_0_02_to_8() -> None:
    (pattern, _) = whole_schema()["definitions"]["curve"]["anyOf"][1]["patternProperties"]
    fitting = ["0.02", "0.1", ".5", "1", "1.0", "1.", "7.99", "8", "8.00", "00.5", "+0.5", "5e-1"]
    others = ["0.01", "0", "0.0", "8.1", "9", "75", "-1", "x", "q75", "", "0.019", "10"]
    assert [each for each in fitting if not re.search(pattern, each)] == []
    assert [each for each in others if re.search(pattern, each)] == []
