"""The summary in Markdown: the verdict, the matrices, the failures; foreign names make no markup."""

from __future__ import annotations

from compress_guard.records import Ending
from compress_guard.report.html.contents import RunContents
from compress_guard.report.html.markdown import escaped, markdown


def test_a_summary(whole_run):
    lines = markdown(whole_run).splitlines()
    assert lines[0] == "## compress\\_guard: 1 of 9 cells failed"
    assert "|  | 0.25bpp | 0.5bpp | q75 |" in lines
    assert "| jpeg | 12.0 (9.0 to 15.0) / 5.0 FAIL | 2.0 (1.0 to 3.0) / 4.0 held | 1.0 / 2.0 held |" in lines
    assert "- Spend more bits: jpeg holds at 0.5 bpp." in lines
    assert "- Worst images: street/0017.png, street/0021.png" in lines
    assert "- Run it alone: pytest --compress-guard 'thresholds.yaml::photos&#91;jpeg-0.25bpp&#93;'" in lines


def test_a_clean_side_that_is_scaled_has_a_remark_in_the_heading(cell):
    text = markdown(RunContents([cell("upload", 1, drop=1.0, clean=68.3, reference="input")], ending=Ending(0)))
    assert "top1 68.3 on 200 clean images, scaled and cropped as each codec does. Drop in points" in text


def test_foreign_names_make_no_markup():
    assert escaped("a|b `c` <img> @team [x](y) https://e.example www.e.example $1$") == (
        "a&#124;b &#96;c&#96; &#60;img&#62; &#64;team &#91;x&#93;(y) https:&#47;&#47;e.example www&#46;e.example "
        "&#36;1&#36;"
    )
    assert escaped("two\nlines") == "two lines"


def test_a_long_summary_is_cut_at_a_line(cell):
    cells = [
        cell("jpeg", 0.5, "error", "failed", reason="x" * 900, guard=f"guard{number}", id=f"t.yaml::{number}")
        for number in range(100)
    ]
    text = markdown(RunContents(cells, ending=Ending(1)))
    assert len(text) < 61_000
    assert text.endswith(" characters.\n")
    assert "\n\nThe rest is left out: this summary has " in text


def test_characters_that_turn_or_hide_words_are_shown_as_python_escapes_them():
    assert escaped("a\u202eb\u200b\nc") == "a&#92;u202eb&#92;u200b c"
