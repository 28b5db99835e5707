"""Whatever stands in a file: guards, or one message with its line; never another exception."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compress_guard.errors import ThresholdsError
from compress_guard.thresholds import load

GOOD: dict[str, Any] = {
    "version": 1,
    "thresholds": {"classification": {"max_drop": {"jpeg": 3, "default": 2}}},
    "codecs": {"own": {"type": "jpeg", "subsampling": "4:4:4"}},
    "defaults": {
        "codecs": ["own", "webp"],
        "bpp": {"own": [1, 2], "default": [0.5]},
        "rate": "image",
        "rate_tolerance": 0.02,
        "limit": None,
        "confidence": 0.95,
        "on_inconclusive": "pass",
        "correction": "bonferroni",
        "decoder_swap": True,
        "decoders": ["pillow", "opencv"],
        "max_decoder_drop": {"own": 2, "default": 3},
        "max_regression": {"own": 3, "default": 2},
        "max_error_share": 0.0,
        "min_clean": 40,
        "recovery": {"seeds": [0, 1], "min_recovered": {"own": 0.5}},
    },
    "guards": {
        "a": {
            "task": "classification",
            "model": "m:f",
            "data": "d:f",
            "metric": "top5",
            "min_score": 5,
            "recovery": {"train": "d:train", "bpp": {"own": [1, 2, "mixed"], "default": [0.5]}, "steps": 3},
            "slices": {"weather": "m:weather", "class": {"by": "label", "max_drop": {"3": 5, "default": 9}}},
        }
    },
}
WORDS = st.sampled_from(["default", "jpeg", "own", "a", "type", "<<", "", "0.5", "4:4:4", "m:f", "classification"])
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | WORDS | st.text(max_size=5)
JUNK = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(WORDS, inner, max_size=2), max_leaves=3
)
never_mind_the_folder = settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))


def places(node: Any) -> list[tuple[Any, Any]]:
    """Every container with each of its keys or indices."""
    if not isinstance(node, dict | list):
        return []
    keys = list(node) if isinstance(node, dict) else list(range(len(node)))
    return [(node, key) for key in keys] + [place for key in keys for place in places(node[key])]


def check(tmp_path, data: bytes) -> None:
    path = tmp_path / "thresholds.yaml"
    path.write_bytes(data)
    try:
        guards = load(path).guards
    except ThresholdsError as error:
        assert re.match(r"thresholds\.yaml:\d+(: |$)", error.where + ": ")  # noqa: PT017 - either outcome is fine
    else:
        assert all(guard.cells for guard in guards)


@never_mind_the_folder
@given(st.data())
def test_junk_in_place_of_any_value(tmp_path, data):
    file = copy.deepcopy(GOOD)
    container, key = data.draw(st.sampled_from(places(file)))
    container[key] = data.draw(JUNK)
    check(tmp_path, json.dumps(file, indent=1).encode())


@never_mind_the_folder
@given(st.data())
def test_a_file_with_a_piece_cut_out_or_put_in(tmp_path, data):
    text = json.dumps(GOOD, indent=1).encode()
    start = data.draw(st.integers(0, len(text)))
    end = min(len(text), start + data.draw(st.integers(0, 30)))
    check(tmp_path, text[:start] + data.draw(st.binary(max_size=6)) + text[end:])


def test_the_good_file_is_good(tmp_path):
    path = tmp_path / "thresholds.yaml"
    path.write_text(json.dumps(GOOD))
    (guard,) = load(path).guards
    plain, compared = guard.cells[::2], guard.cells[1::2]
    assert [cell.name for cell in plain] == ["a[own-1.0bpp]", "a[own-2.0bpp]", "a[webp-0.5bpp]"]
    assert [cell.name for cell in compared] == [f"{cell.name[:-1]}-opencv]" for cell in plain]
    assert [cell.max_drop for cell in plain] == pytest.approx([2, 2, 2])
