"""The HTML page: everything of a run is in it, as text, and nothing is loaded."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from compress_guard.errors import RunError
from compress_guard.records import Ending
from compress_guard.report.html.contents import RunContents
from compress_guard.report.html.markdown import markdown
from compress_guard.report.html.page import page, write_page

HOSTILE = '"><script>alert(1)</script><img src=http://evil.example/x onerror=alert(2)>{{ 7*7 }}'
VOID = {"meta", "input", "circle", "rect", "path", "line", "polyline", "polygon", "img", "br"}


class Document(HTMLParser):
    """The elements and the text of a page; elements that are not closed are an error."""

    def __init__(self, text):
        super().__init__()
        self.elements = []
        self.open = []
        self.words = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style", "script"):
            self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())

    def attributes(self, name):
        return [values[name] for _, values in self.elements if name in values]


def shown(run):
    return Document(page(run))


def test_the_verdict_is_on_top(whole_run):
    text = shown(whole_run).text
    assert (
        "compression? 1 of 9 cells failed The others: 5 held, 1 undecided, 1 unavailable, 1 no limit. "
        "others gates nothing: none of its cells was judged. "
        "photos, jpeg at 0.25 bpp : top1 fell by 12.0 points"
    ) in text
    assert "photos 1 failed 1 undecided others" in text
    assert text.index("1 of 9 cells failed") < text.index("A drop is the clean score")


def test_every_cell_has_its_details_and_a_link_from_the_matrix(whole_run):
    document = shown(whole_run)
    anchors = document.attributes("id")
    assert len(anchors) == len(set(anchors))
    links = [target for target in document.attributes("href") if "-cell-" in target]
    assert {link[1:] for link in links} <= set(anchors)
    assert len(set(links)) == len(whole_run.cells)
    for result in whole_run.cells:
        assert result.reason in document.text
        assert result.id in document.text


def test_it_says_what_to_do_and_on_which_images(whole_run):
    text = shown(whole_run).text
    assert "Spend more bits: jpeg holds at 0.5 bpp." in text
    assert "Change the codec: webp at 0.25 bpp holds." in text
    assert "in the thresholds file: 15.1 would hold; it misses slice weather=rain too." in text
    assert "About 820 images would settle it: now there are 200." in text
    assert "street/0017.png : 0.50 points" in text
    assert "Together 1.0 of the 12.0 points; 40 images changed." in text
    assert "pytest --compress-guard 'thresholds.yaml::photos[jpeg-0.25bpp]'" in text


@pytest.mark.parametrize(
    ("title", "row"),
    [
        ("Rates and settings", "jpeg at 0.25 bpp 0.25 0.002 14 (150), 15 (50)"),
        ("Slices", "jpeg at 0.25 bpp weather=rain 20 70.0 40.0 30.0 21.5 to 38.0 10.0 FAIL"),
        ("Against the baseline", "jpeg at 0.5 bpp 75.5 74.2 1.3 0.4 to 2.2 3.0 +0.6 (-0.2 to 1.4) 180"),
        ("Groups", "jpeg at 0.5 bpp 40 200"),
        ("Throughput", "jpeg at 0.25 bpp round trip 48.7 47 to 50.1 1.2"),
        ("Recovery by finetuning", "jpeg 0.25bpp jpeg at 0.25 bpp 76.2 64.2 65.0 74.0 82 % (75 to 90) no limit"),
        ("Decoders", "jpeg by opencv at 0.5 bpp opencv 5.0 pillow 74.2 0.4 6 levels"),
        ("Traffic", "drop 3.3 (2.2 to 4.4) on average over 90 % of it, 200 images; 10 % of the traffic is not covered"),
        ("Versions and settings of the run", "torch 2.9.0 pillow 12.2 limit none"),
    ],
)
def test_tables(whole_run, title, row):
    text = shown(whole_run).text
    assert row in text[text.index(title) :]


def test_a_run_without_such_figures_has_no_such_tables(cell):
    text = shown(RunContents([cell("jpeg", 0.5, drop=2.0)], ending=Ending(0))).text
    for title in (
        "Against the baseline",
        "Slices",
        "Groups",
        "Throughput",
        "Recovery by finetuning",
        "Decoders",
        "Traffic",
    ):
        assert f" {title} " not in text


def test_a_waived_cell_is_shown_as_such(cell):
    fields = {"waived": "decoder of 2019 phones", "waived_until": "2027-01-31"}
    result = cell("jpeg", 0.5, "fail", "skipped", 12.0, max_drop=5.0, **fields)
    text = shown(RunContents([result, cell("webp", 0.5, drop=1.0)], ending=Ending(0))).text
    assert "No cell failed, beside 1 known failure that a waiver names The cells: 1 held, 1 fail, waived. " in text
    assert "(photos[jpeg-0.5bpp]) is failed and waived until 2027-01-31: decoder of 2019 phones" in text
    assert "undecided" not in text
    assert "12.0 fail, waived" in text
    assert "waived decoder of 2019 phones, until 2027-01-31" in text


def test_a_clean_score_below_its_floor_brings_no_advice_on_compression(cell):
    floors = {"min_clean": 90.0, "clean_low": 71.0, "clean_high": 81.0, "limit_places": (("min_clean", "t.yaml:9"),)}
    result = cell("jpeg", 0.5, "fail", "failed", 1.0, drop_low=0.5, drop_high=1.5, max_drop=5.0, **floors)
    text = shown(RunContents([result, cell("webp", 0.5, drop=1.0)], ending=Ending(1))).text
    assert "The clean score is below its floor, which compression has no part in: compare the weights" in text
    assert "Finetune" not in text
    assert "Change the codec" not in text


def test_failed_throughput_and_recovery_cells_are_on_top(whole_run):
    slow = replace(whole_run.throughput[0], verdict="fail", outcome="failed", reason="too slow by half")
    run = replace(whole_run, cells=(), recovery=(), throughput=[slow])
    assert f"1 of 1 cell failed {slow.id}: too slow by half" in shown(run).text
    assert "**thresholds.yaml::photos&#91;throughput-jpeg-0.25bpp&#93;**: too slow by half" in markdown(run)


def test_hostile_names_are_text(cell):
    names = {"guard": HOSTILE, "reason": HOSTILE, "codec_version": HOSTILE, "worst": ((HOSTILE, 1.0),)}
    result = cell("jpeg", 0.5, "fail", "failed", 12.0, max_drop=5.0, bpp_mean=0.5, metric=HOSTILE, **names)
    run = RunContents([result], environment={HOSTILE: HOSTILE}, ending=Ending(1, (HOSTILE,)))
    document = shown(run)
    assert [tag for tag, _ in document.elements].count("script") == 1
    assert "img" not in [tag for tag, _ in document.elements]
    assert "{{ 7*7 }}" in document.text
    assert "alert(2)" in document.text


def test_nothing_is_loaded(whole_run):
    text = page(whole_run)
    document = Document(text)
    for tag, values in document.elements:
        assert tag not in ("link", "iframe", "object", "embed", "base", "form", "audio", "video")
        assert not {name for name in values if name.startswith("on") or name in ("style", "srcset", "action")}
        assert values.get("src", "data:").startswith("data:")
        assert values.get("href", "#").startswith("#")
    assert re.search(r"https?://|url\(|@import", text) is None
    (policy,) = [values["content"] for _, values in document.elements if values.get("http-equiv")]
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'sha256-")
    assert "unsafe" not in policy


def test_a_cell_that_was_selected_and_not_measured_makes_the_run_red(cell):
    run = RunContents([cell("jpeg", 0.5, drop=2.0)], ending=Ending(1, ("thresholds.yaml::photos[webp-0.5bpp]",)))
    text = shown(run).text
    assert "No cell failed, but this run proves nothing" in text
    assert "1 cell selected for this run without a result: thresholds.yaml::photos[webp-0.5bpp]." in text
    assert "The process ended with exit status 1: another test failed, or the run stopped early." in text


@pytest.mark.parametrize(
    ("verdict", "outcome", "status", "title"),
    [
        ("pass", "passed", 0, "All is well: 1 cell, none failed"),
        ("inconclusive", "passed", 0, "No cell failed; 1 cell could not be decided with these images"),
        ("inconclusive", "failed", 1, "1 of 1 cell failed"),
        ("unreachable", "skipped", 1, "No cell failed, but this run proves nothing"),
        ("pass", "passed", None, "No cell failed, but this run proves nothing"),
        ("pass", "passed", 1, "No cell failed, but this run proves nothing"),
    ],
)
def test_titles(cell, verdict, outcome, status, title):
    run = RunContents([cell("jpeg", 0.5, verdict, outcome, 2.0)], ending=Ending(status))
    assert f"image compression? {title} " in shown(run).text


def test_a_title_says_how_many_cells_held(cell):
    cells = [cell("jpeg", 0.5, drop=2.0), cell("jpeg", 0.1, "unreachable", "skipped", floor_bpp=0.2)]
    text = shown(RunContents(cells, ending=Ending(0))).text
    assert "image compression? No cell failed; 1 of 2 cells held The cells: 1 held, 1 unreachable. " in text


def test_a_run_without_results_is_red():
    text = shown(RunContents(ending=Ending(0))).text
    assert "No cell failed, but this run proves nothing The run has no results at all." in text


def test_a_report_that_cannot_be_written_is_a_sentence(tmp_path, whole_run):
    path = tmp_path / "report.html"
    path.mkdir()
    with pytest.raises(RunError) as caught:
        write_page(path, whole_run)
    assert str(caught.value) == (
        f"{path}: the report cannot be written (Is a directory); name a file in a folder that can be written"
    )
