"""The page in headless Chromium: no error, no request, keys and switches work, no serious finding of axe-core."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from compress_guard.report.html.page import page
from tests.report.html.browser import browser as started

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]

ARROW_RIGHT = "\ue014"


@pytest.fixture(scope="module")
def window():
    opened = started()
    yield opened
    opened.close()


@pytest.fixture
def report(tmp_path, whole_run):
    path = tmp_path / "report.html"
    path.write_text(page(whole_run), encoding="utf-8")
    return path


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1100, 390], ids=["desk", "phone"])
def test_it_opens_without_an_error_or_a_request(window, report, dark, width):
    window.log("browser")
    window.requests()
    window.open(report, dark=dark, width=width)
    assert window.log("browser") == []
    assert {address for address in window.requests() if not address.startswith("data:")} == {report.as_uri()}
    # Wide tables scroll by themselves; the page does not.
    assert window.run("return document.documentElement.scrollWidth") <= width
    back = window.run("return getComputedStyle(document.body).backgroundColor")
    assert back == ("rgb(20, 23, 27)" if dark else "rgb(255, 255, 255)")


def test_arrow_keys_show_the_values_of_one_point_after_the_other(window, report):
    window.open(report)
    window.run("document.querySelector('.point[tabindex=\"0\"]').focus()")
    first = window.run("return document.getElementById('tip').textContent")
    assert first.startswith("jpeg at 0.25 bpp: top1 64.2, drop 12.0 (9.0 to 15.0), allowed 5.0")
    window.press(ARROW_RIGHT)
    assert window.run("return document.getElementById('tip').textContent").startswith("jpeg at 0.5 bpp: top1 74.2")
    assert window.run("return document.getElementById('tip').hidden") is False
    assert window.run("return document.querySelectorAll('.chart:first-of-type .point[tabindex=\"0\"]').length") >= 1


def test_codecs_can_be_switched_off(window, report):
    window.open(report)
    shown = "return getComputedStyle(document.querySelectorAll('.curve')[0]).display"
    assert window.run(shown) == "inline"
    window.run("document.querySelector('.codecs input').click()")
    assert window.run(shown) == "none"
    named = "return document.querySelector('.chart .point[tabindex=\"0\"]').getAttribute('aria-label')"
    assert window.run(named).startswith("webp at 0.25 bpp")


def test_a_link_of_the_matrix_opens_the_details_of_its_cell(window, report):
    window.open(report)
    window.run("document.querySelectorAll('.matrix td a')[1].click()")
    assert window.wait_for("setTimeout(arguments[0], 200)") is None
    assert window.run("return document.querySelectorAll('details[open]').length") == 1


def test_a_script_in_a_name_does_not_run(window, report, cell, tmp_path):
    from compress_guard.report.html.contents import RunContents

    hostile = "<img src=x onerror='document.title=1'><script>document.title=2</script>"
    path = tmp_path / "hostile.html"
    path.write_text(page(RunContents([cell("jpeg", 0.5, "error", "failed", reason=hostile)])), encoding="utf-8")
    window.log("browser")
    window.open(path)
    assert window.run("return document.title").startswith("compress_guard: ")
    assert window.log("browser") == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1100, 390], ids=["desk", "phone"])
def test_axe_finds_nothing_serious(window, report, dark, width):
    found = importlib.util.find_spec("axe_core_python")
    if found is None or found.origin is None:
        pytest.skip("needs axe-core-python")
    window.open(report, dark=dark, width=width)
    window.run("document.querySelectorAll('details').forEach(each => { each.open = true })")
    # By the driver, which the policy of the page does not bind.
    window.run((Path(found.origin).parent / "axe.min.js").read_text(encoding="utf-8"))
    answer = window.wait_for("const done = arguments[0]; axe.run(document).then(done, error => done(String(error)))")
    serious = {
        each["id"]: [node["html"][:200] for node in each["nodes"]][:3]
        for each in answer["violations"]
        if each["impact"] in ("serious", "critical")
    }
    assert serious == {}
