"""Waivers under ``compress-guard run``, for cells and for timed codecs."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from compress_guard.engine import settings


def waive(folder, cells, until="2026-12-31"):
    file = folder / "thresholds.yaml"
    file.write_text(file.read_text() + f'waive: [{{cells: "{cells}", reason: ISSUE-12, until: {until}}}]\n')


@pytest.mark.parametrize(("today", "code", "outcome"), [("2026-12-31", 0, "skipped"), ("2027-01-01", 1, "failed")])
def test_a_known_failure_is_waived_until_its_date(command, guards, folder, monkeypatch, today, code, outcome):
    guards("codecs: [jpeg], bpp: [0.5]", toy="max_drop: 1")
    waive(folder, "toy[*")
    made = settings.RunOptions.settings
    monkeypatch.setattr(
        settings.RunOptions, "settings", lambda *given, **named: replace(made(*given, **named), today=today)
    )
    done = command("run", "--json", "results.json")
    (cell,) = json.loads((folder / "results.json").read_text())["cells"]
    assert (done.code, cell["verdict"], cell["outcome"]) == (code, "fail", outcome)
    assert cell["waived"] == ("ISSUE-12" if outcome == "skipped" else None)
    assert f"[1/1] toy[jpeg-0.5bpp] {outcome}: " in done.err


def test_a_slow_codec_is_waived(command, guards, folder):
    limits = "{device: cpu, encode: 1000000, decode: 1000000, round_trip: 1000000}"
    timing = f"throughput: {{codecs: [webp], images: 2, rounds: 3, min_speed: {limits}}}"
    guards("codecs: [webp], bpp: [0.5], limit: 4", toy=f"max_drop: 100, {timing}")
    waive(folder, "toy[throughput-*", "9999-12-31")
    done = command("run", "--benchmark", "--json", "results.json")
    timed = json.loads((folder / "results.json").read_text())["throughput"]
    seen = {(each["verdict"], each["outcome"], each["waived"], each["waived_until"]) for each in timed}
    assert seen == {("fail", "skipped", "ISSUE-12", "9999-12-31")}
    assert done.code == 0
