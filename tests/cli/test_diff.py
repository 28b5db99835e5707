"""`compress-guard diff`: kinds of changes, forms of the output, exit codes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np
import pytest

from compress_guard.cli import main
from compress_guard.engine.releases.names import part_name
from compress_guard.records import CellResult, CodecUsed, Ending, Evidence, ImageCounts, Scores
from compress_guard.report.junit import properties
from compress_guard.report.results_file import write

IMAGES = tuple(f"image-{at:03d}" for at in range(200))


def flags(right: int) -> Evidence:
    """Evidence of which the first images are right."""
    return Evidence(IMAGES, tuple({"top1": np.array(at < right), "top5": np.array(True)} for at in range(200)))


SOURCES = Evidence(
    IMAGES,
    tuple({"pixels": np.full(4, at, np.uint8), "target": np.full(4, at % 3, np.uint8)} for at in range(200)),
)


def cell(name: str, right: int, outcome: str = "passed", verdict: str = "pass", **more) -> CellResult:
    score = right / 2
    return CellResult(
        id=f"thresholds.yaml::photos[{name}]",
        guard="photos",
        task="classification",
        metric="top1",
        codec=name.partition("-")[0],
        target_bpp=0.5,
        verdict=verdict,
        outcome=outcome,
        settled_by="interval",
        reason=f"the reason of {name}",
        rate="dataset",
        device="cpu",
        seed=0,
        confidence=0.95,
        scores=Scores(clean_score=90.0, score=score, drop=90 - score, drop_low=88 - score, drop_high=92 - score),
        counts=ImageCounts(images=200, images_used=200),
        **more,
    )


def results(
    name: str, *cells: CellResult, torch: str = "2.4", evidence: bool = True, left: tuple[str, ...] = ()
) -> str:
    parts = {}
    for each in cells if evidence else ():
        if each.score is not None:
            parts[part_name(each.id, "clean")] = flags(180).to_bytes()
            parts[part_name(each.id, "compressed")] = flags(round(2 * each.score)).to_bytes()
            parts[part_name(each.id, "sources")] = SOURCES.to_bytes()
    write(Path(name), cells, {"packages": {"torch": torch, "pillow": "12.2"}}, parts, ending=Ending(0, left))
    return name


def junit(name: str, *cells: CellResult) -> str:
    cases = []
    for each in cells:
        rows = "".join(f"<property name={quoteattr(key)} value={quoteattr(text)}/>" for key, text in properties(each))
        cases.append(f'<testcase classname="thresholds.yaml" name="x"><properties>{rows}</properties></testcase>')
    Path(name).write_text(
        f'<testsuites><testsuite name="pytest">{"".join(cases)}<testcase name="other"/></testsuite></testsuites>'
    )
    return name


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def diff(capsys):
    """Runs the command; its exit code, output and errors."""

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(["diff", *arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def changes(diff, *arguments):
    code, out, _ = diff(*arguments, "--format=json")
    document = json.loads(out)
    return code, {each["id"].partition("[")[2][:-1]: each for each in document["changes"]}, document


BASE = (
    cell("jpeg-a", 160),
    cell("jpeg-b", 160, "failed", "fail"),
    cell("jpeg-c", 160),
    cell("jpeg-d", 150),
    cell("jpeg-e", 160),
)


def test_every_kind_of_change_is_told_from_the_others(diff):
    results("base.json", *BASE)
    head = (
        cell("jpeg-a", 150, "failed", "fail", codec_used=CodecUsed(codec_version="libjpeg-turbo 3.1")),
        cell("jpeg-b", 165),
        cell("jpeg-c", 140),
        cell("jpeg-d", 170),
        cell("jpeg-f", 160),
    )
    results("head.json", *head, torch="2.5")
    code, changed, document = changes(diff, "base.json", "head.json")
    assert code == 1
    assert {name: each["kind"] for name, each in changed.items()} == {
        "jpeg-a": "newly failing",
        "jpeg-b": "recovered",
        "jpeg-c": "fell",
        "jpeg-d": "rose",
        "jpeg-e": "vanished",
        "jpeg-f": "appeared",
    }
    assert {name for name, each in changed.items() if each["regression"]} == {"jpeg-a", "jpeg-c"}
    assert document["regressions"] == 2
    assert document["cells_in_both"] == 4
    assert document["confidence"] == pytest.approx(1 - 0.05 / 4)
    assert document["packages"] == [{"name": "torch", "before": "2.4", "after": "2.5"}]
    fell = changed["jpeg-c"]
    assert (fell["fall"], fell["images"], fell["paired"]) == (10.0, 200, True)
    assert fell["fall_low"] > 0
    assert {"name": "torch", "before": "2.4", "after": "2.5"} in fell["moved"]


def test_the_same_run_twice_has_no_change(diff):
    results("base.json", *BASE)
    code, out, _ = diff("base.json", "base.json")
    assert code == 0
    assert out == ("5 cells in both, 0 changes, no regression; a score moved where its whole 99 % interval did\n")


def test_a_change_within_the_noise_is_none(diff):
    results("base.json", cell("jpeg-a", 160))
    results("head.json", cell("jpeg-a", 159))
    assert changes(diff, "base.json", "head.json")[:2] == (0, {})


def test_the_text_names_what_moved_beside_the_cell(diff):
    results("base.json", cell("jpeg-a", 160, codec_used=CodecUsed(codec_version="libjpeg-turbo 3.0")))
    results("head.json", cell("jpeg-a", 140, codec_used=CodecUsed(codec_version="libjpeg-turbo 3.1")), torch="2.5")
    code, out, _ = diff("base.json", "head.json")
    assert code == 1
    lines = out.splitlines()
    assert lines[0] == "fell: 1 cell"
    assert lines[1].startswith("  thresholds.yaml::photos[jpeg-a]  top1 80.0 to 70.0 (fall 10.0, ")
    assert lines[1].endswith(
        "200 images of both); codec version libjpeg-turbo 3.0 -> libjpeg-turbo 3.1; torch 2.4 -> 2.5"
    )
    assert lines[3] == "versions that moved: torch 2.4 -> 2.5"


def test_markdown_shows_hostile_names_as_text(diff):
    results("base.json", cell("jpeg-a", 160))
    results("head.json", replace(cell("jpeg-a", 140, "failed", "fail"), reason="<script>|`x`"), cell("<b>|x", 100))
    code, out, _ = diff("base.json", "head.json", "--format=markdown")
    assert code == 1
    assert out.startswith(
        "### compress_guard: 1 regression\n\n| change | cell | what |\n|---|---|---|\n| newly failing |"
    )
    assert "<b>" not in out
    assert "<script>" not in out
    assert all(line.count("|") == 4 for line in out.splitlines() if line.startswith("|"))


def test_a_cell_that_failed_to_be_measured_is_a_regression(diff):
    results("base.json", cell("jpeg-a", 160), cell("jpeg-b", 160))
    unreachable = replace(cell("jpeg-b", 160, "skipped", "unreachable"), scores=Scores())
    results("head.json", unreachable, left=("thresholds.yaml::photos[jpeg-a]",))
    code, changed, _ = changes(diff, "base.json", "head.json")
    assert code == 1
    assert {name: (each["kind"], each["remark"]) for name, each in changed.items()} == {
        "jpeg-a": ("vanished", "it was selected, and has no result"),
        "jpeg-b": ("vanished", "it was measured before, and now has no score: the reason of jpeg-b"),
    }


def test_a_new_cell_that_fails_is_a_regression(diff):
    results("base.json", cell("jpeg-a", 160))
    results("head.json", cell("jpeg-a", 160), cell("jpeg-b", 10, "failed", "fail"))
    code, changed, _ = changes(diff, "base.json", "head.json")
    assert (code, changed["jpeg-b"]["kind"], changed["jpeg-b"]["regression"]) == (1, "appeared", True)


def test_without_evidence_scores_are_compared_and_that_is_said(diff):
    results("base.json", cell("jpeg-a", 160), evidence=False)
    results("head.json", cell("jpeg-a", 145))
    code, out, _ = diff("base.json", "head.json")
    assert code == 0  # paired, such a fall is beyond noise
    assert "not compared image by image: the evidence of the baseline is not beside its results (1 of 1 cells)" in out
    results("base.json", cell("jpeg-a", 160))
    assert diff("base.json", "head.json")[0] == 1


def test_junit_reports_are_read(diff):
    junit("base.xml", *BASE)
    junit("head.xml", cell("jpeg-a", 80, "failed", "fail"), *BASE[1:])
    code, changed, _ = changes(diff, "base.xml", "head.xml")
    assert (code, changed["jpeg-a"]["kind"], changed["jpeg-a"]["paired"]) == (1, "newly failing", False)
    results("base.json", *BASE)
    assert diff("base.json", "head.xml")[0] == 1
    assert diff("base.json", "base.xml")[0] == 0


def test_a_junit_report_of_a_run_that_broke_off_is_a_regression(diff):
    junit("base.xml", *BASE)
    junit("head.xml", *BASE[1:])
    assert diff("base.xml", "head.xml")[0] == 0
    text = Path("head.xml").read_text()
    lost = f"<property name='cg_not_measured' value={quoteattr(json.dumps([BASE[0].id]))}/>"
    at = text.index("<testcase")
    Path("head.xml").write_text(f"{text[:at]}<properties>{lost}</properties>{text[at:]}")
    code, out, _ = diff("base.xml", "head.xml")
    assert code == 1
    assert f"{BASE[0].id}  it was selected, and has no result" in out
    Path("head.xml").write_text(
        text[:at] + "<properties><property name='cg_not_measured' value='7'/></properties>" + text[at:]
    )
    assert diff("base.xml", "head.xml")[::2] == (
        2,
        "compress-guard: head.xml: this is no report of compress_guard: cg_not_measured is no list of cells; name a "
        "report that pytest has written with --compress-guard and --junitxml\n",
    )


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("head.json", None, "head.json: there is no such file; name a file that --cg-json, or --json, has written"),
        (
            "head.json",
            "{}",
            "head.json: this is a JSON document of something else: it has no schema, expected compress",
        ),
        ("head.xml", "<testsuites", "head.xml: this is no JUnit report (ParseError: "),
        (
            "head.xml",
            "<testsuites/>",
            "head.xml: there is no cell of compress_guard in this report; name a report that pytest has written with "
            "--compress-guard and --junitxml",
        ),
    ],
)
def test_files_that_cannot_be_compared_end_with_2(diff, name, content, message):
    results("base.json", *BASE)
    if content is not None:
        Path(name).write_text(content)
    code, out, err = diff("base.json", name)
    assert (code, out) == (2, "")
    assert err.startswith(f"compress-guard: {message}")


def test_results_of_other_cells_metrics_or_images_end_with_2(diff):
    results("base.json", cell("jpeg-a", 160))
    results("head.json", cell("jpeg-b", 160))
    assert diff("base.json", "head.json")[::2] == (
        2,
        "compress-guard: head.json: it has no cell of base.json; name two results of the same thresholds file\n",
    )
    results("head.json", replace(cell("jpeg-a", 160), metric="top5"))
    code, _, err = diff("base.json", "head.json")
    assert code == 2
    assert "the baseline scored thresholds.yaml::photos[jpeg-a] as classification by top1, and this run as" in err


def test_an_unknown_option_ends_with_4(diff):
    assert main(["diff", "a", "b", "--format=xml"]) == 4


def test_a_failed_cell_that_loses_its_score_is_a_regression(diff):
    failed = cell("jpeg-a", 100, "failed", "fail")
    results("base.json", failed, cell("jpeg-b", 160))
    broken = replace(cell("jpeg-a", 100, "failed", "error"), scores=Scores())
    results("head.json", broken, cell("jpeg-b", 160))
    code, changed, _ = changes(diff, "base.json", "head.json")
    assert (code, {name: each["kind"] for name, each in changed.items()}) == (1, {"jpeg-a": "vanished"})
    assert changed["jpeg-a"]["remark"] == "it was measured before, and now has no score: the reason of jpeg-a"
    results("again.json", broken, cell("jpeg-b", 160))
    assert changes(diff, "head.json", "again.json")[:2] == (0, {})
