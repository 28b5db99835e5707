"""Models and data that move while pytest measures them: which cell says so, and how often the model is asked."""

from __future__ import annotations

import json

import pytest

MOVING = """
    import toy

    class Moving(toy.Spectrum):
        calls = 0

        def __call__(self, images):
            self.calls += 1
            answers = super().__call__(images)
            return [one * 1.01 for one in answers] if self.calls > {after} else answers

    def model():
        return Moving()
"""

# Four batches clean, three in each of the two controls, four for each cell.
BEFORE_CELLS = 4 + 3 + 3
SAID = "the model's answers changed while the guard was measured: 8 of 8 predictions of its first clean batch were"


@pytest.fixture
def moving(new_project):
    """A project whose first guard's model moves after so many calls."""

    def make(after):
        project = new_project()
        project.write("moving.py", MOVING.format(after=after))
        project.guards(
            {"first": 'max_drop: 100, model: "moving:model"', "second": "max_drop: 100"},
            defaults="codecs: [jpeg, webp], bpp: [0.5]",
        )
        return project

    return make


def test_the_last_cell_of_the_guard_says_it_and_counts_those_before(moving):
    run = moving(BEFORE_CELLS + 4).run()
    assert run.code == 1
    verdicts = {name: cell["verdict"] for name, cell in run.cells.items()}
    assert verdicts == {
        "first[jpeg-0.5bpp]": "pass",
        "first[webp-0.5bpp]": "error",
        "second[jpeg-0.5bpp]": "pass",
        "second[webp-0.5bpp]": "pass",
    }
    reason = run.cells["first[webp-0.5bpp]"]["reason"]
    assert reason.startswith(SAID)
    assert reason.endswith("this cell and the cell of the guard measured before it in this process cannot be trusted")
    assert run.cells["first[webp-0.5bpp]"]["drop"] is None
    assert SAID in run.out


def test_it_is_asked_once_a_guard_in_whatever_cells_are_selected(moving):
    def spent(run):
        return [cell["predictions"] for cell in run.cells.values()]

    project = moving(1000)
    first = 32 + 24 + 24 + 32
    assert spent(project.run()) == [first, 32 + 8, first, 32 + 8]
    assert spent(project.run("-k", "jpeg")) == [first + 8, first + 8]
    # In an order in which the cells of a guard do not come together.
    names = ["second[webp", "first[jpeg", "second[jpeg", "first[webp"]
    order = [f"thresholds.yaml::{name}-0.5bpp]" for name in names]
    mixed = project.run(*order)
    assert [cell["predictions"] for name in names for key, cell in mixed.cells.items() if key.startswith(name)] == [
        first,
        first,
        32 + 8,
        32 + 8,
    ]


def test_after_a_failure_with_x_nothing_is_asked(moving):
    project = moving(BEFORE_CELLS + 4)
    keys = 'max_drop: 0, model: "moving:model"'
    project.guards({"first": keys}, defaults="codecs: [jpeg, webp], bpp: [0.5]")
    (cell,) = project.run("-x").cells.values()
    assert (cell["verdict"], cell["outcome"]) == ("fail", "failed")
    assert cell["predictions"] == 32 + 24 + 24 + 32


def test_the_command_asks_too(moving):
    project = moving(BEFORE_CELLS + 4)
    run = project.fork("run", "--json", "results.json", program="compress_guard")
    assert run.code == 1
    assert f"first[webp-0.5bpp] failed: {SAID}" in run.out


@pytest.mark.slow  # two more processes that import torch
def test_workers_ask_for_their_own_cells(moving):
    run = moving(BEFORE_CELLS).run("-n", "2")
    assert run.code == 1
    errors = [name for name, cell in run.cells.items() if cell["verdict"] == "error"]
    assert errors
    assert all(name.startswith("first[") for name in errors)
    assert all(SAID in run.cells[name]["reason"] for name in errors)


