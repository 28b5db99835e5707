"""The defaults that the JSON Schema states are those of the reader."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from compress_guard.thresholds import parse
from compress_guard.thresholds.schema.defaults import DEPENDENT, SETTINGS
from compress_guard.thresholds.schema.studies import KEYS_OF_RECOVERY, KEYS_OF_THROUGHPUT

START = "version: 1\nguards:\n  photos:\n    task: classification\n    model: m:f\n    data: d:f\n"


def guard(more: str) -> str:
    """The guard of a file, without the lines that its parts come from."""
    (loaded,) = parse(f"{START}{more}", Path("t.yaml"), shown="t.yaml", folder=Path(), sources=False).guards
    return re.sub(r"(line|source)=(\d+|'[^']*')", "", repr(loaded))


@pytest.mark.parametrize("key", sorted(set(SETTINGS) - set(DEPENDENT)))
def test_a_guard_that_states_a_default_is_the_guard_without_it(key) -> None:
    stated = guard(f"    {key}: {json.dumps(SETTINGS[key]['default'])}\n")
    # A policy that is stated is remembered as such, since --cg-strict goes by that.
    assert re.sub(r"stated=frozenset\(.*?\)", "", stated) == re.sub(r"stated=frozenset\(.*?\)", "", guard(""))


@pytest.mark.parametrize("key", [key for key, form in KEYS_OF_RECOVERY.items() if "default" in form])
def test_a_study_that_states_a_default_is_the_study_without_it(key) -> None:
    start = "    recovery:\n      train: d:g\n"
    stated = guard(f"{start}      {key}: {json.dumps(KEYS_OF_RECOVERY[key]['default'])}\n")
    assert stated == guard(start)
    assert "recovery=Recovery(" in stated


@pytest.mark.parametrize("key", [key for key, form in KEYS_OF_THROUGHPUT.items() if "default" in form])
def test_timing_that_states_a_default_is_the_timing_without_it(key) -> None:
    start = "    throughput:\n      codecs: [webp]\n"
    stated = guard(f"{start}      {key}: {json.dumps(KEYS_OF_THROUGHPUT[key]['default'])}\n")
    assert stated == guard(start)
    assert "throughput=Throughput(" in stated
