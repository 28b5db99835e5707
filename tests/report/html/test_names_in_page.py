"""Names, colours, classes and the origin of results in a page."""

from __future__ import annotations

import base64
import io
import re
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from compress_guard.engine.pictures import drawing
from compress_guard.engine.pictures.kept import COLOURS, WorstImage, keep_images, kept_images
from compress_guard.records import ClassScore, Ending, LossFigures, NamedImage
from compress_guard.report.html.advice import advice
from compress_guard.report.html.contents import RunContents
from compress_guard.report.html.markdown import markdown
from compress_guard.report.html.page import TEMPLATES, page

HOSTILE = "<b onclick=alert(1)>&\"'"


def webp():
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "WEBP")
    return buffer.getvalue()


@pytest.fixture
def named(failed_cell):
    images = (
        NamedImage("17", "street/cat.png", 3, "cat", 3, "cat", 5, "dog"),
        NamedImage("21"),
    )
    scores = (ClassScore(0, "road", 90.0, 89.0), ClassScore(7, None, 80.0, 45.5))
    return replace(
        failed_cell,
        metric="miou",
        losses=LossFigures(changed=40, worst=(("17", 0.5), ("21", 0.25)), worst_images=images, class_scores=scores),
    )


def text_of(html):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html[html.index("<body>") :]))


def test_images_have_their_names_and_the_change_of_their_class(named):
    text = text_of(page(RunContents([named], ending=Ending(1))))
    assert "street/cat.png , cat -&gt; dog: 0.50 points" in text
    assert "21 : 0.25 points" in text
    head = "Worst images street/cat.png (cat -&gt; dog), 21; worst classes class 7 -34.5, road -1.0."
    assert head in text
    assert "street/cat.png (cat -" in markdown(RunContents([named], ending=Ending(1)))


def test_scores_of_classes_begin_with_the_one_that_lost_most(named):
    text = text_of(page(RunContents([named], ending=Ending(1))))
    assert "IoU of each class on the same images, in points" in text
    assert text.index("class 7 80.0 45.5 -34.5") < text.index("road 90.0 89.0 -1.0")


def test_names_that_others_chose_are_text(named):
    losses = LossFigures(
        changed=1,
        worst=((HOSTILE, 0.5),),
        worst_images=(NamedImage(HOSTILE, HOSTILE, 1, HOSTILE, 1, HOSTILE, 2, HOSTILE),),
        class_scores=(ClassScore(1, HOSTILE, 1.0, 0.0),),
    )
    environment = {"date": HOSTILE, "commit": HOSTILE, "models": {named.guard: HOSTILE}}
    run = RunContents([replace(named, losses=losses)], environment=environment, ending=Ending(1))
    assert "<b onclick" not in page(run)


def test_long_names_are_cut_in_the_head_and_whole_below(named):
    name, kind = "folder/" * 60 + "last.png", "x" * 100
    image = NamedImage("17", name, 3, kind, 3, kind, 5, kind)
    losses = replace(
        named.losses, worst=(("17", 0.5),), worst_images=(image,), class_scores=(ClassScore(3, kind, 9, 1),)
    )
    html = page(RunContents([replace(named, losses=losses)], ending=Ending(1)))
    head, _, rest = html[html.index("<body>") :].partition("</header>")
    assert name not in head
    assert kind not in head
    assert "last.png" in head
    assert name in rest


def test_the_head_says_when_of_which_commit_and_by_which_file(named):
    environment = {
        "date": "2026-11-30T23:29:04+00:00",
        "commit": "0123456789abcdef0123456789abcdef01234567-dirty",
        "models": {named.guard: "app.models:release"},
    }
    text = text_of(page(RunContents([named], environment=environment, ending=Ending(1))))
    assert "Date 2026-11-30 23:29:04 UTC" in text
    assert "Commit 0123456789ab, with changes that are not committed" in text
    assert "Thresholds thresholds.yaml" in text
    assert "model app.models:release: classification, miou 76.2" in text


def test_results_of_older_versions_do_without(failed_cell):
    text = text_of(page(RunContents([failed_cell], ending=Ending(1))))
    assert "Commit" not in text
    assert "street/0017.png : 0.50 points" in text


