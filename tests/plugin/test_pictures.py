"""Images that EXIF turns, and pictures on another scale, through each door of the plugin."""

from __future__ import annotations

import pytest

# Whoever distributes these tests: they look at one run.
pytestmark = pytest.mark.xdist_group("plugin-pictures")

WORLD = """
    import io
    import numpy as np
    import torch
    from PIL import Image

    class Turned:
        # Scenes with a bright box, held sideways or upside down, with boxes as on the stored image.
        def __init__(self, orientations):
            self.orientations = orientations

        def __len__(self):
            return len(self.orientations)

        def __getitem__(self, index):
            noise = np.random.default_rng(index)
            pixels = noise.integers(20, 60, (64, 96, 3)).astype(np.uint8)
            pixels[20 : 32, 68 : 88] = 230
            exif, file = Image.Exif(), io.BytesIO()
            exif[0x0112] = self.orientations[index]
            Image.fromarray(pixels).save(file, "PNG", exif=exif)
            return Image.open(io.BytesIO(file.getvalue())), {
                "boxes": torch.tensor([[68.0, 20.0, 88.0, 32.0]]),
                "labels": torch.tensor([1]),
            }

    def sideways():
        return Turned([6, 8, 6, 1, 1, 3])

    def flipped():
        return Turned([2, 3, 4, 1, 1, 3])

    def find(image):
        rows, columns = torch.where(image.float().mean(0) > 140)
        box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        return {
            "boxes": torch.tensor([[float(side) for side in box]]),
            "scores": torch.tensor([0.9]),
            "labels": torch.tensor([1]),
        }

    def finder():
        return lambda images: [find(image) for image in images]

    def dark():
        rng = np.random.default_rng(0)
        return [(Image.fromarray(rng.random((64, 64)).astype(np.float32)), 0) for _ in range(4)]

    def classifier():
        return lambda images: [torch.tensor([1.0, 0.0]) for _ in images]
"""
OWN = """
    import pytest
    import world

    def check(batches, size):
        seen = [one for batch in batches for one in zip(batch.images, batch.targets)]
        for image, target in seen:
            assert tuple(image.shape[1:]) == size
            assert (world.find(image)["boxes"] - target["boxes"]).abs().max() < 2
        assert len(seen) == 6

    @pytest.mark.compress_guard(guard="as_targets_tell", codecs=["webp"], bpp=[2.0])
    def test_of_a_guard(compressed_batches):
        check(compressed_batches, (64, 96))

    @pytest.mark.compress_guard(data="world:sideways", codecs=["webp"], bpp=[2.0])
    def test_of_data(compressed_batches):
        check(compressed_batches, (64, 96))

    @pytest.mark.compress_guard(data="world:flipped", codecs=["webp"], bpp=[2.0], orientation="stored")
    def test_of_data_that_says(compressed_batches):
        check(compressed_batches, (64, 96))

    @pytest.mark.compress_guard(data="world:flipped", codecs=["webp"], bpp=[2.0])
    def test_of_data_that_leaves_it_open(compressed_batches):
        next(iter(compressed_batches))

    @pytest.mark.compress_guard(data="world:dark", codecs=["webp"], bpp=[2.0])
    def test_of_dark_data(compressed_batches):
        next(iter(compressed_batches))

    def test_check(guard):
        wanted = {"task": "detection", "codec": "webp", "bpp": 2.0, "max_drop": 100}
        data, model = world.flipped(), world.finder()
        assert guard.check(model, data, **wanted, orientation="stored").clean_score == pytest.approx(100)
        assert guard.check(model, data, **wanted, orientation="upright").clean_score < 60
"""


@pytest.fixture(scope="module")
def run(new_project):
    project = new_project()
    project.write("world.py", WORLD)
    project.write("test_own.py", OWN)
    turned = 'task: detection, model: "world:finder", max_drop: 100'
    project.guards(
        {
            "as_targets_tell": f'{turned}, data: "world:sideways"',
            "open": f'{turned}, data: "world:flipped"',
            "stored": f'{turned}, data: "world:flipped", orientation: stored',
            "upright": f'{turned}, data: "world:flipped", orientation: upright',
            "dark": 'model: "world:classifier", data: "world:dark", max_drop: 100',
        },
        defaults="codecs: [webp], bpp: [2.0]",
    )
    return project.run("thresholds.yaml", "test_own.py", "--cg-device", "cpu")


def cell(run, guard):
    return run.cells[f"{guard}[webp-2.0bpp]"]


def test_targets_tell(run) -> None:
    found = cell(run, "as_targets_tell")
    assert (found["verdict"], found["clean_score"], found["turned"]) == ("pass", pytest.approx(100), 0)
    assert found["orientation"] == "stored"


def test_what_stays_open_is_an_error_before_anything_is_coded(run) -> None:
    found = cell(run, "open")
    assert (found["verdict"], found["outcome"], found["encodes"]) == ("error", "failed", None)
    assert found["reason"] == (
        "EXIF turns 4 images whose targets fit the upright image and the image as stored alike (the first: 0); "
        "expected a mask's size or a box that tells which is meant; set orientation: upright (images are turned by "
        "EXIF, targets are upright already) or orientation: stored (nothing is turned)"
    )


def test_guards_of_one_model_and_data_may_differ_in_it(run) -> None:
    assert cell(run, "stored")["clean_score"] == pytest.approx(100)
    assert cell(run, "upright")["clean_score"] is not None, cell(run, "upright")["reason"]
    assert cell(run, "upright")["clean_score"] < 60
    assert (cell(run, "stored")["turned"], cell(run, "upright")["turned"]) == (0, 4)
    assert "upright: 4 of 6 images were turned upright by EXIF; orientation: stored leaves them as they are" in run.out


def test_dark_pictures_are_an_error(run) -> None:
    found = cell(run, "dark")
    assert found["verdict"] == "error"
    assert found["reason"].startswith("the levels of all 4 pictures (mode F) are ")


def test_own_tests(run) -> None:
    outcomes = {
        name: "failed" if case.is_failure or case.is_error else "passed"
        for name, case in run.junit.items()
        if name.startswith("test_")
    }
    assert outcomes == {
        "test_of_a_guard[webp-2.0bpp]": "passed",
        "test_of_data[webp-2.0bpp]": "passed",
        "test_of_data_that_says[webp-2.0bpp]": "passed",
        "test_of_data_that_leaves_it_open[webp-2.0bpp]": "failed",
        "test_of_dark_data[webp-2.0bpp]": "failed",
        "test_check": "passed",
    }
    assert "DataError: EXIF turns 4 images whose targets fit" in run.out
    assert "DataError: the levels of all 4 pictures (mode F) are" in run.out


def test_the_marker_refuses_what_is_none_or_not_its_own(project) -> None:
    project.write("world.py", WORLD)
    for given, message in (
        ("data='world:flipped', orientation='exif'", "is 'exif'; expected 'upright' or 'stored'"),
        ("guard='toy', orientation='stored'", "takes orientation=... with data=... only; a guard has its own"),
    ):
        project.guard("max_drop: 100")
        project.write(
            "test_own.py",
            f"""
            import pytest

            @pytest.mark.compress_guard({given}, codecs=["webp"], bpp=[1.0])
            def test_own(compressed_batches):
                pass
            """,
        )
        assert message in project.run("test_own.py").out
