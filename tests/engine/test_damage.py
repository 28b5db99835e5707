"""Whatever a cache holds under the right name and checksum: what cannot be used is made anew."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace

import pytest

from compress_guard.engine.prediction.shards import Predicted
from compress_guard.records import Evidence, PlannedRate, Rate, RatePlan

DEEP = b"[" * 100_000
PLAN = RatePlan(
    "dataset",
    (PlannedRate(1.0, (50.0, None), (100, None), (1.0, None), True, None, 0, False, 1.0),),
)
JUNK = [
    b"",
    DEEP,
    b'{"mode": "dataset", "rates": ' + DEEP,
    b"null",
    b"7",
    b'"text"',
    b'{"mode": "dataset", "rates": 7}',
    b'{"mode": "dataset", "rates": ["text"]}',
    b'{"mode": "dataset", "rates": [{"point": {"bpp": 1}}]}',
    b"\xff\xfe",
    b'{"rates": []}',
]


@pytest.mark.parametrize("data", JUNK, ids=lambda data: data[:30].decode("latin-1"))
def test_bytes_that_are_no_plan_are_a_value_error(data):
    with pytest.raises(ValueError, match="not a rate plan"):
        RatePlan.from_bytes(data)


@pytest.mark.parametrize("data", [*JUNK, b'{"fidelities": 7}', b'{"fidelities": [7]}'], ids=lambda data: str(data[:30]))
def test_bytes_that_are_no_shard_are_a_value_error(data):
    for framed in (data, len(data).to_bytes(4, "big") + data, b"\xff" * 4 + data):
        with pytest.raises(ValueError, match="not what was seen|not evidence"):
            Predicted.from_bytes(framed)


def test_an_archive_that_unpacks_to_more_than_memory_is_no_evidence(monkeypatch):
    monkeypatch.setattr("compress_guard.records.evidence._LARGEST", 2**20)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("ids.npy", bytes(2**21))
    with pytest.raises(ValueError, match="unpacks to 2097152 bytes"):
        Evidence.from_bytes(buffer.getvalue())


@pytest.mark.parametrize(
    ("plan", "fits"),
    [
        (PLAN, True),
        (replace(PLAN, mode="image"), False),
        (replace(PLAN, rates=()), False),
        (replace(PLAN, rates=(replace(PLAN.rates[0], point=Rate(2.0)),)), False),
        (replace(PLAN, rates=(replace(PLAN.rates[0], settings=(50.0,)),)), False),
        (replace(PLAN, rates=(replace(PLAN.rates[0], settings=(51.5, None)),)), False),
    ],
)
def test_a_plan_fits_its_own_images_alone(plan, fits):
    assert plan.fits("dataset", (1.0,), 2, {50.0, 51.0}) is fits


@pytest.mark.parametrize("kind", ["plans", "evidence"])
@pytest.mark.parametrize("junk", [DEEP, json.dumps({"mode": "dataset", "rates": []}).encode()], ids=["deep", "empty"])
def test_a_run_makes_anew_what_it_cannot_use(tmp_path, monkeypatch, kind, junk):
    import torch

    from compress_guard.engine.single_cell import measure
    from compress_guard.store import Store

    noise = torch.Generator().manual_seed(0)
    data = [(torch.randint(0, 256, (3, 64, 64), generator=noise, dtype=torch.uint8), at % 2) for at in range(4)]

    def measured():
        return measure(
            lambda images: [torch.tensor([1.0, 0.0]) for _ in images],
            data,
            task="classification",
            bpp=4.0,
            device="cpu",
            workers=1,
            cache=tmp_path,
            fingerprint="one",
        )

    first = measured()
    real = Store.get_all
    monkeypatch.setattr(
        Store,
        "get_all",
        lambda self, names, wanted="streams": [junk] * len(names) if wanted == kind else real(self, names, wanted),
    )
    again = measured()
    assert (again.verdict, again.score, again.drop, again.bpp_mean) == (
        first.verdict,
        first.score,
        first.drop,
        first.bpp_mean,
    )