def test_a_call_of_the_fixture_guard_is_its_own_end(moving):
    project = moving(BEFORE_CELLS + 4 + 1)
    project.write(
        "test_own.py",
        """
        import moving, toy

        MODEL, DATA = moving.model(), toy.data()

        def test_first(guard):
            guard.check(MODEL, DATA, task="classification", codec="jpeg", bpp=0.5, max_drop=100)

        def test_second(guard):
            guard.check(MODEL, DATA, task="classification", codec="webp", bpp=0.5, max_drop=100)
        """,
    )
    run = project.run("test_own.py")
    assert {name: cell["verdict"] for name, cell in run.cells.items()} == {
        "test_first::jpeg-0.5bpp": "pass",
        "test_second::webp-0.5bpp": "error",
    }
    assert SAID in run.cells["test_second::webp-0.5bpp"]["reason"]


# Data


CHANGING = """
    import itertools, os
    import toy

    READS = [itertools.count() for image in range(32)]

    class Changing:
        def __init__(self):
            self.rows = toy.data()

        def __len__(self):
            return len(self.rows)

        def __getitem__(self, at):
            image, label, name = self.rows[at]
            return image, {label}, name

    def data():
        return Changing()
"""


def test_labels_that_change_are_an_error_in_one_process(new_project):
    project = new_project()
    project.write("changing.py", CHANGING.format(label="next(READS[at]) % 4"))
    project.guard('max_drop: 100, data: "changing:data"')
    run = project.run()
    assert run.code == 1
    assert "gives a different target each time it is read" in run.cell["reason"]


@pytest.mark.slow  # two more processes that import torch
def test_workers_that_see_different_data_are_an_error(new_project):
    project = new_project()
    # The first image's label depends on the worker, beyond any probing of what the model answers to its first batch.
    label = "(label + (at == 30 and os.environ.get('PYTEST_XDIST_WORKER') == 'gw1')) % 4"
    project.write("changing.py", CHANGING.format(label=label))
    project.guard('max_drop: 100, data: "changing:data", codecs: [jpeg, webp]')
    run = project.run("-n", "2")
    assert run.code == 1
    verdicts = sorted(cell["verdict"] for cell in run.cells.values())
    assert verdicts == ["error", "pass"]
    (reason,) = (cell["reason"] for cell in run.cells.values() if cell["verdict"] == "error")
    assert reason.startswith(
        "the processes of this run see different data: image texture-030 has another target than in the process that "
        "read the data first; "
    )


BOUND = """
    import threading
    import compress_guard.engine.images.reader as reader
    import toy

    reader.KEPT_BYTES = 0

    class Bound:
        def __init__(self):
            self.rows, self.thread = toy.data(), threading.get_ident()

        def __len__(self):
            return len(self.rows)

        def __getitem__(self, at):
            if threading.get_ident() != self.thread:
                raise RuntimeError("this data was opened on another thread")
            return self.rows[at]

    def data():
        return Bound()
"""


def test_data_bound_to_its_thread_is_measured_and_said_once(new_project, monkeypatch):
    from compress_guard.engine.images import reader
    from compress_guard.engine.images.access import REMARK

    monkeypatch.setattr(reader, "KEPT_BYTES", reader.KEPT_BYTES)
    project = new_project()
    project.write("bound.py", BOUND)
    project.write(
        "test_own.py",
        """
        import pytest
        from bound import data

        @pytest.mark.compress_guard(codecs=["jpeg"], bpp=[0.5], data=data(), batch_size=4)
        def test_own(compressed_batches):
            assert sum(len(batch.ids) for batch in compressed_batches) == 32
        """,
    )
    project.guard('max_drop: 100, data: "bound:data", codecs: [jpeg, webp]')
    run = project.run("thresholds.yaml", "test_own.py")
    assert run.code == 0, run.out
    assert {cell["data_remark"] for cell in json.loads((project.folder / "results.json").read_text())["cells"]} == {
        REMARK
    }
    lines = [" ".join(line.split()) for line in run.out.splitlines()]
    assert sum(line == f"toy: {REMARK}" for line in lines) >= 1
    assert sum(line == f"data: {REMARK}" for line in lines) == 1
