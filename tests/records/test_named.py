"""Images with the names that people know them by."""

from __future__ import annotations

import json
from dataclasses import replace

from compress_guard.records import CellResult, LossFigures, NamedImage

DOG = NamedImage("3", "cat/0003.png", 3, "cat", 3, "cat", 5, "dog")


def result(**losses):
    fixed = {"guard": "g", "task": "t", "metric": "m", "codec": "jpeg", "target_bpp": 1.0, "rate": "dataset"}
    judged = {"verdict": "fail", "outcome": "failed", "settled_by": "interval", "reason": "r", "device": "cpu"}
    return CellResult(id="g[jpeg]", **fixed, **judged, seed=0, confidence=0.95, losses=LossFigures(**losses))


def test_an_image_is_shown_by_its_name_else_by_its_id():
    assert DOG.shown == "cat/0003.png"
    assert NamedImage("3").shown == "3"


def test_the_change_of_the_predicted_class():
    assert DOG.change == "cat -> dog"
    assert NamedImage("3", target=3, clean=3, compressed=5).change == "class 3 -> class 5"
    assert replace(DOG, target=9, target_name=None).change == "class 9: cat -> dog"
    assert NamedImage("3").change is None


def test_names_come_back_from_a_file_and_are_printable():
    made = result(worst=(("3", 0.5),), worst_images=(DOG,), names_remark="odd")
    assert CellResult.from_dict(json.loads(json.dumps(made.as_dict()))) == made
    assert NamedImage("3", "a\u202eb", target_name="c\x1b").name == "a\\u202eb"
    assert NamedImage.from_dict({"id": "3", "later": 1}) == NamedImage("3")


def test_results_of_older_versions_have_ids():
    older = result(worst=(("3", 0.5),)).as_dict()
    del older["worst_images"], older["names_remark"]
    read = CellResult.from_dict(older)
    assert (read.worst_images, read.names_remark) == ((), None)
    assert read.named_worst == ((NamedImage("3"), 0.5),)
    assert result(worst=(("3", 0.5),), worst_images=(DOG,)).named_worst == ((DOG, 0.5),)
