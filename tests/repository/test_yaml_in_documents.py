"""YAML in the documents is a thresholds file, keys of a guard that load in one, or steps of a workflow."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from compress_guard.thresholds import load
from compress_guard.thresholds.keys import throughput
from compress_guard.thresholds.schema.defaults import SETTINGS
from compress_guard.thresholds.schema.guards import KEYS_OF_GUARDS
from tests.repository.test_code_in_documents import NEEDED, PAGES, ROOT

BLOCK: Final = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
WHOLE: Final = {"guards", "defaults", "codecs"}
"""Sections by one of which test_code_in_documents knows a thresholds file, which it loads."""
OF_A_GUARD: Final = set(SETTINGS) | set(KEYS_OF_GUARDS)
OTHERS: Final = {"traffic": {"codecs": ["jpeg", "webp"], "bpp": {"jpeg": [0.5, 1.0], "webp": [0.5]}}}
"""Keys without which a key shown alone means nothing."""
BLOCKS: Final = [
    (page.relative_to(ROOT).as_posix(), yaml.safe_load(code))
    for page in PAGES
    for code in BLOCK.findall(page.read_text(encoding="utf-8"))
]


def keys_of_a_guard(content: Any) -> dict[str, Any] | None:
    """Return the keys of a guard that a block shows; None for a file, a workflow and what belongs to one."""
    if not isinstance(content, dict) or set(content) & WHOLE:
        return None
    if set(content) <= set(throughput.KEYS) - OF_A_GUARD:
        return {"throughput": content}
    return content if set(content) <= OF_A_GUARD else None


def is_of_a_pipeline(content: Any) -> bool:
    """Return True for what a CI service reads: a list of steps, or a map with jobs or scripts."""
    if isinstance(content, list):
        return all({"run", "uses"} & set(step) for step in content)
    maps = [content, *(value for value in content.values() if isinstance(value, dict))]
    return any({"jobs", "on", True, "script", "steps", "with", "uses"} & set(each) for each in maps)


@pytest.mark.parametrize(
    ("page", "content"), [pytest.param(*each, id=f"{each[0]}-{number}") for number, each in enumerate(BLOCKS)]
)
def test_a_block_has_a_meaning(page: str, content: Any) -> None:
    whole = isinstance(content, dict) and bool(set(content) & WHOLE)
    assert whole or keys_of_a_guard(content) is not None or is_of_a_pipeline(content), page


@pytest.mark.parametrize(
    "keys",
    [
        pytest.param(keys, id=f"{page}-{'-'.join(keys)}")
        for page, keys in ((page, keys_of_a_guard(content)) for page, content in BLOCKS)
        if keys
    ],
)
def test_keys_that_are_shown_alone_load_in_a_guard(keys: dict[str, Any], tmp_path: Path) -> None:
    others: dict[str, Any] = {}
    for key in keys:
        others |= OTHERS.get(key, {})
    guard = {**NEEDED, **others, **keys}
    if "object_size" in str(keys.get("slices", "")):
        # One block shows the slices of all tasks; each is tried where it has a meaning.
        guard["slices"] = {name: by for name, by in keys["slices"].items() if by != "object_size"}
    file = tmp_path / "thresholds.yaml"
    file.write_text(yaml.safe_dump({"version": 1, "guards": {"photos": guard}}, sort_keys=False), encoding="utf-8")
    assert [guard.name for guard in load(file).guards] == ["photos"]
