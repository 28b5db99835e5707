"""docs/howto/extending.md: what it shows runs through a whole gate, by decorators and by entry points."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from compress_guard.cli import main
from compress_guard.registry import CODECS, DATA, MODELS, TASKS

PAGE = (Path(__file__).parents[2] / "docs" / "howto" / "extending.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
CODEC, TASK, FACTORIES = (block for language, block in BLOCKS if language == "python")
(FILE,) = (block for language, block in BLOCKS if language == "yaml")
NODE = "photos[posterised-4.0bpp]"
LESSON = """
    import torch, toy
    import compress_guard

    def network():
        return compress_guard.predictor(torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(27648, 4)))

    def data():
        return [(*toy.texture(index), f"lesson-{index}") for index in range(100, 132)]

    def trainer(*arguments, **others): ...
"""
OWN_TESTS = """
    import pytest, toy
    from compress_guard import transforms

    @pytest.mark.compress_guard(codecs=["posterised"], bpp=[4.0], data="textures")
    def test_batches(compressed_batches):
        assert sum(len(batch.images) for batch in compressed_batches) == 32

    @pytest.mark.compress_guard(codecs=["posterised"], bpp=[4.0], data="nowhere")
    def test_nowhere(compressed_batches):
        list(compressed_batches)

    def test_guard(guard):
        guard.check(toy.model(), toy.data(), task="rating", codec="posterised", bpp=4.0, max_drop=30)

    def test_transform():
        image = toy.data()[0][0]
        assert transforms.RandomCompression(codecs=["posterised"], bpp=4.0)(image).shape == image.shape
"""
ENTRY_POINTS = """
    [compress_guard.codecs]
    posterised = house_codecs:Posterised
    [compress_guard.tasks]
    rating = house_codecs.tasks:Rating
    [compress_guard.models]
    spectrum = house_codecs.factories:spectrum
    [compress_guard.data]
    textures = house_codecs.factories:textures
"""


def without_decorators(block):
    return re.sub(r"^@compress_guard\.register_.*\n", "", block, flags=re.MULTILINE)


def install(project, *, decorated=False):
    """Write a package and the folder that an installer leaves beside it, both on the path of the project."""
    shown = str if decorated else without_decorators
    project.write("site/house_codecs/__init__.py", shown(CODEC))
    project.write("site/house_codecs/tasks.py", shown(TASK))
    project.write("site/house_codecs/factories.py", shown(FACTORIES))
    project.write(
        "site/house_codecs-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: house-codecs\nVersion: 1.0\n"
    )
    project.write("site/house_codecs-1.0.dist-info/entry_points.txt", ENTRY_POINTS)
    project.write("pytest.ini", "[pytest]\naddopts = -p no:cacheprovider\npythonpath = site .\n")


@pytest.fixture
def project(project, monkeypatch):
    for registry in (CODECS, TASKS, MODELS, DATA):
        for attribute in ("_decorated", "_found", "_installed"):
            monkeypatch.setattr(registry, attribute, {})
        monkeypatch.setattr(registry, "_looked_up", set())
    project.write("thresholds.yaml", FILE)
    return project


def check(run):
    assert (run.code, run.outcomes) == (0, {"passed": 1}), run.out
    cell = run.cells[NODE]
    assert (cell["task"], cell["metric"], cell["codec"], cell["verdict"]) == ("rating", "near", "posterised", "pass")
    assert abs(cell["bpp_mean"] / 4 - 1) <= 0.02
    assert cell["clean_score"] == 100


def test_decorators_in_a_conftest(project):
    project.write("conftest.py", CODEC + TASK + FACTORIES)
    run = project.run()
    check(run)
    assert run.cells[NODE]["encodes"] > 0
    again = project.run()
    check(again)
    assert again.cells[NODE]["encodes"] == 0


def test_decorators_in_a_conftest_of_workers(project):
    project.write("conftest.py", CODEC + TASK + FACTORIES)
    check(project.fork("-n", "1"))


def test_a_changed_codec_codes_anew(project):
    project.write("conftest.py", CODEC + TASK + FACTORIES)
    check(project.run())
    project.write("conftest.py", CODEC.replace("step // 2", "step // 3") + TASK + FACTORIES)
    run = project.run()
    check(run)
    assert run.cells[NODE]["encodes"] > 0


def test_entry_points_of_a_package(project):
    install(project)
    check(project.run())


def test_entry_points_whose_package_also_decorates(project):
    install(project, decorated=True)
    check(project.run())


def test_the_command_finds_entry_points_too(project, monkeypatch, capsys):
    install(project)
    monkeypatch.syspath_prepend(str(project.folder / "site"))
    monkeypatch.chdir(project.folder)
    assert main(["run", "thresholds.yaml"]) == 0
    capsys.readouterr()
    assert main(["doctor"]) == 0
    listed = capsys.readouterr().out
    (line,) = (line.split() for line in listed.splitlines() if line.startswith("  posterised "))
    assert " ".join(line) == "posterised ok 1, on cpu; house_codecs:Posterised of the distribution house-codecs 1.0"


def test_fixtures_take_registered_names(project):
    project.write("conftest.py", CODEC + TASK + FACTORIES)
    project.write("test_own.py", OWN_TESTS)
    run = project.run("test_own.py")
    assert (run.code, run.outcomes) == (1, {"passed": 3, "failed": 1}), run.out
    assert (
        "nowhere: cannot be imported (ModuleNotFoundError: No module named 'nowhere'); expected an importable"
        in run.out
    )


def test_a_package_and_a_decorator_that_differ_are_refused(project):
    install(project)
    project.write("conftest.py", CODEC)
    run = project.run()
    assert run.code == 4
    assert (
        "thresholds.yaml:3: photos: the codec name 'posterised' has two owners: conftest:Posterised of the file "
        f"{project.folder / 'conftest.py'}, and house_codecs:Posterised of the distribution house-codecs 1.0; register "
        "yours under another name"
    ) in run.out


def test_a_name_that_nobody_owns_is_compared_with_those_of_packages(project):
    install(project)
    project.write("thresholds.yaml", FILE.replace("[posterised]", "[posterized]"))
    run = project.run()
    assert run.code == 4
    assert "thresholds.yaml:3: photos: unknown codec 'posterized', did you mean 'posterised'? known: avif" in run.out


def test_recovery_studies_no_task_of_others(project):
    project.write("conftest.py", CODEC + TASK + FACTORIES)
    project.write("lesson.py", LESSON)
    recovery = ", recovery: {train: 'lesson:data', trainer: 'lesson:trainer', steps: 1}}\n"
    project.write("thresholds.yaml", FILE.replace("spectrum", "'lesson:network'").rstrip()[:-1] + recovery)
    run = project.run("--cg-recovery", "-k", "recovery")
    assert run.code == 1
    assert "recovery cannot study the task 'rating'; it knows classification, detection, segmentation" in run.out
