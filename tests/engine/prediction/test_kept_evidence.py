"""Evidence in the run folder: whole or not there, whoever died while writing it, and what cannot be read is told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from compress_guard.engine.cells.measured import Measured
from compress_guard.engine.evidence_files import collect_evidence, evidence_lost, keep_evidence
from compress_guard.records import Evidence, Scores


@pytest.fixture
def measured(passed_cell):
    result = passed_cell(id="t.yaml::a[jpeg-1.0bpp]", target_bpp=1.0, scores=Scores(drop=0.0))
    evidence = Evidence(ids=("x",), items=({"label": np.array(1)},))
    return Measured(result, evidence, evidence)


def test_a_process_that_dies_while_it_writes_leaves_no_half_of_a_file(tmp_path, measured, monkeypatch):
    class Died(BaseException):
        pass

    def half(path, data):
        with path.open("wb") as file:
            file.write(data[: len(data) // 2])
        raise Died

    monkeypatch.setattr(Path, "write_bytes", half)
    with pytest.raises(Died):
        keep_evidence(tmp_path, measured)
    monkeypatch.undo()
    assert collect_evidence(tmp_path) == {}
    keep_evidence(tmp_path, measured)
    assert sorted(collect_evidence(tmp_path)) == [
        "t.yaml__a[jpeg-1.0bpp].clean.npz",
        "t.yaml__a[jpeg-1.0bpp].compressed.npz",
    ]


def test_a_file_that_cannot_be_read_costs_no_other(tmp_path, measured):
    keep_evidence(tmp_path, measured)
    (lost,) = tmp_path.glob("*/*compressed.npz")
    lost.unlink()
    lost.mkdir()
    found = collect_evidence(tmp_path)
    assert list(found) == ["t.yaml__a[jpeg-1.0bpp].clean.npz"]
    told = evidence_lost(tmp_path, [measured.result], found)
    assert told is not None
    assert told.startswith(
        "the evidence of 1 of 1 cells is not beside their results, the first: t.yaml::a[jpeg-1.0bpp]"
    )
