"""`compress-guard diff` of recovery studies and throughput cells, and of runs that broke off."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from compress_guard.cli import main
from compress_guard.records import Ending, RecoveryPoint, RecoveryResult, Share, ThroughputResult
from compress_guard.report.results_file import write

DONE = Ending(0)


def study(low: float | None, value: float | None, high: float | None, **more) -> RecoveryResult:
    share = Share(value, low, high)
    point = RecoveryPoint("jpeg", 0.25, 0.25, 60.0, 61.0, 70.0, (61.0,), (70.0,), share, share)
    made = RecoveryResult(
        id="t.yaml::photos[recovery-jpeg-0.25bpp]",
        guard="photos",
        task="classification",
        metric="top1",
        codec="jpeg",
        trained_bpp=0.25,
        verdict="unjudged",
        outcome="passed",
        settled_by="policy",
        reason="it came back",
        confidence=0.95,
        points=() if value is None else (point,),
    )
    return replace(made, **more)


def timed(low: float | None, ratio: float | None, high: float | None, **more) -> ThroughputResult:
    made = ThroughputResult(
        id="t.yaml::photos[throughput-webp-0.25bpp]",
        guard="photos",
        codec="webp",
        target_bpp=0.25,
        work="round_trip",
        verdict="pass",
        outcome="passed",
        settled_by="interval",
        reason="fast enough",
        seed=0,
        confidence=0.95,
        device="cpu (EPYC)",
        codec_version="libwebp 1.4",
        reference="jpeg",
        ratio=ratio,
        ratio_low=low,
        ratio_high=high,
    )
    return replace(made, **more)


@pytest.fixture
def diff(tmp_path, monkeypatch, capsys):
    """Compares two runs with these studies and throughput cells; exit code and output."""
    monkeypatch.chdir(tmp_path)

    def run(before, after, *, endings=(DONE, DONE)) -> tuple[int, list[str]]:
        for name, results, ending in zip(("base.json", "head.json"), (before, after), endings, strict=True):
            studies = [each for each in results if isinstance(each, RecoveryResult)]
            speeds = [each for each in results if isinstance(each, ThroughputResult)]
            write(Path(name), [], {}, {}, speeds, studies, ending)
        code = main(["diff", "base.json", "head.json"])
        captured = capsys.readouterr()
        return code, (captured.out + captured.err).splitlines()

    return run


SHARED = "a share or a ratio where its two intervals have nothing in common"
END = f"; a score moved where its whole 95 % interval did; {SHARED}"


def test_a_share_that_fell_beyond_its_intervals_is_a_regression(diff):
    code, lines = diff([study(0.7, 0.8, 0.9)], [study(0.2, 0.4, 0.6)])
    assert code == 1
    assert lines == [
        "fell: 1 cell",
        "  t.yaml::photos[recovery-jpeg-0.25bpp]  recovered share at jpeg 0.25bpp 0.80 (0.70 to 0.90) to 0.40 (0.20 to "
        "0.60)",
        "",
        f"1 cell in both, 1 change, 1 regression{END}",
    ]
    assert diff([study(0.2, 0.4, 0.6)], [study(0.7, 0.8, 0.9)])[1][0] == "rose: 1 cell"
    assert diff([study(0.7, 0.8, 0.9)], [study(0.5, 0.6, 0.75)]) == (
        0,
        [f"1 cell in both, 0 changes, no regression{END}"],
    )
    # An end that is unbounded tells nothing.
    assert diff([study(0.7, 0.8, None)], [study(0.2, 0.4, 0.6)])[0] == 0


def test_a_ratio_that_fell_is_a_regression_on_the_same_device_alone(diff):
    code, lines = diff([timed(0.7, 0.8, 0.9)], [timed(0.3, 0.4, 0.5, codec_version="libwebp 1.5")])
    assert code == 1
    assert lines[1] == (
        "  t.yaml::photos[throughput-webp-0.25bpp]  ratio to jpeg 0.80 (0.70 to 0.90) to 0.40 (0.30 to 0.50); codec "
        "version libwebp 1.4 -> libwebp 1.5"
    )
    code, lines = diff([timed(0.7, 0.8, 0.9)], [timed(0.3, 0.4, 0.5, device="cpu (Xeon)")])
    assert code == 0
    assert lines[0] == "speeds are not compared, since they are of other devices (1 of 1 throughput cells)"


def test_outcomes_and_lost_cells_are_told(diff):
    failed = {"verdict": "fail", "outcome": "failed", "reason": "0.4 is below 0.5; train longer"}
    code, lines = diff([study(0.7, 0.8, 0.9)], [study(0.7, 0.8, 0.9, **failed)])
    assert (code, lines[0]) == (1, "newly failing: 1 cell")
    assert lines[1] == "  t.yaml::photos[recovery-jpeg-0.25bpp]  0.4 is below 0.5"
    assert diff([study(0.7, 0.8, 0.9, **failed)], [study(0.7, 0.8, 0.9)])[1][0] == "recovered: 1 cell"
    code, lines = diff([study(0.7, 0.8, 0.9)], [study(None, None, None, outcome="skipped", reason="no images")])
    assert (code, lines[0]) == (1, "vanished: 1 cell")
    assert lines[1].endswith("it was measured before, and now has no figure: no images")
    both = [study(0.7, 0.8, 0.9), timed(0.7, 0.8, 0.9)]
    assert diff(both, both[:1])[0] == 0
    code, lines = diff(both, both[:1], endings=(DONE, Ending(2, (both[1].id,))))
    assert code == 1
    assert "  t.yaml::photos[throughput-webp-0.25bpp]  it was selected, and has no result" in lines
    assert "head.json: 1 of its selected cells have no result (exit status 2)" in lines
    code, lines = diff(both, both, endings=(Ending(None, ("x",)), Ending(None)))
    assert code == 0
    assert lines[:2] == [
        "base.json is of a run that did not come to its end: 1 of its selected cells have no result",
        "head.json is of a run that did not come to its end",
    ]
