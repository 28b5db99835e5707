"""``compress-guard run --benchmark``: throughput cells instead of a model's."""

from __future__ import annotations

import json

import pytest

from compress_guard.engine.throughput import comparison
from compress_guard.records import ThroughputResult

WEBP = "throughput: {codecs: [webp], rounds: 3, images: 4, min_ratio: {encode: %s}}"


@pytest.fixture(autouse=True)
def no_growth(monkeypatch):
    """Collecting the garbage of a whole test run takes long."""
    monkeypatch.setattr(comparison, "held", lambda device: 100.0)


def results(path):
    document = json.loads(path.read_text())
    assert document["cells"] == []
    return {one["id"].partition("::")[2]: ThroughputResult.from_dict(one) for one in document["throughput"]}


def test_the_cells_of_a_file(command, guards, folder):
    guards("codecs: [jpeg, webp], bpp: [2]", toy=WEBP % "0.0001", other="")
    done = command("run", "--benchmark", "--workers", "1", "--json", "out/results.json")
    found = results(folder / "out" / "results.json")
    assert done.code == 0
    assert list(found) == [f"toy[throughput-webp-2.0bpp{part}]" for part in ("-encode", "-decode", "")]
    result = found["toy[throughput-webp-2.0bpp-encode]"]
    assert result.id == "thresholds.yaml::toy[throughput-webp-2.0bpp-encode]"
    assert (result.verdict, result.outcome, result.images, result.rounds) == ("pass", "passed", 4, 3)
    assert done.err.splitlines()[0] == f"[1/3] toy[throughput-webp-2.0bpp-encode] passed: {result.reason}"
    assert "throughput in megapixels per second" in done.out
    assert "webp 2.0bpp" in done.out
    assert "throughput: 3 cells: 1 passed, 2 skipped (verdicts: 1 pass, 2 unjudged)" in done.out


def test_a_cell_that_is_too_slow(command, guards):
    guards("codecs: [jpeg, webp], bpp: [2]", toy=WEBP % "1000")
    done = command("run", "--benchmark", "--workers", "1", "--no-cache")
    assert done.code == 1
    assert "least allowed 1000" in done.out


def test_without_throughput_in_the_file_all_is_timed_once_per_data_set(command, guards, folder):
    guards("codecs: [jpeg, webp], bpp: [2]", toy="", same="")
    done = command("run", "--benchmark", "--only", "*encode]", "--limit", "2", "--json=results.json")
    found = results(folder / "results.json")
    assert done.code == 0
    assert list(found) == ["toy[throughput-jpeg-2.0bpp-encode]", "toy[throughput-webp-2.0bpp-encode]"]
    assert {result.verdict for result in found.values()} == {"unjudged"}
    assert {result.images for result in found.values()} == {2}


def test_no_model_is_made(command, guards):
    guards(toy='model: "no.such:model", throughput: {codecs: [jpeg], rounds: 3, images: 2}, bpp: [2]')
    assert command("run", "--benchmark", "--only", "*encode]").code == 0
    assert command("run", "--only", "*").code == 1


def test_fixtures_of_models_do_not_matter_and_those_of_data_do(command, guards, folder):
    guards(toy='model: "fixture:net", bpp: [2]')
    assert command("run", "--benchmark", "--only", "*encode]", "--limit", "2").code == 0
    path = folder / "thresholds.yaml"
    path.write_text(path.read_text().replace('data: "toy:data"', 'data: "fixture:photos"'))
    done = command("run", "--benchmark")
    assert done.code == 4
    assert "toy: data is fixture:photos, and fixtures need pytest; run `pytest --compress-guard`" in done.err


def test_a_pattern_has_to_match_a_throughput_cell(command, guards):
    guards("codecs: [jpeg], bpp: [2]", toy="")
    done = command("run", "--benchmark", "--only", "toy[jpeg-*")
    assert done.code == 4
    assert "--only: no cell matches toy[jpeg-*; there are 3, the first is toy[throughput-jpeg-2.0bpp" in done.err


def test_a_codec_that_is_not_here_fails_by_policy(command, guards, monkeypatch):
    monkeypatch.setattr("compress_guard.codecs.webp.WebP.unavailable", lambda self: "no webp; pip install pillow")
    guards("codecs: [webp], bpp: [2]", toy="throughput: {rounds: 3, images: 2}")
    done = command("run", "--benchmark", "--only", "*encode]")
    assert done.code == 1
    assert "toy[throughput-webp-2.0bpp-encode] failed: no webp\n" in done.err
    assert "no webp; pip install pillow; failed by on_unavailable: fail" in done.out


def test_a_run_without_the_option_times_nothing(command, guards, folder):
    guards("codecs: [jpeg], bpp: [2], limit: 8", toy="max_drop: 100, " + WEBP.replace("webp", "jpeg") % "{webp: 1}")
    assert command("run", "--json=results.json").code == 4
    guards("codecs: [jpeg], bpp: [2], limit: 8", toy="max_drop: 100, throughput: {rounds: 3}")
    assert command("run", "--json=results.json").code == 0
    document = json.loads((folder / "results.json").read_text())
    assert (len(document["cells"]), document["throughput"]) == (1, [])