def test_the_recovery_is_drawn_as_a_picture_without_reach_into_the_page(whole_run):
    html = page(whole_run)
    (source,) = re.findall(r'<img class="recovery" src="([^"]+)"', html)
    assert source.startswith("data:image/svg+xml;base64,")
    assert b">photos: top1</text>" in base64.b64decode(source.partition(",")[2])
    assert "<svg xmlns" not in html


@pytest.fixture
def image():
    return WorstImage(
        *("17", 0.5, "2 boxes", "2 boxes", "1 box", (webp(), webp(), webp())),
        name="street/cat.png",
        truth=webp(),
        key=((3, "cat"), (5, HOSTILE)),
    )


def test_pictures_show_the_truth_and_name_the_colours(named, image, tmp_path):
    keep_images(tmp_path, named.id, named.drop, [image])
    assert kept_images(tmp_path, named.id, named.drop, [("17", 0.5)]) == (image,)
    html = page(RunContents([named], ending=Ending(1), pictures=(tmp_path,)))
    text = text_of(html)
    assert "street/cat.png (id 17)" in text
    assert "Source, truth: 2 boxes" in text
    assert '<i class="k3"></i>cat' in html
    assert "<b onclick" not in html
    assert "Pictures show the source with the truth" in text


def test_pictures_of_older_versions_are_read(named, tmp_path):
    older = WorstImage("17", 0.5, "class 1", "class 1", "class 2", (webp(), webp(), webp()))
    keep_images(tmp_path, named.id, named.drop, [older])
    (index,) = tmp_path.glob("*.json")
    text = re.sub(r'"(name|key|truth)": ("[^"]*"|\[\]|false)(, )?', "", index.read_text()).replace(", }", "}")
    index.write_text(text)
    assert kept_images(tmp_path, named.id, named.drop, [("17", 0.5)]) == (older,)
    assert not any(f'"{part}"' in text for part in ("name", "key", "truth"))


def test_the_style_has_the_colours_that_pictures_are_drawn_in():
    style = (TEMPLATES / "style.css").read_text(encoding="utf-8")
    drawn = ["#" + bytes(colour).hex() for colour in drawing._COLOURS]
    assert re.findall(r"\.k\d+\{--k:(#\w+)\}", style) == drawn
    assert len(drawn) == COLOURS


def test_the_key_names_what_is_drawn():
    weak = {"boxes": np.zeros((2, 4)), "labels": np.array([14, 3]), "scores": np.array([0.9, 0.1])}
    mask = {"labels": np.array([[0, 255], [2, 14]])}
    names = {2: "cat", 3: "never drawn"}
    assert drawing.key((weak, mask), names) == ((2, "cat"), (2, "class 14"))
    assert drawing.key(({"label": np.array(1)},), names) == ()
    assert drawing.words({"label": np.array(2)}, names) == "cat"
    assert drawing.words({"scores": np.array([0.1, 0.9])}, names) == "class 1"


def test_a_limit_that_so_few_images_cannot_decide_is_said_to_be_one(failed_cell):
    limits = "If your users can live with this loss, raise max_drop of this cell in the thresholds file: "
    known = replace(failed_cell, precision=replace(failed_cell.precision, resolvable_drop=5.6))
    known = replace(known, counts=replace(known.counts, images_used=100))
    assert limits + (
        "15.1 would hold on these images, but so few cannot tell it from the drop reliably: 17.6 would hold four times "
        "in five on 100 other images like them."
    ) in list(advice(known, [known]))
    sharp = replace(failed_cell, precision=replace(failed_cell.precision, resolvable_drop=1.0))
    assert f"{limits}15.1 would hold." in list(advice(sharp, [sharp]))
    blunt = replace(known, precision=replace(known.precision, resolvable_drop=90.0))
    assert f"{limits}15.1 would hold." in list(advice(blunt, [blunt])), "no limit is above 100"


def test_advice_names_the_other_limits_that_a_cell_misses(failed_cell):
    scores = replace(failed_cell.scores, score_low=60.0, score_high=68.0)
    result = replace(failed_cell, scores=scores, terms=replace(failed_cell.terms, min_score=70.0))
    limits = "If your users can live with this loss, raise max_drop of this cell in the thresholds file: "
    assert f"{limits}15.1 would hold; it misses min_score too." in list(advice(result, [result]))
