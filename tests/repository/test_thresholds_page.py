"""docs/reference/thresholds.md and the reference in the package name every key that the reader knows."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

import compress_guard.thresholds
from compress_guard.errors import ThresholdsError

PAGE: Final = Path(__file__).parents[2] / "docs" / "reference" / "thresholds.md"
GUARD: Final = "task: classification, model: 'm:f', data: 'd:f'"
ASKING: Final = {
    "file": "version: 1\n?: 1\nguards: {{photos: {{{guard}}}}}\n",
    "defaults": "version: 1\ndefaults: {{?: 1}}\nguards: {{photos: {{{guard}}}}}\n",
    "guard": "version: 1\nguards: {{photos: {{{guard}, ?: 1}}}}\n",
    "throughput": "version: 1\nguards: {{photos: {{{guard}, throughput: {{?: 1}}}}}}\n",
    "recovery": "version: 1\nguards: {{photos: {{{guard}, recovery: {{train: 'd:g', ?: 1}}}}}}\n",
}
"""Files with a key that nobody knows, in each place: the message names those that are known there."""


def keys(text: str, folder: Path) -> list[str]:
    file = folder / "thresholds.yaml"
    file.write_text(text.format(guard=GUARD).replace("?", "nobody_knows_this"), encoding="utf-8")
    with pytest.raises(ThresholdsError, match="unknown key 'nobody_knows_this'; known: ") as caught:
        compress_guard.thresholds.load(file)
    return caught.value.found.partition("known: ")[2].split(", ")


@pytest.mark.parametrize("text", ASKING.values(), ids=ASKING)
def test_every_key_is_on_the_page_and_in_the_reference(text: str, tmp_path: Path) -> None:
    known = keys(text, tmp_path)
    assert len(known) >= 5
    page = PAGE.read_text(encoding="utf-8")
    rows = {
        name for row in re.findall(r"^\| (`.+?) \|", page, flags=re.MULTILINE) for name in re.findall(r"`(\w+)`", row)
    }
    shown = set(re.findall(r"^(\w+):", page, flags=re.MULTILINE))
    assert set(known) - rows - shown == set()
    reference = compress_guard.thresholds.__doc__ or ""
    if "throughput: {" not in text:  # the reference leaves those keys to the page
        assert {name for name in known if not re.search(rf"\b{name}\b", reference)} == set()
