"""The codecs that the page on codecs names, under its own aliases."""

import re
from pathlib import Path

import pytest

from compress_guard.thresholds import load

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "codecs.md"
BLOCKS = re.findall(r"```yaml\n(codecs:\n.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
GUARDS = "guards:\n  photos: {task: classification, model: m:f, data: d:f}\n"


def test_the_page_shows_some():
    assert len(BLOCKS) >= 3


@pytest.mark.parametrize("block", BLOCKS)
def test_they_load(tmp_path, block):
    names = re.findall(r"^  (\w+):", block, re.MULTILINE)
    file = tmp_path / "thresholds.yaml"
    file.write_text(f"version: 1\n{block}defaults: {{codecs: [{', '.join(names)}]}}\n{GUARDS}", encoding="utf-8")
    (guard,) = load(file).guards
    assert [spec.alias for spec in guard.codecs] == names
