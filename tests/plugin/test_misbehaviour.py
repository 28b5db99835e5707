"""Models and data that misbehave: verdict `error`, exit code 1, whole messages, and the traceback of their own code."""

from __future__ import annotations

import re

import pytest

# Whoever distributes these tests: they look at one run.
pytestmark = pytest.mark.xdist_group("plugin-misbehaviour")

BAD = """
    import sys
    import torch
    import toy
    from PIL import Image

    number = 5

    def raises():
        raise ValueError("no weights here")

    def leaves():
        sys.exit(0)

    def nothing():
        return None

    def empty():
        return []

    def stream():
        return iter(toy.data())

    def pairs():
        return [picture for picture, *_ in toy.data()]

    def targets():
        return [(picture, "cat") for picture, *_ in toy.data()]

    def twins():
        return [(picture, label, "same") for picture, label, _ in toy.data()]

    def labels():
        return [(picture, label + 10, name) for picture, label, name in toy.data()]

    def unreadable():
        with open("broken.png", "wb") as file:
            file.write(b"not a picture")

        class Folder:
            def __len__(self):
                return 2

            def __getitem__(self, index):
                return (Image.open("broken.png") if index else toy.data()[0][0]), 0

        return Folder()

    def wrong_shape():
        return lambda images: [torch.zeros(1, 4) for _ in images]

    def wrong_count():
        return lambda images: [torch.zeros(4) for _ in images][:-1]

    def no_list():
        return lambda images: 7

    def broken():
        return Network()

    class Network:
        def __call__(self, images):
            return self.forward(images)

        def forward(self, images):
            raise RuntimeError("mat1 and mat2 cannot be multiplied")
"""

CASES = {
    "no_module": (
        'model: "gone:model"',
        "gone:model: cannot be imported (ModuleNotFoundError: No module named 'gone'); expected an importable "
        "package.module:callable, looked up with {folder} on sys.path",
    ),
    "no_name": (
        'model: "behind_a_star:modle"',
        "behind_a_star:modle: cannot be imported (AttributeError: module 'behind_a_star' has no attribute 'modle'); "
        "expected an importable package.module:callable, looked up with {folder} on sys.path; did you mean "
        "behind_a_star:model?",
    ),
    "not_callable": (
        'model: "bad:number"',
        "bad:number: is an int; expected a callable that returns the object to use",
    ),
    "raises": (
        'model: "bad:raises"',
        "bad:raises: raised ValueError: no weights here; expected it to return an object",
    ),
    "leaves": ('model: "bad:leaves"', "bad:leaves: raised SystemExit: 0; expected it to return an object"),
    "no_model": (
        'model: "bad:nothing"',
        "bad:nothing: returned a NoneType; expected a predictor: a callable from a list of uint8 images to one "
        "prediction per image, as compress_guard.predictor(module, ...) makes",
    ),
    "no_data": (
        'data: "bad:nothing"',
        "bad:nothing: returned a NoneType; expected a map-style data set with len() and [] that gives (image, target) "
        "or (image, target, id); hand over a list of these, or an object that has both methods",
    ),
    "empty": ('data: "bad:empty"', "bad:empty: has no images; expected at least one"),
    "stream": (
        'data: "bad:stream"',
        "bad:stream: returned a list_iterator; expected a map-style data set with len() and [] that gives (image, "
        "target) or (image, target, id); hand over a list of these, or an object that has both methods",
    ),
    "pairs": (
        'data: "bad:pairs"',
        "none of the 32 samples can be used; the first: sample 0 is *; expected (image, target) or (image, target, id)",
    ),
    "targets": ('data: "bad:targets"', "none of the 32 samples can be used; the first: sample 0 (id 0): *"),
    "twins": (
        'data: "bad:twins"',
        "samples 0 and 1 both have the id 'same'; expected ids that tell images apart",
    ),
    "labels": ('data: "bad:labels"', "*is the class index 10; expected one below 4, *"),
    "unreadable": (
        'data: "bad:unreadable"',
        "1 of 2 images failed, allowed by max_error_share 0: 0; the first: sample 1 cannot be read "
        "(UnidentifiedImageError: cannot identify image file *broken.png*)",
    ),
    "wrong_shape": (
        'model: "bad:wrong_shape"',
        "image texture-000: *is a Tensor of shape (1, 4); expected scores of shape (K,), one prediction per image; *",
    ),
    "wrong_count": (
        'model: "bad:wrong_count"',
        "the model returned 31 predictions for 32 images; expected a list with one prediction per image",
    ),
    "no_list": (
        'model: "bad:no_list"',
        "the model returned an int for 32 images; expected a list with one prediction per image",
    ),
    "broken": ('model: "bad:broken"', "the model raised RuntimeError: mat1 and mat2 cannot be multiplied"),
}


@pytest.fixture(scope="module")
def project(new_project):
    made = new_project()
    made.write("bad.py", BAD)
    made.write("behind_a_star.py", "from toy import *\n")
    made.guards({name: f"{key}, max_drop: 100" for name, (key, _) in CASES.items()})
    return made


@pytest.fixture(scope="module")
def run(project):
    return project.run("-W", "error")


def test_every_one_is_an_error(run):
    assert run.code == 1
    assert run.outcomes == {"failed": len(CASES)}
    assert {(cell["verdict"], cell["outcome"], cell["settled_by"]) for cell in run.cells.values()} == {
        ("error", "failed", "policy")
    }
    assert {(cell["score"], cell["drop"]) for cell in run.cells.values()} == {(None, None)}


@pytest.mark.parametrize("name", CASES)
def test_its_message_is_whole(project, run, name):
    # A star stands for what other tests hold to the letter.
    parts = CASES[name][1].format(folder=project.folder).split("*")
    reason = run.cells[f"{name}[jpeg-0.5bpp]"]["reason"]
    assert re.fullmatch(".*".join(map(re.escape, parts)), reason), reason
    assert f"{name}[jpeg-0.5bpp]: error\n{reason}" in run.junit[f"{name}[jpeg-0.5bpp]"].result[0].message


@pytest.mark.parametrize(
    "line",
    ['raise ValueError("no weights here")', "sys.exit(0)", 'raise RuntimeError("mat1 and mat2 cannot be multiplied")'],
)
def test_the_traceback_of_peoples_own_code_is_shown(run, line):
    assert line in run.out


def test_the_first_failure_of_a_model_is_kept_for_its_other_cells(project):
    project.guard('model: "bad:raises", max_drop: 100, bpp: [0.5, 1.0]')
    run = project.run()
    assert [cell["verdict"] for cell in run.cells.values()] == ["error", "error"]
    assert len({cell["reason"] for cell in run.cells.values()}) == 1
