"""Recovery cells in a pytest run: which are collected, what they say, and where it is written."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys

import pytest

from compress_guard.records import RecoveryResult

# Whoever distributes these tests: they look at one run.
pytestmark = pytest.mark.xdist_group("plugin-recovery")

NETWORK = """
    import torch
    from torch import nn

    import compress_guard
    import toy

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 8, 7, stride=3)
            self.head = nn.Linear(8, 4)

        def forward(self, images):
            return self.head(self.conv(images).relu().mean((2, 3)))

    def model():
        with torch.random.fork_rng():
            torch.manual_seed(1)
            return compress_guard.predictor(Network(), task="classification")

    def train():
        return [(*toy.texture(1000 + index), f"train-{index}") for index in range(12)]

    def broken(module, batches, steps):
        raise OSError("no such disk")
"""
FILE = """
    version: 1
    defaults: {{codecs: [jpeg], bpp: [2.0], limit: 8}}
    guards:
      plain:
        {{task: classification, model: "toy:model", data: "toy:data", max_drop: 100}}
      toy:
        task: classification
        model: net:model
        data: toy:data
        max_drop: 100
        recovery:
          train: net:train
          bpp: [1.0, 2.0, mixed]
          images: 8
          steps: 2
          batch: 2
          seeds: [0]
          {more}
"""
CELLS = ["plain[jpeg-2.0bpp]", "toy[jpeg-2.0bpp]"]
STUDY = [f"toy[recovery-jpeg-{rate}]" for rate in ("1.0bpp", "2.0bpp", "mixed")]


@pytest.fixture(autouse=True, scope="module")
def alone():
    """A worker of the run that these tests are part of does not make their own runs workers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PYTEST_XDIST_WORKER", raising=False)
        yield


@pytest.fixture(scope="module")
def shared(new_project, alone):
    project = new_project()
    project.write("net.py", NETWORK)
    project.write("thresholds.yaml", FILE.format(more=""))
    return project


@pytest.fixture(scope="module")
def whole(shared):
    return shared.run("--cg-recovery", "-rs")


def properties_of(run, name):
    return {one.get("name"): one.get("value") for one in run.junit[name]._elem.iter("property")}


def test_they_come_last_and_only_where_they_are_asked_for(shared):
    listed = shared.run("--collect-only", "-q").collected
    assert [one.partition("::")[2] for one in listed] == CELLS
    listed = shared.run("--collect-only", "-q", "--cg-recovery").collected
    assert [one.partition("::")[2] for one in listed] == CELLS + STUDY


def test_a_study_without_a_limit_is_measured_and_skipped(whole):
    assert (whole.code, whole.outcomes) == (0, {"passed": 2, "skipped": 3})
    assert "no limit is set; skipped: measured without a limit" in whole.out
    assert "score of the model finetuned on (down), tested on (across)" in whole.out
    found = [RecoveryResult.from_dict(values) for values in whole.json["recovery"]]
    assert [one.id.partition("::")[2] for one in found] == STUDY
    assert [(one.steps, one.batch, one.train_images, one.images, one.trained) for one in found] == [
        (2, 2, 8, 8, 2),
        (2, 2, 8, 8, 1),
        (2, 2, 8, 8, 1),
    ]
    assert [len(one.points) for one in found] == [2, 2, 2]
    assert found[0].as_dict() | {"points": 0} == {
        **{key: tuple(value) if isinstance(value, list) else value for key, value in whole.json["recovery"][0].items()},
        "points": 0,
    }


def test_junit_has_a_case_and_its_figures_for_each(whole):
    properties = properties_of(whole, STUDY[0])
    assert properties["cg_verdict"] == "unjudged"
    assert json.loads(properties["cg_steps"]) == 2
    point = whole.json["recovery"][0]["points"][0]
    assert json.loads(properties["cg_finetuned"]) == point["finetuned"]
    assert {"cg_finetuned_1.0bpp", "cg_finetuned_2.0bpp"} <= properties_of(whole, STUDY[2]).keys()


def test_what_was_trained_is_kept_for_the_next_run(shared, whole):
    again = shared.run("--cg-recovery", "-k", "recovery and mixed")
    (found,) = again.json["recovery"]
    before = whole.json["recovery"][2]
    assert found["trained"] == 0
    assert found | {"seconds": 0, "trained": 0} == before | {"seconds": 0, "trained": 0}


def test_a_limit_that_is_missed_fails_with_the_line_that_sets_it(project):
    project.write("net.py", NETWORK)
    project.write("thresholds.yaml", FILE.format(more="trainer: net:broken"))
    run = project.run("--cg-recovery", "-k", "recovery and mixed")
    assert run.code == 1
    assert "toy[recovery-jpeg-mixed]: error" in run.out
    assert "trainer net:broken: raised OSError: no such disk" in run.out
    assert run.json["recovery"][0]["verdict"] == "error"


def test_a_file_without_a_study_is_a_usage_error(project):
    project.guard("max_drop: 100")
    run = project.run("--cg-recovery")
    assert run.code == 4
    assert (
        "--cg-recovery: no guard of thresholds.yaml has a key recovery; add recovery: with train: to a guard, see "
        "docs/howto/recovery.md"
    ) in run.out


def test_listing_them_imports_neither_torch_nor_pillow(shared):
    script = (
        "import sys, pytest; "
        "pytest.main(['--compress-guard', '--cg-recovery', '--collect-only', '-q', '-p', 'no:cacheprovider']); "
        "sys.exit(','.join(sorted({'torch', 'PIL'} & set(sys.modules))) or None)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=shared.folder, capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert STUDY[0] in done.stdout


@pytest.mark.skipif(importlib.util.find_spec("xdist") is None, reason="needs pytest-xdist")
def test_one_worker_carries_out_the_study_of_a_guard(shared, whole):
    run = shared.run("--cg-recovery", "-n", "2", "-v", "--cg-no-cache")
    assert run.code == 0
    workers = {
        line.split("]")[0] for line in run.out.splitlines() if "recovery-jpeg" in line and line.startswith("[gw")
    }
    assert len(workers) == 1
    lasting = [{**one, "seconds": 0} for one in run.json["recovery"]]
    assert lasting == [{**one, "seconds": 0} for one in whole.json["recovery"]]
