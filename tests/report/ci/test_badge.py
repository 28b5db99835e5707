"""The badge of a run: a small image whose text fits, whatever the names of its cells."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

from compress_guard.records import Ending
from compress_guard.report.ci.badge import badge
from compress_guard.report.ci.conclusion import Conclusion
from compress_guard.report.html.contents import RunContents

SVG = "{http://www.w3.org/2000/svg}"


def conclusion(*cells, status=0):
    return Conclusion.of(RunContents(cells, ending=Ending(status)))


def test_a_run_is_concluded_in_a_word_and_a_few_more(cell):
    held = [cell("jpeg", bpp, drop=0.1, max_drop=2.0) for bpp in (0.5, 1)]
    doubtful = cell("webp", 1, "inconclusive", drop=1.9, max_drop=2.0)
    near = cell("webp", 0.5, "fail", "failed", 3.0, max_drop=2.0)
    far = cell("avif", 0.5, "fail", "failed", 9.0, max_drop=2.0)
    broken = cell("jxl", 0.5, "error", "failed")
    known = cell("jxl", 0.5, "fail", "skipped", 9.0, max_drop=2.0, waived="why", waived_until="2027-01-31")
    floor = cell("jpeg", 0.1, "unreachable", "skipped", floor_bpp=0.2)
    seen = [
        conclusion(*held),
        conclusion(*held, floor),
        conclusion(*held, known),
        conclusion(*held, doubtful, known),
        conclusion(*held, doubtful),
        conclusion(*held, near, far, broken, status=1),
        conclusion(broken, status=1),
        conclusion(*held, status=3),
        conclusion(),
    ]
    assert [(each.word, each.text) for each in seen] == [
        ("held", "held 2 of 2"),
        ("held", "held 2 of 3, 1 other"),
        ("undecided", "held 2 of 3, 1 waived"),
        ("undecided", "held 2 of 4, 1 waived, 1 other"),
        ("undecided", "held 2 of 3, 1 other"),
        ("failed", "failed 3 of 5, worst photos[avif-0.5bpp]"),
        ("failed", "failed 1 of 1, worst photos[jxl-0.5bpp]"),
        ("error", "no result"),
        ("error", "no result"),
    ]


def test_a_badge_is_an_image_with_its_words_and_no_address(cell):
    text = badge(conclusion(cell("jpeg", 1, drop=0.1, max_drop=2.0)))
    image = ET.fromstring(text)
    assert [each.text for each in image.iter(f"{SVG}text")] == ["compression", "held 1 of 1"]
    assert image.attrib["aria-label"] == image.find(f"{SVG}title").text == "compression: held 1 of 1"
    assert re.findall(r"https?://[^\"]+|href|url\([^#]", text) == ["http://www.w3.org/2000/svg"]


def test_long_and_hostile_names_stay_inside(cell):
    name = 'x"><script>alert(1)</script>&\u202e\x00' * 9
    wild = cell("jpeg", 1, "fail", "failed", 9.0, max_drop=2.0, id=f"thresholds.yaml::{name}")
    image = ET.fromstring(badge(conclusion(wild, status=1)))
    assert {each.tag.removeprefix(SVG) for each in image.iter()} == {"svg", "title", "clipPath", "rect", "g", "text"}
    _, words = image.iter(f"{SVG}text")
    assert len(words.text) == 48
    assert words.text.endswith("...")
    end = int(words.attrib["x"]) + int(words.attrib["textLength"])
    assert end < int(image.attrib["width"]) < 500
    assert all(character.isprintable() for character in image.attrib["aria-label"])


def luminance(colour):
    channels = [int(digits * (2 if len(digits) == 1 else 1), 16) / 255 for digits in re.findall("..?", colour[1:])]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("word", ["held", "undecided", "failed", "error"])
def test_white_text_is_read_on_every_colour(word):
    (colour,) = re.findall(r'fill="(#[0-9a-f]{6})"', badge(Conclusion(word)))
    assert 1.05 / (luminance(colour) + 0.05) >= 4.5
