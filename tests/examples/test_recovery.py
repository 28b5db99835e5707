"""The studies of examples/recovery.yaml, at a step each."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from compress_guard.cli import main

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_the_bundled_models_of_all_three_tasks_can_be_finetuned(tmp_path, monkeypatch, capsys):
    monkeypatch.syspath_prepend(EXAMPLES.parent)
    text = (EXAMPLES / "recovery.yaml").read_text(encoding="utf-8")
    for key, value in {"images": "4", "steps": "1", "limit": "8", "seeds": "[0]", "codecs": "[avif]"}.items():
        text = re.sub(rf"\b{key}: (\[.*?\]|\d+)", f"{key}: {value}", text)
    (tmp_path / "recovery.yaml").write_text(text, encoding="utf-8")
    code = main(
        [
            "recover",
            str(tmp_path / "recovery.yaml"),
            "--json",
            str(tmp_path / "r.json"),
            "--figure",
            str(tmp_path / "r.svg"),
        ]
    )
    captured = capsys.readouterr()
    assert code == 0, captured.err
    studies = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))["recovery"]
    assert [(study["guard"], study["trained_bpp"]) for study in studies] == [
        *(("segmenter", 0.1), ("segmenter", 0.25), ("segmenter", "mixed")),
        *(("classifier", 0.1), ("classifier", 0.25)),
        *(("detector", 0.1), ("detector", 0.25)),
    ]
    assert all((study["verdict"], study["steps"], study["images"]) == ("unjudged", 1, 8) for study in studies)
    assert [study["trained"] for study in studies] == [2, 1, 1, 2, 1, 2, 1]


@pytest.mark.parametrize("name", ["recovery.yaml", "photos/recovery.yaml"])
def test_every_file_of_studies_makes_sense(name):
    from compress_guard.thresholds import load

    studied = [guard.recovery for guard in load(EXAMPLES / name).guards]
    assert studied
    assert all(recovery is not None and len(recovery.points) >= 2 for recovery in studied)
