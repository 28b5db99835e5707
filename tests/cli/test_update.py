"""`compress-guard run --update`: measured limits go into the thresholds file, or nothing does."""

from __future__ import annotations

import json

import pytest

from compress_guard.thresholds import load

FILE = """# our limits
version: 1
guards:
  toy:
    task: classification
    model: toy:model
    data: toy:data
    codecs: [jpeg]
    bpp: [2.0]
    limit: 16
    max_drop: LIMIT   # points
"""


@pytest.fixture
def limited(command, folder, monkeypatch):
    """Writes the file with this limit, and runs the command on it; the run, and the limit afterwards."""
    monkeypatch.delenv("CI", raising=False)

    def run(limit: float, *arguments: str):
        path = folder / "thresholds.yaml"
        path.write_text(FILE.replace("LIMIT", f"{limit:g}"))
        done = command("run", "--device=cpu", *arguments)
        (guard,) = load(path).guards
        assert path.read_text() == FILE.replace("LIMIT", f"{guard.cells[0].max_drop:g}")
        return done, guard.cells[0].max_drop

    return run


def test_a_limit_becomes_what_was_measured(command, folder, limited):
    done, limit = limited(100, "--update", "--json=results.json")
    assert done.code == 0, done.err
    (cell,) = json.loads((folder / "results.json").read_text())["cells"]
    assert (cell["verdict"], cell["max_drop"]) == ("unjudged", None)
    assert cell["drop_high"] + 0.5 <= limit < cell["drop_high"] + 0.61
    assert "-    max_drop: 100   # points\n" in done.out
    assert f"+    max_drop: {limit:g}   # points\n" in done.out
    assert done.err.endswith("compress-guard: --update: thresholds.yaml has new limits\n")
    assert command("run", "--device=cpu").code == 0


def test_a_limit_is_raised_by_loosen_alone(limited):
    done, limit = limited(0.1, "--update")
    assert limit == 0.1
    assert "--update: thresholds.yaml stays as it is\n" in done.err
    assert "reach above limits that stay; --update=loosen raises these" in done.err
    done, limit = limited(0.1, "--update=loosen")
    assert (done.code, limit > 0.5) == (0, True)


PARTS = "and limits need all cells and images; drop one"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--only=toy*"], f"given together with --only, {PARTS}"),
        (["--shard=1/1"], f"given together with --shard, {PARTS}"),
        (["--limit=5"], f"given together with --limit, {PARTS}"),
        (["--early-stop"], f"given together with --early-stop, {PARTS}"),
        (["--benchmark"], f"given together with --benchmark, {PARTS}"),
        (["--strict"], "given together with --strict, and nothing is judged; drop one"),
    ],
)
def test_parts_and_strict_runs_are_refused(limited, arguments, message):
    done, limit = limited(100, "--update", *arguments)
    assert (done.code, done.out, done.err) == (4, "", f"compress-guard: --update: {message}\n")
    assert limit == 100


def test_ci_is_refused(limited, monkeypatch):
    monkeypatch.setenv("CI", "true")
    done, limit = limited(100, "--update")
    assert (done.code, limit) == (4, 100)
    assert done.err == (
        "compress-guard: --update: the environment variable CI is set, and a release must not write the limits that it "
        "is held to; run it where a person looks at the change\n"
    )


def test_nothing_is_written_after_an_error(command, folder, limited):
    with (folder / "toy.py").open("a") as file:
        file.write("\ndef model():\n    raise ValueError('no weights')\n")
    done, limit = limited(100, "--update")
    assert (done.code, limit) == (1, 100)
    assert done.err.endswith("compress-guard: --update: 1 of 1 cells failed: toy[jpeg-2.0bpp]; nothing was written\n")


def test_another_word_than_loosen(limited):
    assert limited(100, "--update=all")[0].code == 4
